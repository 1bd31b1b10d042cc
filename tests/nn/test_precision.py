from __future__ import annotations

import torch
from torch import nn

from oddframe.nn.precision import to_device


def test_convolutions_over_pictures_are_laid_out_channels_last_and_those_over_clips_are_left_alone() -> None:
    pictures, clips = nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3)
    network = nn.Sequential(pictures, nn.BatchNorm2d(4), clips)

    assert to_device(network, torch.device("cpu")) is network
    assert pictures.weight.is_contiguous(memory_format=torch.channels_last)
    assert clips.weight.is_contiguous()
