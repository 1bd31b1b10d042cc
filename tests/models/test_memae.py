from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from oddframe.detectors import detector_entry
from oddframe.detectors.peers import MemAESettings
from oddframe.models.detector import Batch, Clips
from oddframe.models.memae import LearnedMemory, MemAE, entropy, hard_shrink

SIZE = (16, 32)


def small(**settings: object) -> MemAE:
    torch.manual_seed(3)
    return MemAE(MemAESettings.model_validate({"width": 4, "size": SIZE, "channels": 1, "items": 20} | settings))


def clips() -> torch.Tensor:
    return torch.rand(2, 16, 1, *SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize(("channels", "parameters"), [(1, 6_492_801), (3, 6_503_171)])
def test_parameters_are_those_of_the_publication(channels: int, parameters: int) -> None:
    memae = detector_entry("memae").load()(MemAESettings.model_validate({"channels": channels}))
    assert memae.parameter_counts() == {"training": parameters, "inference": parameters}


def test_the_ninth_of_sixteen_frames_is_judged_by_how_well_it_came_back() -> None:
    memae, clip = small().eval(), clips()
    evidence = memae(clip)
    rebuilt = memae._rebuild(clip)[0]

    assert memae.window == (8, 7)
    assert rebuilt.shape == clip.shape
    assert torch.equal(evidence.predicted, rebuilt[:, 8])
    assert torch.allclose(evidence.error, ((rebuilt[:, 8] - clip[:, 8]) / 2).square().mean(dim=1))
    assert evidence.distance is None


def test_the_published_score_is_the_mean_length_of_the_error_over_all_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    memae, clip = small(channels=3), torch.zeros(1, 16, 3, *SIZE)
    rebuilt = torch.zeros_like(clip)
    rebuilt[0, :4, 0], rebuilt[0, :4, 1] = 0.3, 0.4  # length 0.5 in a quarter of the frames
    monkeypatch.setattr(memae, "_rebuild", lambda _: (rebuilt, torch.empty(0)))

    assert memae.published_score(clip).item() == pytest.approx(0.125)


@pytest.mark.parametrize("case", "abc")
def test_what_is_read_and_the_entropy_are_those_of_the_published_code(oracle_dir: Path, case: str) -> None:
    with np.load(oracle_dir / "memae.npz", allow_pickle=False) as numbers:
        stored = {name[2:]: torch.from_numpy(np.asarray(numbers[name])) for name in numbers.files if name[0] == case}
    memory = LearnedMemory(*stored["weight"].shape, shrink=float(stored["thr"]))
    with torch.no_grad():
        memory.items.copy_(stored["weight"])

    read, attention = memory(stored["input"])
    loss = entropy(attention)
    (gradient,) = torch.autograd.grad(loss, memory.items)

    for own, wanted in ((read, "out"), (attention, "att"), (loss, "entropy"), (gradient, "grad_entropy_weight")):
        np.testing.assert_allclose(own.detach().numpy(), stored[wanted].numpy(), rtol=0, atol=1e-6)


def test_attention_below_the_threshold_becomes_none_and_the_rest_stays() -> None:
    assert hard_shrink(torch.tensor([0.1, 0.3, 0.6]), 0.2).tolist() == pytest.approx([0.0, 0.3, 0.6])


def test_entropy_is_0_for_one_item_and_largest_for_an_even_share() -> None:
    even, one = torch.full((1, 4, 2), 0.25), torch.tensor([[[1.0], [0.0], [0.0], [0.0]]])
    assert entropy(even).item() == pytest.approx(math.log(4))
    assert entropy(one).item() == pytest.approx(0.0, abs=1e-6)


def test_items_learn_from_both_terms() -> None:
    memae = small()
    (objective,) = memae.objectives(Batch(Clips(clips())))

    assert dict(objective.weights) == {"reconstruction": 1.0, "entropy": 0.0002}
    for term in objective.terms.values():
        (gradient,) = torch.autograd.grad(term, memae.memory.items, retain_graph=True)
        assert gradient.abs().max() > 0
