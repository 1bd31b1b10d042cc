"""Where a frame is odd: heat over the picture, and the box around the hottest place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.scores import Box, Raw

REACH, SPREAD = 3, 2
"""Places of a distance map, each way: among how many motion is compared, and over how many oddness is averaged."""
STILL = 0.1
"""Of the motion that half of all normal frames stay below: what moves no more than that counts as standing still."""

LEAST_RARITY = float(np.log10(2))
"""Of frames of which half of all normal ones are odder, no place is odd."""


def heat_of(calibration: Calibration, normal: SceneNormal, raw: Raw) -> NDArray[np.float32]:
    """How odd each place of a frame is, by the local components of `online`: (h, w), never negative.

    Comparable from frame to frame. In alarm lines, which are those of frames: what a place must reach in a frame that
    is in an alarm is another matter with each detector. Distances are laid on what moves (`laid_on_motion`).
    """
    names = [name for name in raw.maps if name in normal.fused.online.weights] or ["motion"]
    weights = normal.fused.online.weights
    maps = {name: weights.get(name, 1.0) * normal.components.rarity_map(name, raw) for name in names}
    if "local_distance" in maps:
        still = STILL * float(
            np.exp(normal.components.tails["motion"].median)
        )  # components are calibrated on a log scale
        odd = np.maximum(maps["local_distance"], 0)
        maps["local_distance"] = laid_on_motion(odd, raw.maps["motion"], still)
    height, width = max(values.shape for values in maps.values())
    same = [cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR) for values in maps.values()]
    heat = np.max(same, axis=0) / max(calibration.line.on, 1e-6)
    for name, values in maps.items():  # what was laid elsewhere, or blurred, stays out of places that do not count
        if name in raw.watched and values.shape == (height, width):
            heat = np.where(raw.watched[name], heat, 0)
    return np.asarray(np.maximum(heat, 0), np.float32)


def shown_heat(calibration: Calibration, normal: SceneNormal, raw: Raw) -> NDArray[np.float32]:
    """The heat of a frame for the eye: (h, w), its hottest place as hot as the frame is odd, with 1 at the alarm line.

    As odd by `online`, without the mean over the frames before, so that a picture shows what the curve says. Between
    frames, `heat_of` finds the odd places better.
    """
    heat = heat_of(calibration, normal, raw)
    odd = _rarity(normal, raw) / max(calibration.line.on, 1e-6)
    return np.asarray(heat * (odd / max(float(heat.max()), 1e-6)), np.float32)


def is_odd(normal: SceneNormal, raw: Raw) -> bool:
    """Whether there is anything to point at: the frame is odder than half of all normal ones."""
    return _rarity(normal, raw) > LEAST_RARITY


def place_of(
    calibration: Calibration, normal: SceneNormal, raw: Raw, size: tuple[int, int]
) -> tuple[NDArray[np.float32], Box | None]:
    """The heat of a frame for the eye, and the box around its oddest place in a picture of this size; None where there
    is nothing to point at."""
    box = box_of(heat_of(calibration, normal, raw), size) if is_odd(normal, raw) else None
    return shown_heat(calibration, normal, raw), box


def _rarity(normal: SceneNormal, raw: Raw) -> float:
    """`online` of a frame by itself, never negative."""
    return normal.fused.of_frame(normal.components.rarities(raw))[0]


def laid_on_motion(odd: NDArray[np.float32], motion: NDArray[np.float32], still: float) -> NDArray[np.float32]:
    """Lay what is odd somewhere within the reach of a query on what moves most there.

    A query sees a good deal around its place, and the frames before the judged one: its distance says that something
    is odd thereabouts, and is as large around it and behind it. The middle of what is odd has such places on all sides,
    what only stands near it has them on one; so each place takes the mean of those around it. Where nothing moves
    within reach, oddness stays where it is.

    Args:
        odd: (h, w), never negative. motion: (h', w') mean squared change of each place. still: > 0, motion that counts
            as none.

    Returns:
        (h, w), nowhere more than the most of `odd` within `SPREAD`.
    """
    height, width = odd.shape
    moves = motion if motion.shape == odd.shape else cv2.resize(motion, (width, height), interpolation=cv2.INTER_LINEAR)
    most = cv2.dilate(moves, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    moving = most / (most + still)
    around = cv2.blur(odd, (2 * SPREAD + 1, 2 * SPREAD + 1), borderType=cv2.BORDER_REFLECT_101)
    laid = moving * around + (1 - moving) * odd
    return np.asarray(np.maximum(laid, 0) * (moves + still) / (most + still), np.float32)  # a blur rounds below 0


class BoxTrack:
    """A box that follows what is odd from frame to frame, without the trembling of the single boxes.

    Each edge is the mean of where it was and where it is now; a box elsewhere in the picture begins anew.
    """

    def __init__(self) -> None:
        self._edges: NDArray[np.float64] | None = None

    def take(self, box: Box | None) -> Box | None:
        """Take the next frame's box, None where it has none; return the one to draw."""
        if box is None:
            self._edges = None
            return None
        now = np.array([box.x, box.y, box.x + box.width, box.y + box.height], np.float64)
        before = self._edges
        apart = before is None or (now[:2] >= before[2:]).any() or (before[:2] >= now[2:]).any()
        self._edges = now if before is None or apart else (before + now) / 2
        left, top, right, bottom = (round(edge) for edge in self._edges.tolist())
        return Box(left, top, right - left, bottom - top)


def box_of(heat: NDArray[np.float32], size: tuple[int, int]) -> Box:
    """The region around the hottest place in which it is at least half as hot, in pixels of the source."""
    y, x = np.unravel_index(int(np.argmax(heat)), heat.shape)
    _, labels = cv2.connectedComponents((heat >= 0.5 * heat[y, x]).astype(np.uint8))
    rows, columns = np.nonzero(labels == labels[y, x])
    down, across = size[0] / heat.shape[0], size[1] / heat.shape[1]
    left, top = int(columns.min() * across), int(rows.min() * down)
    right, bottom = int(np.ceil((columns.max() + 1) * across)), int(np.ceil((rows.max() + 1) * down))
    return Box(left, top, min(right, size[1]) - left, min(bottom, size[0]) - top)
