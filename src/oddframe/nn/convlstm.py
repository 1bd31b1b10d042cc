"""The recurrent network of MLEP (Liu et al., IJCAI 2019) and DREAM-ConvLSTM: encoder, ConvLSTM, decoder.

Each frame passes the same encoder, a ConvLSTM takes the frames in turn, and its last hidden state is decoded. There
are no skips: all that the decoder learns of the frames is in that state, at a quarter of their height and width.

Follows MLEP's published code: mirrored edges and instance norm in the encoder, no norm behind it; convolutions start
from N(0, 0.02), recurrent and transposed ones from Glorot's uniform distribution. Differs in two points: `width`
scales all channels, and a transposed convolution is centred on the place that it comes from (there it reaches down and
right only).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RESIDUAL_BLOCKS = 6
INSTANCE_NORM_EPSILON = 1e-3
FIRST_WEIGHTS_STD = 0.02
FORGET_BIAS = 1.0
"""Added to the forget gate, so that a cell keeps what it holds until it learns to forget."""


def _mirrored(channels_in: int, channels: int, side: int, *, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution with mirrored edges."""
    made = nn.Conv2d(channels_in, channels, side, stride, side // 2, bias=bias, padding_mode="reflect")
    nn.init.normal_(made.weight, std=FIRST_WEIGHTS_STD)
    if made.bias is not None:
        nn.init.zeros_(made.bias)
    return made


def _normed(channels_in: int, channels: int, side: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        _mirrored(channels_in, channels, side, stride=stride),
        nn.InstanceNorm2d(channels, eps=INSTANCE_NORM_EPSILON, affine=True),
    )


def _up(channels_in: int, channels: int) -> nn.ConvTranspose2d:
    made = nn.ConvTranspose2d(channels_in, channels, 3, stride=2, padding=1, output_padding=1)
    nn.init.xavier_uniform_(made.weight)
    assert made.bias is not None
    nn.init.zeros_(made.bias)
    return made


class Residual(nn.Module):
    """Two 3x3 convolutions whose outcome is added to their input; no ReLU after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _normed(channels, channels, 3), _normed(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) → the same shape."""
        added: Tensor = x + self.second(F.relu(self.first(x)))
        return added


class FrameEncoder(nn.Module):
    """Each frame by itself: 7x7 to w channels, twice stride 2 to 4w, six residual blocks.

    Args:
        channels: channels of a frame.
        width: w; 64 in the paper.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width
        self.stages = nn.ModuleList([_normed(channels, w, 7), _normed(w, 2 * w, 3, 2), _normed(2 * w, 4 * w, 3, 2)])
        self.blocks = nn.Sequential(*(Residual(4 * w) for _ in range(RESIDUAL_BLOCKS)))

    def forward(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, T, channels, H, W) in [-1, 1] → features (B, T, 4w, H/4, W/4), and no skips."""
        x = frames.flatten(0, 1)
        for stage in self.stages:
            x = F.relu(stage(x))
        return self.blocks(x).unflatten(0, frames.shape[:2]), []


class ConvLSTM(nn.Module):
    """A convolutional LSTM with 3x3 convolutions and zeros around the edges (Shi et al., 2015, without peepholes).

    Args:
        channels_in: channels of the features.
        channels: channels of the hidden state.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(channels_in + channels, 4 * channels, 3, padding=1)
        nn.init.xavier_uniform_(self.gates.weight)
        assert self.gates.bias is not None
        nn.init.zeros_(self.gates.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, channels_in, h, w), oldest first → hidden state after the last, (B, channels, h, w) in (-1, 1).

        It starts from zeros.
        """
        batch, _, _, height, width = features.shape
        hidden = cell = features.new_zeros(batch, self.channels, height, width)
        for frame in features.unbind(dim=1):
            enter, fresh, forget, leave = self.gates(torch.cat([frame, hidden], dim=1)).chunk(4, dim=1)
            cell = cell * (forget + FORGET_BIAS).sigmoid() + enter.sigmoid() * fresh.tanh()
            hidden = leave.sigmoid() * cell.tanh()
        return hidden


class Decoder(nn.Module):
    """A state → the next frame: two transposed convolutions with ReLU and without norm, then 7x7 and tanh.

    Args:
        channels_in: channels of the state; 256 in MLEP, 512 (two branches, query and read) in DREAM.
        width: w, as in the encoder.
        channels: channels of a frame.
    """

    def __init__(self, channels_in: int, width: int, channels: int) -> None:
        super().__init__()
        self.ups = nn.ModuleList([_up(channels_in, 2 * width), _up(2 * width, width)])
        self.out = _mirrored(width, channels, 7, bias=True)

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """(B, channels_in, h, w), and no skips, → (B, channels, 4h, 4w) in [-1, 1]."""
        for up in self.ups:
            x = F.relu(up(x))
        frame: Tensor = self.out(x).tanh()
        return frame


@dataclass(frozen=True)
class ConvLSTMNet:
    """The parts above as a backbone, see `nn.backbone`. A head is a ConvLSTM.

    Attributes:
        channels: channels of a frame.
        width: w.
    """

    channels: int
    width: int

    @property
    def features(self) -> int:
        return 4 * self.width

    @property
    def queries(self) -> int:
        # Half of MLEP's state for each branch, as DREAM halves the U-Net's query.
        return 2 * self.width

    def encoder(self) -> FrameEncoder:
        return FrameEncoder(self.channels, self.width)

    def head(self, channels: int) -> ConvLSTM:
        return ConvLSTM(self.features, channels)

    def decoder(self, channels_in: int) -> Decoder:
        return Decoder(channels_in, self.width, self.channels)
