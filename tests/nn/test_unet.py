from __future__ import annotations

import pytest
import torch

from oddframe.nn.unet import Decoder, Encoder


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_encoder_and_decoder_have_the_sizes_of_the_layer_table() -> None:
    assert count(Encoder(12, 64)) == 1_152_384
    assert count(Decoder(1024, 64, 3)) == 10_957_443


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_features_lie_at_an_eighth_and_pictures_come_back_whole_with_every_patch(patch: int) -> None:
    encoder, decoder = Encoder(4, 4, patch).eval(), Decoder(10, 4, 1, patch).eval()
    features, skips = encoder(torch.rand(2, 4, 32, 48))
    assert features.shape == (2, 16, 4, 6)
    assert [skip.shape[2] for skip in skips] == [[32, 16, 8], [16, 8, 4], [8, 4, 4]][(1, 2, 4).index(patch)]
    assert decoder(torch.rand(2, 10, 4, 6), skips).shape == (2, 1, 32, 48)


def test_a_fold_changes_the_first_and_last_convolution_only() -> None:
    first, last = (16 * 4 * 9 - 4 * 4 * 9), (4 * 4 * 9 + 4) - (4 * 9 + 1)  # 4w*C*p*p*9 with w = 4, C = 1
    assert count(Encoder(4, 4, 2)) - count(Encoder(4, 4)) == first
    assert count(Decoder(10, 4, 1, 2)) - count(Decoder(10, 4, 1)) == last


def test_the_decoder_stays_within_the_range_of_pictures() -> None:
    decoder = Decoder(10, 4, 1)
    skips = [100 * torch.randn(1, 4, 16, 16), torch.randn(1, 8, 8, 8), torch.randn(1, 16, 4, 4)]
    assert decoder(100 * torch.randn(1, 10, 2, 2), skips).abs().max() <= 1
