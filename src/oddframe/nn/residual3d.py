"""A residual network over space and time, of one block a stage (He et al., CVPR 2016, with 3-D convolutions)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.nn.memory import exact


class Residual3D(nn.Module):
    """Clips → one feature each: a stem at half the size, four stages of w to 8w channels, and the mean over all places.

    Args:
        channels: of a frame. width: w.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.features = 8 * width
        self.stem = nn.Conv3d(channels, width, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False)
        self.norm = nn.BatchNorm3d(width)
        sizes = ((width, width, 1), (width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 8 * width, 2))
        self.stages = nn.Sequential(*(Block3D(*size) for size in sizes))

    def forward(self, clip: Tensor) -> Tensor:
        """(B, T, C, H, W) → (B, 8w) in float32.

        Half precision is kept out: on processors the gradients of such convolutions in bf16 come out otherwise each
        time, and now and then without end.
        """
        with exact(clip.device):
            x = F.relu(self.norm(self.stem(clip.transpose(1, 2).float())))
            feature: Tensor = self.stages(x).mean(dim=(2, 3, 4))
            return feature


class Block3D(nn.Module):
    """Two 3x3x3 convolutions beside what goes past them.

    Args:
        channels_in: of what comes. channels: of what goes. stride: of the first convolution, in time, too.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm3d(channels)
        self.second = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm3d(channels)
        self.past: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.past = nn.Sequential(nn.Conv3d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm3d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, channels, T/stride, H/stride, W/stride)."""
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.past(x))
