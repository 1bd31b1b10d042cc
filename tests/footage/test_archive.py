"""Tables of a whole archive: typed, by day and camera, and of no more than what is finished."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.errors import MissingExtraError, MissingPathError, RunError, StorageError
from oddframe.files import lock
from oddframe.footage import archive
from oddframe.footage import parquet as written
from oddframe.footage.archive import EVENTS, INDEX, SCORES, table
from oddframe.footage.columns import EVENTS as EVENT_COLUMNS
from oddframe.footage.columns import SCORES as SCORE_COLUMNS
from oddframe.footage.folder import PARTIAL
from oddframe.footage.outputs import score
from oddframe.footage.pieces import PIECES
from oddframe.footage.summary import Making, Summary, write_summary
from oddframe.scoring.scores import AlarmLine, Box, Event, Scores

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/ask-an-archive.md"

Left = Callable[..., Path]


@pytest.fixture
def left(tmp_path: Path) -> Left:
    """What `score` leaves of a video of `frames` pictures, one a second, whose frames 10 to 19 are in an event."""

    def leave(
        name: str,
        *,
        frames: int = 30,
        began: datetime | None = None,
        online: Sequence[float] | None = None,
        run: str = "detector-1",
        components: Sequence[str] = ("psnr", "local_error"),
        into: Path = tmp_path / "scores",
    ) -> Path:
        time_s = np.arange(frames, dtype=np.float64)
        score = np.asarray(np.arange(frames) / 10 if online is None else online, np.float32)
        event = Event(10, 20, 15, float(score[15]), 10.0, 20.0, 15.0, Box(1, 2, 3, 4))
        scores = Scores(
            name, (48, 64), 1.0, np.arange(frames), time_s,
            dict.fromkeys(components, score), dict.fromkeys(components, score),
            score, None, score, AlarmLine(1.0, 0.5, 1.0, 1.0), (event,), began=began,
        )  # fmt: skip
        folder = into / name
        folder.mkdir(parents=True, exist_ok=True)
        scores.to_csv(folder / "scores.csv")
        asked = dict.fromkeys(("start", "end", "fps", "start_time"))
        made = Making(run=run, backend="auto", oddframe="0", scene="", heat_video=False, clips=0, video="x", **asked)
        write_summary(folder, Summary.of(scores), made, {})
        return folder

    return leave


def rows(place: Path) -> list[dict[str, Any]]:
    """All rows of a table, in order of video and frame, or event."""
    found = parquet.read_table(place).to_pylist()
    return sorted(found, key=lambda row: (row["video"], row.get("frame", row.get("event"))))


def ways(place: Path) -> list[str]:
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*.parquet"))


def contents(tables: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in tables.rglob("*.parquet") if path.is_file()}


def test_scores_of_every_frame_stand_in_the_folder_of_their_day_and_camera(left, tmp_path):
    left("gate/1", began=datetime(2026, 11, 28, 23, 59, 50))

    made = table(tmp_path / "scores")

    assert (made.videos, made.added, made.removed, made.unfinished, made.failed) == (1, ("gate/1",), (), (), {})
    assert [re.sub(r"/1-\w+", "/FILE", way) for way in ways(tmp_path / "scores" / SCORES)] == [
        "day=2026-11-28/camera=gate/FILE.parquet",
        "day=2026-11-29/camera=gate/FILE.parquet",
    ]
    found = rows(tmp_path / "scores" / SCORES)
    assert len(found) == 30
    assert {name: found[12][name] for name in ("video", "detector", "frame", "taken_at", "alarm", "camera")} == {
        "video": "gate/1", "detector": "detector-1", "frame": 12, "camera": "gate",
        "taken_at": datetime(2026, 11, 29, 0, 0, 2), "alarm": True,
    }  # fmt: skip
    assert [row["alarm"] for row in found].count(True) == 10
    assert found[12]["online"] == pytest.approx(1.2)
    assert found[12]["motion"] is None


def test_an_event_stands_in_the_folder_of_the_day_on_which_it_began(left, tmp_path):
    left("2026-11-28/gate/1", began=datetime(2026, 11, 28, 23, 59, 45))
    table(tmp_path / "scores")

    (found,) = rows(tmp_path / "scores" / EVENTS)
    assert (found["event"], found["start_frame"], found["end_frame"], found["score"]) == (1, 10, 20, 1.5)
    assert (found["start_at"], found["peak_at"]) == (datetime(2026, 11, 28, 23, 59, 55), datetime(2026, 11, 29))
    assert [found[side] for side in ("x", "y", "width", "height")] == [1, 2, 3, 4]
    assert str(found["day"]) == "2026-11-28"
    assert found["camera"] == "gate"


def test_times_of_day_keep_their_own_clock_and_say_which(left, tmp_path):
    left("utc", began=datetime.fromisoformat("2026-11-28T06:00:00+00:00"))
    left("local", began=datetime(2026, 11, 28, 6))
    left("unknown")
    table(tmp_path / "scores")

    by_video = {row["video"]: (row["start_at"], row["zone"]) for row in rows(tmp_path / "scores" / EVENTS)}
    six = datetime(2026, 11, 28, 6, 0, 10)
    assert by_video == {"utc": (six, "+00:00"), "local": (six, None), "unknown": (None, None)}


def test_columns_have_types_and_units(left, tmp_path):
    left("gate/1")
    table(tmp_path / "scores")

    for name, columns in ((SCORES, SCORE_COLUMNS), (EVENTS, EVENT_COLUMNS)):
        (file,) = (tmp_path / "scores" / name).rglob("*.parquet")
        schema = parquet.read_schema(file)
        assert schema.names == [one.name for one in columns]
        assert [schema.field(one.name).metadata[b"unit"].decode() for one in columns] == [one.unit for one in columns]
        assert {str(schema.field(one.name).type) for one in columns if one.kind != "name"} <= {
            "bool", "int32", "int64", "float", "double", "timestamp[ms]",
        }  # fmt: skip


def test_a_camera_is_a_scene_or_a_folder_that_is_no_date_or_what_is_said(left, tmp_path):
    left("2026-11-28/north/gate/1")
    left("2026-11-28/2")
    table(tmp_path / "scores", camera="Ausfahrt Süd")

    assert {row["video"]: row["camera"] for row in rows(tmp_path / "scores" / EVENTS)} == {
        "2026-11-28/north/gate/1": "north/gate", "2026-11-28/2": "Ausfahrt Süd",
    }  # fmt: skip


def test_what_has_not_changed_is_not_read_again_and_the_same_outputs_give_the_same_tables(left, tmp_path, monkeypatch):
    left("a"), left("b")
    table(tmp_path / "scores", out=tmp_path / "tables")
    before = contents(tmp_path / "tables")

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write_scores", lambda *_: pytest.fail("it was read again"))
        assert table(tmp_path / "scores", out=tmp_path / "tables").added == ()

    left("c")
    assert table(tmp_path / "scores", out=tmp_path / "tables").added == ("c",)
    shutil.rmtree(tmp_path / "scores/c")
    assert table(tmp_path / "scores", out=tmp_path / "tables").removed == ("c",)
    (tmp_path / "tables" / INDEX).unlink()
    assert table(tmp_path / "scores", out=tmp_path / "tables").added == ("a", "b")
    assert contents(tmp_path / "tables") == before


def test_a_video_that_was_scored_again_has_its_new_rows_alone(left, tmp_path):
    left("a", began=datetime(2026, 11, 28))
    table(tmp_path / "scores")
    left("a", began=datetime(2026, 11, 29), frames=40)
    made = table(tmp_path / "scores")

    assert made.added == ("a",)
    assert [way.partition("/")[0] for way in ways(tmp_path / "scores" / SCORES)] == ["day=2026-11-29"]
    assert len(rows(tmp_path / "scores" / SCORES)) == 40
    assert not (tmp_path / "scores" / SCORES / "day=2026-11-28").exists()


def test_another_camera_that_is_said_is_taken_into_all_rows(left, tmp_path):
    left("a")
    table(tmp_path / "scores", camera="gate")
    table(tmp_path / "scores", camera="yard")

    assert {row["camera"] for row in rows(tmp_path / "scores" / SCORES)} == {"yard"}
    assert len(rows(tmp_path / "scores" / SCORES)) == 30


def test_what_is_not_finished_is_left_out_and_named(left, tmp_path):
    left("a")
    (left("half") / "scores.json").unlink()
    (tmp_path / "scores/begun").mkdir()
    (tmp_path / "scores/begun" / PARTIAL).write_text("frame,online\n")
    (tmp_path / "scores/long" / PIECES).mkdir(parents=True)
    told = []
    made = table(tmp_path / "scores", watch=told.append)

    assert made.unfinished == ("begun", "half", "long")
    assert {row["video"] for row in rows(tmp_path / "scores" / SCORES)} == {"a"}
    assert [one.note for one in told if one.stage == "warning"] == [
        "begun: not finished, left out", "half: not finished, left out", "long: not finished, left out",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2].rpartition("\n")[0] + "\n", "rows"),
        (lambda text: text.replace("psnr,", "odour,", 1), "a column 'odour'"),
        (lambda text: text.replace("online,", "motion,", 1), "no column 'online'"),
        (lambda text: text.replace("\n7,", "\nseven,", 1), "seven"),
        (lambda _: "", "Empty CSV file"),
    ],
    ids=["cut off", "another column", "a column less", "no number", "empty"],
)
def test_damaged_outputs_are_left_out_with_the_reason_and_stop_no_other(left, tmp_path, damage, said):
    left("good")
    path = left("bad") / "scores.csv"
    table(tmp_path / "scores")
    path.write_text(damage(path.read_text()))
    made = table(tmp_path / "scores")

    assert list(made.failed) == ["bad"]
    assert said in made.failed["bad"].in_one_line()
    for name in (SCORES, EVENTS):
        assert {row["video"] for row in rows(tmp_path / "scores" / name)} == {"good"}


def test_a_damaged_summary_is_left_out_with_the_reason(left, tmp_path):
    left("good")
    (left("bad") / "scores.json").write_text("{")
    made = table(tmp_path / "scores")

    assert isinstance(made.failed["bad"], RunError)
    assert made.videos == 1


def test_rows_of_two_detectors_can_be_told_apart(left, tmp_path):
    left("monday", run="detector-1")
    left("tuesday", run="detector-2", components=("motion",))
    table(tmp_path / "scores")

    found = parquet.read_table(tmp_path / "scores" / SCORES).to_pylist()
    assert {(row["detector"], row["psnr"] is None, row["motion"] is None) for row in found} == {
        ("detector-1", False, True), ("detector-2", True, False),
    }  # fmt: skip


def test_a_folder_without_results_is_one_error(tmp_path, left):
    (tmp_path / "videos").mkdir()
    with pytest.raises(MissingPathError, match="no scored video in this folder"):
        table(tmp_path / "videos")
    with pytest.raises(MissingPathError, match="no such folder"):
        table(tmp_path / "nowhere")
    (left("half", into=tmp_path / "videos") / "scores.json").unlink()
    with pytest.raises(MissingPathError, match="1 that are not finished"):
        table(tmp_path / "videos")


def test_without_pyarrow_it_says_what_to_install(left, tmp_path, monkeypatch):
    left("a")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "oddframe\[tables\]"'):
        table(tmp_path / "scores")


def test_two_do_not_make_the_same_tables(left, tmp_path):
    left("a")
    with lock(tmp_path / "scores/.tables.lock"), pytest.raises(StorageError, match="another process makes tables"):
        table(tmp_path / "scores")


def test_what_a_killed_call_has_left_is_taken_away(left, tmp_path):
    left("a")
    table(tmp_path / "scores")
    stray = tmp_path / "scores" / SCORES / "day=2020-01-01/camera=gate/b-0.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"PAR1")
    table(tmp_path / "scores")

    assert not stray.exists()


@pytest.mark.slow
def test_a_long_video_is_in_memory_a_piece_at_a_time(left, tmp_path, monkeypatch):
    left("long", frames=60_000)
    monkeypatch.setattr(written, "_BLOCK_BYTES", 1 << 18)
    pool, held, row_group = arrow.default_memory_pool(), [], written._row_group
    before = pool.bytes_allocated()

    def watched(*arguments):
        rows = row_group(*arguments)
        held.append(pool.bytes_allocated() - before)
        return rows

    monkeypatch.setattr(written, "_row_group", watched)
    table(tmp_path / "scores")

    whole = parquet.read_table(tmp_path / "scores" / SCORES)
    assert len(whole) == 60_000
    assert max(held) < whole.nbytes / 4


@pytest.mark.slow
def test_real_outputs_of_the_command_line_come_out_as_they_stand_in_their_files(run, gate, tmp_path):
    score(run, gate, out=tmp_path / "scores/gate", fps=10, start_time="2026-11-28T14:31:52")
    told = CliRunner().invoke(app, ["table", str(tmp_path / "scores"), "--camera", "gate", "--json"])

    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["added"] == ["gate"]
    file = np.genfromtxt(tmp_path / "scores/gate/scores.csv", delimiter=",", names=True, dtype=np.float32)
    found = rows(tmp_path / "scores" / SCORES)
    for name in file.dtype.names:
        assert np.array_equal(np.array([row[name] for row in found], np.float32), file[name]), name
    assert {str(row["day"]) for row in found} == {"2026-11-28"}

    (tmp_path / "scores/gate/scores.csv").write_text("frame\n")
    told = CliRunner().invoke(app, ["table", str(tmp_path / "scores")])
    assert told.exit_code == 1
    assert "left out: gate: the scored video's scores.csv is damaged" in told.stdout


# The page --------------------------------------------------------------------------------------------------------


def queries() -> list[str]:
    return re.findall(r"^```sql\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)


def test_the_queries_of_the_page_say_what_they_promise(left, tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    for camera, hour, highest in (("gate", 9, 4.0), ("gate", 10, 9.0), ("yard", 9, 5.0)):
        online = np.zeros(30, np.float32)
        online[15], online[3] = highest, highest / 2
        left(f"{camera}/{hour}", began=datetime(2026, 11, 28, hour), online=online)
    left("no-clock/1")
    table(tmp_path / "scores")
    monkeypatch.chdir(tmp_path)

    an_hour, oddest, whose, one_day = (duckdb.sql(query) for query in queries())

    assert an_hour.fetchall() == [
        ("gate", datetime(2026, 11, 28, 9), 1), ("gate", datetime(2026, 11, 28, 10), 1),
        ("yard", datetime(2026, 11, 28, 9), 1),
    ]  # fmt: skip
    found = oddest.fetchall()
    assert [(row[0], row[1], row[2]) for row in found[:2]] == [
        ("gate", "gate/10", datetime(2026, 11, 28, 10, 0, 15)), ("yard", "yard/9", datetime(2026, 11, 28, 9, 0, 15)),
    ]  # fmt: skip
    assert len(found) <= 10
    assert ("detector-1", 4, 120) in whose.fetchall()
    assert one_day.fetchall() == [(60,)]


def test_the_page_lists_every_column():
    listed = set(re.findall(r"`(\w+)`", PAGE.read_text("utf-8")))

    assert {one.name for one in (*SCORE_COLUMNS, *EVENT_COLUMNS)} <= listed
