"""A run folder says what it is, and what is wrong with it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from oddframe.errors import RunError, SettingsError, StorageError, WeightsError
from oddframe.models.weights import build_detector, load_tensors, save_tensors
from oddframe.origin import HistoryRecord
from oddframe.runs import Run, command_line, host, locked, versions
from oddframe.settings_layers import load_settings

SMALL = load_settings("tiny", overrides=["model.size=[32, 48]", "model.width=4", "model.items=4"])


@pytest.fixture
def folder(tmp_path, make_run) -> Path:
    """A finished run, as far as opening it goes: run.json alone."""
    return make_run(tmp_path / "gate-east", SMALL).folder


def change(folder: Path, **changes: object) -> None:
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_run_opens_with_the_settings_it_was_made_with(folder):
    run = Run.open(folder)

    assert run.settings == SMALL
    assert run.finished
    assert run.history() == []


def test_a_misspelt_run_is_pointed_to_its_neighbour(folder):
    with pytest.raises(RunError, match="did you mean gate-east"):
        Run.open(folder.with_name("gate-west"))


def test_a_file_of_weights_is_no_run_and_does_not_suggest_itself(tmp_path):
    (tmp_path / "x.pth").write_bytes(b"\x80\x04.")

    with pytest.raises(RunError, match="pickles") as caught:
        Run.open(tmp_path / "x.pth")

    assert "did you mean" not in str(caught.value)
    assert "unsafe" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "{}", json.dumps({"format": 1}), '{"format": 1, "settings": "none"}', b"\xff\xfe"]
)
def test_a_damaged_run_is_said(folder, content):
    (folder / "run.json").write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(RunError, match=r"run\.json is damaged"):
        Run.open(folder)


def test_a_run_of_another_format_names_the_version_that_made_it(folder):
    change(folder, format=2, versions={"oddframe": "9.1"})

    with pytest.raises(RunError, match="another format") as caught:
        Run.open(folder)

    assert (caught.value.seen, caught.value.wanted) == ("2", 1)
    assert "oddframe 9.1" in caught.value.hint


def test_settings_of_another_version_are_said_by_name(folder):
    change(folder, settings=SMALL.to_dict() | {"train": {"momentum": 0.9}})

    with pytest.raises(RunError, match="not of this version") as caught:
        Run.open(folder)

    assert "train.momentum" in caught.value.seen


def test_an_unfinished_run_opens_only_for_its_training(folder):
    change(folder, state="training", command="oddframe train videos --out gate-east")

    with pytest.raises(RunError, match="has not finished") as caught:
        Run.open(folder)

    assert caught.value.hint == "oddframe train videos --out gate-east"
    assert not Run.open(folder, finished=False).finished


def test_a_record_cut_off_by_a_crash_ends_the_history(folder):
    whole = [HistoryRecord(epoch=1, step=step, seconds=0.5, lr=0.1, terms={"loss": 2.0}) for step in (1, 2)]
    lines = [json.dumps(one.as_given()) for one in whole]
    (folder / "history.jsonl").write_text("\n".join([*lines, lines[0][:20]]))

    assert Run.open(folder).history() == whole


def test_a_record_of_what_is_no_number_ends_the_history_and_an_unknown_entry_does_not(folder):
    line = '{"epoch": 1, "step": 3, "seconds": 1, "lr": 0.1, "terms": {"loss": 2.0}, "of": "another version"}'
    (folder / "history.jsonl").write_text(f"{line}\n{line.replace('2.0', 'NaN')}\n{line}\n")

    assert [record.step for record in Run.open(folder).history()] == [3]


# Weights ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def weights(folder) -> Path:
    save_tensors(build_detector(SMALL.detector, SMALL.model, 3).state_dict(), folder / "weights.safetensors")
    return folder / "weights.safetensors"


def test_a_run_gives_the_detector_with_its_weights(folder, weights):
    own, stored = Run.open(folder).detector().state_dict(), load_tensors(weights)

    assert own.keys() == stored.keys()
    assert all((own[name] == stored[name]).all() for name in own)


def test_truncated_or_missing_weights_are_said(folder, weights):
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"weights\.safetensors"):
        Run.open(folder).detector()

    weights.unlink()
    with pytest.raises(WeightsError, match=r"weights\.safetensors"):
        Run.open(folder).detector()


def test_one_flipped_bit_in_the_weights_is_refused_where_the_run_knows_them(folder, weights):
    run = Run.open(folder)
    run.write_info(weights=hashlib.sha256(weights.read_bytes()).hexdigest())
    assert run.detector()
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1  # still a number
    weights.write_bytes(content)

    with pytest.raises(WeightsError, match="the weights are not those that were written"):
        Run.open(folder).detector()

    run.write_info(weights=None)  # a run of an older version
    assert Run.open(folder).detector()


def test_weights_of_another_shape_are_named_with_both_shapes(folder, weights):
    name, tensor = next((name, one) for name, one in sorted(load_tensors(weights).items()) if one.ndim == 4)
    save_tensors(load_tensors(weights) | {name: tensor[:, :, :1]}, weights)

    with pytest.raises(WeightsError, match=name) as caught:
        Run.open(folder).detector()

    assert caught.value.wanted == tuple(tensor.shape)
    assert caught.value.seen == tuple(tensor[:, :, :1].shape)


@pytest.mark.parametrize(("kept", "seen", "wanted"), [(False, "missing", "(4,)"), (True, "(4,)", "no such tensor")])
def test_missing_and_unknown_tensors_are_named(folder, weights, kept, seen, wanted):
    tensors = load_tensors(weights)
    name = next(name for name, one in tensors.items() if one.shape == (4,))
    one = tensors.pop(name)
    save_tensors(load_tensors(weights) | {"moon": one} if kept else tensors, weights)

    with pytest.raises(WeightsError, match="moon" if kept else name) as caught:
        Run.open(folder).detector()

    assert (str(caught.value.seen), str(caught.value.wanted)) == (seen, wanted)


# Writing ---------------------------------------------------------------------------------------------------------


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_run_and_weights_as_they_were(folder, weights, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run = Run.open(folder)
    monkeypatch.setattr(os, "fsync", _no_space)

    with pytest.raises(StorageError, match="No space left"):
        run.write_info(state="training")
    with pytest.raises(StorageError, match="No space left"):
        save_tensors({}, weights)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_written_is_read_again(folder):
    Run.open(folder).write_info(parameters=7)

    assert Run.open(folder).info.parameters == 7


def test_a_folder_is_held_by_one_training_and_free_after_an_error(folder):
    with locked(folder), pytest.raises(RunError, match="another process"), locked(folder):
        pass
    with pytest.raises(ZeroDivisionError), locked(folder):
        raise ZeroDivisionError

    with locked(folder):
        pass


def test_folders_that_were_made_for_a_training_go_with_it_where_it_was_refused_and_stay_where_it_wrote(tmp_path):
    with pytest.raises(SettingsError), locked(tmp_path / "runs" / "gate"):
        raise SettingsError("refused")
    assert list(tmp_path.iterdir()) == []

    with pytest.raises(SettingsError), locked(tmp_path / "runs" / "gate"):  # noqa: PT012
        (tmp_path / "runs" / "gate" / "run.json").touch()
        raise SettingsError("refused later")
    assert (tmp_path / "runs" / "gate" / "run.json").exists()

    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError), locked(tmp_path / "empty"):
        raise SettingsError("refused")
    assert (tmp_path / "empty").is_dir()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()

    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(StorageError, match="cannot be written") as caught, locked(folder):
            pass
        assert (caught.value.seen, caught.value.hint) == ("a file where a folder is to be", "name another folder")


# What a run tells of its making ----------------------------------------------------------------------------------


def test_the_command_can_be_typed_again(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/oddframe", "train", "my videos", "--set", "model.size=[32, 48]"])

    assert command_line() == "oddframe train 'my videos' --set 'model.size=[32, 48]'"


def test_versions_and_host_name_what_figures_depend_on_and_not_the_machine():
    assert {"python", "oddframe", "numpy", "torch"} <= versions().keys()
    assert host().to_dict().keys() == {"processor", "cores", "usable_cores", "bf16_units", "int8_units", "system"}
    assert os.uname().nodename not in host().to_dict().values()
