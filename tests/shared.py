"""What tests of several folders use."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

FLOOR = [
    "model.size=[48, 64]",
    "model.channels=1",
    "data.heldout=0.3",
    "data.least_heldout=1",
    "score.online=[psnr, motion]",
]
"""Settings of a small detector without a network."""


def draws(count: int) -> int:
    """How many examples a test draws: that many in CI, a quarter of them elsewhere, where somebody waits."""
    return count if os.environ.get("CI") else max(1, count // 4)


def benchmark(name: str) -> ModuleType:
    """A script of `benchmarks/` as a module; as where it is started, it finds what stands beside it."""
    path = Path(__file__).resolve().parents[1] / "benchmarks" / f"{name}.py"
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(f"oddframe_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module
