"""The U-Net of DREAM-UNet (Sec. IV-B) and its peers: encoder, heads, decoder.

Follows the U-Net of MNAD (Park et al., CVPR 2020) up to its third pooling; block 4 is doubled and halved in
width, one head for each branch. Differs in three points: `width` scales all channels, MNAD's batch norm that is
never called is not there, and `patch` can fold squares of pixels into channels before the first convolution.
Every convolution is 3x3 with padding 1 and bias. Frame-Pred's U-Net is the same without batch norm, with 2x2
convolutions on the way up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = 3
QUERY_STRIDE = 2**LEVELS
"""Pixels of the picture to one query, along each side."""


def _block(channels_in: int, channels: int, norm: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1),
        *_activation(channels, norm),
        nn.Conv2d(channels, channels, 3, padding=1),
        *_activation(channels, norm),
    )


def _up(channels_in: int, channels: int, stride: int, kernel: int, norm: bool) -> nn.Sequential:
    # With stride 1 it has the same parameters: it mirrors a pooling that `patch` took away.
    padding = (kernel - 1) // 2
    return nn.Sequential(
        nn.ConvTranspose2d(
            channels_in, channels, kernel, stride, padding=padding, output_padding=stride + 2 * padding - kernel
        ),
        *_activation(channels, norm),
    )


def _activation(channels: int, norm: bool) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)] if norm else [nn.ReLU(inplace=True)]


def _strides(patch: int) -> tuple[int, ...]:
    """Stride of the pooling after each level: the fold replaces the last poolings, so queries stay at 1/8."""
    pooled = LEVELS - (patch.bit_length() - 1)
    return tuple(2 if level < pooled else 1 for level in range(LEVELS))


class Encoder(nn.Module):
    """Three levels of w, 2w, 4w channels, each two convolutions, batch norm and ReLU, then a pooling.

    Args:
        channels: channels of the input, all frames together (12 for four colour frames).
        width: w; 64 in the paper.
        patch: side of the square of pixels that is folded into channels first: 1, 2 or 4.
        norm: batch norm after each convolution.
    """

    def __init__(self, channels: int, width: int, patch: int = 1, *, norm: bool = True) -> None:
        super().__init__()
        self.patch = patch
        self.strides = _strides(patch)
        self.levels = nn.ModuleList(
            [
                _block(channels * patch**2, width, norm),
                _block(width, 2 * width, norm),
                _block(2 * width, 4 * width, norm),
            ]
        )

    def forward(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Frames in [-1, 1] → features (B, 4w, H/8, W/8) and the three skips, the finest first.

        They come as (B, T, C, H, W) or one after another along the channels, (B, T * C, H, W).
        """
        x = frames.flatten(1, -3)
        if self.patch > 1:
            x = F.pixel_unshuffle(x, self.patch)
        skips: list[Tensor] = []
        for level, stride in zip(self.levels, self.strides, strict=True):
            x = level(x)
            skips.append(x)
            if stride > 1:
                x = F.max_pool2d(x, stride)
        return x, skips


class Head(nn.Sequential):
    """Two convolutions that make queries of features: (B, channels_in, h, w) → (B, channels, h, w), any length.

    Neither batch norm nor ReLU follows the second one: a query may point anywhere.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )


class Decoder(nn.Module):
    """Queries and what was read from the memories, with the encoder's skips → the next frame.

    Args:
        channels_in: channels that come from the branches; 1024 in the paper.
        width: w, as in the encoder.
        channels: channels of a frame.
        patch, norm: as in the encoder.
        kernel: side of the transposed convolutions; 2 or 3.
    """

    def __init__(
        self, channels_in: int, width: int, channels: int, patch: int = 1, *, norm: bool = True, kernel: int = 3
    ) -> None:
        super().__init__()
        w, strides = width, _strides(patch)
        self.patch = patch
        self.entry = _block(channels_in, 8 * w, norm)
        self.ups = nn.ModuleList(
            [
                _up(8 * w, 4 * w, strides[2], kernel, norm),
                _up(4 * w, 2 * w, strides[1], kernel, norm),
                _up(2 * w, w, strides[0], kernel, norm),
            ]
        )
        self.levels = nn.ModuleList(
            [
                _block(8 * w, 4 * w, norm),
                _block(4 * w, 2 * w, norm),
                nn.Sequential(*_block(2 * w, w, norm), nn.Conv2d(w, channels * patch**2, 3, padding=1), nn.Tanh()),
            ]
        )

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """(B, channels_in, h, w) and the encoder's skips → (B, channels, H, W) in [-1, 1]."""
        x = self.entry(x)
        for up, level, skip in zip(self.ups, self.levels, reversed(skips), strict=True):
            x = level(torch.cat([skip, up(x)], dim=1))
        return F.pixel_shuffle(x, self.patch) if self.patch > 1 else x


@dataclass(frozen=True)
class UNet:
    """The parts above as a backbone, see `nn.backbone`.

    Attributes:
        frames: frames before the judged one; the encoder takes them together.
        channels: channels of a frame.
        width: w.
        patch: as in the encoder.
    """

    frames: int
    channels: int
    width: int
    patch: int = 1

    @property
    def features(self) -> int:
        return 4 * self.width

    @property
    def queries(self) -> int:
        return 4 * self.width

    def encoder(self) -> Encoder:
        return Encoder(self.frames * self.channels, self.width, self.patch)

    def head(self, channels: int) -> Head:
        return Head(self.features, channels)

    def decoder(self, channels_in: int) -> Decoder:
        return Decoder(channels_in, self.width, self.channels, self.patch)
