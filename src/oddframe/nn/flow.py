"""Optical flow of Lucas and Kanade in torch alone: without weights, with a gradient, and the same in every runtime.

OpenCV's flow (`video/flow.py`) is better and has neither: no graph can hold it, and no loss can learn through it.
Coarse to fine, warped and damped; binomial windows of 5 taps, twice. Where there is nothing to hold on to, the
damping leaves the flow at 0 instead of inventing one. Movements of some pixels come out up to a seventh too short with
two levels and two warps, right with three and three.

Pictures are (B, 1, H, W) in [0, 1] with sides of at least 2 pixels on the coarsest level, flows (B, 2, H, W) in pixels,
right and down.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.nn.memory import exact

DAMPING = 1e-3
"""What is added to the diagonal of the equations, in squared steps of brightness a pixel."""
LONGEST_STEP = 2.0
"""Pixels by which one warp may change the flow, right and down."""
LEAST_CHANGE = 0.005
"""A change of brightness below this is taken for noise: no flow that explains it is believed."""


class Slopes(NamedTuple):
    """Brightness a pixel to the right and down, (B, C, H, W) each."""

    right: Tensor
    down: Tensor


def lucas_kanade(first: Tensor, second: Tensor, *, levels: int = 2, warps: int = 2, damping: float = DAMPING) -> Tensor:
    """Where each place of the first picture has gone to in the second: first(p) = second(p + flow(p)).

    Args:
        first: (B, 1, H, W) in [0, 1]. second: the same.
        levels: pictures of the pyramid, each half as large as the one before.
        warps: how often the second picture is brought back by the flow that is known, on each level.
        damping: see `DAMPING`.

    Returns:
        (B, 2, H, W) in pixels, right and down; with a gradient to both pictures.

    >>> hill = torch.exp(-((torch.arange(24.0) - 12) ** 2) / 18)
    >>> first, second = torch.outer(hill, hill)[None, None], torch.outer(hill, hill.roll(1))[None, None]
    >>> round(float(lucas_kanade(first, second)[0, 0, 12, 12]), 1)
    1.0
    """
    with exact(first.device):  # a determinant of half precision is noise
        pyramid = [(_numbers(first), _numbers(second))]
        for _ in range(levels - 1):
            one, two = pyramid[-1]
            pyramid.append((F.avg_pool2d(blur(one), 2), F.avg_pool2d(blur(two), 2)))
        coarsest = pyramid[-1][0]
        flow = torch.cat([torch.zeros_like(coarsest)] * 2, dim=1)
        for one, two in reversed(pyramid):
            if flow.shape[2:] != one.shape[2:]:
                flow = 2 * F.interpolate(flow, size=one.shape[2:], mode="bilinear", align_corners=False)
            for _ in range(warps):
                flow = flow + _step(one, warp(two, flow), damping)
    return flow


def believed(flow: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """A flow as a target to learn: its outliers gone, and no more of it than explains how the picture changed.

    Args:
        flow: (B, 2, H, W) from the first picture to the second. first: (B, 1, H, W) in [0, 1]. second: the same.

    Returns:
        (B, 2, H, W): the median of 5x5 places, times the share of the change that it takes away, 0..1.
    """
    with exact(flow.device):
        one, two, steady = _numbers(first), _numbers(second), median(flow)
        without = blur((two - one).abs())
        beside = blur((warp(two, steady) - one).abs())
        return steady * ((without - beside) / (without + LEAST_CHANGE)).clamp(0, 1)


def median(flow: Tensor) -> Tensor:
    """The median of the 5x5 places around each, of each channel by itself: (B, C, H, W) → the same. Edges repeat."""
    height, width = flow.shape[2:]
    wide = F.pad(flow, (2, 2, 2, 2), mode="replicate")
    around = [wide[:, :, row : row + height, column : column + width] for row in range(5) for column in range(5)]
    return torch.stack(around, dim=-1).topk(13, dim=-1).values[..., 12]


def grey(picture: Tensor) -> Tensor:
    """Pictures (B, C, H, W) in [-1, 1] → (B, 1, H, W) in [0, 1], the mean of the channels."""
    return (picture.mean(dim=1, keepdim=True) + 1) / 2


def blur(picture: Tensor) -> Tensor:
    """Binomial weights of 5 taps both ways, (B, C, H, W) → the same. Edges repeat."""
    count, channels, height, width = picture.shape
    taps = picture.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    flat = F.pad(picture.reshape(count * channels, 1, height, width), (2, 2, 2, 2), mode="replicate")
    return F.conv2d(F.conv2d(flat, taps.view(1, 1, 1, 5)), taps.view(1, 1, 5, 1)).reshape(picture.shape)


def slopes(picture: Tensor) -> Slopes:
    """Half the difference of both neighbours. Edges repeat."""
    across, along = F.pad(picture, (1, 1, 0, 0), mode="replicate"), F.pad(picture, (0, 0, 1, 1), mode="replicate")
    return Slopes((across[..., 2:] - across[..., :-2]) / 2, (along[..., 2:, :] - along[..., :-2, :]) / 2)


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture (B, C, H, W) at p + flow(p), between pixels by bilinear weights. Edges repeat."""
    height, width = picture.shape[2:]
    across = torch.arange(width, device=flow.device, dtype=flow.dtype)
    along = torch.arange(height, device=flow.device, dtype=flow.dtype).unsqueeze(1)
    places = torch.stack(
        [(across + flow[:, 0]) * (2 / (width - 1)) - 1, (along + flow[:, 1]) * (2 / (height - 1)) - 1], dim=-1
    )
    return F.grid_sample(picture, places, mode="bilinear", padding_mode="border", align_corners=True)


def _step(first: Tensor, second: Tensor, damping: float) -> Tensor:
    """By how much further two pictures are apart, in the least squares of each window."""
    right, down = slopes((first + second) / 2)
    change = second - first
    products = torch.cat([right * right, right * down, down * down, right * change, down * change], dim=1)
    xx, xy, yy, xt, yt = torch.split(blur(blur(products)), 1, dim=1)
    xx, yy = xx + damping, yy + damping
    step = torch.cat([xy * yt - yy * xt, xy * xt - xx * yt], dim=1) / (xx * yy - xy * xy)
    return step.clamp(-LONGEST_STEP, LONGEST_STEP)


def _numbers(picture: Tensor) -> Tensor:
    """In float32 at least."""
    return picture if picture.dtype == torch.float64 else picture.float()
