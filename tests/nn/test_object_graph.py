"""Messages between objects against a re-creation of Scene-Aware's published code."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddframe.models.scene_aware import least_odd
from oddframe.nn.object_graph import ObjectGraph


def rnd(name: str, *shape: int) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return np.random.RandomState(seed).standard_normal(size=shape)


@pytest.fixture
def stored(oracle_dir: Path) -> dict[str, Tensor]:
    with np.load(oracle_dir / "sceneaware_graph.npz", allow_pickle=False) as numbers:
        return {name: torch.from_numpy(np.asarray(numbers[name])) for name in numbers.files}


@pytest.fixture
def graph() -> ObjectGraph:
    made = ObjectGraph(16).double()
    for name, value in made.state_dict().items():
        drawn = rnd(f"sceneaware.graph.{name}", *value.shape)
        value.copy_(torch.from_numpy(0.1 * drawn if value.ndim == 1 else drawn * value.shape[1] ** -0.5))
    return made


def test_an_object_and_itself_in_the_next_frame_make_an_edge(stored, graph) -> None:
    nodes = torch.from_numpy(rnd("sceneaware/graph/nodes", 9, 16)).reshape(1, 3, 3, 16)

    between = graph.between(nodes[:, :-1], nodes[:, 1:])

    torch.testing.assert_close(between.reshape(6, 16), stored["temporal_edges"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_states_after_some_rounds_are_those_of_the_re_creation(stored, graph, rounds: int) -> None:
    nodes = torch.from_numpy(rnd("sceneaware/graph/nodes", 9, 16))
    spatial = torch.from_numpy(rnd("sceneaware/graph/spatial", 3, 16)).relu()
    edges = torch.cat([spatial, stored["temporal_edges"]])

    node, edge = graph(nodes[None], edges[None], stored["pairs"], torch.ones(1, 9).double(), rounds)

    torch.testing.assert_close(node[0], stored[f"torch_sequential_{rounds}_nodes"], rtol=0, atol=1e-10)
    torch.testing.assert_close(edge[0], stored[f"torch_sequential_{rounds}_edges"], rtol=0, atol=1e-10)


def test_an_edge_that_is_not_there_tells_nobody_anything(graph) -> None:
    nodes, edges = (torch.from_numpy(rnd(name, 1, 3, 16)) for name in ("any nodes", "any edges"))
    pairs, kept = torch.tensor([[0, 1], [1, 2], [0, 2]]), torch.tensor([[1.0, 1.0, 0.0]]).double()

    node, edge = graph(nodes, edges, pairs, kept, 2)
    fewer, of_fewer = graph(nodes, edges[:, :2], pairs[:2], kept[:, :2], 2)

    torch.testing.assert_close(node, fewer)
    torch.testing.assert_close(edge[:, :2], of_fewer)


def test_an_object_is_as_odd_as_where_it_is_least_odd(stored) -> None:
    odds = [
        torch.from_numpy(rnd(f"sceneaware/score/{name}", 4, count)).T
        for name, count in (("objects", 5), ("relations", 7))
    ]
    objects, relations = (least_odd(-one) for one in odds)  # theirs are odds of being abnormal

    torch.testing.assert_close(objects.double(), stored["score_objects"], rtol=0, atol=1e-6)
    torch.testing.assert_close(relations.double(), stored["score_relations"], rtol=0, atol=1e-6)
    assert max(objects.max(), relations.max()).item() == pytest.approx(stored["score_frame"].item(), abs=1e-6)
