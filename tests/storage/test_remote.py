"""Files by URL: read bit by bit, taken up again where a connection breaks, and told of without a secret."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from oddframe.errors import MissingExtraError, MissingPathError, SettingsError, StorageError
from oddframe.files import HeldElsewhereError
from oddframe.storage import reading, remote
from oddframe.storage.alone import alone_in
from oddframe.storage.place import place_of
from oddframe.storage.reading import RemoteReader
from oddframe.storage.remote import Remote
from oddframe.video.open import open_video

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def bucket(monkeypatch, request) -> Iterator[Remote]:
    """A folder in memory, and no waiting between attempts."""
    monkeypatch.setattr(remote, "WAITS_S", (0.0,) * 5)
    folder = Remote(f"memory://{request.node.name}")
    yield folder
    for way in folder.files():
        (folder / way).remove()


@pytest.fixture
def breaks(monkeypatch) -> dict[str, int]:
    """How many of the next reads break off; and how many there were."""
    counts = {"next": 0, "reads": 0}
    system = type(fsspec.filesystem("memory"))
    read = system.cat_file

    def cat_file(self, path, start=None, end=None, **more):
        counts["reads"] += 1
        if counts["next"]:
            counts["next"] -= 1
            raise ConnectionResetError("the connection was reset by hunter22")
        return read(self, path, start=start, end=end, **more)

    monkeypatch.setattr(system, "cat_file", cat_file)
    return counts


def test_what_an_address_stands_for():
    assert place_of("file:///archive/a%20b.mp4") == Path("/archive/a b.mp4")
    assert place_of("archive/gate.mp4") == Path("archive/gate.mp4")
    assert str(place_of("s3://archive/may/")) == "s3://archive/may"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://archive/gate.mp4", "not opened by this kind of address"),
        ("s3:///gate.mp4", "no bucket"),
        ("file://elsewhere/gate.mp4", "names no machine"),
    ],
)
def test_an_address_of_another_kind_is_one_error(address, said):
    with pytest.raises(SettingsError, match=said):
        place_of(address)


def test_a_password_in_an_address_is_refused_and_not_shown():
    with pytest.raises(SettingsError) as refused:
        place_of("s3://me:hunter22@archive/gate.mp4")
    assert "hunter22" not in str(refused.value)
    assert "AWS_SECRET_ACCESS_KEY" in str(refused.value)


@pytest.mark.parametrize(("address", "line"), [("s3://a/b", "oddframe[cluster]"), ("gs://a/b", "oddframe[google]")])
def test_a_package_that_is_not_there_gives_the_line_to_type(address, line, monkeypatch):
    for name in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, name, None)
    for scheme in ("s3", "gs"):  # what it has imported before
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)
    with pytest.raises(MissingExtraError) as missing:
        place_of(address).read()
    assert line in str(missing.value)


def test_a_file_is_read_in_blocks_of_which_few_are_held(bucket, breaks, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 10)
    content = bytes(range(200)) + b"end"
    (bucket / "a").write(content)
    file = RemoteReader(bucket / "a")

    assert file.read(25) == content[:25]
    assert file.seek(-3, 2) == 200
    assert file.read() == b"end"
    file.seek(0)
    assert file.read() == content
    assert len(file._blocks) == 4, "forty bytes of two hundred"
    file.close()


def test_a_connection_that_breaks_is_taken_up_again_and_given_up_after_some_attempts(bucket, breaks, monkeypatch):
    (bucket / "a").write(b"all of it")
    breaks["next"] = 5
    assert (bucket / "a").read() == b"all of it"

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter22")
    breaks["next"] = 6
    with pytest.raises(StorageError, match="ConnectionResetError") as refused:
        (bucket / "a").read()
    assert "hunter22" not in str(refused.value)


def test_a_video_that_breaks_off_in_the_middle_has_all_of_its_frames(bucket, breaks, make_video, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 2000)
    file = make_video(tmp_path / "gate.mp4", frames=60)
    (bucket / "gate.mp4").upload(str(file))
    video, here = open_video(str(bucket / "gate.mp4")), open_video(file)
    pictures = []
    for frame in video.frames():
        if frame.index in (5, 30):
            breaks["next"] = 3
        pictures.append(frame.pixels.tobytes())

    assert pictures == [frame.pixels.tobytes() for frame in here.frames()]
    assert (video.name, video.fps, video.began) == ("gate", here.fps, here.began)

    breaks["next"] = 10_000
    with pytest.raises(StorageError, match="cannot be read"):
        list(open_video(str(bucket / "gate.mp4")).frames())


def test_a_video_that_is_not_there_is_one_error(bucket):
    with pytest.raises(MissingPathError, match="no video file at this address"):
        open_video(str(bucket / "gate.mp4"))


def test_two_are_not_at_work_in_one_folder_and_the_mark_of_a_dead_one_lasts_two_minutes(bucket, monkeypatch):
    with alone_in(bucket):
        with pytest.raises(HeldElsewhereError), alone_in(bucket):
            pass
        monkeypatch.setattr("oddframe.storage.alone._GONE_AFTER", timedelta(0))
        with alone_in(bucket):
            pass
    assert bucket.files() == {}
