"""An address tried before it is added: its picture, or why there is none, within ten seconds."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from oddframe.cameras.address import Address
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import StreamInfo
from oddframe.cameras.trial import try_address
from oddframe.errors import ConflictError, UnknownNameError
from oddframe.site.picture_maker import WIDTHS
from oddframe.video.draw import fit, jpeg

MOST_AT_ONCE = 4
"""Each trial is a process of its own; more of them would be felt by the cameras that are watched."""

_QUALITY = 85
_MOST_KEPT, _KEPT_S = 8, 300.0


@dataclass(frozen=True)
class TriedCamera:
    """What a camera shows.

    Attributes:
        key: by which `Trials.picture` gives its picture for some minutes.
        address: masked. jpeg: a picture, no wider than a large one. stream: what it sends.
        infrared: whether it has no colour. after_s: how long it took.
    """

    key: str
    address: str
    jpeg: bytes = field(repr=False)
    stream: StreamInfo
    infrared: bool
    after_s: float


class Trials:
    """Tries addresses, some at a time, and keeps the pictures of the last ones; for many threads."""

    def __init__(self) -> None:
        self._free, self._lock = threading.Semaphore(MOST_AT_ONCE), threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def attempt(self, address: str, settings: CameraSettings | None = None, *, within_s: float = 10.0) -> TriedCamera:
        """Open a camera, take one picture, and close it again.

        Args:
            address: as it was typed; it is kept nowhere. settings: how it is read.

        Raises:
            AddressError: it is none. CameraError: it gives no picture, and why, with its `cause`.
            ConflictError: too many are being tried. WorkerError: the process that reads it ended.
        """
        parsed = Address.parse(address)
        if not self._free.acquire(blocking=False):
            raise ConflictError(f"{MOST_AT_ONCE} addresses are being tried already", hint="try again in some seconds")
        try:
            tried = try_address(parsed, settings, within_s=within_s)
        finally:
            self._free.release()
        small = fit(tried.picture, min(WIDTHS["large"], tried.picture.shape[1]))
        key, made = secrets.token_urlsafe(16), jpeg(small, _QUALITY)
        with self._lock:
            self._kept[key] = time.monotonic(), made
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return TriedCamera(key, parsed.masked, made, tried.stream, tried.infrared, round(tried.after_s, 2))

    def picture(self, key: str) -> bytes:
        """The picture of an address that was tried some minutes ago, a JPEG.

        Raises:
            UnknownNameError: there is none, or no more.
        """
        with self._lock:
            made_s, found = self._kept.get(key, (0.0, b""))
        if not found or time.monotonic() - made_s > _KEPT_S:
            raise UnknownNameError("there is no such picture any more", hint="try the address again")
        return found
