"""Groups of scenes against Scene-Aware's published code."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from oddframe.nn import ranks
from oddframe.nn.scene_groups import (
    REMEMBERED,
    Measure,
    Mixture,
    Remembered,
    SceneGroups,
    energy,
    least_energy,
    measure_of,
    mixture_of,
    squared_lengths,
)


def rnd(name: str, *shape: int) -> Tensor:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(size=shape))


@pytest.fixture
def stored(oracle_dir: Path) -> dict[str, Tensor]:
    with np.load(oracle_dir / "sceneaware_cluster.npz", allow_pickle=False) as numbers:
        return {name: torch.from_numpy(np.asarray(numbers[name])) for name in numbers.files}


@pytest.fixture
def published() -> SceneGroups:
    groups, prefix = SceneGroups(512, 10), "sceneaware.cluster."
    with torch.no_grad():
        for number, layer in enumerate(groups.graph):
            weight = rnd(f"{prefix}gc{number}.weight", layer.in_features, layer.out_features)
            layer.weight.copy_((weight * (2 / layer.in_features) ** 0.5).T)
            layer.bias.copy_(0.1 * rnd(f"{prefix}gc{number}.bias", layer.out_features))
        for number, layer in enumerate((groups.choice[0], groups.choice[2])):
            layer.weight.copy_(rnd(f"{prefix}fc{number}.weight", *layer.weight.shape) * (2 / layer.in_features) ** 0.5)
            layer.bias.copy_(0.1 * rnd(f"{prefix}fc{number}.bias", *layer.bias.shape))
    return groups


def graphs(sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes (B, N, 512) of graphs of these sizes, and which of them there are."""
    nodes = (4 * rnd("sceneaware/nodes", int(sizes.sum()), 512)).float()
    laid, there = torch.zeros(len(sizes), int(sizes.max()), 512), torch.zeros(len(sizes), int(sizes.max()))
    for number, one in enumerate(torch.split(nodes, sizes.tolist())):
        laid[number, : len(one)], there[number, : len(one)] = one, 1
    return laid, there


def test_frames_are_put_into_the_published_groups(stored, published) -> None:
    z, groups = published(*graphs(stored["sizes"]))

    torch.testing.assert_close(z, stored["z"], rtol=0, atol=2e-5)
    torch.testing.assert_close(groups, stored["gamma"], rtol=0, atol=2e-5)


def test_the_mixture_is_the_published_one(stored) -> None:
    mixture = mixture_of(stored["z"], stored["gamma"])

    for seen, name in zip(mixture, ("phi", "mu", "cov"), strict=True):
        torch.testing.assert_close(seen, stored[name].double(), rtol=0, atol=5e-5)
    inverse = (1 / mixture.cov.diagonal(dim1=1, dim2=2)).sum().item()
    assert inverse == pytest.approx(stored["cov_diag"].item(), rel=1e-4)


def test_parts_of_the_energy_are_the_published_ones_which_have_the_fourth_root_of_the_determinant(stored) -> None:
    cov = torch.diag_embed(torch.zeros(10, 4)).double() + stored["cov"].double()
    measure = measure_of(Mixture(stored["phi"].double(), stored["mu"].double(), cov))

    likely = measure.share * torch.exp(-squared_lengths(stored["z"].double(), measure) / 2 - measure.half_log_det / 2)

    torch.testing.assert_close(likely, stored["prob"].double(), rtol=0, atol=2e-5)


def test_the_energy_with_the_root_of_the_determinant_is_that_of_the_paper(stored) -> None:
    z, groups = rnd("sceneaware/z", 200, 4).float(), rnd("sceneaware/logits", 200, 3).float().softmax(dim=1)
    mixture = mixture_of(z, groups)

    found = energy(z.double(), measure_of(mixture))

    for seen, name in zip(mixture, ("phi", "mu", "cov"), strict=True):
        torch.testing.assert_close(seen, stored[f"spread_{name}"].double(), rtol=0, atol=2e-5)
    torch.testing.assert_close(found, stored["spread_energy_half_power"].double(), rtol=0, atol=5e-5)


def test_no_frame_has_less_than_the_least_energy_and_the_mean_of_one_group_has_it() -> None:
    one = measure_of(mixture_of(rnd("any", 50, 4), torch.ones(50, 1)))

    assert energy(one.mean, one).item() == pytest.approx(least_energy(one).item())
    several = measure_of(mixture_of(rnd("any", 50, 4), rnd("groups", 50, 3).softmax(dim=1)))
    assert (energy(10 * rnd("far", 100, 4), several) >= least_energy(several)).all()


def test_frames_that_are_all_the_same_have_an_energy_that_is_a_number_with_a_gradient() -> None:
    z, groups = torch.ones(3, 4).requires_grad_(), torch.full((3, 2), 0.5)
    found = energy(z.double(), measure_of(mixture_of(z, groups))).mean()
    (gradient,) = torch.autograd.grad(found, z)

    assert found.isfinite()
    assert gradient.isfinite().all()


def test_frames_are_judged_by_what_the_last_steps_showed() -> None:
    seen = Remembered(2)
    old, new = rnd("old", 300, 4).float(), 5 + rnd("new", REMEMBERED, 4).float()
    split = torch.eye(2)[torch.arange(REMEMBERED) % 2]

    seen.add(old, torch.eye(2)[torch.zeros(300, dtype=torch.int64)])
    assert seen.largest_share() == 1
    seen.add(new, split)

    assert seen.largest_share() == 0.5
    wanted = measure_of(mixture_of(new, split))
    for kept, value in zip(seen.measure(), wanted, strict=True):
        torch.testing.assert_close(kept, value.float())
    assert isinstance(seen.measure(), Measure)


def test_the_frames_of_all_ranks_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, z = Remembered(2), rnd("any", 8, 4).float()
    monkeypatch.setattr(ranks, "gathered", lambda values: torch.cat([values, values.flip(0)]))  # another rank's

    seen.add(z, torch.eye(2)[torch.arange(8) % 2])

    assert int(seen.filled) == 16
    assert torch.equal(seen.z[:16], torch.cat([z, z.flip(0)]))
