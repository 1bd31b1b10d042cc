"""What a killed process had begun to write is cleared by the next one that writes the same, and by its lock alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oddframe.errors import StorageError
from oddframe.files import atomic_folder, atomic_write, clear_left, write_text

BEGIN = """
import sys, time
from pathlib import Path
from oddframe.files import atomic_write, atomic_folder
with globals()[sys.argv[1]](Path(sys.argv[2])) as begun:
    (begun / "half" if begun.is_dir() else begun).write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["atomic_write", "atomic_folder"])
def begun(request, tmp_path):
    """A process that is writing `tmp_path/thing`, as a file or as a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN, request.param, str(tmp_path / "thing")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def left(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".tmp"))


def test_what_a_killed_process_left_goes_when_the_same_is_written_again(begun, tmp_path):
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    assert left(tmp_path) == [f".thing.{begun.pid}.tmp"]

    write_text(tmp_path / "other", "of another name, which touches nothing else")
    assert left(tmp_path) == [f".thing.{begun.pid}.tmp"]
    write_text(tmp_path / "thing", "whole")
    assert left(tmp_path) == []
    assert (tmp_path / "thing").read_text() == "whole"


def test_what_a_living_process_is_writing_is_left_alone(begun, tmp_path):
    clear_left(tmp_path)
    write_text(tmp_path / "thing", "whole")

    assert left(tmp_path) == [f".thing.{begun.pid}.tmp"]


def test_only_what_bears_the_name_of_something_begun_is_cleared(tmp_path):
    for name in (".thing.tmp", "thing.12.tmp", ".thing.12.tmp.old", ".12.tmp"):
        (tmp_path / name).write_text("somebody's own")
    (tmp_path / ".thing.12.tmp").write_text("begun")

    clear_left(tmp_path)

    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert names == [".12.tmp", ".thing.12.tmp.old", ".thing.tmp", "thing.12.tmp"]


def test_a_folder_takes_its_place_whole_or_not_at_all(tmp_path):
    with pytest.raises(ValueError, match="half way"), atomic_folder(tmp_path / "set") as begun:  # noqa: PT012
        (begun / "a").write_text("a")
        raise ValueError("half way")
    assert list(tmp_path.iterdir()) == []

    with atomic_folder(tmp_path / "set") as begun:
        (begun / "a").write_text("a")
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]

    with pytest.raises(StorageError), atomic_folder(tmp_path / "set") as begun:
        (begun / "b").write_text("b")
    assert [entry.name for entry in (tmp_path / "set").iterdir()] == ["a"]


def test_a_file_is_as_readable_as_any_other(tmp_path):
    with atomic_write(tmp_path / "mine") as place:
        place.write_text("mine")
    (tmp_path / "any").write_text("any")

    assert (tmp_path / "mine").stat().st_mode == (tmp_path / "any").stat().st_mode


def replaced(folder: Path, content: str) -> None:
    with atomic_folder(folder, replaces=True) as begun:
        (begun / "a").write_text(content)


def test_a_folder_that_is_replaced_is_there_at_every_moment(tmp_path):
    folder, missing, done = tmp_path / "set", [], threading.Event()
    replaced(folder, "0")

    def look() -> None:
        while not done.is_set():
            if not folder.is_dir():
                missing.append(True)

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(100):
        replaced(folder, str(number))
    done.set()
    looking.join()

    assert not missing
    assert (folder / "a").read_text() == "99"
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]


def test_where_folders_cannot_be_swapped_the_old_one_comes_back_if_the_new_one_cannot_be_put_there(
    tmp_path, monkeypatch
):
    folder = tmp_path / "set"
    replaced(folder, "old")
    monkeypatch.setattr("oddframe.files.ctypes.CDLL", lambda *_, **__: object())
    replaced(folder, "new")
    assert (folder / "a").read_text() == "new"
    rename = Path.rename

    def refuse(path: Path, to: Path) -> Path:
        if path.name.endswith(".tmp"):
            raise OSError(28, "No space left on device")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match="No space left"):
        replaced(folder, "newer")

    assert (folder / "a").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]
