"""Stored pictures as the networks take them, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def to_unit_range(pixels: Tensor, channels: int) -> Tensor:
    """Turn clips (B, T, H, W, C) uint8 into (B, T, channels, H, W) float32 in [-1, 1].

    A grey source asked for three channels is repeated without a copy of the stored pictures.
    """
    pictures = pixels.permute(0, 1, 4, 2, 3).to(torch.float32).div_(127.5).sub_(1.0)
    if pictures.shape[2] == channels:
        return pictures
    return pictures.expand(-1, -1, channels, -1, -1)


def to_pixels(pictures: Tensor) -> Tensor:
    """Turn pictures (B, C, H, W) in [-1, 1] into pixels (B, H, W, C) uint8."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
