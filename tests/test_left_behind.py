"""What a killed process had begun to write is cleared by the next one that writes the same, and by its lock alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oddframe.errors import StorageError
from oddframe.files import beside, clear_left, folder_beside, write_text

BEGIN = """
import sys, time
from pathlib import Path
from oddframe.files import beside, folder_beside
with globals()[sys.argv[1]](Path(sys.argv[2])) as begun:
    (begun / "half" if begun.is_dir() else begun).write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["beside", "folder_beside"])
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
    with pytest.raises(ValueError, match="half way"), folder_beside(tmp_path / "set") as begun:  # noqa: PT012
        (begun / "a").write_text("a")
        raise ValueError("half way")
    assert list(tmp_path.iterdir()) == []

    with folder_beside(tmp_path / "set") as begun:
        (begun / "a").write_text("a")
    assert [entry.name for entry in tmp_path.iterdir()] == ["set"]

    with pytest.raises(StorageError), folder_beside(tmp_path / "set") as begun:
        (begun / "b").write_text("b")
    assert [entry.name for entry in (tmp_path / "set").iterdir()] == ["a"]


def test_a_file_is_as_readable_as_any_other(tmp_path):
    with beside(tmp_path / "mine") as place:
        place.write_text("mine")
    (tmp_path / "any").write_text("any")

    assert (tmp_path / "mine").stat().st_mode == (tmp_path / "any").stat().st_mode
