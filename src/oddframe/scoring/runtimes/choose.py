"""Which runtime computes a run or an artefact."""

from __future__ import annotations

import time
from importlib.util import find_spec

import numpy as np

from oddframe.artefact import Artefact, Trained
from oddframe.errors import MissingExtraError, SettingsError, nearest
from oddframe.runs import Run
from oddframe.scoring.runtimes.runtime import Runtime

BACKENDS = ("auto", "torch", "torch-bf16", "onnxruntime", "openvino")

_PACKAGE = {"torch": "torch", "torch-bf16": "torch", "onnxruntime": "onnxruntime", "openvino": "openvino"}
_EXTRA = {"torch": "train", "torch-bf16": "train", "onnxruntime": "runtime", "openvino": "export"}

_ROUNDS = 3


def fitting(trained: Trained) -> tuple[str, ...]:
    """The backends that can compute it, the one that it is made for first."""
    if isinstance(trained, Run):
        return ("torch", "torch-bf16")
    return ("onnxruntime", "openvino") if trained.about.graph == "model.onnx" else ("openvino",)


def interchangeable(trained: Trained) -> tuple[str, ...]:
    """Those of them that give the same scores, so that the fastest may be taken without asking.

    bf16 rounds to three digits, and each runtime rounds an int8 graph in its own way: these are taken by name only.
    """
    found = fitting(trained)
    return found if isinstance(trained, Artefact) and trained.about.precision == "fp32" else found[:1]


def missing_extra(backend: str) -> str | None:
    """The extra that a backend lacks here; None where it is installed."""
    return _EXTRA[backend] if find_spec(_PACKAGE[backend]) is None else None


def open_runtime(trained: Trained, backend: str = "auto", device: str = "auto") -> Runtime:
    """Load a run or an artefact into a backend.

    Args:
        backend: one of `BACKENDS`; "auto" takes the fastest of those that are installed and give the same scores,
            found out on a batch of its own size.
        device: "auto" | "cpu" | "cuda" | "cuda:1"; only torch computes elsewhere than on the processor.

    Raises:
        SettingsError: no such backend, or it does not fit. MissingExtraError: it is not installed.
        RunError: what it would load is damaged.
    """
    if backend not in BACKENDS:
        raise SettingsError(
            "no such backend", seen=backend, wanted=" | ".join(BACKENDS), hint=nearest(backend, BACKENDS)
        )
    if backend not in ("auto", *fitting(trained)):
        is_run = isinstance(trained, Run)
        raise SettingsError(
            f"the backend {backend} does not compute {'a run' if is_run else 'this artefact'}",
            path=trained.folder,
            wanted=" | ".join(("auto", *fitting(trained))),
            hint=f"oddframe export {trained.folder} --out FOLDER" if is_run else None,
        )
    able = interchangeable(trained) if backend == "auto" else (backend,)
    installed = [name for name in able if missing_extra(name) is None]
    if not installed:
        raise MissingExtraError(f"scoring with {able[0]}", _EXTRA[able[0]])
    loaded = [_load(trained, name, device) for name in installed]
    if len(loaded) == 1:
        return loaded[0]
    return min(loaded, key=lambda runtime: _seconds(runtime, trained.settings.score.batch))


def _load(trained: Trained, backend: str, device: str) -> Runtime:
    if isinstance(trained, Run):
        from oddframe.scoring.runtimes import torch

        return torch.load_runtime(trained, device, bf16=backend == "torch-bf16")
    if backend == "onnxruntime":
        from oddframe.scoring.runtimes import onnx

        return onnx.load_runtime(trained, device)
    from oddframe.scoring.runtimes import openvino

    return openvino.load_runtime(trained, device)


def _seconds(runtime: Runtime, batch: int) -> float:
    """Seconds that a batch takes, the best of a few after a first one that warms up."""
    clips = np.zeros((batch, runtime.before + 1 + runtime.after, *runtime.size, runtime.channels), np.uint8)
    runtime.judge(clips)
    taken = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        runtime.judge(clips)
        taken.append(time.perf_counter() - begin)
    return min(taken)
