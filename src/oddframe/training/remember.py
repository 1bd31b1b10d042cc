"""Normal video as it is, for a detector that keeps something of it where others are trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from oddframe.data.protocols import Split
from oddframe.errors import TooShortError
from oddframe.models.detector import Detector
from oddframe.nn.pictures import to_unit_range
from oddframe.progress import Progress, Watcher
from oddframe.training.clip_sources import clip_sources
from oddframe.training.pictures import store_key
from oddframe.video.store import StoredVideo

MOST_CLIPS = 3000
"""Clips that are shown at most, so that hours of video take no longer than minutes."""

_TOGETHER = 8
"""Clips that are shown at once."""


def normal_clips(
    detector: Detector, parts: Split, stored: Mapping[str, StoredVideo], device: torch.device, watch: Watcher
) -> Iterator[Tensor]:
    """Clips of the normal video that is trained on, in order: all there are, or `MOST_CLIPS` at even steps.

    Nothing is mirrored, relit, slowed or crowded.

    Yields:
        (B, T, C, H, W) in [-1, 1], T the frames of the detector's window.

    Raises:
        TooShortError: no normal video is as long as a clip.
    """
    known = parts.known if parts.known_normal == "use" else ()
    videos = (*(section.video for section in parts.normal), *known)
    sources = clip_sources(parts.normal, known, [stored[store_key(video)] for video in videos])
    frames, channels = detector.window.frames, int(detector.settings.channels)
    rows = [(source, int(start)) for source in sources for start in source.starts(frames, abnormal=False)]
    if not rows:
        raise TooShortError(
            "no normal video is long enough for one clip",
            seen=f"at most {max((source.stop - source.start for source in sources), default=0)} frames in a row",
            wanted=f"{frames} normal frames in a row",
            hint="add longer normal video",
        )
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), MOST_CLIPS)).round().astype(int)
    deepest = max(source.pixels.shape[3] for source in sources)
    for first in range(0, len(chosen), _TOGETHER):
        clips = []
        for number in chosen[first : first + _TOGETHER]:
            source, start = rows[number]
            pixels = np.asarray(source.pixels[start : start + frames])
            clips.append(np.broadcast_to(pixels, (*pixels.shape[:3], deepest)))
        watch(Progress("remembering", first + len(clips), len(chosen)))
        yield to_unit_range(torch.from_numpy(np.stack(clips)).to(device), channels)
