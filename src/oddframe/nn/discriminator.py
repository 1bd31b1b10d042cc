"""The discriminator of a branch of DREAM (Sec. III-C). Used in training only."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Discriminator(nn.Module):
    """One 3x3 convolution and a global average pooling, shallow on purpose.

    Args:
        channels_in: channels of a branch's query and read together; 512 in the paper, 256 with ConvLSTM.
        channels: length of the feature; 256 in the published code (the text does not say).
        norm: batch norm after the convolution, as in the published code.
    """

    def __init__(self, channels_in: int, channels: int, norm: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm: nn.Module = nn.BatchNorm2d(channels) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, h, w) → (B, channels) in float32, of any length."""
        feature: Tensor = self.norm(self.conv(x)).mean(dim=(2, 3), dtype=torch.float32)
        return feature
