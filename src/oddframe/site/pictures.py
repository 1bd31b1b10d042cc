"""Live pictures of cameras, from the side of those who look: any number of them cost what one does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from oddframe.errors import NoPictureError
from oddframe.site.picture_maker import EVERY_S, Asked, LivePicture

_FRESH_S = 2 * EVERY_S
_AGAIN_S = 0.1
_FORGET_S = 60.0


@dataclass
class _Shown:
    """The latest picture of one kind, and who fetches it."""

    fetching: threading.Lock = field(default_factory=threading.Lock)
    fetched_s: float = float("-inf")
    wanted_s: float = 0.0
    picture: LivePicture | None = None


class Pictures:
    """Gives live pictures; for many threads.

    Args:
        ask: the engine for the latest one, see `PictureMaker.ask`.
    """

    def __init__(self, ask: Callable[[Asked, float], tuple[LivePicture | None, str]]) -> None:
        self._ask = ask
        self._shown: dict[Asked, _Shown] = {}
        self._lock = threading.Lock()

    def get(self, asked: Asked, patience_s: float) -> LivePicture:
        """The latest picture, no older than a second or so.

        Args:
            patience_s: how long it is waited for.

        Raises:
            UnknownNameError: there is no such camera. NoPictureError: it gives none now, and why.
        """
        until_s = time.monotonic() + patience_s
        shown = self._of(asked)
        if not shown.fetching.acquire(timeout=patience_s):
            raise _none(asked.camera, f"no answer within {patience_s:g} s")
        try:
            if shown.picture is not None and time.monotonic() - shown.fetched_s < EVERY_S:
                return shown.picture
            while True:
                picture, why = self._ask(asked, _FRESH_S)
                if picture is not None:
                    shown.picture, shown.fetched_s = picture, time.monotonic()
                    return picture
                if why or time.monotonic() >= until_s:
                    raise _none(asked.camera, why or f"none came within {patience_s:g} s")
                time.sleep(_AGAIN_S)
        finally:
            shown.fetching.release()

    def _of(self, asked: Asked) -> _Shown:
        with self._lock:
            now_s = time.monotonic()
            self._shown = {kind: one for kind, one in self._shown.items() if now_s - one.wanted_s < _FORGET_S}
            shown = self._shown.setdefault(asked, _Shown())
            shown.wanted_s = now_s
            return shown


def _none(camera: str, why: str) -> NoPictureError:
    return NoPictureError(f"there is no picture of camera '{camera}' now", cause="other", seen=why)
