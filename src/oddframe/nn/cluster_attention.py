"""Several spaces of one feature, a centre in each, and one representation by attention to the nearest centres.

Our own reading of what the abstract of CAC says (`models/cac.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.nn.memory import exact

SHARPNESS = 0.1
"""What cosines are divided by before they become attention."""


class Attended(NamedTuple):
    """A feature as its spaces see it.

    Attributes:
        projected: (B, K, D) of unit length in each space. cosine: (B, K) to the centre of each.
        attention: (B, K), a sum of 1. representation: (B, D) of unit length.
    """

    projected: Tensor
    cosine: Tensor
    attention: Tensor
    representation: Tensor


class ClusterAttention(nn.Module):
    """Linear projections into spaces.

    Args:
        features: length of what comes. spaces: K, one for each kind of what is normal. length: D.
    """

    def __init__(self, features: int, spaces: int, length: int) -> None:
        super().__init__()
        self.spaces = spaces
        self.projections = nn.Linear(features, spaces * length)

    def forward(self, feature: Tensor, centres: Tensor) -> Attended:
        """Features (B, F), and centres (K, D) of unit length."""
        with exact(feature.device):
            projected = F.normalize(self.projections(feature).unflatten(1, (self.spaces, -1)), dim=2)
            cosine = (projected * centres).sum(dim=2)
            attention = (cosine / SHARPNESS).softmax(dim=1)
            return Attended(
                projected, cosine, attention, F.normalize((attention.unsqueeze(2) * projected).sum(dim=1), dim=1)
            )


def contrast(query: Tensor, key: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """How badly each query (B, D) is told by its key (B, D) from those of others, (Q, D): cross entropy, a scalar."""
    with exact(query.device):
        own, other = (query * key).sum(dim=1, keepdim=True), query @ queue.T
        logits = torch.cat([own, other], dim=1) / temperature
        return (logits.logsumexp(dim=1) - logits[:, 0]).mean()


def moved_centres(centres: Tensor, seen: Attended, momentum: float) -> Tensor:
    """Centres (K, D), a little further towards what attends to each."""
    towards = F.normalize(torch.einsum("bk,bkd->kd", seen.attention, seen.projected), dim=1)
    return F.normalize(momentum * centres + (1 - momentum) * towards, dim=1)
