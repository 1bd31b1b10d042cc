"""Objects that are found by their motion, followed back through a clip, and described without any training.

They stand in for a detector of objects, a tracker of points and the features of a network that was trained on other
pictures: none of these comes with this package. Everything is tensor operations of one shape, so that a graph holds it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.nn import flow

CELL = 4
"""Side of the cells, in pixels of the pictures as they are looked at, in which the fastest are sought."""
BOX_SHARE = 6
"""A box is a square of this part of the picture's height."""
LEAST_ROWS = 120
"""Pictures are halved, or cut to a third and so on, as long as they keep so many rows."""
LEAST_MOTION = 0.1
"""Pixels of a picture of 240 rows: what moves less is no object."""
DIRECTIONS = 8
POINTS = 16
"""Points across a box and down at which it is looked at."""
DESCRIPTION = 4 * 4 * DIRECTIONS + 2 * 2 * DIRECTIONS + 4
"""Numbers that describe a box: gradients in 4x4 parts, flow in 2x2, mean and largest flow, mean and contrast."""
_SMALL = 1e-6


class Objects(NamedTuple):
    """What moves in the last frame of each clip, followed back; the whole frame is one more, the last.

    Attributes:
        boxes: (B, T, N, 4) left, top, right and bottom, as shares of the picture's width and height.
        there: (B, N) 1 for an object, 0 where nothing more moves; the whole frame is always there.
        pictures: (B, T, 3, h, w) grey in [0, 1], and flow to the frame before, right and down, in pixels of 240 rows.
    """

    boxes: Tensor
    there: Tensor
    pictures: Tensor


def objects_in(clip: Tensor, most: int) -> Objects:
    """Find up to `most` objects in the last frame of clips (B, T, C, H, W) in [-1, 1], two frames or more."""
    _, frames, _, rows, _ = clip.shape
    grey = flow.grey(clip.flatten(0, 1))
    smaller = max(1, rows // LEAST_ROWS)
    grey = F.avg_pool2d(grey, smaller) if smaller > 1 else grey
    grey = grey.reshape(-1, frames, 1, *grey.shape[2:])
    later, earlier = grey[:, 1:].flatten(0, 1), grey[:, :-1].flatten(0, 1)
    back = flow.lucas_kanade(later, earlier).reshape(-1, frames - 1, 2, *grey.shape[3:])
    steady = flow.believed(back[:, -1], grey[:, -1], grey[:, -2]) * (240 / grey.shape[3])
    boxes, there = _fastest(steady.square().sum(dim=1, keepdim=True).sqrt(), most)
    track = _followed(boxes, back)
    whole = torch.tensor([0.0, 0.0, 1.0, 1.0], device=clip.device).expand(boxes.shape[0], frames, 1, 4)
    moved = torch.cat([back[:, :1], back], dim=1) * (240 / grey.shape[3])  # the first has none before it
    return Objects(
        torch.cat([track, whole], dim=2),
        torch.cat([there, torch.ones_like(there[:, :1])], dim=1),
        torch.cat([grey, moved], dim=2),
    )


def fits(size: tuple[int, int], most: int) -> int:
    """How many objects are sought in a picture: `most`, or fewer where it has fewer cells."""
    smaller = max(1, size[0] // LEAST_ROWS)
    return min(most, (size[0] // smaller // CELL) * (size[1] // smaller // CELL))


def _fastest(speed: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Peaks of speed (B, 1, h, w) → boxes (B, most, 4) as shares of the picture, and whether each is one, (B, most)."""
    height, width = speed.shape[2:]
    cells = F.avg_pool2d(speed, CELL)
    rows, columns = cells.shape[2:]
    reach = max(1, round(height / BOX_SHARE / CELL / 2))
    highest = F.max_pool2d(cells, 2 * reach + 1, stride=1, padding=reach)
    peaks = torch.where(cells == highest, cells, 0.0).flatten(1)
    value, index = peaks.topk(most, dim=1)
    down, across = torch.div(index, columns, rounding_mode="floor"), index % columns
    middle = torch.stack([(across + 0.5) / columns, (down + 0.5) / rows], dim=-1).to(speed.dtype)
    half = middle.new_tensor([height / width, 1.0]) / (2 * BOX_SHARE)
    return torch.cat([middle - half, middle + half], dim=-1), (value > LEAST_MOTION).to(speed.dtype)


def _followed(boxes: Tensor, back: Tensor) -> Tensor:
    """Boxes (B, N, 4) of the last frame → (B, T, N, 4), moved by the mean flow inside them from frame to frame."""
    size = boxes.new_tensor([back.shape[4], back.shape[3]])
    track = [boxes]
    for step in reversed(range(back.shape[1])):
        moved = looked_at(back[:, step], track[0], 4).mean(dim=(3, 4)) / size
        track.insert(0, track[0] + torch.cat([moved, moved], dim=-1))
    return torch.stack(track, dim=1)


def looked_at(pictures: Tensor, boxes: Tensor, points: int) -> Tensor:
    """Pictures (M, C, h, w) inside boxes (M, N, 4), at so many points each way: (M, N, C, points, points)."""
    at = (torch.arange(points, device=boxes.device, dtype=boxes.dtype) + 0.5) / points
    left, top, right, bottom = torch.split(boxes, 1, dim=-1)
    across, down = left + (right - left) * at, top + (bottom - top) * at  # (M, N, points)
    grid = torch.stack(
        [
            across.unsqueeze(2).expand(-1, -1, points, -1),
            down.unsqueeze(3).expand(-1, -1, -1, points),
        ],
        dim=-1,
    )
    seen = F.grid_sample(
        pictures, (2 * grid - 1).flatten(1, 2), mode="bilinear", padding_mode="border", align_corners=False
    )
    return seen.reshape(-1, pictures.shape[1], boxes.shape[1], points, points).transpose(1, 2)


def described(pictures: Tensor, boxes: Tensor) -> Tensor:
    """What boxes (M, N, 4) hold, of pictures (M, 3, h, w) as in `Objects`: (M, N, DESCRIPTION)."""
    shape = boxes.shape[:2]
    seen = looked_at(pictures, boxes, POINTS).flatten(0, 1)  # (M * N, 3, points, points)
    grey, moved = seen[:, :1], seen[:, 1:]
    right, down = flow.slopes(grey)
    gradients = F.adaptive_avg_pool2d(_directed(right, down), 4).flatten(1)
    motion = F.adaptive_avg_pool2d(_directed(moved[:, :1], moved[:, 1:]), 2).flatten(1)
    speed = moved.square().sum(dim=1).sqrt().flatten(1)
    light = grey.flatten(1)
    middle = light.mean(dim=1, keepdim=True)
    contrast = (light - middle).square().mean(dim=1, keepdim=True).sqrt()
    few = [speed.mean(dim=1, keepdim=True), speed.amax(dim=1, keepdim=True), middle, contrast]
    return torch.cat([F.normalize(gradients, dim=1), motion, *few], dim=1).reshape(-1, shape[1], DESCRIPTION)


def _directed(right: Tensor, down: Tensor) -> Tensor:
    """Arrows (M, 1, h, w) each → how much of them points each of eight ways, (M, 8, h, w); the sum is about that."""
    angles = torch.arange(DIRECTIONS, device=right.device, dtype=right.dtype) * (2 * math.pi / DIRECTIONS)
    ways = (right * angles.cos().view(-1, 1, 1) + down * angles.sin().view(-1, 1, 1)).clamp(min=0)
    return ways.square() / (right.square() + down.square() + _SMALL).sqrt() / (DIRECTIONS / 4)
