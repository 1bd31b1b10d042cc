"""What stands still before a camera: by that, a video of another camera is known.

A median over pictures of a video leaves what stands still. Two of them are compared by the directions of their edges,
each without its sign: light, night and shadows change how strong edges are, or which side is the brighter one, but not
where they run.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.arrays import ArraySpec, read_arrays, same_length
from oddframe.errors import RunError
from oddframe.files import write_bytes
from oddframe.records import damaged
from oddframe.scoring.calibration import POOLED

FILE = "backgrounds.npz"

SIZE = (48, 72)
"""(height, width): enough for walls and roads, too little for a person."""

ALIKE = 0.3
"""Backgrounds of one camera are more alike than this, those of two cameras less. Over all pairs of 63 videos (UCSD
Ped2, Avenue, two clips, the demo's three scenes) the least alike of one camera have 0.66, or 0.57 where one of the two
is a single frame; the most alike of two cameras have 0.20 (`experiments/backgrounds.py`)."""

_PICTURES = 48
"""Pictures that a median is taken over; up to twice as many are held."""

_LEAST_EDGE = 4.0
"""Grey levels a pixel below which an edge is noise, and below which on the mean a picture has none to compare."""

_MOST_BYTES = 16 * 2**20
_WHAT = "the run's file of still backgrounds"
_HINT = "copy the run again; without the file, videos of other cameras are not told apart"

_OTHER_CAMERA = "if this is another camera, or it was moved, train on normal video of its own"

Background = NDArray[np.uint8]
"""(48, 72) grey."""


class Still:
    """Gathers what stands still in a video, of pictures spread over all of it.

    >>> still = Still()
    >>> for level in (10, 10, 200, 10, 10):
    ...     still.take(np.full((96, 144, 1), level, np.uint8))
    >>> int(still.picture().max())
    10
    """

    def __init__(self) -> None:
        self._kept: list[Background] = []
        self._every, self._seen = 1, 0

    def take(self, pixels: NDArray[np.uint8]) -> None:
        """Take the next picture, (H, W, C)."""
        if self._seen % self._every == 0:
            if len(self._kept) == 2 * _PICTURES:
                self._kept, self._every = self._kept[::2], 2 * self._every
            if self._seen % self._every == 0:
                self._kept.append(small(pixels))
        self._seen += 1

    def picture(self) -> Background | None:
        """The median; None where nothing has come."""
        return still_of(self._kept)


def kept_every(count: int) -> int:
    """Of which frames of a video of so many `Still` keeps a picture in the end: the first, and every so many.

    >>> kept_every(96), kept_every(97), kept_every(1000)
    (1, 2, 16)
    """
    every = 1
    while math.ceil(count / every) > 2 * _PICTURES:
        every *= 2
    return every


def still_of(kept: Sequence[Background] | NDArray[np.uint8]) -> Background | None:
    """What stands still in these small pictures: their median; None where there are none."""
    return np.median(kept, axis=0).astype(np.uint8) if len(kept) else None


@dataclass(frozen=True)
class Backgrounds:
    """The still background of each scene that a run was trained on; none of a run of an earlier version."""

    scenes: Mapping[str, Background] = field(default_factory=dict)

    @classmethod
    def of(cls, videos: Iterable[tuple[str, NDArray[np.uint8]]]) -> Self:
        """Gather them from (scene, (T, H, W, C) pictures) of each training video."""
        of_scene: dict[str, list[Background]] = {}
        for scene, pictures in videos:
            wanted = np.unique(np.linspace(0, len(pictures) - 1, _PICTURES).astype(int)) if len(pictures) else ()
            of_scene.setdefault(scene, []).extend(small(np.asarray(pictures[place])) for place in wanted)
        return cls({scene: np.median(kept, axis=0).astype(np.uint8) for scene, kept in of_scene.items() if kept})

    def notes(self, scene: str, seen: Background | None) -> list[str]:
        """A sentence where a video does not look like the scene that it is judged as, or could be called by one.

        Args:
            scene: what it is judged as; "" where it names none. seen: its background.
        """
        if seen is None or not self.scenes:
            return []
        if not scene and POOLED not in self.scenes and len(self.scenes) == 1:
            (scene,) = self.scenes
        likeness = {name: alike(seen, stored) for name, stored in self.scenes.items()}
        known = {name: value for name, value in likeness.items() if value is not None}
        closest = max((name for name in known if known[name] >= ALIKE), key=known.__getitem__, default="")
        names = ", ".join(f"'{name}'" for name in list(self.scenes)[:5]) + (" ..." if len(self.scenes) > 5 else "")
        looks = f"; it looks like '{closest}'" if closest else ""
        if scene and scene not in self.scenes:
            return [f"scene '{scene}' was not in the training{looks}"] if closest else []
        if scene in known and known[scene] < ALIKE:
            what = f"scene '{scene}'" if scene else "the training video"
            return [f"the still background is not that of {what}{looks}: {_OTHER_CAMERA}"]
        if scene not in self.scenes and closest:
            return [f"by its still background this is scene '{closest}': give --scene {closest}"]
        if scene not in self.scenes and len(known) == len(self.scenes):
            return [f"the still background is that of no scene in the training ({names}): {_OTHER_CAMERA}"]
        return []

    def save(self, folder: Path) -> Path:
        """Write backgrounds.npz into a run's folder.

        Raises:
            StorageError: it cannot be written.
        """
        pictures = np.zeros((len(self.scenes), *SIZE), np.uint8)
        for place, picture in enumerate(self.scenes.values()):
            pictures[place] = picture
        buffer = io.BytesIO()
        np.savez_compressed(buffer, scenes=np.array(list(self.scenes), np.str_), pictures=pictures)
        return write_bytes(folder / FILE, buffer.getvalue(), "the backgrounds cannot be written")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; without the file, as in a run of an earlier version, there are none.

        Raises:
            RunError: the file is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            return cls()
        wanted = {"scenes": ArraySpec("U", (None,)), "pictures": ArraySpec("u", (None, *SIZE))}
        found = read_arrays(path, wanted, _WHAT, limit_bytes=_MOST_BYTES, hint=_HINT)
        if not same_length((found["scenes"], found["pictures"])):
            raise damaged(_WHAT, "as many names as pictures are wanted", path=path, error=RunError, hint=_HINT)
        return cls(dict(zip(found["scenes"].tolist(), found["pictures"].astype(np.uint8), strict=True)))


def alike(one: Background, other: Background) -> float | None:
    """How alike two backgrounds are: 1 the same, 0 nothing in common; None where one of them has no edges.

    The correlation of their edges' directions. A camera that was nudged by a pixel of these small pictures counts as
    the same.
    """
    first, second = _edges(one), _edges(other)
    if first is None or second is None:
        return None
    height, width = SIZE
    middle = first[:, 1:-1, 1:-1]
    return max(
        _correlation(middle, second[:, down : height - 2 + down, right : width - 2 + right])
        for down in range(3)
        for right in range(3)
    )


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    one = one - one.mean(axis=(1, 2), keepdims=True)
    other = other - other.mean(axis=(1, 2), keepdims=True)
    return float((one * other).sum() / np.sqrt(max((one * one).sum() * (other * other).sum(), 1e-12)))


def _edges(picture: Background) -> NDArray[np.float64] | None:
    """(2, 48, 72): the direction of each place's edge at twice its angle, so that its sign is gone; 0 where there is no
    edge. None where the whole picture has none."""
    smooth = cv2.GaussianBlur(picture.astype(np.float64), (0, 0), 1.0)
    across, down = cv2.Sobel(smooth, cv2.CV_64F, 1, 0), cv2.Sobel(smooth, cv2.CV_64F, 0, 1)
    strength = np.hypot(across, down)
    if strength.mean() < _LEAST_EDGE:
        return None
    weight = strength / (strength + np.median(strength) + _LEAST_EDGE) / np.maximum(strength * strength, 1e-6)
    return np.stack([(across * across - down * down) * weight, 2 * across * down * weight])


def small(pixels: NDArray[np.uint8]) -> Background:
    """(H, W, C) as a small grey picture, by which backgrounds are compared."""
    grey = pixels[:, :, 0] if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, SIZE[::-1], interpolation=cv2.INTER_AREA), np.uint8)
