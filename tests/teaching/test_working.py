"""Learning for real: from a minute of drawn video to a detector that watches, through kills and damage."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from oddframe.errors import OddframeError
from oddframe.runs import Run
from oddframe.scoring.scorer import Scorer
from oddframe.site.learning import LearnSettings
from oddframe.site.planning.plan import SitePlan
from oddframe.site.serving import Serving
from oddframe.teaching import asking
from oddframe.teaching.footage import made
from oddframe.teaching.record import read_check
from oddframe.teaching.teacher import Teacher
from oddframe.teaching.working.check import check, hours_in_words
from oddframe.teaching.working.recordings import take_recordings
from oddframe.teaching.working.stand_in import stand_in
from oddframe.teaching.working.task import Task
from oddframe.teaching.working.train import calibrate, export, train

pytestmark = pytest.mark.slow
PATIENCE_S = 1500


def quiet(_: object) -> None:
    pass


def task(folder: Path, *videos: Path, **given) -> Task:
    settings = LearnSettings(preset="tiny", segment=2, time_budget=1).kept()
    return Task(folder=str(made(folder)), settings=settings, attempt=1, videos=tuple(map(str, videos)), **given)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory, street) -> Iterator[Task]:
    """Less video than is wanted, as the flow in each frame takes its time; something odd happens in it. It is taken and
    checked."""
    pytest.importorskip("torch")
    asked = task(tmp_path_factory.mktemp("learning"), street(160, range(90, 96)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oddframe.teaching.working.check.LEAST_FRAMES", 20)
        take_recordings(asked, quiet)
        check(asked, quiet)
        yield asked


@pytest.mark.long
def test_the_oddest_piece_is_shown_with_pictures(looked_at):
    found = read_check(looked_at.home)

    assert found is not None
    assert (found.pieces, round(found.seconds)) == (8, 15)
    assert found.odd[0].name == looked_at.pieces()[4].name  # seconds 8 to 10
    assert 0.9 <= found.odd[0].at_s <= 1.7
    assert found.odd[0].score > found.odd[1].score
    assert found.active == 1.0
    assert all((looked_at.home / name).stat().st_size > 1000 for one in found.odd for name in (one.picture, one.heat))


@pytest.mark.long
def test_a_training_is_gone_on_with_and_a_damaged_state_begins_again(looked_at, monkeypatch):
    class KilledError(Exception):
        pass

    def kill_in_training(moment) -> None:
        if moment.stage == "training" and moment.done >= 3:
            raise KilledError

    with pytest.raises(KilledError):
        train(looked_at, kill_in_training)
    run = looked_at.here / "run"
    made(run / "resume")
    (run / "resume" / "current.json").write_text("{", "utf-8")
    told: list[str] = []

    result = train(looked_at, lambda moment: told.append(moment.note) if moment.stage == "warning" else None)
    again = train(looked_at, quiet)

    assert any("begins again" in one for one in told)
    assert any("had to begin again" in one for one in result["notes"])
    assert Run.open(run).finished
    assert again["run"] == result["run"]

    detector = export(looked_at, quiet)["detector"]
    fitted = calibrate(looked_at, quiet)
    (Path(fitted["fitting"]) / "fitting.json").write_text("{", "utf-8")
    mended = calibrate(looked_at, quiet)
    scorer = Scorer(detector, fitting=mended["fitting"])

    assert mended["fitting"] == fitted["fitting"]
    assert "1 false alarm a day was asked" in mended["promise"]
    assert scorer.fitting is not None
    assert len(scorer.fitting.info.videos) == 2


@pytest.mark.long
def test_a_stand_in_is_fitted_anew_to_what_has_come_since(looked_at):
    first = stand_in(looked_at, quiet)
    second = stand_in(looked_at, quiet)

    assert first["detector"] == second["detector"]
    assert first["fitting"] != second["fitting"]
    assert Scorer(second["detector"], fitting=second["fitting"]).run.settings.detector == "framediff"


def workers() -> list[int]:
    """The processes that learn, of this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"oddframe.teaching.working.process" in command and parent == os.getpid():
                found.append(int(entry.name))
    return found


def lift(process: int) -> None:
    """Let it compute as others do, where that may be: beside other tests it would wait for half an hour."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, int(thread.name), 0)


def waited(what) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.2)
    return False


@pytest.mark.long
def test_a_camera_learns_by_itself_through_kills_at_each_stage(tmp_path, street):
    for extra in ("torch", "onnxscript", "onnxruntime"):
        pytest.importorskip(extra)
    reading = {"health": {"frozen_s": 1, "moved_s": 1, "dark_s": 1, "blinded_s": 1, "clear_s": 0.5}}
    learn = {"for": "5s", "least_video": "45s", "segment": "5s", "preset": "tiny", "time_budget": "1s"}
    camera = {"address": str(street(600)), "reading": reading, "learn": learn}
    sink = {"kind": "jsonl", "url": str(tmp_path / "sent")}
    plan = SitePlan.model_validate(
        {"folder": str(tmp_path / "site"), "cameras": {"gate": camera}, "sinks": {"file": sink}}
    )
    seen: list[str] = []
    killed: set[str] = set()
    low: dict[int, int] = {}

    def step(serving: Serving, teacher: Teacher) -> bool:
        learning = teacher.learnings().get("gate")
        if learning is None:
            return False
        state = str(learning.state)
        if not seen or seen[-1] != state:
            seen.append(state)
        busy = workers()
        for one in busy:
            if nice := os.getpriority(os.PRIO_PROCESS, one):
                low[one] = nice
                lift(one)
        if busy and state not in killed and learning.stage:
            killed.add(state)
            for one in busy:
                os.kill(one, signal.SIGKILL)
        assert state != "failed", learning.problem
        return state == "live"

    with Serving(plan) as serving:
        with Teacher(serving.store) as teacher:
            assert waited(lambda: step(serving, teacher) or "training" in killed)
        assert not workers()  # the site was stopped in the middle of the training
        with Teacher(serving.store) as teacher:
            assert waited(lambda: step(serving, teacher)), asking.standing(serving.store, "gate").words
            fittings = serving.store.cameras.fittings("gate")
            assert waited(lambda: serving.store.health.now()["gate"].state == "online")
        since = datetime.now(UTC) - timedelta(days=1)
        told = [one.state for one in serving.store.health.history("gate", since)]
        standing = asking.standing(serving.store, "gate")

    assert [one.stand_in for one in fittings] == [False, *[True] * (len(fittings) - 1)]
    assert len(fittings) >= 2
    assert {"collecting", "training"} <= killed
    assert set(low.values()) == {19}
    assert standing.state == "live"
    assert standing.check is not None
    assert not (standing.folder / "cache").exists()
    assert "learning" in told
    sent = (tmp_path / "sent").read_text("utf-8")
    assert '"state":"learning","online":true' in sent


def test_a_training_that_cannot_be_is_told_in_a_sentence(tmp_path, street):
    asked = task(tmp_path, street(30))
    take_recordings(asked, quiet)

    with pytest.raises(OddframeError) as refused:
        train(asked, quiet)

    assert "too little normal video" in refused.value.problem
    assert refused.value.hint == "let it collect longer, or give more recordings"


def test_hours_that_are_missing_are_told_in_words():
    assert hours_in_words([0, 1, 2, 9, 22, 23]) == "9:00 to 10:00 and 22:00 to 3:00"
