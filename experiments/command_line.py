"""What the experiments do with the command line: train, judge, keep the JSON."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def oddframe(*arguments: str, keep: bool = False) -> str:
    """Run the command line in a process of its own, so that each run's peak of memory is its own.

    Args:
        keep: return what it prints instead of showing it.
    """
    command = [sys.executable, "-m", "oddframe", *arguments]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE if keep else None)
    return done.stdout or ""


def judge(run: Path, result: Path, *options: str) -> None:
    """Judge a run and leave the JSON of `oddframe eval`, whole or not at all."""
    result.parent.mkdir(parents=True, exist_ok=True)
    beside = result.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(oddframe("eval", str(run), *options, "--json", keep=True), "utf-8")
    beside.replace(result)


def as_options(overrides: Iterable[str]) -> list[str]:
    """["a=1"] as ["--set", "a=1"]."""
    return [word for override in overrides for word in ("--set", override)]
