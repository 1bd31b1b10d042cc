from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from oddframe.detectors import detector_entry
from oddframe.detectors.peers import FramePredSettings
from oddframe.models.detector import Batch, Clips
from oddframe.models.framepred import FramePred, flow_difference, gradient_difference, taken_for_real, told_apart
from oddframe.nn import losses

SIZE = (16, 24)


def small(**settings: object) -> FramePred:
    torch.manual_seed(3)
    return FramePred(FramePredSettings.model_validate({"width": 4, "size": SIZE, "channels": 1} | settings))


def batch() -> Batch:
    return Batch(Clips(torch.rand(2, 5, 1, *SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1))


def stored(oracle_dir: Path) -> dict[str, Tensor]:
    with np.load(oracle_dir / "scoring.npz", allow_pickle=False) as numbers:
        return {name: torch.from_numpy(np.asarray(numbers[name])) for name in numbers.files}


def test_the_generator_has_as_many_parameters_as_published_and_training_those_of_the_discriminator_more() -> None:
    framepred = detector_entry("framepred").load()(FramePredSettings())
    discriminator = 3 * 128 * 16 + 128 + 128 * 256 * 16 + 256 + (256 + 512) * 512 * 16 + 2 * 512 + 512 * 16 + 1

    assert framepred.parameter_counts() == {"training": 7_704_195 + discriminator, "inference": 7_704_195}


def test_evidence_has_no_distance_and_the_discriminator_sees_patches() -> None:
    framepred = small().eval()
    evidence = framepred(batch().normal.pixels)

    assert evidence.error.shape == (2, *SIZE)
    assert evidence.predicted.shape == (2, 1, *SIZE)
    assert evidence.distance is None
    assert framepred.discriminator is not None
    real = framepred.discriminator(evidence.predicted)
    assert real.shape == (2, 1, 5, 6)
    assert 0 < real.min() < real.max() < 1


def test_pictures_of_any_size_that_fits_can_be_judged_and_patches_number_an_eighth_and_three() -> None:
    framepred = small()
    assert framepred.discriminator is not None
    assert framepred.discriminator(torch.zeros(1, 1, 64, 128)).shape == (1, 1, 11, 19)


def test_losses_are_those_of_a_port_of_the_published_code(oracle_dir: Path) -> None:
    numbers = stored(oracle_dir)
    predicted, target = numbers["psnr_pred"], numbers["psnr_target"]

    assert losses.reconstruction(predicted, target).item() == pytest.approx(numbers["fp_intensity"].item(), rel=1e-6)
    assert gradient_difference(predicted, target).item() == pytest.approx(numbers["fp_gradient"].item(), rel=1e-6)
    each = [gradient_difference(one[None], two[None]).item() for one, two in zip(predicted, target, strict=True)]
    assert each == pytest.approx(numbers["fp_gradient_each"].tolist(), rel=1e-6)
    fake, real = numbers["fp_adv_fake"], numbers["fp_adv_real"]
    assert taken_for_real(fake).item() == pytest.approx(numbers["fp_adv_g"].item(), rel=1e-6)
    assert told_apart(real, fake).item() == pytest.approx(numbers["fp_adv_d"].item(), rel=1e-6)


def test_the_gradient_difference_compares_the_sizes_of_steps_right_and_down_with_0_around_the_picture() -> None:
    predicted, judged = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]]), torch.tensor([[[[0.0, -3.0], [0.0, 0.0]]]])
    # Steps to the right, 1 and 1 (out of the picture) against 3 and 3; down 0 and 1 against 0 and 3. Four pixels.
    assert gradient_difference(predicted, judged).item() == (2 + 2) / 4 + 2 / 4


def test_both_sides_of_the_adversarial_loss_are_half_squared_distances() -> None:
    real, predicted = torch.tensor([0.5, 1.0]), torch.tensor([0.0, 0.5])
    assert told_apart(real, predicted).item() == (0.125 + 0.125) / 2
    assert taken_for_real(predicted).item() == (1.0 + 0.25) / 2 / 2


def test_the_discriminator_goes_first_and_the_generator_meets_the_one_that_it_made() -> None:
    framepred = small()
    objectives = framepred.objectives(batch())

    first = next(objectives)
    assert framepred.discriminator is not None
    with torch.no_grad():
        for parameter in framepred.discriminator.parameters():
            parameter.zero_()  # it now says 1/2 of everything
    second = next(objectives)

    assert (first.group, second.group) == ("discriminator", "generator")
    assert dict(second.weights) == {"intensity": 1.0, "gradient": 1.0, "adversarial": 0.05}
    assert second.terms["adversarial"].item() == pytest.approx(0.125)
    assert next(objectives, None) is None


def test_the_discriminator_learns_at_a_tenth_of_the_rate_and_no_parameter_is_left_out() -> None:
    framepred = small()
    groups = framepred.parameter_groups()

    assert {name: group.lr_factor for name, group in groups.items()} == {"generator": 1.0, "discriminator": 0.1}
    both = [id(parameter) for group in groups.values() for parameter in group.parameters]
    assert sorted(both) == sorted(id(parameter) for parameter in framepred.parameters())
    for objective in framepred.objectives(batch()):
        gradients = torch.autograd.grad(objective.loss, groups[objective.group].parameters)
        assert all(gradient.abs().max() > 0 for gradient in gradients)


def test_without_the_adversarial_loss_there_is_no_discriminator() -> None:
    framepred = small(adversarial=0)
    (objective,) = framepred.objectives(batch())

    assert framepred.discriminator is None
    assert list(framepred.parameter_groups()) == ["generator"]
    assert set(objective.terms) == {"intensity", "gradient"}


def test_with_a_flow_loss_the_prediction_learns_from_the_flow_that_the_true_frame_has() -> None:
    framepred = small(flow="lucas-kanade", adversarial=0)
    (objective,) = framepred.objectives(batch())

    assert objective.weights["flow"] == 2.0
    assert objective.terms["flow"].item() > 0
    gradients = torch.autograd.grad(objective.terms["flow"], list(framepred.decoder.parameters()))
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert max(gradient.abs().max().item() for gradient in gradients) > 0


def test_the_flow_loss_is_0_for_the_true_frame_and_measures_in_pixels_of_384x512() -> None:
    hill = torch.exp(-((torch.arange(32.0) - 16) ** 2) / 32)
    stripes, moved = (2 * one.expand(1, 1, 32, 32) - 1 for one in (hill, hill.roll(1)))
    upright = stripes.transpose(2, 3), moved.transpose(2, 3), stripes.transpose(2, 3)

    assert flow_difference(stripes, moved, moved).item() == 0
    # a step to the right is 512/32 pixels, one down 384/32
    across, down = flow_difference(stripes, moved, stripes).item(), flow_difference(*upright).item()
    assert across / down == pytest.approx(4 / 3, rel=1e-5)


@pytest.mark.parametrize("off", ["off", False])
def test_without_it_nothing_is_said_of_flow(off: object) -> None:
    (objective,) = small(flow=off, adversarial=0).objectives(batch())

    assert "flow" not in objective.terms
