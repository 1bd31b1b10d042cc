"""The losses of DREAM (Eqs. 5-8) and the query margin, as functions of distances.

Distances come first: `squared_distance` and `plain_distance` turn queries and the items gathered for them into a
map (B, H, W), and the losses reduce such maps. Every loss is a scalar, a mean over the clips of a batch. Beyond
the paper: the query margin (`hinge` at `abnormal_cells`), the mean over the worst places (`worst`) and that over the
normal places of abnormal clips (`pull_elsewhere`).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.nn import ranks

Distance = Literal["squared", "plain"]
Reduction = Literal["mean", "sum"]

PLAIN_EPSILON = 1e-6
"""Added to each coordinate of a difference, as PyTorch's triplet loss does: keeps the gradient at 0 finite."""
MARKED_SHARE = 0.25
"""A cell of the query grid counts as abnormal from this share of marked pixels."""


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """||a - b||^2 along dimension 1: (B, C, ...) → (B, ...)."""
    return (a - b).square().sum(dim=1)


def plain_distance(a: Tensor, b: Tensor) -> Tensor:
    """||a - b|| along dimension 1, with 1e-6 added to each coordinate of the difference."""
    length: Tensor = torch.linalg.vector_norm(a - b + PLAIN_EPSILON, dim=1)
    return length


def distance(a: Tensor, b: Tensor, kind: Distance) -> Tensor:
    """One of the two readings of the L2 distance in Eqs. 5 and 8."""
    return squared_distance(a, b) if kind == "squared" else plain_distance(a, b)


def compactness(nearest: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Eq. 7 from squared distances to the nearest item, (B, H, W).

    `mean` over places has the scale of Eq. 11; `sum` is Eq. 7 as printed.
    """
    return _over_places(nearest, reduction).mean()


def separateness(
    nearest: Tensor,
    second: Tensor | None,
    margin: float = 1.0,
    reduction: Reduction = "mean",
    cells: Tensor | None = None,
) -> Tensor:
    """Eq. 8 from distances to the nearest and the second-nearest item, (B, H, W) each.

    It takes two items; where there is one only (`second` is None) it is 0. `cells` (B, H, W) bool: only there.
    """
    if second is None:
        return nearest.new_zeros(())
    return _over_places((nearest - second + margin).clamp(min=0), reduction, cells).mean()


def triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 1.0,
    features: Literal["raw", "unit"] = "raw",
    kind: Distance = "squared",
) -> Tensor:
    """Eq. 5 on features (B, F) each; mean over the batch.

    Where the three hold different numbers of clips, they are `matched`.
    """
    a, p, n = matched(anchor, positive, negative)
    if features == "unit":
        a, p, n = (F.normalize(part, dim=1) for part in (a, p, n))
    return (distance(a, p, kind) - distance(a, n, kind) + margin).clamp(min=0).mean()


def matched(*parts: Tensor) -> list[Tensor]:
    """Go through shorter parts again until all hold as many clips as the longest, so that each clip takes part."""
    count = max(len(part) for part in parts)
    return [part if len(part) == count else part[torch.arange(count, device=part.device) % len(part)] for part in parts]


def reconstruction(predicted: Tensor, target: Tensor) -> Tensor:
    """Eq. 6 as a mean over all elements; both pictures in [-1, 1]."""
    return (predicted.float() - target).square().mean()


def worst(nearest: Tensor, share: float) -> Tensor:
    """Mean of the ceil(share * H * W) largest distances of each clip, from (B, H, W)."""
    places = nearest.flatten(1)
    return places.topk(max(1, math.ceil(share * places.shape[1])), dim=1).values.mean()


def hinge(nearest: Tensor, margin: float, cells: Tensor | None = None) -> Tensor:
    """Mean of max(0, margin - distance), over `cells` (B, H, W) of each clip or over all places; then over clips."""
    return _over_places((margin - nearest).clamp(min=0), "mean", cells).mean()


def pull(nearest: Tensor, cells: Tensor) -> Tensor:
    """Mean squared distance over `cells` (B, H, W) bool of each clip; then over clips."""
    return _over_places(nearest, "mean", cells).mean()


def pull_elsewhere(nearest: Tensor, cells: Tensor) -> Tensor:
    """Mean squared distance over the places that neither are among `cells` (B, H, W) bool nor touch one.

    Of each clip, then over the clips of all ranks that have such places; 0 where none has.
    """
    apart = F.max_pool2d(cells.unsqueeze(1).to(nearest.dtype), 3, stride=1, padding=1).squeeze(1) == 0
    count = apart.sum(dim=(1, 2))
    of_clip = (nearest * apart).sum(dim=(1, 2)) / count.clamp(min=1)
    clips = ranks.total((count > 0).sum()).clamp(min=1)
    return of_clip.sum() / (clips / ranks.count())


def abnormal_cells(places: Tensor | None, grid: tuple[int, int, int], device: torch.device) -> Tensor:
    """Where on the query grid a clip is abnormal: places (B, H, W) bool → (B, h, w) bool, `grid` = (B, h, w).

    A cell counts when a quarter of its pixels are marked; else, in a clip without such a cell, those with the
    largest share; else, in a clip without a mark, all of them. So each clip has at least one.
    """
    if places is None:
        return torch.ones(grid, dtype=torch.bool, device=device)
    share = F.adaptive_avg_pool2d(places.to(device=device, dtype=torch.float32).unsqueeze(1), grid[1:]).squeeze(1)
    most = share.amax(dim=(1, 2), keepdim=True)
    return share >= most.clamp(max=MARKED_SHARE)


def _over_places(values: Tensor, reduction: Reduction, cells: Tensor | None = None) -> Tensor:
    """(B, H, W) → (B,)."""
    if cells is None:
        return values.sum(dim=(1, 2)) if reduction == "sum" else values.mean(dim=(1, 2))
    total = (values * cells).sum(dim=(1, 2))
    return total if reduction == "sum" else total / cells.sum(dim=(1, 2))
