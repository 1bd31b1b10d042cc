"""How much arithmetic a piece of work is."""

from __future__ import annotations

import pytest
import torch

from oddframe.nn.flops import count_flops

FORWARD = 2 * (3 * 3 * 3) * 8 * 16 * 16
"""Of a 3x3 convolution from 3 to 8 channels on 16x16 places, whose border is padded."""


@pytest.fixture
def layer() -> torch.nn.Conv2d:
    return torch.nn.Conv2d(3, 8, 3, padding=1)


def test_a_multiplication_and_an_addition_are_two(layer) -> None:
    with torch.inference_mode():
        assert count_flops(lambda: layer(torch.zeros(1, 3, 16, 16))) == FORWARD


def test_the_gradient_of_the_weights_costs_as_much_again(layer) -> None:
    assert count_flops(lambda: layer(torch.zeros(1, 3, 16, 16)).sum().backward()) == 2 * FORWARD
