from __future__ import annotations

import pytest
import torch
from torch import nn

from oddframe.nn import precision
from oddframe.nn.precision import resolve_precision, to_device


def test_convolutions_over_pictures_are_laid_out_channels_last_and_those_over_clips_are_left_alone() -> None:
    pictures, clips = nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3)
    network = nn.Sequential(pictures, nn.BatchNorm2d(4), clips)

    assert to_device(network, torch.device("cpu")) is network
    assert pictures.weight.is_contiguous(memory_format=torch.channels_last)
    assert clips.weight.is_contiguous()


def speeds(monkeypatch: pytest.MonkeyPatch, flags: set[str], *, fp32: float, bf16: float) -> None:
    monkeypatch.setattr(precision, "processor", lambda: ("a processor", frozenset(flags)))
    measured = {torch.float32: fp32, torch.bfloat16: bf16}
    monkeypatch.setattr(precision, "matrix_product_gflops", lambda device, dtype: measured[dtype])


@pytest.mark.parametrize(
    ("flags", "fp32", "bf16", "chosen"),
    [
        ({"avx2", "amx_bf16"}, 131.0, 319.0, "bf16"),
        ({"avx2", "avx512_bf16"}, 190.0, 4.0, "bf16"),  # a busy machine: what was measured cannot be
        ({"avx2"}, 0.6, 0.9, "fp32"),  # the same
        (set(), 131.0, 319.0, "bf16"),  # a system that does not say
        (set(), 131.0, 150.0, "fp32"),  # not clearly faster
    ],
)
def test_auto_takes_bf16_where_the_processor_has_units_and_measures_only_where_it_does_not_say(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], fp32: float, bf16: float, chosen: str
) -> None:
    speeds(monkeypatch, flags, fp32=fp32, bf16=bf16)
    assert resolve_precision("auto", torch.device("cpu")) == chosen
    assert resolve_precision("bf16", torch.device("cpu")) == "bf16"
