"""How many cores there are to compute with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oddframe.processes.cores import control_groups, threads, threads_each, usable_cores


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def groups(home: Path, line: str, **files: str) -> tuple[Path, Path]:
    """A file that says in which control groups a process is, and the folder that describes them."""
    (home / "membership").write_text(line)
    for name, content in files.items():
        path = home / "mount" / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return home / "membership", home / "mount"


@pytest.mark.parametrize(
    ("line", "files", "cores"),
    [
        ("0::/\n", {"cpu_DOT_max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu_DOT_max": "150000 100000\n"}, 2),  # a part of a core counts as one
        ("0::/\n", {"cpu_DOT_max": "10000 100000\n"}, 1),
        ("0::/\n", {"cpu_DOT_max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu_DOT_max": "6400000 100000\n"}, 8),
        ("0::/\n", {"cpu_DOT_max": "what is this"}, 8),
        # of all groups that hold the process, the narrowest counts
        ("0::/jobs/one\n", {"jobs__one__cpu_DOT_max": "max 100000", "jobs__cpu_DOT_max": "300000 100000"}, 3),
        # in a container, the own group is not shown by the name that it has outside
        ("0::/docker/3f\n", {"cpu_DOT_max": "400000 100000"}, 4),
        # the older hierarchy
        ("4:cpu,cpuacct:/a", {"cpu__a__cpu_DOT_cfs_quota_us": "250000", "cpu__a__cpu_DOT_cfs_period_us": "100000"}, 3),
        ("4:cpu,cpuacct:/\n", {"cpu__cpu_DOT_cfs_quota_us": "-1", "cpu__cpu_DOT_cfs_period_us": "100000"}, 8),
        ("4:memory:/\n", {"cpu__cpu_DOT_cfs_quota_us": "100000", "cpu__cpu_DOT_cfs_period_us": "100000"}, 8),
    ],
)  # fmt: skip
def test_a_container_has_as_many_cores_as_it_may_use(line, files, cores, tmp_path):
    assert usable_cores(*groups(tmp_path, line, **files)) == cores


def test_without_control_groups_the_affinity_counts(tmp_path):
    assert usable_cores(tmp_path / "none", tmp_path) == 8


def test_control_groups_are_listed_from_the_own_one_to_the_root(tmp_path):
    membership, mount = groups(tmp_path, "0::/a/b\n")

    assert [str(one.relative_to(mount)) for one in control_groups("memory", membership, mount)] == ["a/b", "a", "."]


@pytest.mark.parametrize(
    ("asked", "alone", "each"), [("3", 3, 3), ("3,2", 3, 3), ("many", 8, 2), ("", 8, 2), ("0", 8, 2)]
)
def test_the_users_number_of_threads_is_respected_and_else_the_cores_are_shared(asked, alone, each, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    monkeypatch.setattr("oddframe.processes.cores.usable_cores", lambda: 8)

    assert threads() == alone
    assert threads_each(4) == each
    assert threads_each(100) >= 1
