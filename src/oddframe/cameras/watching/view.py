"""Whether a camera still looks where it looked: the edges of its still background against those of a reference.

Edges stay where they are when the light changes. The reference follows slowly, since shadows wander, and there is one
for pictures with colour and one for those without, as the same place looks another by infrared light.
"""

from __future__ import annotations

import io
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.cameras.watching.look import SMALL, Look
from oddframe.errors import OddframeError
from oddframe.files import read_bytes, write_bytes

_EVERY_S, _LOOKS = 1.0, 15
"""The background is the median of so many looks at this distance."""
_JUDGED_EVERY_S = 2.0
_TILES = (3, 4)
_ALIKE = 0.4
"""Correlation of edges from which on a tile shows what it showed."""
_MOST_TILES = 0.4
"""Share of tiles that are alike where a camera was not moved: things are parked and carried away."""
_STRUCTURE = 4.0
"""Strength of edges, in levels of grey a pixel, below which a tile tells nothing."""
_RESPONSE = 0.1
_BETTER = 0.1
_OUTER = 0.75
"""Of a picture that is turned, the outer tiles tell by how much."""
_FOLLOW = 0.02
"""By which share the reference follows at each judgement: within minutes, as the sun goes."""
_MOST_BYTES = 1 << 20
_NAMES = {False: "colour", True: "infrared"}
_Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
SETTLES_S = 2 * _EVERY_S * _LOOKS
"""Within so long the background has followed whatever it is that shows something else."""


@dataclass(frozen=True)
class Shift:
    """How far the background lies from its reference.

    Attributes:
        share: of the picture's width; 1.0 where it shows something else altogether. words: how it is shifted.
    """

    share: float
    words: str = ""


