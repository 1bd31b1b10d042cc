"""A memory of unit vectors: read, update, nearest item (Sec. III-B, Eqs. 1-4).

Follows MNAD (Park et al., CVPR 2020) and DREAM. Where the paper is silent: an item that no query chose keeps its
place; neither items nor read weights carry a gradient; items start as unit vectors drawn from [0, 1). Differs in
one point: it keeps count of how many queries each item gets, to notice dead items and, if asked, to move them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.nn import ranks

USAGE_DECAY = 0.99
"""Weight of the past in the average share of queries: it looks back over about a hundred updates."""
DEAD_SHARE = 0.1
"""An item is dead when its average share is below this part of an equal share."""
GREEDY_SHARE = 0.95
"""An item that takes more than this share of all queries leaves nothing to the others."""
DOUBLE_SIMILARITY = 0.999
"""Items with a larger cosine are the same item twice."""


class Neighbours(NamedTuple):
    """The two items nearest to each query, laid out as the queries are: (B, C, H, W), without gradient.

    `second` is None where the memory has one item only.
    """

    nearest: Tensor
    second: Tensor | None


def unit(vectors: Tensor) -> Tensor:
    """Scale to unit length along dimension 1, in float32 at least (a memory needs the precision)."""
    return F.normalize(vectors if vectors.dtype == torch.float64 else vectors.float(), dim=1)


def exact(device: torch.device) -> AbstractContextManager[object]:
    """Keep automatic casts out of similarities: half precision would choose other nearest items.

    Nothing is entered where there is no autocast, so that exported graphs know nothing of it. Shapes alone have none.
    """
    if device.type != "meta" and torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


class Memory(nn.Module):
    """M unit items of C channels.

    Queries are (B, C, H, W), unit length along C, wherever they are an argument; from one query and one item up.

    Args:
        items: M.
        channels: C.
        update_weight: v in Eqs. 3-4. "softmax" as printed, "max" divides each item's weights by their maximum
            over all queries (published code): items then follow their queries much faster.
        generator: where the first items are drawn from; torch's own without one.

    Attributes:
        items: (M, C) buffer.
        usage: (M,) buffer, sums of shares of queries in which the past fades, over about the last hundred updates.
            It starts at 0, so that what it adds up to says how much it has seen yet; `shares` makes averages of it.
    """

    items: Tensor
    usage: Tensor

    def __init__(
        self,
        items: int,
        channels: int,
        *,
        update_weight: Literal["softmax", "max"] = "softmax",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.update_weight = update_weight
        self.register_buffer("items", unit(torch.rand(items, channels, generator=generator)))
        self.register_buffer("usage", torch.zeros(items))

    def shares(self) -> Tensor:
        """Average share of queries per item over about the last hundred updates: (M,), they add up to 1."""
        total = self.usage.sum()
        return self.usage / total if total > 0 else torch.full_like(self.usage, 1 / len(self.usage))

    def similarity(self, queries: Tensor) -> Tensor:
        """Cosine of each query with each item: (B, C, H, W) → (B, H, W, M)."""
        with exact(queries.device):
            return queries.movedim(1, -1) @ self.items.T

    def read(self, queries: Tensor) -> Tensor:
        """Eqs. 1-2: (B, C, H, W) → (B, 2C, H, W), the query first, then the average of items it calls up.

        Only the query half carries a gradient.
        """
        with torch.no_grad(), exact(queries.device):
            weights = self.similarity(queries).softmax(dim=-1)
            called = (weights @ self.items).movedim(-1, 1)
        return torch.cat([queries, called], dim=1)

    def nearest(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distance of each query to its nearest item, 0..4, and that item's number; both (B, H, W).

        The distance carries the gradient of the queries. It is taken from the difference, not as 2 - 2 cos, which
        loses all digits near 0.
        """
        index = self.similarity(queries.detach()).argmax(dim=-1)
        distance = (queries - self.items[index].movedim(-1, 1)).square().sum(dim=1)
        return distance, index

    @torch.no_grad()
    def neighbours(self, queries: Tensor) -> Neighbours:
        """Gather the nearest and second-nearest item of each query."""
        count = min(2, len(self.items))
        index = self.similarity(queries).topk(count, dim=-1).indices
        found = [self.items[index[..., rank]].movedim(-1, 1) for rank in range(count)]
        return Neighbours(found[0], found[1] if count > 1 else None)

    @torch.no_grad()
    def update_terms(self, queries: Tensor) -> Tensor:
        """The sums in Eqs. 3-4, (M, C): what is added to the items before they are scaled to unit length.

        v is a softmax over all queries given; each query counts for its nearest item only.
        """
        terms, _ = self._terms_and_share(queries)
        return terms

    @torch.no_grad()
    def update(self, *queries: Tensor) -> None:
        """Eqs. 3-4 in place. Each argument (one per role) has its own softmax; their sums are added.

        Where several ranks train, the queries of all count, so that the items of all stay equal to the bit.
        """
        found = [self._terms_and_share(part) for part in map(ranks.gathered, queries) if part.numel()]
        if not found:
            return
        terms = torch.stack([term for term, _ in found]).sum(dim=0)
        share = torch.stack([share for _, share in found]).mean(dim=0)
        self.items.copy_(unit(self.items + terms))
        self.usage.lerp_(share, 1 - USAGE_DECAY)

    def _terms_and_share(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        rows = queries.movedim(1, -1).flatten(0, 2)  # (K, C)
        similarity = self.similarity(queries).flatten(0, 2)  # (K, M)
        weights = similarity.softmax(dim=0)
        if self.update_weight == "max":
            weights = weights / weights.amax(dim=0)
        chosen = F.one_hot(similarity.argmax(dim=1), len(self.items)).to(weights.dtype)  # (K, M)
        with exact(queries.device):
            return (weights * chosen).T @ rows, chosen.mean(dim=0)

    def largest_similarity(self) -> float:
        """Largest cosine between two items; -1 where there is one only."""
        return float(self._cosines().fill_diagonal_(-1).max())

    def ailments(self) -> list[str]:
        """What is wrong with this memory, in words; empty when it is well."""
        count = len(self.items)
        if count == 1:
            return []
        found: list[str] = []
        if float(self._cosines().min()) > DOUBLE_SIMILARITY:
            found.append(f"all {count} items are equal (every cosine above {DOUBLE_SIMILARITY})")
        shares = self.shares()
        dead = int((shares < DEAD_SHARE / count).sum())
        if dead:
            found.append(f"{dead} of {count} items are hardly used: the others do their work")
        top = float(shares.max())
        if top > GREEDY_SHARE:
            found.append(f"item {int(shares.argmax())} takes {top:.0%} of all queries")
        return found

    def _cosines(self) -> Tensor:
        with exact(self.items.device):
            return self.items @ self.items.T
