"""Frames that are put into groups of scenes without labels: a mixture of normal distributions over four numbers.

Scene-Aware's clustering, after its published code. Differs in two points, with the paper: the energy has the root of
the determinant, and not its fourth one, and the determinant has a gradient. On a complete graph a graph convolution is
a layer on the mean over the nodes, and is built as that.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.nn import ranks
from oddframe.nn.chance import dropped

NUMBERS = 4
"""Numbers that a frame is for the mixture."""
DROPOUT = 0.5
REMEMBERED = 256
"""Frames of earlier steps that the mixture is fitted to besides the batch's, which are too few for it."""
LEAST_VARIANCE = 1e-6
_TINY = 1e-12


class SceneGroups(nn.Module):
    """How likely a frame is of each group.

    Args:
        channels: of an object's features. groups: how many there are.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.graph = nn.ModuleList([nn.Linear(channels, 128), nn.Linear(128, 32), nn.Linear(32, NUMBERS)])
        self.choice = nn.Sequential(nn.Linear(NUMBERS, 32), nn.ReLU(), nn.Linear(32, groups))

    def forward(self, nodes: Tensor, there: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Features of objects (B, N, C), which of them are there (B, N) → four numbers a frame, and groups (B, M).

        Args:
            generator: where dropout is drawn from; without one there is none.
        """
        shares = (there / there.sum(dim=1, keepdim=True).clamp(min=1)).unsqueeze(-1)
        frame = (nodes * shares).sum(dim=1)
        for layer in self.graph[:-1]:
            frame = F.relu(layer(frame))
            frame = frame if generator is None else dropped(frame, DROPOUT, generator)
        z: Tensor = self.graph[-1](frame).float()
        return z, self.choice(z).float().softmax(dim=1)


class Mixture(NamedTuple):
    """Normal distributions: shares (M,), means (M, 4), covariances (M, 4, 4), in float64."""

    share: Tensor
    mean: Tensor
    cov: Tensor


def mixture_of(z: Tensor, groups: Tensor) -> Mixture:
    """The mixture of frames (N, 4) that belong to groups by these shares, (N, M)."""
    z, groups = z.double(), groups.double()
    total = groups.sum(dim=0).clamp(min=_TINY)
    mean = groups.T @ z / total.unsqueeze(1)
    apart = z.unsqueeze(1) - mean  # (N, M, 4)
    cov = torch.einsum("nm,nmi,nmj->mij", groups, apart, apart) / total.view(-1, 1, 1)
    return Mixture(groups.mean(dim=0), mean, cov + LEAST_VARIANCE * torch.eye(NUMBERS, device=z.device, dtype=z.dtype))


class Measure(NamedTuple):
    """What distances in a mixture take: shares, means, inverse roots (M, 4, 4), half the logarithms of det 2 pi cov."""

    share: Tensor
    mean: Tensor
    root: Tensor
    half_log_det: Tensor


def measure_of(mixture: Mixture) -> Measure:
    """The covariances taken apart, with a gradient."""
    root = torch.linalg.cholesky(mixture.cov)
    half = root.diagonal(dim1=1, dim2=2).log().sum(dim=1) + NUMBERS / 2 * math.log(2 * math.pi)
    return Measure(mixture.share, mixture.mean, torch.linalg.inv(root), half)


def squared_lengths(z: Tensor, measure: Measure) -> Tensor:
    """Squared distances (N, M) of frames (N, 4) to each mean, in standard deviations."""
    return torch.einsum("mij,nmj->nmi", measure.root, z.unsqueeze(1) - measure.mean).square().sum(dim=-1)


def energy(z: Tensor, measure: Measure) -> Tensor:
    """How unlikely frames (N, 4) are: (N,), minus the logarithm of their density. Higher is odder."""
    logs = (measure.share + _TINY).log() - measure.half_log_det
    return -torch.logsumexp(logs - squared_lengths(z, measure) / 2, dim=1)


def least_energy(measure: Measure) -> Tensor:
    """No frame has less."""
    return -torch.logsumexp((measure.share + _TINY).log() - measure.half_log_det, dim=0)


class Remembered(nn.Module):
    """The frames of the last steps, and the mixture that they make; frames are judged by it.

    Args:
        groups: how many there are.
    """

    z: Tensor
    groups: Tensor
    filled: Tensor
    share: Tensor
    mean: Tensor
    root: Tensor
    half_log_det: Tensor

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.register_buffer("z", torch.zeros(REMEMBERED, NUMBERS))
        self.register_buffer("groups", torch.full((REMEMBERED, groups), 1 / groups))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self.register_buffer("share", torch.full((groups,), 1 / groups))
        self.register_buffer("mean", torch.zeros(groups, NUMBERS))
        self.register_buffer("root", torch.eye(NUMBERS).expand(groups, -1, -1).clone())
        self.register_buffer("half_log_det", torch.zeros(groups))

    def with_new(self, z: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
        """What is remembered, behind these frames, which keep their gradient."""
        filled = int(self.filled)
        return torch.cat([z, self.z[:filled]]), torch.cat([groups, self.groups[:filled]])

    def add(self, z: Tensor, groups: Tensor) -> None:
        """Remember frames in place of the oldest, and fit the mixture anew.

        Where several ranks train, the frames of all count, so that all put frames into the same groups.
        """
        together = self.with_new(ranks.gathered(z), ranks.gathered(groups))
        filled = min(len(together[0]), REMEMBERED)
        self.z[:filled], self.groups[:filled] = (one[:filled] for one in together)
        self.filled.fill_(filled)
        for name, value in measure_of(mixture_of(self.z[:filled], self.groups[:filled]))._asdict().items():
            getattr(self, name).copy_(value)

    def measure(self) -> Measure:
        """Of the mixture that frames are judged by."""
        return Measure(self.share, self.mean, self.root, self.half_log_det)

    def largest_share(self) -> float:
        """Share of the remembered frames that fall into the largest group."""
        chosen = self.groups[: int(self.filled)].argmax(dim=1)
        return float(chosen.bincount().max()) / len(chosen) if len(chosen) else 0.0
