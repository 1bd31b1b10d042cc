"""OGNet against its published code, and what is our own: patches of video, phases by steps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddframe.detectors.moving import OgNetSettings
from oddframe.models.detector import Batch, Clips, Objective
from oddframe.models.ognet import OgNet, PatchGenerator, PatchJudge, cut, put_back
from oddframe.nn.snapshot import judging

Stored = Mapping[str, NDArray[Any]]


@pytest.fixture
def stored(oracle_dir: Path) -> dict[str, NDArray[Any]]:
    with np.load(oracle_dir / "ognet.npz", allow_pickle=False) as numbers:
        return {name: numbers[name] for name in numbers.files}


@pytest.fixture(scope="module")
def published() -> OgNet:
    """At full width with the weights of the stored numbers: as long to make as a test, and made once."""
    return OgNet(OgNetSettings(size=(45, 45)))


def draw(name: str, *shape: int) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return np.random.RandomState(seed).standard_normal(size=shape)


def clip(name: str) -> Tensor:
    return torch.from_numpy(np.tanh(draw(f"ognet/{name}", 4, 1, 45, 45).astype(np.float32)))


def filled(network: torch.nn.Module, prefix: str) -> None:
    """Weights from names, as those were that the stored numbers come from."""
    for name, value in network.state_dict().items():
        theirs = name.replace("layers.", "discriminator.")
        if name.endswith("num_batches_tracked"):
            value.zero_()
            continue
        x = draw(prefix + theirs, *value.shape)
        if name.endswith("running_mean"):
            x = 0.1 * x
        elif name.endswith("running_var"):
            x = 1 + 0.5 * np.abs(x)
        elif x.ndim == 4:
            x = x * np.sqrt(2 / np.prod(x.shape[1:]))
        elif x.ndim == 2:
            x = x * np.sqrt(1 / x.shape[1])
        else:
            x = 1 + 0.1 * x if name.endswith("weight") else 0.1 * x
        value.copy_(torch.from_numpy(x))


def as_published(ognet: OgNet) -> OgNet:
    filled(ognet.generator, "ognet/gold/")
    ognet.old.take(ognet.generator)
    filled(ognet.generator, "ognet/g/")
    filled(ognet.discriminator, "ognet/d/")
    return ognet


def close(seen: Tensor, wanted: NDArray[Any], atol: float) -> None:
    torch.testing.assert_close(
        seen.detach().double(), torch.from_numpy(np.asarray(wanted, np.float64)), rtol=0, atol=atol
    )


def statistics_are(network: torch.nn.Module, stored: Stored, prefix: str) -> None:
    for name, value in network.state_dict().items():
        theirs = f"{prefix}{name.replace('layers.', 'discriminator.')}"
        if theirs in stored:
            close(value, stored[theirs], 1e-4)


# What is published ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_both_networks_give_what_the_published_ones_give(stored, published, mode) -> None:
    """The stored numbers are rounded themselves: computed in float64, pictures differ from them by up to 4e-5."""
    atol = 2e-4
    ognet, x = as_published(published).train(mode == "train"), clip("input")

    with torch.no_grad():
        code = ognet.generator.encoder(x)
        rebuilt = ognet.generator.decoder(code)
        real, fake = ognet.discriminator(x).sigmoid(), ognet.discriminator(rebuilt).sigmoid()

    close(code.mean(dim=(2, 3)), stored[f"{mode}_feature_mean"], atol)
    close(code.std(dim=(2, 3), correction=0), stored[f"{mode}_feature_std"], atol)
    close(rebuilt, stored[f"{mode}_g"], atol)
    close(real, stored[f"{mode}_d_real"], atol)
    close(fake, stored[f"{mode}_d_fake"], atol)
    statistics_are(ognet.generator, stored, "train_after_g_" if mode == "train" else "none")
    statistics_are(ognet.discriminator, stored, "train_after_d_" if mode == "train" else "none")


def stepped(objectives: Iterator[Objective], optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, float]:
    """One step of the loop, in short: terms by name."""
    terms: dict[str, float] = {}
    for objective in objectives:
        optimizer = optimizers[objective.group]
        parameters = optimizer.param_groups[0]["params"]
        for parameter, gradient in zip(parameters, torch.autograd.grad(objective.loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()
        terms |= {name: term.item() for name, term in objective.terms.items()}
    return terms


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["stale", "fresh"])
def test_phase_one_goes_as_published_or_as_with_a_discriminator_run_anew(stored, published, reading) -> None:
    """Two steps: Adam makes steps of its own size of what is rounding alone, and each processor rounds in its own way.
    It is a hundredth after the first step, and a tenth after the second.
    """
    ognet = as_published(published).train()
    ognet.settings = ognet.settings.model_copy(update={"gradient": reading})
    prefix = "phase1" if reading == "stale" else "fresh"
    optimizers = {
        "generator": torch.optim.Adam(ognet.generator.parameters(), 1e-3),
        "discriminator": torch.optim.Adam(ognet.discriminator.parameters(), 1e-4),
    }

    for step in range(2):
        patches = clip(f"phase1/{step}")
        noise = torch.from_numpy(draw(f"ognet/noise/{step}", 4, 1, 45, 45).astype(np.float32))
        terms = stepped(ognet._phase_one(patches, (patches + 0.81 * noise).clamp(-1, 1)), optimizers)
        names = ("discriminator.rebuilt", "discriminator.real", "reconstruction", "adversarial")
        wanted = stored[f"{prefix}_losses"][step].tolist()
        assert [terms[name] for name in names] == pytest.approx(wanted, rel=1e-5 if step == 0 else 2e-2)
        if (reading, step) == ("fresh", 0):
            norms = [one.grad.norm().item() for one in ognet.generator.parameters() if one.grad is not None]
            # biases before a batch norm have a gradient of nothing but rounding
            assert norms == pytest.approx(stored["fresh_grad0_g_norm"].tolist(), rel=3e-2, abs=1e-4)


@pytest.mark.long
@pytest.mark.slow
def test_three_updates_of_phase_two_end_as_published(stored, published) -> None:
    ognet = as_published(published).train()
    optimizer = torch.optim.Adam(ognet.discriminator.parameters(), 5e-5)

    for update in range(3):
        one, two, three = (clip(f"phase2/{3 * update + number}") for number in range(3))
        terms = stepped(iter([ognet._phase_two(one, two, three)]), {"tuning": optimizer})
        seen = [terms[f"tuning.{name}"] for name in ("old", "pseudo", "rebuilt", "real")]
        assert seen == pytest.approx(stored["phase2_bce"][update].tolist(), rel=1e-5 if update == 0 else 5e-3)

    assert ognet.generator.training
    assert ognet.discriminator.layers[1].num_batches_tracked == stored["phase2_batches_tracked"]
    for name, value in ognet.discriminator.state_dict().items():
        if "running" in name:
            close(value[:8], stored[f"phase2_after_d_head_{name.replace('layers.', 'discriminator.')}"], 1e-3)


# What is our own --------------------------------------------------------------------------------------------


def small(**settings: Any) -> OgNet:
    torch.manual_seed(3)
    return OgNet(OgNetSettings.model_validate({"width": 4, "size": (45, 90)} | settings))


def moved(**settings: Any) -> Tensor:
    """Two clips in which the left patch moves and the right one does not."""
    pixels = torch.rand(2, 2, 1, 45, 90, generator=torch.Generator().manual_seed(1)) * 2 - 1
    pixels[:, 1, :, :, 45:] = pixels[:, 0, :, :, 45:]
    return pixels


def test_it_has_as_many_parameters_as_published_and_the_old_generator_is_none_of_them() -> None:
    with torch.device("meta"):
        ognet = OgNet(OgNetSettings())

    assert ognet.parameter_counts() == {"training": 12_917_890, "inference": 12_917_890}
    assert sum(one.numel() for one in PatchGenerator(1, 64).parameters()) == 8_609_025
    assert sum(one.numel() for one in PatchJudge(1, 64).parameters()) == 4_308_865


def test_a_picture_is_cut_row_by_row_and_put_together_again() -> None:
    pictures = torch.arange(2.0 * 3 * 90 * 135).reshape(2, 3, 90, 135)
    patches = cut(pictures)

    assert patches.shape == (12, 3, 45, 45)
    assert torch.equal(patches[4], pictures[0, :, 45:, 45:90])
    assert torch.equal(put_back(patches, 2, 3), pictures)


def test_what_does_not_move_is_not_odd_and_a_video_without_motion_has_numbers_everywhere() -> None:
    ognet = small().eval()
    with torch.no_grad():
        found, still = ognet(moved()), ognet(moved()[:, :1].expand(-1, 2, -1, -1, -1))

    assert found.distance.shape == (2, 1, 2)
    assert (found.distance[:, 0, 0] > 0).all()
    assert (found.distance[:, 0, 1] == 0).all()
    assert (still.distance == 0).all()
    assert still.error.isfinite().all()


def test_training_looks_at_what_moves_and_at_everything_where_nothing_does() -> None:
    ognet, random = small(), torch.Generator()
    drawn = ognet._drawn(Clips(moved()), random)

    assert {int((cut(moved()[:, 1]) == one).flatten(1).all(dim=1).nonzero()) for one in drawn} == {0, 2}
    assert len(ognet._drawn(Clips(torch.zeros(2, 2, 1, 45, 90)), random)) == 4
    assert len(small(patches=2)._drawn(Clips(torch.zeros(2, 2, 1, 45, 90)), random)) == 2


def test_phases_follow_the_count_of_steps_and_the_old_generator_is_that_of_its_step() -> None:
    ognet = small(old_after=1, tune_after=2)
    batch = Batch(Clips(moved()), Clips(moved()))
    assert ognet.ailments() == []

    first = [one.group for one in ognet.objectives(batch)]
    ognet.after_step([])
    kept = {name: value.clone() for name, value in ognet.generator.state_dict().items()}
    with torch.no_grad():
        ognet.generator.decoder[9].bias += 1
    ognet.after_step([])
    assert "phase two has not begun: 2 steps" in ognet.ailments()[0]
    (objective,) = ognet.objectives(batch)

    assert first == ["discriminator", "generator"]
    assert objective.group == "tuning"
    assert sum(objective.weights.values()) == pytest.approx(2)
    patches = cut(moved()[:, 1])
    with judging(ognet.generator):
        old = ognet.old.run(ognet.generator, patches)
        ognet.generator.load_state_dict(kept)
        assert torch.equal(old, ognet.generator(patches))


def test_the_same_step_draws_the_same_again_and_the_next_one_something_else() -> None:
    ognet, batch = small(), Batch(Clips(moved()), Clips(moved()))

    def noise() -> float:
        return next(ognet.objectives(batch)).terms["discriminator.rebuilt"].item()

    first = noise()
    with judging(ognet):
        pass
    assert torch.rand(1, generator=ognet.chance.draw()) == torch.rand(1, generator=ognet.chance.draw())
    before = torch.rand(1, generator=ognet.chance.draw())
    ognet.after_step([])
    assert torch.rand(1, generator=ognet.chance.draw()) != before
    assert noise() != first


def test_an_old_generator_that_is_younger_than_phase_two_is_refused() -> None:
    with pytest.raises(ValueError, match="old_after is 10, which is later than tune_after, 5"):
        OgNetSettings(old_after=10, tune_after=5)
