"""Noise that a network draws while it learns, as a function of its seed and its steps alone.

A training that was killed goes on to the same weights, so nothing may come from a generator that others move on.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LARGEST = 2**62


class Chance(nn.Module):
    """A seed, drawn from torch's own generator as weights are, and a count of steps. Checkpoints keep both.

    Args:
        generator: where the seed is drawn from; torch's own without one.

    Attributes:
        steps: how many steps were taken, a whole number.
    """

    seed: Tensor
    steps: Tensor

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.register_buffer("seed", torch.randint(_LARGEST, (), generator=generator))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def draw(self) -> torch.Generator:
        """A generator for this step; the same at each call until the step is over."""
        return torch.Generator(self.seed.device).manual_seed((int(self.seed) + int(self.steps)) % _LARGEST)

    def stepped(self) -> None:
        """Count a step."""
        self.steps += 1


def dropped(values: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Set a share of the values to 0 and scale the others so that their mean stays (dropout)."""
    kept = torch.rand(values.shape, generator=generator, device=values.device) >= share
    return values * kept / (1 - share)
