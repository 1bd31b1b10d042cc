"""Memory and its losses against numbers that MNAD's and the authors' code produced."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from oddframe.nn import losses
from oddframe.nn.memory import Memory, unit

CASES = "abcdefgh"
ONE_ITEM = "fg"  # the peer's training mode asks for two nearest items and breaks


def load(path: Path, prefix: str) -> dict[str, Tensor]:
    with np.load(path, allow_pickle=False) as stored:
        return {
            name.removeprefix(prefix): torch.from_numpy(np.asarray(stored[name]))
            for name in stored.files
            if name.startswith(prefix)
        }


def memory_of(items: Tensor) -> Memory:
    memory = Memory(*items.shape, update_weight="max")
    memory.items.copy_(items)
    return memory


def same(own: Tensor, wanted: Tensor) -> None:
    np.testing.assert_allclose(own.detach().numpy(), wanted.numpy(), rtol=0, atol=1e-6)


def same_gradient(loss: Tensor, raw: Tensor, wanted: Tensor) -> None:
    (own,) = torch.autograd.grad(loss, raw, retain_graph=True)
    np.testing.assert_allclose(own.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6)


def drawn(name: str, shape: torch.Size) -> Tensor:
    """Numbers that belong to a name; see the README beside the stored numbers."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    values: npt.NDArray[np.float64] = np.random.RandomState(seed).standard_normal(size=tuple(shape))
    return torch.from_numpy(values.astype(np.float32))


@pytest.mark.parametrize("case", CASES)
def test_read_scores_and_nearest_items_are_those_of_mnad(oracle_dir: Path, case: str) -> None:
    stored = load(oracle_dir / "mnad_memory.npz", f"{case}_")
    memory, queries = memory_of(stored["items"]), unit(stored["query"])
    similarity = memory.similarity(queries).flatten(0, 2)
    distance, index = memory.nearest(queries)
    same(memory.read(queries), stored["read"])
    same(similarity.softmax(dim=0), stored["score_query"])
    same(similarity.softmax(dim=1), stored["score_memory"])
    same(distance.mean() / queries.shape[1], stored["test_com"])  # MNAD averages over channels, too
    assert torch.equal(index.flatten(), stored["nearest"])


@pytest.mark.parametrize("case", CASES)
def test_update_is_that_of_mnad(oracle_dir: Path, case: str) -> None:
    stored = load(oracle_dir / "mnad_memory.npz", f"{case}_")
    memory = memory_of(stored["items"])
    memory.update(unit(stored["query"]))
    same(memory.items, stored["test_update"])
    if case not in ONE_ITEM:
        same(memory.items, stored["new_items"])


@pytest.mark.parametrize("case", [case for case in CASES if case not in ONE_ITEM])
def test_losses_and_gradients_are_those_of_mnad(oracle_dir: Path, case: str) -> None:
    stored = load(oracle_dir / "mnad_memory.npz", f"{case}_")
    memory, raw = memory_of(stored["items"]), stored["query"].requires_grad_()
    queries = unit(raw)
    found = memory.neighbours(queries)
    assert found.second is not None
    compactness = losses.compactness(losses.squared_distance(queries, found.nearest)) / queries.shape[1]
    separateness = losses.separateness(
        losses.plain_distance(queries, found.nearest), losses.plain_distance(queries, found.second)
    )
    same(compactness, stored["com"])
    same(separateness, stored["sep"])
    same_gradient(compactness, raw, stored["grad_com"])
    same_gradient(separateness, raw, stored["grad_sep"])
    read = memory.read(unit(raw))
    same_gradient((read * drawn(f"mem/{case}/cotangent", read.shape)).sum(), raw, stored["grad_read"])


def test_a_chain_of_updates_stays_with_mnad(oracle_dir: Path) -> None:
    stored = load(oracle_dir / "mnad_memory.npz", "chain_")
    memory = memory_of(stored["items0"])
    for step in range(5):
        memory.update(unit(stored[f"query{step}"]))
        same(memory.items, stored[f"items{step + 1}"])


@pytest.mark.parametrize("case", "ab")
def test_read_update_terms_and_losses_are_those_of_the_authors(oracle_dir: Path, case: str) -> None:
    stored = load(oracle_dir / "authors_dream.npz", f"mem_{case}_")
    memory, raw = memory_of(stored["items"]), stored["query"].requires_grad_()
    queries = unit(raw)
    found = memory.neighbours(queries)
    assert found.second is not None
    nearest = losses.squared_distance(queries, found.nearest)
    plain = (losses.plain_distance(queries, items) for items in found)
    hinges = [losses.separateness(one[None], two[None]) for one, two in zip(*plain, strict=True)]
    same(memory.read(queries), stored["read"])
    same(memory.update_terms(queries.detach()), stored["update_term"])
    same(nearest.mean(dim=(1, 2)), stored["com"])
    same(torch.stack(hinges), stored["sep"])
    same_gradient(losses.compactness(nearest), raw, stored["grad_com_mean"])
    same_gradient(torch.stack(hinges).mean(), raw, stored["grad_sep_mean"])