class View:
    """Where a camera looks.

    Args:
        place: file in which the reference is kept, so that a camera that was moved while nobody read it is noticed;
            one that is damaged is made anew. None keeps it in memory alone.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._references: dict[bool, NDArray[np.float32]] = {}
        self._looks: deque[Look] = deque(maxlen=_LOOKS)
        self._judged_s = -np.inf
        self._shift = Shift(0.0)
        if place is not None and place.exists():
            self._read(place)

    def shift(self, look: Look) -> Shift:
        """How far the background lies from its reference, as of the last judgement."""
        if self._looks and look.infrared != self._looks[-1].infrared:
            self._looks.clear()
        if self._looks and look.time_s - self._looks[-1].time_s < _EVERY_S:
            return self._shift
        self._looks.append(look)
        if len(self._looks) == _LOOKS and look.time_s - self._judged_s >= _JUDGED_EVERY_S:
            self._judged_s = look.time_s
            self._shift = self._judge(look.infrared)
        return self._shift

    def differs(self, look: Look, share: float) -> bool:
        """Whether a single picture shows something else than the reference, or the same so far away.

        What stands close to the camera for a moment does that, too: it is a doubt, and no judgement.

        Args:
            share: of the picture's width.
        """
        reference = self._references.get(look.infrared)
        if reference is None:
            return False
        seen = look.small.astype(np.float32)
        pairs = _told(_edges(reference), _edges(seen))
        return _share_alike(pairs) < _MOST_TILES and shift_between(reference, seen).share >= share

    def accept(self) -> None:
        """The camera looks where it shall: what it shows now becomes the reference."""
        self._references.clear()
        self._looks.clear()
        self._shift = Shift(0.0)
        if self._place is not None:
            self._place.unlink(missing_ok=True)

    def begin_anew(self) -> None:
        """Pictures before this are another stretch."""
        self._looks.clear()

    def save(self) -> None:
        """Keep the reference in its file.

        Raises:
            StorageError: it cannot be written.
        """
        if self._place is not None and self._references:
            content = io.BytesIO()
            arrays = {_NAMES[infrared]: view.astype(np.uint8) for infrared, view in self._references.items()}
            np.savez_compressed(content, allow_pickle=False, **arrays)
            write_bytes(self._place, content.getvalue(), "what a camera looks at cannot be kept")

    def _judge(self, infrared: bool) -> Shift:
        background = np.median(np.stack([look.small for look in self._looks]), axis=0).astype(np.float32)
        reference = self._references.get(infrared)
        if reference is None:
            self._references[infrared] = background
            return Shift(0.0)
        shift = shift_between(reference, background)
        if shift.share == 0:
            self._references[infrared] += _FOLLOW * (background - reference)
        return shift

    def _read(self, place: Path) -> None:
        try:
            content = read_bytes(place, _MOST_BYTES, "what a camera looks at")
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                for infrared, name in _NAMES.items():
                    if name in arrays and arrays[name].shape == SMALL:
                        self._references[infrared] = arrays[name].astype(np.float32)
        except (OddframeError, OSError, ValueError, KeyError, EOFError):
            self._references.clear()


def shift_between(reference: NDArray[np.float32], background: NDArray[np.float32]) -> Shift:
    """How far a background lies from a reference; share 0 where it does not, or where nothing can be told.

    Args:
        reference, background: `SMALL` grey.
    """
    before, after = _edges(reference), _edges(background)
    tiles = _told(before, after)
    if not tiles:
        return Shift(0.0)
    width = before.shape[1]
    (right, down), response = cv2.phaseCorrelate(_even(before), _even(after), _window(before.shape))
    far = float(np.hypot(right, down)) / width
    if response > _RESPONSE and far > 1 / width and _fits_shifted(before, after, right, down):
        return Shift(far, _words(right / width, down / width))
    if _share_alike(tiles) >= _MOST_TILES:
        return Shift(0.0)
    if np.mean([other.mean() for _, other in tiles]) < _STRUCTURE / 2:
        return Shift(0.0)  # fog, or too little light: nothing to compare with
    by_tile = [cv2.phaseCorrelate(_even(one), _even(other), _window(one.shape)) for one, other in tiles]
    sure = [float(np.hypot(across, along)) for (across, along), strength in by_tile if strength > _RESPONSE]
    if len(sure) >= max(2, len(tiles) / 3):
        far = float(np.quantile(sure, _OUTER)) / width
        return Shift(far, "it is turned") if far > 1 / width else Shift(0.0)
    return Shift(1.0, "it shows something else")


def _told(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[_Pair]:
    """Pairs of tiles that tell something: those with structure before."""
    return [(one, other) for one, other in zip(_tiles(before), _tiles(after), strict=True) if one.mean() > _STRUCTURE]


def _share_alike(pairs: list[_Pair]) -> float:
    """Share of the pairs that show the same; 1 where there are none."""
    return float(np.mean([_correlation(one, other) > _ALIKE for one, other in pairs])) if pairs else 1.0


def _fits_shifted(before: NDArray[np.float32], after: NDArray[np.float32], right: float, down: float) -> bool:
    """Whether edges that are shifted fit better than those that are not."""
    height, width = before.shape
    across, along = round(right), round(down)
    if abs(across) >= width - 8 or abs(along) >= height - 8:
        return False
    there = after[max(0, along) : height + min(0, along), max(0, across) : width + min(0, across)]
    here = before[max(0, -along) : height + min(0, -along), max(0, -across) : width + min(0, -across)]
    return _correlation(here, there) > _correlation(before, after) + _BETTER


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    strength = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(np.minimum(strength, 60.0), np.float32)  # the edge of a shadow in the sun is not all


def _even(edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Edges in the light and in the shade alike, as numbers around 0."""
    around = cv2.blur(edges, (15, 15))
    return np.asarray((edges - around) / (around + _STRUCTURE), np.float32)


def _tiles(edges: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    rows = np.array_split(edges, _TILES[0], axis=0)
    return [np.ascontiguousarray(tile) for row in rows for tile in np.array_split(row, _TILES[1], axis=1)]


def _window(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow((shape[1], shape[0]), cv2.CV_32F))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = _even(one), _even(other)
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / length if length else 0.0


def _words(right: float, down: float) -> str:
    """Where what is seen has gone.

    >>> _words(0.12, -0.01)
    'it has gone 12 % of its width to the right'
    """
    parts = [
        f"{abs(share):.0%} of its width {to}".replace("%", " %")
        for share, to in ((right, "to the right" if right > 0 else "to the left"), (down, "down" if down > 0 else "up"))
        if abs(share) >= 0.02
    ]
    return f"it has gone {' and '.join(parts)}" if parts else "it has gone a little"
