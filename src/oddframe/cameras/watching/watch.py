"""The health of a camera whose pictures come: from looks at them to a state, with patience both ways."""

from __future__ import annotations

import numpy as np

from oddframe.cameras.settings import HealthSettings
from oddframe.cameras.state import HealthState
from oddframe.cameras.watching.look import Look
from oddframe.cameras.watching.stillness import Stillness
from oddframe.cameras.watching.view import SETTLES_S, View

_DIM = 60
"""A picture without structure that is darker than this is dark; else the lens is covered."""


class Watch:
    """Tells how a camera is from looks at its pictures. What is seen first is reported: blinded, dark, frozen, moved.

    Args:
        view: where the camera looks.

    Attributes:
        doubted: whether the last look may be the first of one of these states, long before it counts as that: a hand
            over the lens, a lamp, somebody who turns the camera, or a van that stops right in front of it.
    """

    def __init__(self, settings: HealthSettings, view: View) -> None:
        self._settings, self._view = settings, view
        self._stillness = Stillness(settings.frozen_level, settings.frozen_s)
        clear_s = settings.clear_s
        self._blinded = _Lasting(settings.blinded_s, clear_s)
        self._dark = _Lasting(settings.dark_s, clear_s)
        self._frozen = _Lasting(0.0, 0.0)
        self._moved = _Lasting(settings.moved_s, clear_s)
        self._longest_doubt_s = max(settings.blinded_s, settings.dark_s, settings.moved_s + SETTLES_S) + clear_s
        self._doubted_since_s: float | None = None
        self.doubted = False

    def look(self, look: Look) -> tuple[HealthState, str]:
        """The state after this look, and a sentence."""
        settings, small = self._settings, look.small
        saturated = float((small >= settings.blinded_level).mean())
        low, high = np.percentile(small, (5, 95))
        blinded = settings.blinded_share < 1 and saturated >= settings.blinded_share
        structureless = high - low < settings.dark_span and not blinded
        still_s = self._stillness.still_s(look)
        elsewhere = settings.moved_share < 1 and self._view.differs(look, settings.moved_share)
        self._doubt(blinded or structureless or elsewhere, look.time_s)
        if self._blinded.on(blinded, look.time_s):
            return HealthState.BLINDED, f"{round(100 * saturated)} % of the picture is saturated"
        if self._dark.on(structureless, look.time_s):
            dim = (
                "it is dark, or the lens is covered" if small.mean() < _DIM else "the lens is covered, or there is fog"
            )
            return HealthState.DARK, f"the picture shows nothing: {dim}"
        if self._frozen.on(still_s >= self._stillness.limit_s, look.time_s):
            return HealthState.FROZEN, f"the picture has been the same for {still_s:.0f} s, although packets come"
        if blinded or structureless or settings.moved_share >= 1:
            return HealthState.ONLINE, ""
        shift = self._view.shift(look)
        if self._moved.on(shift.share >= settings.moved_share, look.time_s):
            return HealthState.MOVED, f"the camera's picture is not where it was: {shift.words}"
        return HealthState.ONLINE, ""

    def _doubt(self, odd: bool, time_s: float) -> None:
        """A doubt that lasts longer than any state takes to count was none, until there is a new one."""
        if not odd:
            self._doubted_since_s = None
        elif self._doubted_since_s is None or time_s < self._doubted_since_s:
            self._doubted_since_s = time_s
        since_s = self._doubted_since_s
        self.doubted = since_s is not None and time_s - since_s <= self._longest_doubt_s

    def begin_anew(self) -> None:
        """The camera was opened again."""
        self._stillness.begin_anew()
        self._view.begin_anew()


class _Lasting:
    """Something that counts once it has lasted, and until it has been over for a while."""

    def __init__(self, after_s: float, clear_s: float) -> None:
        self._after_s, self._clear_s = after_s, clear_s
        self._on = False
        self._other_since_s: float | None = None

    def on(self, now_is: bool, time_s: float) -> bool:
        """Whether it counts."""
        if now_is == self._on:
            self._other_since_s = None
            return self._on
        if self._other_since_s is None or time_s < self._other_since_s:
            self._other_since_s = time_s
        if time_s - self._other_since_s >= (self._clear_s if self._on else self._after_s):
            self._on, self._other_since_s = now_is, None
        return self._on
