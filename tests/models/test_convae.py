from __future__ import annotations

import pytest
import torch

from oddframe.detectors import detector_entry
from oddframe.detectors.peers import ConvAESettings
from oddframe.models.convae import ConvAE
from oddframe.models.detector import Batch, Clips

SIZE = (32, 48)


def small() -> ConvAE:
    torch.manual_seed(3)
    return ConvAE(ConvAESettings(width=4, size=SIZE, channels=1))


def clips() -> torch.Tensor:
    return torch.rand(2, 10, 1, *SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_channels_are_those_of_the_publication() -> None:
    convae = detector_entry("convae").load()(ConvAESettings(channels=1))
    convolutions = [module for module in convae.modules() if hasattr(module, "kernel_size") and hasattr(module, "bias")]

    assert [(one.out_channels, one.kernel_size[0]) for one in convolutions] == [
        (512, 11), (256, 5), (128, 3), (256, 3), (512, 5), (10, 11),
    ]  # fmt: skip


def test_the_last_of_ten_frames_is_judged_by_how_well_it_came_back() -> None:
    convae, clip = small().eval(), clips()
    evidence = convae(clip)

    assert convae.window == (9, 0)
    assert evidence.predicted.shape == (2, 1, *SIZE)
    assert torch.allclose(evidence.error, ((evidence.predicted - clip[:, 9]) / 2).square().mean(dim=1))
    assert evidence.distance is None


def test_the_loss_is_the_squared_error_of_all_ten_frames() -> None:
    convae, clip = small().eval(), clips()
    (objective,) = convae.objectives(Batch(Clips(clip)))

    rebuilt = convae.decoder(convae.encoder(clip[:, :, 0]))
    assert objective.loss.item() == pytest.approx(((rebuilt - clip[:, :, 0]) ** 2).mean().item())
