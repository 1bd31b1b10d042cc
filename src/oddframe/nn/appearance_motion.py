"""The networks of AMC: one way down, two ways up, and a judge of pairs of frame and flow.

Weights begin as a truncated normal of 0.02, biases as 0. Batch norm has an epsilon of 1e-3 and keeps 99 % of the past.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.nn.chance import dropped

SLOPE = 0.2


class AppearanceMotion(nn.Module):
    """Rebuilds a frame, and says how it should move.

    Four branches of 1x1 to 7x7 and one 4x4 convolution to w channels, then four halvings to 2w, 4w, 8w, 8w. The way up
    to the flow sees what the way down has seen; that to the frame does not.

    Args:
        channels: of a frame. width: w; 64 as published.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width
        self.branches = nn.ModuleList(_branch(channels, w // 4, pairs) for pairs in range(4))
        self.first = nn.Conv2d(w, w, 4)
        self.down = nn.ModuleList(Halving(one, two) for one, two in pairwise((w, 2 * w, 4 * w, 8 * w, 8 * w)))
        self.to_flow = nn.ModuleList(
            Doubling(one, two) for one, two in ((8 * w, 4 * w), (12 * w, 4 * w), (8 * w, 2 * w), (4 * w, w))
        )
        self.to_frame = nn.ModuleList(Doubling(one, two) for one, two in pairwise((8 * w, 4 * w, 4 * w, 2 * w, w)))
        self.flow = nn.Conv2d(2 * w, 3, 3, padding=1)
        self.frame = nn.Conv2d(w, channels, 3, padding=1)
        self.apply(_begun)

    def forward(
        self, frame: Tensor, dropout: float = 0.0, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Frames (B, C, H, W) in [-1, 1], sides multiples of 16.

        Args:
            dropout: share of the values that each step up drops. generator: where it is drawn from.

        Returns:
            The frames rebuilt, and their flow (B, 3, H, W): right, down, length. Both in float32 and of any size.
        """
        branches = torch.cat([branch(frame) for branch in self.branches], dim=1)
        seen = [F.leaky_relu(self.first(F.pad(branches, (1, 2, 1, 2))), SLOPE)]
        for halving in self.down:
            seen.append(halving(seen[-1]))
        moving = still = seen.pop()
        for to_flow, to_frame in zip(self.to_flow, self.to_frame, strict=True):
            up, still = to_flow(moving), to_frame(still)
            if generator is not None and dropout > 0:
                up, still = (dropped(one, dropout, generator) for one in (up, still))
            moving = torch.cat([up, seen.pop()], dim=1)
        return self.frame(still).float(), self.flow(moving).float()


class PairJudge(nn.Module):
    """Says of each place of a frame and its flow whether the flow is a true one: the logarithm of the odds.

    Four halvings to w, 2w, 4w, 8w channels, each of the last ones an answer.

    Args:
        channels: of frame and flow together. width: w; 64 as published.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width
        self.first = _halved(channels, w)
        self.down = nn.ModuleList([Halving(w, 2 * w), Halving(2 * w, 4 * w), Halving(4 * w, 8 * w, bent=False)])
        self.apply(_begun)

    def forward(self, frame: Tensor, flow: Tensor) -> Tensor:
        """(B, C, H, W) and (B, 3, H, W) → (B, 8w, H/16, W/16) in float32."""
        said = F.leaky_relu(self.first(torch.cat([frame, flow], dim=1)), SLOPE)
        for halving in self.down:
            said = halving(said)
        return said.float()


class Halving(nn.Module):
    """A 4x4 convolution of stride 2, batch norm, and LeakyReLU unless it is not `bent`."""

    def __init__(self, channels_in: int, channels: int, *, bent: bool = True) -> None:
        super().__init__()
        self.conv, self.norm, self.bent = _halved(channels_in, channels), _norm(channels), bent

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, channels, H/2, W/2)."""
        normed: Tensor = self.norm(self.conv(x))
        return F.leaky_relu(normed, SLOPE) if self.bent else normed


class Doubling(nn.Module):
    """A transposed 4x4 convolution of stride 2, batch norm and ReLU."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels_in, channels, 4, stride=2, padding=1)
        self.norm = _norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, channels, 2H, 2W)."""
        normed: Tensor = self.norm(self.deconv(x))
        return F.relu(normed)


def _branch(channels_in: int, channels: int, pairs: int) -> nn.Sequential:
    """A 1x1 convolution and so many pairs of 1x3 and 3x1: nothing is bent between them, as published."""
    layers = [nn.Conv2d(channels_in, channels, 1)]
    for _ in range(pairs):
        layers.append(nn.Conv2d(channels, channels, (1, 3), padding=(0, 1)))
        layers.append(nn.Conv2d(channels, channels, (3, 1), padding=(1, 0)))
    return nn.Sequential(*layers)


def _halved(channels_in: int, channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, 4, stride=2, padding=1)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _begun(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
