"""Detectors come from settings, their weights from safetensors files. No pickle is ever read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from oddframe.detectors import DetectorSettings, detector_entry
from oddframe.errors import WeightsError
from oddframe.files import atomic_write, file_digest
from oddframe.models.contract import check_built, check_class
from oddframe.models.detector import Detector


def build_detector(name: str, settings: DetectorSettings, seed: int) -> Detector:
    """Make a detector with fresh weights and memories, drawn from the seed alone.

    Raises:
        SettingsError: there is no such detector. DetectorError: it breaks the contract.
    """
    kind = check_class(name, detector_entry(name).load())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        detector = kind(settings)
    check_built(detector, settings)
    return detector


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> str:
    """Write tensors by an atomic write. Return the file's SHA-256.

    Raises:
        StorageError: the disk is full or the folder cannot be written; what stood at `path` still stands.
    """
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    with atomic_write(path, "weights cannot be written") as place:
        place.write_bytes(content)  # not `save_file`: it makes files that only their owner may read
    return hashlib.sha256(content).hexdigest()


_COPY_AGAIN = "copy the run again, or train again with another --out"


def load_tensors(path: Path, digest: str | None = None, *, hint: str = _COPY_AGAIN) -> dict[str, Tensor]:
    """Read what `save_tensors` wrote.

    Args:
        digest: the file's SHA-256, if it is known: tensors have no checksum of their own, and one flipped bit is
            another network. hint: what to do about a file that is damaged.

    Raises:
        WeightsError: the file is missing, truncated, no safetensors file, or another one than was written.
    """
    try:
        if digest is not None and digest != file_digest(path):
            raise WeightsError(
                "the weights are not those that were written",
                path=path,
                seen="other bytes: a damaged file, or one of another training",
                hint=hint,
            )
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            "weights cannot be read",
            path=path,
            seen=str(error),
            wanted="a whole safetensors file",
            hint=hint,
        ) from None


def load_weights(detector: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put tensors into a detector.

    Raises:
        WeightsError: a tensor is missing, unknown or of another shape; `path` is named.
    """
    own = detector.state_dict()
    for name in sorted({*own, *tensors}):
        seen = tuple(tensors[name].shape) if name in tensors else "missing"
        wanted = tuple(own[name].shape) if name in own else "no such tensor"
        if seen != wanted:
            raise WeightsError(
                f"the weights do not fit the detector at '{name}'",
                path=path,
                seen=seen,
                wanted=wanted,
                hint="the run's settings and weights are not of one training",
            )
    detector.load_state_dict(dict(tensors))
