from __future__ import annotations

import errno
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import pytest

from oddframe.errors import StorageError
from oddframe.files import HeldElsewhereError, lock, read_bytes


@pytest.fixture(params=[None, errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def file_system(request, monkeypatch):
    """One with locks, and three kinds without."""
    if request.param is None:
        yield
        return
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_):
        raise OSError(request.param, "no locks here")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # filelock's own about its way out
        yield


@pytest.mark.usefixtures("file_system")
def test_a_lock_is_held_by_one_at_a_time_whatever_the_file_system(tmp_path):
    with lock(tmp_path / "a.lock"):
        with pytest.raises(HeldElsewhereError), lock(tmp_path / "a.lock", wait=False):
            pass
        with lock(tmp_path / "b.lock", wait=False):
            pass
    with lock(tmp_path / "a.lock", wait=False):
        pass


@pytest.mark.usefixtures("file_system")
def test_a_lock_file_that_stayed_is_not_held(tmp_path):
    """The cache of a home that other machines use, too: they have locks, and leave their lock files there."""
    (tmp_path / "a.lock").touch()

    with lock(tmp_path / "a.lock", wait=False):
        pass


def test_a_file_that_names_a_dead_holder_is_no_lock(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    dies = (
        "import filelock, os, sys; lock = filelock.SoftFileLock(sys.argv[1]); lock.acquire(); os._exit(0)"  # no release
    )
    subprocess.run([sys.executable, "-c", dies, str(tmp_path / "a.lock.held")], check=True)
    assert (tmp_path / "a.lock.held").exists()

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", no_locks)

    with lock(tmp_path / "a.lock"):
        assert (tmp_path / "a.lock.held").exists()


def test_a_lock_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match=r"a\.lock"), lock(tmp_path / "file" / "a.lock"):
        pass


def test_no_other_file_makes_locks_of_its_own():
    sources = Path(__file__).parents[1] / "src" / "oddframe"

    assert [path.name for path in sources.rglob("*.py") if "filelock" in path.read_text("utf-8")] == ["files.py"]


def test_a_bound_on_a_file_takes_no_memory_for_a_short_one(tmp_path):
    (tmp_path / "short").write_bytes(b"abc")

    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "short", 1 << 30, "the file") == b"abc"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 1 << 20
