from __future__ import annotations

import pytest
import torch

from oddframe.detectors import detector_entry
from oddframe.detectors.peers import MlepSettings
from oddframe.models.detector import Batch, Clips, Objective
from oddframe.models.mlep import Mlep, margin_loss

SIZE = (16, 24)


def small(**settings: object) -> Mlep:
    torch.manual_seed(3)
    return Mlep(MlepSettings.model_validate({"width": 4, "size": SIZE, "channels": 1} | settings))


def clips(seed: int, count: int = 2) -> Clips:
    return Clips(torch.rand(count, 5, 1, *SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1)


def objective(mlep: Mlep, batch: Batch) -> Objective:
    (found,) = mlep.objectives(batch)
    return found


FULL = Batch(clips(1), clips(2), clips(3))


def test_parameters_are_those_of_the_peer() -> None:
    with torch.device("meta"):
        mlep = detector_entry("mlep").load()(MlepSettings())
    assert mlep.parameter_counts() == {"training": 12_560_835, "inference": 12_560_835}


def test_evidence_is_the_error_of_the_predicted_frame_and_has_no_distance() -> None:
    mlep, clip = small().eval(), clips(1).pixels
    evidence = mlep(clip)
    assert evidence.predicted.shape == (2, 1, 16, 24)
    assert torch.allclose(evidence.error, ((evidence.predicted - clip[:, 4]) / 2).square().mean(dim=1))
    assert evidence.distance is None
    assert not mlep.has_distance
    assert mlep.queries(clip) == {}


def test_the_judged_frame_is_not_seen_before_it_is_predicted() -> None:
    mlep, clip = small().eval(), clips(1).pixels
    changed = clip.clone()
    changed[:, 4] = 0
    assert torch.equal(mlep(clip).predicted, mlep(changed).predicted)


def test_the_margin_is_asked_of_means_over_the_batch() -> None:
    """One negative is 2 away, one is not: mean (a - n)^2 = 2, where a hinge for each clip would leave 0.625."""
    anchor, positive = torch.zeros(2, 3, 1, 1), torch.full((2, 3, 1, 1), 0.5)
    negative = torch.stack([torch.full((3, 1, 1), 2.0), torch.zeros(3, 1, 1)])
    assert margin_loss(anchor, positive, negative, margin=1.0).item() == 0.0  # 1 + 0.25 - 2
    assert margin_loss(anchor, positive, negative, margin=3.0).item() == pytest.approx(3 + 0.25 - 2)


def test_few_abnormal_clips_are_gone_through_again() -> None:
    anchor = torch.tensor([0.0, 0.0, 3.0])[:, None, None, None]
    negative = torch.tensor([1.0, 2.0])[:, None, None, None]
    assert margin_loss(anchor, anchor, negative, margin=5.0).item() == pytest.approx(5 - (1 + 4 + 4) / 3)


def test_the_loss_is_the_absolute_error_of_both_normal_roles_and_the_margin() -> None:
    mlep = small(triplet_margin=2.0)
    found = objective(mlep, FULL)
    errors = [(mlep(role.pixels).predicted - role.pixels[:, 4]).abs().mean() for role in (clips(1), clips(2))]
    states = [mlep.recurrent(mlep.encoder(clips(seed).pixels[:, :4])[0]) for seed in (1, 2, 3)]
    margin = 2 + (states[0] - states[1]).square().mean() - (states[0] - states[2]).square().mean()
    assert found.terms["reconstruction"].item() == pytest.approx(sum(errors).item(), rel=1e-6)
    assert found.terms["triplet"].item() == pytest.approx(margin.item(), rel=1e-6)
    assert found.loss.item() == pytest.approx((sum(errors) + margin).item(), rel=1e-6)
    assert (found.group, dict(found.trace)) == ("all", {})


@pytest.mark.parametrize("batch", [Batch(FULL.normal), Batch(FULL.normal, FULL.second)])
def test_without_abnormal_clips_the_prediction_is_what_is_learned(batch: Batch) -> None:
    assert dict(objective(small(), batch).weights) == {"reconstruction": 1.0}


def test_roles_follow_the_losses() -> None:
    assert small().roles == ("normal", "second", "abnormal")
    assert small(triplet=0.0).roles == ("normal",)


def test_abnormal_clips_teach_the_state_and_not_the_decoder() -> None:
    mlep = small(reconstruction=0.0)
    objective(mlep, FULL).loss.backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in mlep.recurrent.parameters())
    assert not any(parameter.grad is not None and parameter.grad.any() for parameter in mlep.decoder.parameters())


def test_half_precision_leaves_evidence_and_losses_in_single() -> None:
    mlep = small()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = objective(mlep, FULL)
        evidence = mlep.eval()(FULL.normal.pixels)
    assert {term.dtype for term in found.terms.values()} | {evidence.error.dtype} == {torch.float32}


@pytest.mark.slow
def test_judging_can_be_exported_for_any_number_of_clips() -> None:
    mlep, clip = small().eval(), clips(1, count=3).pixels
    program = torch.export.export(mlep, (clips(2).pixels,), dynamic_shapes=({0: torch.export.Dim("clips")},))
    assert torch.allclose(program.module()(clip)[0], mlep(clip).error, atol=1e-6)
