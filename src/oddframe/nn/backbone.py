"""What DREAM asks of a backbone: an encoder, heads and a decoder that fit each other.

Its two are `nn.unet.UNet` and `nn.convlstm.ConvLSTMNet`. Pictures are in [-1, 1]; h and w are the query grid's.
"""

from __future__ import annotations

from typing import Protocol

from torch import nn


class Backbone(Protocol):
    """Makes the parts; each call makes a new one, with fresh weights."""

    @property
    def features(self) -> int:
        """Channels of the encoder's features, and of a discriminator's."""

    @property
    def queries(self) -> int:
        """Channels of a query where two branches share the features: C."""

    def encoder(self) -> nn.Module:
        """(B, T, channels, H, W) → what heads take, and a list of skips for the decoder, empty where it has none."""

    def head(self, channels: int) -> nn.Module:
        """What the encoder gives → queries (B, `channels`, h, w) of any length."""

    def decoder(self, channels_in: int) -> nn.Module:
        """(B, `channels_in`, h, w) and the encoder's skips → the next frame, (B, channels, H, W)."""
