"""Checkpoints: whatever moment a process is killed at, one of them counts, whole."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from oddframe.errors import RunError, StorageError, WeightsError
from oddframe.models.weights import load_tensors
from oddframe.training.resume import Checkpoints, Position


def network() -> tuple[nn.Module, dict[str, torch.optim.Optimizer]]:
    """Weights are laid out as in training, channels last, where contiguous moments would not fit them."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3)).to(memory_format=torch.channels_last)
    return net, {"all": torch.optim.AdamW(net.parameters(), lr=1e-2, fused=True)}


def steps(net: nn.Module, optimizers: dict[str, torch.optim.Optimizer], first: int, last: int) -> None:
    parameters = list(net.parameters())
    for number in range(first, last):
        pictures = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(number))
        gradients = torch.autograd.grad(net(pictures).square().mean(), parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizers["all"].step()


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.fixture
def trained():
    net, optimizers = network()
    steps(net, optimizers, 0, 3)
    return net, optimizers


def test_training_goes_on_to_the_very_same_weights(tmp_path, trained):
    net, optimizers = trained
    at = Position(1, 2, sums={"loss": 0.1 + 0.2}, counts={"loss": 2})
    Checkpoints(tmp_path).save(at, net, optimizers)
    steps(net, optimizers, 3, 6)

    again, its_optimizers = network()
    position = Checkpoints(tmp_path).load(again, its_optimizers)
    steps(again, its_optimizers, 3, 6)

    assert position == at
    assert same(net, again)


def test_a_position_of_an_older_version_has_one_count_for_all_its_terms(tmp_path, trained):
    Checkpoints(tmp_path).save(Position(0, 4, sums={"loss": 8.0, "error": 2.0}), *trained)
    state = tmp_path / "resume" / "1" / "state.json"
    kept = json.loads(state.read_text())
    del kept["counts"]
    state.write_text(json.dumps(kept | {"count": 4}))
    current = state.parents[1] / "current.json"
    current.write_text(json.dumps({"checkpoint": 1}))

    assert Checkpoints(tmp_path).load(*network()).means() == {"loss": 2.0, "error": 0.5}


def test_there_is_nothing_to_load_at_first(tmp_path):
    assert Checkpoints(tmp_path).load(*network()) is None


def test_one_checkpoint_is_kept(tmp_path, trained):
    for step in (1, 2, 3):
        Checkpoints(tmp_path).save(Position(0, step), *trained)

    assert sorted(entry.name for entry in (tmp_path / "resume").iterdir()) == ["3", "current.json"]


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, trained, monkeypatch):
    net, optimizers = trained
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(Position(0, 1), net, optimizers)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    steps(net, optimizers, 3, 4)
    files = ("state.safetensors", "state.json", "current.json")
    sync = os.fsync

    for full_at in files:
        monkeypatch.setattr(os, "fsync", lambda handle, name=full_at: _full(handle, name) or sync(handle))
        with pytest.raises(StorageError, match="No space left"):
            checkpoints.save(Position(0, 2), net, optimizers)

        found, its_optimizers = network()
        assert checkpoints.load(found, its_optimizers).step == 1
        assert all(torch.equal(value, found.state_dict()[name]) for name, value in before.items())
        assert sorted(entry.name for entry in (tmp_path / "resume").iterdir()) == ["1", "current.json"]


def _full(handle: int, name: str) -> None:
    if name in str(Path(f"/proc/self/fd/{handle}").readlink()):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fill(disk: Path) -> None:
    with (disk / "other").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


@pytest.fixture
def tiny_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root mounts a disk of its own")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_really_fills_up_leaves_the_checkpoint_before(tiny_disk, trained):
    checkpoints = Checkpoints(tiny_disk)
    checkpoints.save(Position(0, 1), *trained)
    (tiny_disk / "other").write_bytes(bytes(shutil.disk_usage(tiny_disk).free))

    with pytest.raises(StorageError, match="No space left"):
        checkpoints.save(Position(0, 2), *trained)

    assert checkpoints.load(*network()).step == 1


# Damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path, trained) -> Path:
    Checkpoints(tmp_path).save(Position(0, 1), *trained)
    return tmp_path / "resume" / "1"


def without_digests(stored: Path) -> None:
    """As version 0.1 left a checkpoint."""
    state = json.loads((stored / "state.json").read_text())
    del state["tensors"]
    (stored / "state.json").write_text(json.dumps(state))
    (stored.parent / "current.json").write_text('{"checkpoint": 1}')


def test_a_checkpoint_of_an_older_version_has_no_digests_and_is_taken_as_it_is(stored, tmp_path):
    without_digests(stored)

    assert Checkpoints(tmp_path).load(*network()) == Position(0, 1)


def test_one_flipped_bit_in_the_tensors_or_the_position_of_a_checkpoint_is_refused(stored, tmp_path):
    tensors = bytearray((stored / "state.safetensors").read_bytes())
    tensors[-3] ^= 1  # still a number
    (stored / "state.safetensors").write_bytes(tensors)
    with pytest.raises(WeightsError, match=r"(?s)not those that were written.*remove the run's resume folder"):
        Checkpoints(tmp_path).load(*network())

    (stored / "state.json").write_text((stored / "state.json").read_text().replace('"step": 1', '"step": 3'))
    with pytest.raises(RunError, match="other bytes than were written"):
        Checkpoints(tmp_path).load(*network())


def test_a_truncated_checkpoint_is_said(stored, tmp_path):
    path = stored / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(WeightsError, match=r"state\.safetensors"):
        Checkpoints(tmp_path).load(*network())


@pytest.mark.parametrize("name", ["network/0.weight", "optimizer/all/0/exp_avg"])
def test_a_tensor_of_another_shape_is_named(stored, tmp_path, name):
    tensors = load_tensors(stored / "state.safetensors")
    save_file(tensors | {name: torch.zeros(4, 3, 1, 1)}, stored / "state.safetensors")
    without_digests(stored)

    with pytest.raises(WeightsError, match=name.removeprefix("network/")) as caught:
        Checkpoints(tmp_path).load(*network())

    assert "(4, 3, 1, 1)" in str(caught.value)
    assert "(4, 3, 3, 3)" in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"epoch": 1, "moon": 2})])
def test_a_damaged_position_is_said(stored, tmp_path, content):
    (stored / "state.json").write_text(content)

    with pytest.raises(RunError, match="resume folder"):
        Checkpoints(tmp_path).load(*network())


def test_a_damaged_list_of_checkpoints_is_said(stored, tmp_path):
    (tmp_path / "resume" / "current.json").write_text("")

    with pytest.raises(RunError, match=r"current\.json"):
        Checkpoints(tmp_path).load(*network())
