"""Processes that a process has started, and what this one has in memory."""

from __future__ import annotations

from pathlib import Path


def children_of(process: int) -> list[int]:
    """Their numbers, in ascending order; those of a process that has ended are none."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += [int(number) for number in task.read_text().split()]
        except OSError:
            continue
    return sorted(found)


def memory_mb(which: str) -> float:
    """What this process has in memory, in MB: now ("VmRSS"), or at the most ("VmHWM").

    `getrusage` would tell the most of the process that has started this one, too.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{which}:")) / 1024
