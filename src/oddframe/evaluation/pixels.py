"""Whether odd pixels stand out: two areas under ROC curves, from maps and masks. Higher is odder, 0..1.

- `auc`: every pixel of every judged frame is a case. How often an odd pixel has a larger value than a normal one.
- `covered_auc`: every frame is a case (the pixel-level criterion of Li, Mahadevan and Vasconcelos, "Anomaly detection
  and localization in crowded scenes", PAMI 2014). An odd frame counts as detected at a line only when at least 40 % of
  its odd pixels are at or above it, a normal frame as a false alarm when any pixel is.

Maps are coarser than pictures; as in `regions.py`, a place of the map stands for the pixels that it covers.
scikit-learn counts; it is loaded when a figure is asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation import metrics
from oddframe.evaluation.metrics import Video

LEAST_COVERED = 0.4

_SHIFT = 13
"""Values are told apart by the upper bits of a float32, ten of them behind the point: to one part in a thousand."""
_BINS = 1 << (31 - _SHIFT)


class PixelCurve:
    """Gathers pixels frame by frame, in the same memory however many there are (but for one number a frame)."""

    def __init__(self) -> None:
        self._odd = np.zeros(_BINS)
        self._normal = np.zeros(_BINS)
        self._frames: list[float] = []
        self._labels: list[bool] = []

    def add(self, values: NDArray[np.float32], odd: NDArray[np.float32] | None = None) -> None:
        """Take the map (h, w) of the next frame, never negative, and how much of each place is odd, 0..1."""
        flat = np.ascontiguousarray(values, np.float32).ravel()
        # the bits of floats that are not negative have the order of the floats
        bins = flat.view(np.uint32) >> _SHIFT
        share = np.zeros(flat.size) if odd is None else np.clip(odd.ravel().astype(np.float64), 0, 1)  # rounding
        np.add.at(self._odd, bins, share)
        np.add.at(self._normal, bins, 1 - share)
        abnormal = bool(share.any())
        self._labels.append(abnormal)
        self._frames.append(_covering(flat, share) if abnormal else float(flat.max()))

    def auc(self) -> float | None:
        """Area under the ROC curve over pixels; None without odd or without normal ones.

        Values closer than one part in a thousand are taken for equal.
        """
        odd, normal = np.flatnonzero(self._odd), np.flatnonzero(self._normal)
        labels = np.repeat([True, False], [len(odd), len(normal)])
        weights = np.concatenate([self._odd[odd], self._normal[normal]])
        return metrics.auc(Video(labels, np.concatenate([odd, normal])), weights)

    def covered_auc(self) -> float | None:
        """Area under the ROC curve over frames, with 40 % of the odd pixels to be covered; None if undefined."""
        return metrics.auc(Video(np.array(self._labels, bool), np.array(self._frames)))


def _covering(values: NDArray[np.float32], share: NDArray[np.float64]) -> float:
    """The highest line at or above which 40 % of the odd pixels lie."""
    odd = np.flatnonzero(share)
    falling = odd[np.argsort(-values[odd])]
    covered = np.cumsum(share[falling])
    # rounding must not ask for one place more where the share is met exactly
    return float(values[falling[np.searchsorted(covered, LEAST_COVERED * covered[-1] * (1 - 1e-9))]])
