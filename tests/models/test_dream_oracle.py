"""DREAM-UNet and its one-memory ablation against numbers that the authors' and MNAD's code produced.

Weights and clips are drawn from their peers' names, as the README beside the stored numbers tells.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from oddframe.detectors.dream import DreamSettings
from oddframe.models.detector import Batch, Clips, Objective
from oddframe.models.dream import Dream
from oddframe.nn.memory import Memory

Stored = dict[str, npt.NDArray[np.float32]]

MNAD = DreamSettings(
    size=(64, 64),
    memory="single",
    items=5,  # twice as many in a single memory
    discriminator=False,
    update_weight="max",
    separateness_distance="plain",
    compactness=0.1 / 512,  # MNAD averages over channels, too
)
AUTHORS = DreamSettings(size=(64, 64), reading="code")


def load(path: Path) -> Stored:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def numbers(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return np.random.RandomState(seed).standard_normal(size=shape)


def drawn(name: str, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(numbers(name, shape).astype(np.float32))


def clips(name: str) -> Clips:
    """Two clips of five frames of 64x64."""
    return Clips(drawn(name, (2, 15, 64, 64)).tanh().unflatten(1, (5, 3)))


def unit_rows(name: str, shape: tuple[int, int]) -> Tensor:
    return torch.nn.functional.normalize(drawn(name, shape), dim=1)


def peer_name(own: str, normality_head: str) -> str:
    """Our name of a weight → the peer's."""
    rules = [
        (r"^encoder\.levels\.(\d)", lambda m: f"encoder.moduleConv{int(m[1]) + 1}"),
        (r"^normality\.head", lambda m: f"encoder.{normality_head}"),
        (r"^abnormality\.head", lambda m: "encoder.moduleConv4_f"),
        (r"^decoder\.entry", lambda m: "decoder.moduleConv"),
        (r"^decoder\.ups\.(\d)", lambda m: f"decoder.moduleUpsample{4 - int(m[1])}"),
        (r"^decoder\.levels\.(\d)", lambda m: f"decoder.moduleDeconv{3 - int(m[1])}"),
        (r"^normality\.discriminator", lambda m: "discriminater_b"),
        (r"^abnormality\.discriminator", lambda m: "discriminater_f"),
        (r"(discriminater_.)\.conv", lambda m: f"{m[1]}.conv1"),
        (r"(discriminater_.)\.norm", lambda m: f"{m[1]}.bn1"),
    ]
    for pattern, replacement in rules:
        own = re.sub(pattern, replacement, own)
    return own


def formula(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape)
    values = numbers(name, shape)
    if name.endswith("running_mean"):
        return 0.1 * values
    if name.endswith("running_var"):
        return 1 + 0.5 * np.abs(values)
    if len(shape) == 4:
        return values * np.sqrt(2 / np.prod(shape[1:]))
    if name.endswith("weight"):
        return 1 + 0.1 * values
    return 0.1 * values


def swapped(weight: Tensor) -> Tensor:
    """Input channels of the decoder's first convolution from order A, N (authors) to N, A (paper), and back."""
    return torch.cat(weight.chunk(2, dim=1)[::-1], dim=1)


def build(settings: DreamSettings) -> Dream:
    """A detector with the weights that belong to its peer's names."""
    dream = Dream(settings)
    dual = settings.memory == "dual"
    with torch.no_grad():
        for own, tensor in dream.state_dict().items():
            if ".memory." in own:
                continue
            name = peer_name(own, "moduleConv4_b" if dual else "moduleConv4")
            value = torch.from_numpy(np.asarray(formula(name, tuple(tensor.shape)))).to(tensor.dtype)
            tensor.copy_(swapped(value) if dual and own == "decoder.entry.0.weight" else value)
    return dream


def memory(dream: Dream, branch: str) -> Memory:
    found = dream.get_submodule(f"{branch}.memory")
    assert isinstance(found, Memory)
    return found


def objective(dream: Dream, batch: Batch) -> Objective:
    (found,) = dream.objectives(batch)
    return found


def values(found: Objective) -> dict[str, float]:
    return {name: term.item() for name, term in found.terms.items()}


def same(own: Tensor, wanted: npt.NDArray[np.float32], tolerance: float) -> None:
    np.testing.assert_allclose(own.detach().numpy(), wanted, rtol=0, atol=tolerance)


def same_gradients(dream: Dream, stored: Stored, normality_head: str) -> None:
    """Gradients of the first step: norms, and the first 16 values as far as their stored noise allows."""
    checked = set()
    for own, parameter in dream.named_parameters():
        name = peer_name(own, normality_head)
        if f"grad0_norm_{name}" not in stored:
            continue
        assert parameter.grad is not None
        gradient = parameter.grad
        if dream.abnormality is not None and own == "decoder.entry.0.weight":
            gradient = swapped(gradient)
        head = stored[f"grad0_head_{name}"]
        assert gradient.norm().item() == pytest.approx(float(stored[f"grad0_norm_{name}"]), rel=1e-3), own
        same(gradient.flatten()[:16], head, 2e-2 * float(np.abs(head).max()))
        checked.add(name)
    assert checked == {key.removeprefix("grad0_norm_") for key in stored if key.startswith("grad0_norm_")}


