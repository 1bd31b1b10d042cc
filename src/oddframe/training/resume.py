"""Everything that a killed training needs to go on, to the same weights.

    resume/
      current.json     names the one checkpoint that counts: the commit point; digest of its state.json
      <number>/        state.safetensors (network, memories, optimisers)
                       state.json (position, sums, history's length, digest of the tensors)

A checkpoint is a folder that is complete before `current.json` is renamed to name it. Whatever moment a process is
killed at, the old one or the new one counts, whole. Batches, learning rates and noise are functions of seed, epoch
and step, so that the position is all there is to remember of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field, RootModel
from torch import Tensor, nn

from oddframe.errors import StorageError, WeightsError
from oddframe.files import file_digest, read_bytes, write_json
from oddframe.models.weights import load_tensors, load_weights, save_tensors
from oddframe.records import Record, damaged, parse_as

_NETWORK, _OPTIMIZER = "network/", "optimizer/"
_MOST_BYTES = 2**20
_BEGIN_AGAIN = "remove the run's resume folder to begin again"


Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


@dataclass
class Position:
    """Where a training is.

    Attributes:
        epoch, step: the next step to take. seconds: spent so far. history_bytes: length of history.jsonl here.
        sums, counts: loss terms added up since the last record of the history, and how many steps had each.
        still: pseudo-anomalies that could not be made so far, since nothing moved.
        waited_s, stepped_s: time that steps waited for clips, and time of all steps.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    epoch: Count = 0
    step: Count = 0
    seconds: Seconds = 0.0
    history_bytes: Count = 0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    still: Count = 0
    waited_s: Seconds = 0.0
    stepped_s: Seconds = 0.0

    def means(self) -> dict[str, float]:
        """Loss term → its mean over the steps since the last record that had it."""
        return {name: total / self.counts[name] for name, total in self.sums.items()}


@dataclass
class _Kept(Position):
    """A position beside the SHA-256 of its tensors; older versions kept none, and one count for all terms."""

    tensors: str | None = None
    count: Count = 0


class _State(RootModel[_Kept]):
    """What state.json holds."""


class _Current(Record):
    """What current.json holds: the number of the checkpoint that counts, and the SHA-256 of its state.json."""

    checkpoint: int = Field(ge=1)
    state: str | None = None


class Checkpoints:
    """The checkpoints of one run folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "resume"

    def save(self, position: Position, network: nn.Module, optimizers: Mapping[str, torch.optim.Optimizer]) -> None:
        """Commit a checkpoint and drop the ones before it.

        Raises:
            StorageError: the disk is full; the checkpoint before still counts.
        """
        current = self._current()
        number = 1 if current is None else current.checkpoint + 1
        place = self._folder / str(number)
        try:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
        except OSError as error:
            raise StorageError("a checkpoint cannot be written", path=place, seen=error.strerror) from None
        try:
            tensors = save_tensors(_pack(network, optimizers), place / "state.safetensors")
            state = write_json(place / "state.json", asdict(position) | {"tensors": tensors})
            _sync_folder(place)
            write_json(self._folder / "current.json", {"checkpoint": number, "state": file_digest(state)})
        except StorageError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        _sync_folder(self._folder)
        for old in self._folder.iterdir():
            if old.is_dir() and old.name != str(number):
                shutil.rmtree(old, ignore_errors=True)

    def load(self, network: nn.Module, optimizers: Mapping[str, torch.optim.Optimizer]) -> Position | None:
        """Bring network and optimisers to the checkpoint that counts; None where there is none.

        Raises:
            WeightsError: it is truncated, damaged or does not fit. RunError: its position cannot be read.
        """
        current = self._current()
        if current is None:
            return None
        place = self._folder / str(current.checkpoint)
        state = place / "state.json"
        content = read_bytes(state, _MOST_BYTES, "the checkpoint", hint=_BEGIN_AGAIN)
        if current.state not in (None, hashlib.sha256(content).hexdigest()):
            raise damaged("the checkpoint", "other bytes than were written", path=state, hint=_BEGIN_AGAIN)
        kept = parse_as(content, _State, "the checkpoint", path=state, hint=_BEGIN_AGAIN).root
        path = place / "state.safetensors"
        _unpack(load_tensors(path, kept.tensors, hint=_BEGIN_AGAIN), network, optimizers, path)
        kept.counts = dict.fromkeys(kept.sums, max(kept.count, 1)) | kept.counts
        return Position(**{one.name: getattr(kept, one.name) for one in fields(Position)})

    def clear(self) -> None:
        """Remove all checkpoints, when training has finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _current(self) -> _Current | None:
        path = self._folder / "current.json"
        if not path.is_file():
            return None
        what = "the list of checkpoints"
        content = read_bytes(path, _MOST_BYTES, what, hint=_BEGIN_AGAIN)
        return parse_as(content, _Current, what, path=path, hint=_BEGIN_AGAIN)


def _pack(network: nn.Module, optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    tensors = {_NETWORK + name: tensor for name, tensor in network.state_dict().items()}
    for group, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"{_OPTIMIZER}{group}/{index}/{name}"] = value
    return tensors


def _unpack(
    tensors: Mapping[str, Tensor], network: nn.Module, optimizers: Mapping[str, torch.optim.Optimizer], path: Path
) -> None:
    own = {name.removeprefix(_NETWORK): value for name, value in tensors.items() if name.startswith(_NETWORK)}
    load_weights(network, own, path)
    for group, optimizer in optimizers.items():
        stored: dict[str, Any] = optimizer.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        prefix = f"{_OPTIMIZER}{group}/"
        parameters = [parameter for part in optimizer.param_groups for parameter in part["params"]]
        for name, value in tensors.items():
            if name.startswith(prefix):
                index, _, entry = name.removeprefix(prefix).partition("/")
                known = index.isdecimal() and int(index) < len(parameters)
                wanted = tuple(parameters[int(index)].shape) if known else "no such parameter"
                if not known or value.shape not in ((), wanted):
                    raise WeightsError(
                        f"the checkpoint does not fit the optimiser at '{name}'",
                        path=path,
                        seen=tuple(value.shape),
                        wanted=wanted,
                        hint=_BEGIN_AGAIN,
                    )
                state.setdefault(int(index), {})[entry] = (
                    laid_out_as(parameters[int(index)], value) if value.ndim else value
                )
        optimizer.load_state_dict(stored | {"state": state})


def laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """Give a gradient or a moment the memory layout of its parameter.

    Fused optimisers step through the memory of all of them side by side, whatever their strides.
    """
    return value if value.stride() == parameter.stride() else torch.empty_like(parameter).copy_(value)


def _sync_folder(folder: Path) -> None:
    """Make renames in a folder last through a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
