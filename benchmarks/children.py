"""Processes that a process has started."""

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
