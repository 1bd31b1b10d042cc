"""Several components become one score. Higher = odder for all that leave here.

- `paper` (Eq. 12): min-max over each whole video, so it needs the video's end.
- `online`: the rarities of components added, or the highest of them; causal.
- `learned`: rarities added with weights fitted on held-out normal video and held-out known anomalies (`weights.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.tail import Tail
from oddframe.settings import FusedBy

Values = NDArray[np.float64]

Numbers = TypeVar("Numbers", float, Values)
"""One frame's number, or those of many."""


# Offline ---------------------------------------------------------------------------------------------------------


def paper_fusion(
    psnr: NDArray[np.float32], distance: NDArray[np.float32] | None, gamma: float
) -> NDArray[np.float32] | None:
    """S = gamma (1 - g(P)) + (1 - gamma) g(D), with g the min-max over the video (Eq. 12). Higher is odder.

    Args:
        psnr: (N,) dB. distance: (N,), or None for a detector without distances: S is then 1 - g(P).
        gamma: weight of PSNR; with 0 or 1 the other of the two may be anything.

    Returns:
        (N,) in 0..1; None where g is undefined, since a video's values are all equal.
    """
    if distance is None:
        gamma = 1.0
    total = np.zeros(len(psnr))
    if gamma > 0:
        calm = _min_max(psnr)
        if calm is None:
            return None
        total += gamma * (1 - calm)
    if distance is not None and gamma < 1:
        far = _min_max(distance)
        if far is None:
            return None
        total += (1 - gamma) * far
    return total.astype(np.float32)


def _min_max(values: NDArray[np.float32]) -> Values | None:
    wide = values.astype(np.float64)
    if not len(wide) or wide.max() == wide.min():
        return None
    return np.asarray((wide - wide.min()) / (wide.max() - wide.min()))


# Causal ----------------------------------------------------------------------------------------------------------


class CausalScore:
    """Rarities of one frame after another, joined by weight and averaged over the last frames. Never looks ahead.

    The one place where components become a score: a stream, a whole video and a single picture all pass it.

    Args:
        weights: component → weight. frames: how many frames the mean is over; fewer at the start. by: see `joined`.
    """

    def __init__(self, weights: Mapping[str, float], frames: int, by: FusedBy = "sum") -> None:
        self._weights, self._by = weights, by
        self._past: deque[float] = deque(maxlen=frames)

    def take(self, rarities: Mapping[str, float]) -> float:
        """The score of the next frame."""
        self._past.append(joined(rarities, self._weights, self._by))
        total = 0.0
        for one in self._past:  # one after another: some versions of Python have `sum` round in another way
            total += one
        return total / len(self._past)

    def of_all(self, rarities: Mapping[str, Values]) -> Values:
        """The scores of the next frames: component → (N,) becomes (N,)."""
        most = self._past.maxlen
        assert most is not None
        before = len(self._past)
        sums = np.concatenate([np.array(self._past, np.float64), joined(rarities, self._weights, self._by)])
        self._past.extend(sums[before:][-most:].tolist())
        total, count = np.zeros(len(sums)), np.minimum(np.arange(1, len(sums) + 1), most)
        for back in range(min(most, len(sums)) - 1, -1, -1):  # the oldest first, as `take` adds them
            total[back:] += sums[: len(sums) - back]
        return (total / count)[before:]


def of_stretch(rarities: Mapping[str, Values], weights: Mapping[str, float], frames: int, by: FusedBy) -> Values:
    """As `CausalScore.of_all` of a stretch out of the middle of a video: (N,).

    Its first frames have a past that is not in it. With less of a past a mean varies more: one such frame of many
    stretches would be the highest of all. So they count as the first one does whose past is all there.
    """
    scores = CausalScore(weights, frames, by).of_all(rarities)
    settled = min(frames, len(scores)) - 1
    scores[:settled] = scores[settled]
    return scores


def joined(rarities: Mapping[str, Numbers], weights: Mapping[str, float], by: FusedBy = "sum") -> Numbers:
    """Rarities by weight, of one frame or of many: added, or the highest of them alone.

    >>> rarities, weights = {"psnr": 1.0, "distance": 2.5, "motion": 9.0}, {"psnr": 1.0, "distance": 0.5}
    >>> joined(rarities, weights), joined(rarities, weights, "oddest")
    (2.25, 1.25)
    """
    first, *others = weights
    total = weights[first] * rarities[first]
    for name in others:
        one = weights[name] * rarities[name]
        total = total + one if by == "sum" else _higher(total, one)
    return total


