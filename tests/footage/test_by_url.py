"""Videos in and results out by URL, against a server that speaks S3 on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from oddframe.errors import StorageError
from oddframe.footage.archive import table
from oddframe.footage.course import Course
from oddframe.footage.folder import Asked, Means
from oddframe.footage.many import are_several, score_together, score_videos
from oddframe.footage.outputs import score
from oddframe.footage.published import MANIFEST
from oddframe.processes.engines import Where
from oddframe.storage import remote
from oddframe.storage.alone import alone_in
from oddframe.storage.place import place_of
from oddframe.storage.remote import Remote

from .conftest import flashing

pytest.importorskip("s3fs")
pytest.importorskip("moto")

SECRET = "hunter22hunter22"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """moto's S3, on a free port of 127.0.0.1, in this process."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    application = DomainDispatcherApplication(create_backend_app)
    serving = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()


@pytest.fixture
def archive(server, monkeypatch, request) -> Remote:
    """An empty bucket, into which the environment alone lets somebody in."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(remote, "WAITS_S", (0.0, 0.0))
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = request.node.name.replace("_", "-")[:40].strip("-")
    s3fs.S3FileSystem().mkdir(bucket)
    s3fs.S3FileSystem.clear_instance_cache()
    return Remote(f"s3://{bucket}")


@pytest.fixture
def gate(make_video, tmp_path) -> Path:
    """Sixty frames with an event from 32 to 50."""
    return make_video(tmp_path / "gate.mp4", frames=60, fps=10, pictures=flashing)


@pytest.mark.slow
def test_one_video_by_url_leaves_the_same_files_as_one_of_this_machine_and_a_manifest_of_them(
    run, archive, gate, tmp_path
):
    (archive / "may/gate.mp4").upload(str(gate))
    score(run, str(archive / "may/gate.mp4"), out=str(archive / "seen"))
    score(run, gate, out=tmp_path / "seen")

    for name in ("scores.csv", "events.csv"):
        assert (archive / "seen" / name).read() == (tmp_path / "seen" / name).read_bytes()
    files = (archive / "seen").files()
    assert {"scores.json", "report.html", MANIFEST} <= set(files)
    assert SECRET.encode() not in b"".join((archive / "seen" / way).read() for way in files)


@pytest.mark.long
@pytest.mark.slow
def test_an_archive_by_url_is_scored_once_and_what_is_not_whole_again(run, archive, gate, tmp_path):
    for way in ("may/b10.mp4", "may/b2.mp4", "may/belt/1.mp4", "may/notes.txt"):
        (archive / way).upload(str(gate))
    assert are_several([archive / "may"])
    first = score_videos(run, str(archive / "may"), out=str(archive / "seen"), jobs=2)
    assert [(one.name, one.error) for one in first] == [("b2", None), ("b10", None), ("belt/1", None)]
    assert {"events.csv", "index.html"} <= set((archive / "seen").files())
    assert b"b10/report.html" in (archive / "seen/index.html").read()

    (archive / "seen/b2" / MANIFEST).remove()
    (archive / "may/b10.mp4").write(gate.read_bytes() + b"\0" * 8)
    again = score_videos(run, str(archive / "may"), out=str(archive / "seen"))
    assert [one.skipped for one in again] == [False, False, True]


@pytest.mark.long
@pytest.mark.slow
def test_a_long_video_by_url_is_judged_in_pieces_and_leaves_the_same_tables(
    run, archive, make_video, tmp_path, monkeypatch
):
    long = make_video(tmp_path / "long.mp4", frames=1400, fps=10, pictures=lambda index: flashing(index % 700))
    (archive / "may/long.mp4").upload(str(long))
    done, follow = [], Course.ended
    monkeypatch.setattr(
        Course, "ended", lambda course, step, found: done.append(step.does["do"]) or follow(course, step, found)
    )
    score_together(run, archive / "may/long.mp4", Asked(), Means(), archive / "seen", Where(jobs=2))
    score(run, long, out=tmp_path / "seen")

    assert done == ["score", "piece", "piece", "merge"]
    for name in ("scores.csv", "events.csv"):
        assert (archive / "seen" / name).read() == (tmp_path / "seen" / name).read_bytes()
    assert not [way for way in (archive / "seen").files() if way.startswith(".pieces")]


@pytest.mark.slow
def test_tables_by_url_are_those_of_this_machine_and_leave_out_what_is_not_whole(run, archive, gate, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("belt/1", "belt/2"):
        score(run, gate, out=archive / "seen" / name)
        score(run, gate, out=tmp_path / "seen" / name)
    (archive / "seen/half/scores.json").write(b"{}")
    (archive / "seen/long/.pieces/00000.npz").write(b"-")
    made = table(archive / "seen", out=archive / "tables")
    table(tmp_path / "seen")

    assert (made.added, made.unfinished) == (("belt/1", "belt/2"), ("half", "long"))
    for name in ("scores.parquet", "events.parquet"):
        for path in (tmp_path / "seen" / name).rglob("*.parquet"):
            (tmp_path / "fetched").write_bytes(
                (archive / "tables" / path.relative_to(tmp_path / "seen").as_posix()).read()
            )
            assert parquet.read_table(tmp_path / "fetched").equals(parquet.read_table(path, partitioning=None))
    assert table(archive / "seen", out=archive / "tables").added == ()
    (archive / "seen/belt/2" / MANIFEST).remove()
    again = table(str(archive / "seen"), out=str(archive / "tables"))
    assert (again.removed, again.unfinished) == (("belt/2",), ("belt/2", "half", "long"))
    assert sum(way.endswith(".parquet") for way in (archive / "tables").files()) == 2


@pytest.mark.slow
def test_a_bucket_that_is_not_there_or_lets_nobody_in_is_one_error_with_what_to_do(run, archive, monkeypatch):
    with pytest.raises(StorageError, match="is there a bucket of this name"):
        Remote("s3://no-such-bucket/a").write(b"a")

    def refuse(*_, **__):
        raise PermissionError(f"Access Denied for {SECRET}")

    monkeypatch.setattr(archive._system(), "pipe_file", refuse)
    with pytest.raises(StorageError, match="AWS_ACCESS_KEY_ID") as refused:
        (archive / "a").write(b"a")
    assert SECRET not in str(refused.value)


@pytest.mark.slow
def test_two_do_not_score_into_one_folder_of_a_bucket(run, archive, gate):
    (archive / "may/gate.mp4").upload(str(gate))
    with alone_in(archive / "seen"), pytest.raises(StorageError, match="another process scores into this folder"):
        score_videos(run, [place_of(str(archive / "may"))], out=archive / "seen")