@pytest.mark.slow
def test_inputs_and_weights_are_regenerated_as_they_were(oracle_dir: Path) -> None:
    stored = load(oracle_dir / "mnad_unet.npz")
    same(drawn("net/input", (2, 12, 64, 64)).tanh().flatten()[:16], stored["check_input_head"], 1e-7)
    own = {peer_name(name, "moduleConv4"): tensor for name, tensor in build(MNAD).state_dict().items()}
    checks = [name for name in stored if name.startswith("check_") and name != "check_input_head"]
    assert len(checks) == 4
    for name in checks:
        same(own[name.removeprefix("check_")].flatten()[:8], stored[name], 1e-7)


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.slow
def test_one_memory_without_discriminator_is_the_network_of_mnad(oracle_dir: Path, mode: str) -> None:
    stored, tolerance = load(oracle_dir / "mnad_unet.npz"), 1e-5 if mode == "eval" else 1e-4
    dream = build(MNAD).train(mode == "train")
    memory(dream, "normality").items.copy_(unit_rows("net/items", (10, 512)))
    frames = drawn("net/input", (2, 12, 64, 64)).tanh()
    with torch.no_grad():
        features, skips = dream.encoder(frames)
        raw = dream.normality.head(features)
        read = dream.normality.read(torch.nn.functional.normalize(raw, dim=1))
        assert dream.decoder is not None
        out = dream.decoder(read, skips)
    same(raw, stored[f"{mode}_fea"], tolerance)
    same(out, stored[f"{mode}_out"], tolerance)
    same(read.mean(dim=(2, 3)), stored[f"{mode}_read_mean"], tolerance)
    for number, skip in enumerate(skips, start=1):
        same(skip.mean(dim=(2, 3)), stored[f"{mode}_skip{number}_mean"], tolerance)
        same(skip.std(dim=(2, 3), correction=0), stored[f"{mode}_skip{number}_std"], tolerance)
        same(skip[:, :4, :8, :8], stored[f"{mode}_skip{number}_corner"], tolerance)
    if mode == "train":
        own = {peer_name(name, "moduleConv4"): tensor for name, tensor in dream.state_dict().items()}
        buffers = [name for name in stored if name.startswith("train_after_")]
        assert len(buffers) == 6
        for name in buffers:
            same(own[name.removeprefix("train_after_")], stored[name], tolerance)


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.slow
def test_one_memory_without_discriminator_has_the_losses_and_the_update_of_mnad(oracle_dir: Path, mode: str) -> None:
    stored, tolerance = load(oracle_dir / "mnad_unet.npz"), 1e-5 if mode == "eval" else 1e-4
    dream = build(MNAD).train(mode == "train")
    memory(dream, "normality").items.copy_(unit_rows("net/items", (10, 512)))
    frames = drawn("net/input", (2, 12, 64, 64)).tanh().unflatten(1, (4, 3))
    found = objective(dream, Batch(Clips(torch.cat([frames, frames[:, :1]], dim=1))))
    dream.after_step([found.trace])
    assert values(found)["normality.compactness"] / 512 == pytest.approx(
        float(stored[f"{mode}_com"]), abs=tolerance / 10
    )
    assert values(found)["normality.separateness"] == pytest.approx(float(stored[f"{mode}_sep"]), abs=tolerance)
    same(memory(dream, "normality").items, stored[f"{mode}_new_items"], tolerance)


@pytest.mark.slow
def test_the_decoder_alone_is_that_of_mnad(oracle_dir: Path) -> None:
    decoder = build(MNAD).eval().decoder
    assert decoder is not None
    skips = [
        drawn("dec/skip1", (1, 64, 32, 32)),
        drawn("dec/skip2", (1, 128, 16, 16)),
        drawn("dec/skip3", (1, 256, 8, 8)),
    ]
    with torch.no_grad():
        out = decoder(drawn("dec/x", (1, 1024, 4, 4)), skips)
    same(out, load(oracle_dir / "mnad_unet.npz")["dec_alone_out"], 1e-5)


