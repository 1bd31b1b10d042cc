"""What DREAM-ConvLSTM has of its own; what it shares with DREAM-UNet is tested there."""

from __future__ import annotations

import pytest
import torch

from oddframe.detectors import detector_entry
from oddframe.detectors.dream import DreamConvLSTMSettings
from oddframe.models.detector import Batch, Clips, Objective
from oddframe.models.dream import Dream

SIZE = (16, 24)


def small(**settings: object) -> Dream:
    torch.manual_seed(3)
    return Dream(
        DreamConvLSTMSettings.model_validate({"width": 4, "size": SIZE, "channels": 1, "items": 3} | settings),
        torch.Generator().manual_seed(5),
    )


def clips(seed: int, count: int = 2) -> Clips:
    return Clips(torch.rand(count, 5, 1, *SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1)


def objective(dream: Dream, batch: Batch) -> Objective:
    (found,) = dream.objectives(batch)
    return found


FULL = Batch(clips(1), clips(2), clips(3))


@pytest.mark.parametrize(
    ("settings", "training", "inference"),
    [
        ({}, 12_856_259, 11_676_099),
        ({"discriminator_norm": True}, 12_857_283, 11_676_099),
        # one memory: the ConvLSTM of MLEP, and a decoder of twice the channels
        ({"memory": "single", "discriminator": False}, 12_855_747, 12_855_747),
        # no memory either: the network of MLEP
        ({"memory": "none", "discriminator": False}, 12_560_835, 12_560_835),
    ],
)
def test_parameters_are_those_of_the_layer_table(settings: dict[str, object], training: int, inference: int) -> None:
    with torch.device("meta"):
        dream = detector_entry("dream-convlstm").load()(DreamConvLSTMSettings.model_validate(settings))
    assert dream.parameter_counts() == {"training": training, "inference": inference}


@pytest.mark.parametrize(("memory", "channels"), [("dual", 8), ("single", 16), ("none", 16)])
def test_queries_lie_at_a_quarter_and_two_branches_halve_their_channels(memory: str, channels: int) -> None:
    dream = small(memory=memory).eval()
    evidence, queries = dream(clips(1).pixels), dream.queries(clips(1).pixels)
    assert evidence.error.shape == (2, 16, 24)
    assert evidence.predicted.shape == (2, 1, 16, 24)
    assert {each.shape for each in queries.values()} == {(2, channels, 4, 6)}
    assert all(torch.allclose(each.norm(dim=1), torch.ones(2, 4, 6)) for each in queries.values())
    assert dream.has_distance == (evidence.distance is not None) == (memory != "none")
    assert evidence.distance is None or evidence.distance.shape == (2, 4, 6)


def test_the_losses_are_those_of_the_paper_and_all_parameters_learn() -> None:
    dream = small()
    found = objective(dream, FULL)
    found.loss.backward()
    assert set(found.terms) == {
        "reconstruction",
        *(
            f"{kind}.{term}"
            for kind in ("normality", "abnormality")
            for term in ("compactness", "separateness", "triplet")
        ),
    }
    assert all(parameter.grad is not None for parameter in dream.parameters())
    predicted = [dream(role.pixels).predicted for role in (clips(1), clips(2))]
    wanted = sum(
        (one - role.pixels[:, 4]).square().mean() for one, role in zip(predicted, (clips(1), clips(2)), strict=True)
    )
    assert found.terms["reconstruction"].item() == pytest.approx(wanted.item(), rel=1e-5)  # L2, where MLEP has L1


def test_abnormal_clips_do_not_pass_the_decoder() -> None:
    dream, passed = small(), []
    dream.decoder.register_forward_hook(lambda *_: passed.append(1))
    objective(dream, FULL)
    assert len(passed) == 2  # there is no batch norm that they could move


def test_the_memories_alone_learn_from_marked_places_too() -> None:
    dream = small(query_margin=0.7, decoder=False, discriminator=False)
    found = objective(dream, Batch(clips(1), None, Clips(clips(3).pixels, torch.ones(2, *SIZE, dtype=torch.bool))))
    assert {"normality.push_abnormal", "abnormality.push_normal", "abnormality.pull_abnormal"} <= set(found.terms)
    before = dream.normality.memory.items.clone()
    dream.after_step([found.trace])
    assert not torch.equal(dream.normality.memory.items, before)


def test_half_precision_leaves_evidence_and_losses_in_single() -> None:
    dream = small(query_margin=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = objective(dream, FULL)
        evidence = dream.eval()(FULL.normal.pixels)
    dtypes = {term.dtype for term in found.terms.values()} | {evidence.error.dtype, evidence.distance.dtype}
    assert dtypes == {torch.float32}


@pytest.mark.slow
def test_judging_can_be_exported_for_any_number_of_clips() -> None:
    dream, clip = small().eval(), clips(1, count=3).pixels
    program = torch.export.export(dream, (clips(2).pixels,), dynamic_shapes=({0: torch.export.Dim("clips")},))
    own, exported = dream(clip), program.module()(clip)
    assert torch.allclose(exported[0], own.error, atol=1e-6)
    assert torch.allclose(exported[1], own.distance, atol=1e-6)
