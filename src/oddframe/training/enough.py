"""Whether there is normal video enough to say what is rare. Asked before anything is decoded."""

from __future__ import annotations

import math

from oddframe.data.protocols import Split
from oddframe.errors import TooShortError
from oddframe.models.detector import Window
from oddframe.settings import DataSettings

_MOST_HELDOUT = 0.5
_STEP = 0.05


def refuse_little_heldout(parts: Split, window: Window, settings: DataSettings) -> None:
    """Refuse a training whose calibration would rest on a handful of frames.

    Raises:
        TooShortError: fewer held-out normal frames can be judged than `settings.least_heldout`; says how many more
            frames of normal video it takes, and whether holding out more of what is there would do.
    """
    judged = sum(max(0, len(section) - window.frames + 1) for section in parts.heldout)
    if judged >= settings.least_heldout:
        return
    frames = sum(map(len, (*parts.normal, *parts.heldout)))
    lacking = settings.least_heldout - judged
    # Each piece that is held out loses a window; with more video, so many more frames are held out.
    more = math.ceil(lacking / settings.heldout)
    rates = {section.video.video.fps for section in parts.heldout}
    (fps,) = rates if len(rates) == 1 else (None,)
    video = f"{more:,} more frames of normal video" + (f", {_duration(more / fps)} of it" if fps else "")
    share = math.ceil(settings.heldout * (1 + 1.1 * lacking / max(judged, 1)) / _STEP) * _STEP
    larger = f", or hold out more of what is there: --set data.heldout={share:.2g}" if share <= _MOST_HELDOUT else ""
    raise TooShortError(
        "too little normal video is held out to say what is rare",
        seen=f"{judged} held-out frames that can be judged, of {frames:,} normal ones",
        wanted=f"at least {settings.least_heldout}; one in a hundred cannot be told from fewer",
        hint=f"{video}{larger}. To go on in spite of it: --set data.least_heldout={max(judged, 1)}",
    )


def _duration(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"