@pytest.mark.slow
def test_three_training_steps_are_those_of_mnad(oracle_dir: Path) -> None:
    stored = load(oracle_dir / "mnad_steps.npz")
    dream = build(MNAD)
    memory(dream, "normality").items.copy_(torch.from_numpy(stored["items0"]))
    same(unit_rows("step/items", (10, 512)), stored["items0"], 1e-7)
    optimiser = torch.optim.Adam(dream.parameters(), lr=2e-4)
    same(clips("step/clip0").pixels.flatten()[:16], stored["check_input_head"], 1e-7)
    for step, (loss_tolerance, item_tolerance) in enumerate([(1e-6, 1e-6), (1e-4, 1e-3), (1e-3, 5e-3)]):
        found = objective(dream, Batch(clips(f"step/clip{step}")))
        optimiser.zero_grad()
        found.loss.backward()
        if step == 0:
            same_gradients(dream, stored, "moduleConv4")
        optimiser.step()
        dream.after_step([found.trace])
        terms = values(found)
        compactness, separateness = terms["normality.compactness"] / 512, terms["normality.separateness"]
        own = [terms["reconstruction"], compactness, separateness, found.loss.item()]
        assert own == pytest.approx(stored["losses"][step].tolist(), rel=loss_tolerance)
        same(memory(dream, "normality").items, stored[f"items{step + 1}"], item_tolerance)


def with_authors_items(stored: Stored) -> Dream:
    dream = build(AUTHORS)
    for branch, letter, name in (("abnormality", "A", "dume/items_f"), ("normality", "N", "dume/items_b")):
        items = torch.from_numpy(stored[f"items_{letter}0"])
        same(unit_rows(name, (10, 256)), stored[f"items_{letter}0"], 1e-7)
        memory(dream, branch).items.copy_(items)
    return dream


@pytest.mark.slow
def test_evaluation_is_that_of_the_authors(oracle_dir: Path) -> None:
    stored = load(oracle_dir / "authors_dream.npz")
    dream, clip = with_authors_items(stored).eval(), clips("dume/clip_eval").pixels
    same(clip.flatten()[:16], stored["check_input_head"], 1e-7)
    with torch.no_grad():
        evidence = dream(clip)
        features, _ = dream.encoder(clip[:, :4].flatten(1, 2))
        same(evidence.predicted, stored["eval_out"], 1e-5)
        assert evidence.distance is not None
        same(evidence.distance.mean(dim=(1, 2)), stored["eval_com_sep_N"][:, 0], 1e-5)
        for letter, name, branch in (("N", "normality", dream.normality), ("A", "abnormality", dream.abnormality)):
            assert branch is not None
            assert branch.discriminator is not None
            queries = dream.queries(clip)[name]
            feature = branch.discriminator(branch.read(queries))
            same(branch.head(features), stored[f"eval_fea_{letter}"], 1e-5)
            same(torch.nn.functional.normalize(feature, dim=1), stored[f"eval_dis_{letter}"], 1e-5)
            scores = memory(dream, name).similarity(queries).softmax(dim=-1)
            same(scores, stored[f"eval_score_memory_{letter}"], 1e-5)
    # In eval mode the anchor enters the losses of both branches: its terms, a mean over both clips.
    found = values(objective(dream, Batch(Clips(clip))))
    for letter, prefix in (("N", "normality"), ("A", "abnormality")):
        own = [found[f"{prefix}.compactness"], found[f"{prefix}.separateness"]]
        assert own == pytest.approx(stored[f"eval_com_sep_{letter}"].mean(axis=0).tolist(), abs=1e-5)


@pytest.mark.slow
def test_three_training_steps_are_those_of_the_authors(oracle_dir: Path) -> None:
    stored = load(oracle_dir / "authors_dream.npz")
    dream = with_authors_items(stored)
    optimiser = torch.optim.Adam(dream.parameters(), lr=2e-5)
    names = [str(name) for name in stored["train_loss_names"]]
    for step in range(3):
        batch = Batch(*(clips(f"dume/step{step}/{kind}") for kind in ("anchor", "normal", "abnormal")))
        found = objective(dream, batch)
        optimiser.zero_grad()
        found.loss.backward()
        if step == 0:
            same_gradients(dream, stored, "moduleConv4_b")
        optimiser.step()
        dream.after_step([found.trace])
        wanted = dict(zip(names, stored["train_loss_table"][step].tolist(), strict=True))
        tolerance = 1e-6 if step == 0 else 1e-4
        assert found.loss.item() == pytest.approx(wanted["Total_loss"], rel=tolerance)
        assert values(found) == pytest.approx(
            {
                "reconstruction": wanted["Pixel_loss_anchor"] + wanted["Pixel_loss_normal"],
                "normality.compactness": wanted["N_com_anchor"] + wanted["N_com_normal"],
                "normality.separateness": wanted["N_sep_anchor"] + wanted["N_sep_normal"],
                "normality.triplet": wanted["N_triplet_loss"],
                "abnormality.compactness": wanted["A_com_anchor"] + wanted["A_com_abnormal"],
                "abnormality.separateness": wanted["A_sep_anchor"] + wanted["A_sep_abnormal"],
                "abnormality.triplet": wanted["A_triplet_loss"],
            },
            rel=tolerance,
        )
        same(memory(dream, "normality").items, stored[f"train_items_N_{step + 1}"], 1e-4)
        same(memory(dream, "abnormality").items, stored[f"train_items_A_{step + 1}"], 1e-4)
