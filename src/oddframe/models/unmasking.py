"""Unmasking (Ionescu et al., "Unmasking the Abnormal Events in Video", ICCV 2017), by its motion features.

Nothing is trained, and no normal video is looked at. A window of twenty frames slides over the video: a classifier
learns to tell its second half from its first, then the features that it relied on most are taken away, and again. Two
halves of normal video become alike soon; where something new came up, they stay different for long. The accuracy over
all rounds is how odd the second half is, in each quarter of the picture.

No code of the authors was published. Follows the frame-level form of the re-implementation of 2018
(MYusha/Video-Anomaly-Detection): its motion features, its threshold, its regularisation, and a bias, without which
frames that show no motion are decided by a convention. Differs in three points: the picture's appearance, for which
the authors took a network trained on ImageNet, is left out (it added 0.9 points to theirs); windows stand at fixed
distances from the judged frame instead of the video's start, so that a frame's score needs no other; and the
classifier is found by 60 steps of gradient descent in the space of frames, which give the same accuracies and features
as Newton's method and are made of matrix products alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.detectors.unmasking import UnmaskingSettings
from oddframe.models.detector import Detector, Window
from oddframe.models.framediff import squared_error
from oddframe.nn.evidence import Evidence

HALF = 10
"""Frames of each half of a window."""

PATCH = 10
"""Side of a cube in pixels."""

_REACH = 2
"""A cube reaches so many frames to either side of its own."""

_BINS = 2
"""The picture is judged in so many rows and columns of bins."""

STEPS = 60
"""Steps of gradient descent; 20 are not enough."""

_SIGMA = 1.0
"""Of the 3x3 Gaussian that each picture is blurred with."""


class Unmasking(Detector):
    """Unmasking by motion: no parameters.

    Args:
        settings: see `UnmaskingSettings`.
        generator: taken as every detector takes it; nothing is drawn here.
    """

    window = Window(2 * HALF - 1 + 2 * _REACH, HALF - 1 + 2 * _REACH + 1)
    has_distance = True
    settings: UnmaskingSettings

    def __init__(self, settings: UnmaskingSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 38, C, H, W) in [-1, 1]: the distance of each quarter, and frame differences beside it."""
        before, judged = clip[:, self.window.before - 1], clip[:, self.window.before]
        settings = self.settings
        moving = moving_change(motion(clip.mean(dim=2) / 2 + 0.5), settings.threshold)  # (B, 29, H, W)
        step = settings.stride
        firsts = range((step - 1) // 2, HALF, step)
        windows = torch.stack([moving[:, first : first + 2 * HALF] for first in firsts], dim=1)
        rows = bins_of(windows)  # (B, windows, bins, 20, pixels)
        accuracy = unmasked(
            rows.flatten(0, 2),
            rounds=settings.rounds,
            removed=settings.removed,
            regularisation=settings.regularisation,
            bias=settings.bias,
        ).mean(dim=1)
        told_apart = (2 * accuracy - 1).clamp(min=0).reshape(-1, len(firsts), _BINS, _BINS).mean(dim=1)
        return Evidence(squared_error(before, judged), told_apart, before)


def motion(pictures: Tensor) -> Tensor:
    """(B, T, H, W) in 0..1 → (B, T - 1, H, W): by how much each pixel of the blurred picture changes to the next."""
    blurred = _blurred(_blurred(pictures, 2), 3)
    return (blurred[:, :-1] - blurred[:, 1:]).abs()


def _blurred(pictures: Tensor, axis: int) -> Tensor:
    """Three taps of a Gaussian along an axis. They are weighed by what lies inside, so that there is no dark border."""
    beside, last = math.exp(-1 / (2 * _SIGMA**2)), pictures.shape[axis] - 1
    left, inner, right = (pictures.narrow(axis, start, last - 1) for start in range(3))
    first, second, before, end = (pictures.narrow(axis, place, 1) for place in (0, 1, last - 1, last))
    whole = (inner + beside * (left + right)) / (1 + 2 * beside)
    at_first, at_end = ((one + beside * near) / (1 + beside) for one, near in ((first, second), (end, before)))
    return torch.cat([at_first, whole, at_end], dim=axis)


def moving_change(change: Tensor, threshold: float) -> Tensor:
    """(B, T, H, W) → (B, T - 8, H, W): the change where a moving cube covers it, 0 elsewhere; four less at both ends.

    A cube is moving whose changes in 5 frames of 10x10 pixels sum to more than the threshold.
    """
    sums = PATCH**2 * F.avg_pool2d(change, PATCH)  # (B, T, H/10, W/10)
    over = (sums.unfold(1, 2 * _REACH + 1, 1).sum(dim=-1) > threshold).to(change.dtype)
    covered = over.unfold(1, 2 * _REACH + 1, 1).amax(dim=-1)
    mask = covered.repeat_interleave(PATCH, dim=2).repeat_interleave(PATCH, dim=3)
    return change[:, 2 * _REACH : -2 * _REACH] * mask


def bins_of(windows: Tensor) -> Tensor:
    """(B, N, T, H, W) → (B, N, 4, T, H/2 W/2): the pixels of each quarter of the picture as one row a frame."""
    *leading, height, width = windows.shape
    cut = windows.reshape(*leading, _BINS, height // _BINS, _BINS, width // _BINS)  # (B, N, T, 2, H/2, 2, W/2)
    return cut.permute(0, 1, 3, 5, 2, 4, 6).flatten(5).flatten(2, 3)


def unmasked(rows: Tensor, *, rounds: int, removed: int, regularisation: float, bias: bool) -> Tensor:
    """How well a classifier tells the second half of some rows from the first, while its features are taken away.

    Args:
        rows: (N, T, features): the first T/2 rows of each are of the first half.
        rounds: as many as are wanted, or fewer where the features do not suffice.
        removed: features that each round takes away: half of them those of the largest weights, by value, half those of
            the smallest.
        regularisation: C. bias: see `classifier`.

    Returns:
        (N, rounds) share of rows that are told right.
    """
    halves = torch.arange(rows.shape[1], device=rows.device) >= rows.shape[1] // 2
    kept = torch.ones_like(rows[:, :1])
    found = []
    for _ in range(min(rounds, rows.shape[2] // removed)):
        weights, decisions = classifier(rows, kept, halves.to(rows.dtype), regularisation, bias=bias)
        found.append(((decisions >= 0) == halves).to(rows.dtype).mean(dim=1))
        kept = without(kept, weights, removed)
    return torch.stack(found, dim=1)


def classifier(
    rows: Tensor, kept: Tensor, wanted: Tensor, regularisation: float, *, bias: bool
) -> tuple[Tensor, Tensor]:
    """Logistic regression on rows of unit length: |w|^2 / 2 + C sum log(1 + exp(-y w.x)), y being -1 or 1.

    Found in the space of rows, w = sum of a_i x_i, by steps of the length that can never be too long.

    Args:
        rows: (N, T, features), of any length. kept: (N, 1, features), 1 for features that count, 0 for others.
        wanted: (T,) 0 or 1.
        bias: rows have one more feature, which is 1 and is never taken away.

    Returns:
        (N, features) weights without that of the bias, and (N, T) decisions: positive is 1.
    """
    masked = rows * kept
    products = masked @ rows.transpose(1, 2)  # (N, T, T)
    shorter = 1 / products.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt().clamp(min=1e-12)  # a row of zeros stays one
    kernel = products * shorter[:, :, None] * shorter[:, None] + float(bias)
    steepness = 1 + regularisation * kernel.diagonal(dim1=1, dim2=2).sum(dim=1, keepdim=True) / 4
    shares = torch.zeros_like(rows[:, :, 0])  # (N, T)
    for _ in range(STEPS):
        slope = (kernel @ shares[:, :, None])[:, :, 0].sigmoid() - wanted
        shares = shares - (shares + regularisation * slope) / steepness
    return ((shares * shorter)[:, None] @ masked)[:, 0], (kernel @ shares[:, :, None])[:, :, 0]


def without(kept: Tensor, weights: Tensor, removed: int) -> Tensor:
    """Take the features of the largest and of the smallest weights away.

    Args:
        kept: (N, 1, features), 1 for those that are left, 0 for others. weights: (N, features).

    Returns:
        What is left, as `kept`.
    """
    gone = kept[:, 0] == 0
    largest = weights.masked_fill(gone, float("-inf")).topk(removed // 2, dim=1).indices
    smallest = (-weights).masked_fill(gone, float("-inf")).topk(removed // 2, dim=1).indices
    taken = torch.cat([largest, smallest], dim=1)
    return kept[:, 0].scatter(1, taken, 0.0)[:, None]