def _higher(one: Numbers, other: Numbers) -> Numbers:
    return np.maximum(one, other) if isinstance(one, np.ndarray) else max(one, other)


# How rare a sum is -----------------------------------------------------------------------------------------------

MARGIN = 1.0
"""Decades past what the footage has shown up to which a score is what the tail says."""
SQUEEZED = 1.0
"""Decades into which all that is rarer still is pressed."""


def supported(rarity: Numbers, frames: int | None) -> Numbers:
    """Press what is rarer than the footage can tell into one decade, so that order is kept.

    N normal frames have shown what is one in N, at best: neighbouring frames are alike. A tail that is carried on
    from there to one in 10^190 is arithmetic. So up to log10(N) + `MARGIN` a rarity stays what it is; past that it
    nears log10(N) + `MARGIN` + `SQUEEZED` and never reaches it. What was rarer stays rarer.

    Args:
        rarity: -log10 of a share. frames: N >= 1; None leaves everything as it is.

    >>> [round(supported(rarity, 1000), 2) for rarity in (2.0, 4.0, 5.0, 190.0)]
    [2.0, 4.0, 4.5, 4.99]
    """
    if frames is None:
        return rarity
    knee = np.log10(frames) + MARGIN
    over = np.maximum(rarity - knee, 0.0)
    pressed = np.minimum(rarity, knee) + over / (1 + over / SQUEEZED)
    return np.asarray(pressed, np.float64) if isinstance(rarity, np.ndarray) else float(pressed)


FLOOR = 0.001
"""Up to here a rarity is bent so that it nears 0 and never goes below."""


def raised(rarity: Numbers) -> Numbers:
    """Bend what is calmer than all of the footage above 0, so that order is kept: no share is above 1.

    >>> [round(raised(rarity), 5) for rarity in (2.0, 0.001, 0.0, -0.07)]
    [2.0, 0.001, 0.0005, 1e-05]
    """
    bent = FLOOR**2 / (2 * FLOOR - np.minimum(rarity, FLOOR))
    if isinstance(rarity, np.ndarray):
        return np.asarray(np.where(rarity < FLOOR, bent, rarity), np.float64)
    return float(bent) if rarity < FLOOR else rarity


@dataclass(frozen=True)
class Fusion:
    """One fusion on normal video.

    Attributes:
        weights: component → weight. tail: of the scores of `CausalScore` on normal video.
        frames: held-out normal frames that it rests on (see `supported`); None in runs of older versions.
        by: how components are joined.
    """

    weights: Mapping[str, float]
    tail: Tail
    frames: int | None
    by: FusedBy = "sum"

    def causal(self, smoothing: int) -> CausalScore:
        """Joins the rarities of one video's frames in order, of which the tail tells how rare that is."""
        return CausalScore(self.weights, smoothing, self.by)

    def rarity_of(self, score: float) -> float:
        """-log10 of the share of normal frames that are at least as odd, as far as the footage tells: never below 0."""
        return raised(supported(self.tail.rarity_of(score), self.frames))

    def rarities_of(self, scores: Values) -> Values:
        """`rarity_of` each of many, (N,), to the last bit."""
        return raised(supported(self.tail.rarities_of(scores), self.frames))

    def rarity(self, scores: Values) -> Values:
        """`rarity_of` many: (N,)."""
        return raised(supported(self.tail.rarity(scores), self.frames))


@dataclass(frozen=True)
class FusedNormal:
    """One scene's normal, fused: rarities of components become `online` and `learned`.

    Attributes:
        smoothing: both are the mean over so many frames up to now.
    """

    online: Fusion
    learned: Fusion
    smoothing: int

    def stream(self) -> FusedStream:
        """Fuse one frame of a video after another."""
        return FusedStream(self)

    def of_frame(self, rarities: Mapping[str, float]) -> tuple[float, float]:
        """(online, learned) of a frame that stands alone, as the first one of a video does."""
        return self.stream().take(rarities)


class FusedStream:
    """`online` and `learned` of one video's frames in order."""

    def __init__(self, normal: FusedNormal) -> None:
        self._fusions = [(one.causal(normal.smoothing), one) for one in (normal.online, normal.learned)]

    def take(self, rarities: Mapping[str, float]) -> tuple[float, float]:
        """Component → rarity of the next frame becomes (online, learned)."""
        online, learned = (fusion.rarity_of(sums.take(rarities)) for sums, fusion in self._fusions)
        return online, learned
