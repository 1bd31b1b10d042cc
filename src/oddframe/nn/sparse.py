"""Sparse coding unrolled over time: TSC and the stacked RNN (Luo et al., ICCV 2017), as their published code has it.

A state is sparse, rebuilds its features by a dictionary, and stays close to the state before it where the features have
changed little.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

CELLS = 4
"""The finest grid of patches has so many rows and columns."""

PATCHES = 1 + 2 * 2 + CELLS * CELLS
"""The whole map, its quarters, and its sixteenths."""


class Coding(NamedTuple):
    """What decides of a state beside the dictionary.

    Attributes:
        gamma: one over the length of a step. sparsity: lambda1. coherence: lambda2.
        layers: steps to a state. scale: squared change of features that makes e-fold less coherent.
    """

    gamma: Tensor | float
    sparsity: Tensor | float
    coherence: Tensor | float
    layers: int
    scale: float


def shrunk(values: Tensor, by: Tensor | float) -> Tensor:
    """Soft threshold: each value nears 0 by so much, and stays there.

    >>> shrunk(torch.tensor([-1.0, 0.05, 0.3]), 0.1)
    tensor([-0.9000,  0.0000,  0.2000])
    """
    return values.sign() * (values.abs() - by).clamp(min=0)


def next_state(features: Tensor, before: Tensor, state: Tensor, dictionary: Tensor, coding: Coding) -> Tensor:
    """The state of the next frame.

    Args:
        features: (..., inputs). before: of the frame before it; zeros where there was none.
        state: (..., hidden) of the frame before; zeros where there was none.
        dictionary: (inputs, hidden), A.
    """
    gamma, coherence = coding.gamma, coding.coherence
    sought = features @ dictionary / gamma

    def rebuilt(code: Tensor) -> Tensor:
        return (code @ dictionary.T) @ dictionary / gamma  # M code / gamma, M never being made

    alike = torch.exp(-(features - before).square().sum(dim=-1, keepdim=True) / coding.scale)
    code = shrunk(state - coherence * rebuilt(state) + sought, coding.sparsity / gamma)
    for _ in range(coding.layers - 1):
        nearer = code - rebuilt(code) + coherence / gamma * alike * (state - code)
        code = shrunk(nearer + sought, coding.sparsity / gamma)
    return code


def states(
    features: Tensor, dictionary: Tensor, coding: Coding, state: Tensor | None = None, before: Tensor | None = None
) -> Tensor:
    """The states of frames in order: (T, N, inputs) → (T, N, hidden). Without a state or a frame before, zeros."""
    state = features.new_zeros(features.shape[1], dictionary.shape[1]) if state is None else state
    before = torch.zeros_like(features[0]) if before is None else before
    found = []
    for now in features:
        state = next_state(now, before, state, dictionary, coding)
        found.append(state)
        before = now
    return torch.stack(found)


def patches_of(maps: Tensor) -> Tensor:
    """Means over the whole map, its quarters and its sixteenths: (B, C, h, w) → (B, 21, C).

    Of 7 rows, cells begin at 0 and 4, and at 0, 2, 4 and 6, so that the last ones are smaller, as published.
    """
    found = []
    for cells in (1, 2, CELLS):
        for rows in _cuts(maps.shape[2], cells):
            for columns in _cuts(maps.shape[3], cells):
                found.append(maps[:, :, rows, columns].mean(dim=(2, 3)))
    return torch.stack(found, dim=1)


def _cuts(length: int, cells: int) -> list[slice]:
    """Where cells begin and end; in a map of fewer places than cells, they share some."""
    starts = [min(-(-cell * length // cells), length - 1) for cell in range(cells)]
    return [slice(start, max(start + 1, -(-(cell + 1) * length // cells))) for cell, start in enumerate(starts)]


def spread(errors: Tensor) -> Tensor:
    """(B, 21) errors of patches → (B, 4, 4): each cell's mean of its own, that of its quarter, and that of the map."""
    whole, quarters, cells = errors[:, :1, None], errors[:, 1:5].reshape(-1, 2, 2), errors[:, 5:]
    wide = quarters.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    return (whole + wide + cells.reshape(-1, CELLS, CELLS)) / 3
