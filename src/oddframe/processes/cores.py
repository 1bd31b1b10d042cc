"""How many cores there are to compute with: what the machine has, less what this process may not use."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

THREADS_VARIABLE = "OMP_NUM_THREADS"
"""The environment variable in which a user says how many threads may compute. Torch and NumPy heed it, too."""

_MEMBERSHIP, _MOUNT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def usable_cores(membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> int:
    """Cores that this process may use: by its affinity (`taskset`), and by its control group (`docker run --cpus`).

    A part of a core counts as one.

    Args:
        membership: file that says in which control groups this process is. mount: where these are described.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in control_groups("cpu", membership, mount):
        quota, period = _quota(folder)
        if quota > 0 and period > 0:
            cores = min(cores, math.ceil(quota / period))
    return max(1, cores)


def threads() -> int:
    """How many threads may compute: what the user says in `OMP_NUM_THREADS`, else one for each usable core."""
    return _asked() or usable_cores()


def threads_each(jobs: int) -> int:
    """How many threads each of several processes may compute with: as the user says, else its share of the cores."""
    return _asked() or max(1, usable_cores() // jobs)


def control_groups(controller: str, membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> Iterator[Path]:
    """Folders that describe the control groups of this process, from its own to the root; none where there are none.

    A limit may stand in any of them, and holds for all that is within. In a container the own group may not be shown
    by its name; then the root is what is left.

    Args:
        controller: "cpu", "memory", ... of the older hierarchy, which has a tree for each; the newer one has one tree.
    """
    try:
        lines = membership.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        root = mount / controller if controllers else mount
        inner = PurePosixPath(path.lstrip("/"))
        yield from (root / one for one in (inner, *inner.parents))


def _quota(folder: Path) -> tuple[int, int]:
    """Microseconds of computing that a control group has in each period of so many; (0, 0) without a limit."""
    try:
        if (newer := folder / "cpu.max").is_file():
            quota, period = newer.read_text("ascii").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text("ascii")
            period = (folder / "cpu.cfs_period_us").read_text("ascii")
        return int(quota), int(period)
    except (OSError, ValueError):  # "max" is no number
        return 0, 0


def _asked() -> int:
    asked = os.environ.get(THREADS_VARIABLE, "").partition(",")[0].strip()  # a list is one number a nesting level
    return int(asked) if asked.isdecimal() else 0


BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""How processors call their units for bf16; the last one on ARM."""


def processor() -> tuple[str, frozenset[str]]:
    """The processor's name, and what it says it can do, as Linux lists it; nothing of the latter elsewhere."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() in {"flags", "Features"}:
                return name, frozenset(value.split())
    return name, frozenset()
