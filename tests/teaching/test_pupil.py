"""A camera's learning goes its way through all that may happen: kills, little video, full disks, failures, people."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from oddframe.errors import DetectorError, StorageError, TooShortError, WorkerError
from oddframe.instant import MODEL
from oddframe.progress import Progress
from oddframe.records import write_record
from oddframe.scoring.fit import calibrate
from oddframe.site.learning import LearnSettings, ask, asked_of, change
from oddframe.site.recording import FOOTAGE, Recorded, piece_name, wanted
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching import pupil as pupils
from oddframe.teaching.asking import again, collected, leave_out, standing, stop
from oddframe.teaching.pupil import Pupil
from oddframe.teaching.record import CHECK, Check, OddPiece, Outcome, State, learning_folder
from oddframe.teaching.teacher import Teacher

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="session")
def fitting(tmp_path_factory, street) -> Path:
    """A fitting of the package's own detector: what a learning ends with."""
    out = tmp_path_factory.mktemp("fitted") / "fitting"
    return calibrate(MODEL, [street(150)], out=out, false_alarms_per_day=24, backend="onnxruntime").folder


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(pupils, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(pupils, "_WRITE_EVERY_S", 0.0)
    monkeypatch.setattr(pupils, "_AGAIN_S", 0.0)
    with Store.open(tmp_path / "site") as opened:
        opened.cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/live")
        yield opened


class Learning:
    """A pupil, and somebody who works on its jobs as it is told."""

    def __init__(self, store: Store, fitting: Path, **how: object) -> None:
        self.store, self.fitting = store, fitting
        ask(store, "gate", LearnSettings(**{"preset": "tiny", "least_video": 60, **how}), "ann")
        self.open()
        self.done: list[str] = []

    def open(self) -> None:
        """As after a restart."""
        self.pupil = Pupil(self.store, 1, asked_of(self.store, 1))

    @property
    def state(self) -> State:
        return self.pupil.learning.state

    def film(self, pieces: int) -> None:
        folder = learning_folder(self.store.folder, 1, asked_of(self.store, 1).number) / FOOTAGE
        folder.mkdir(parents=True, exist_ok=True)
        there = len(list(folder.iterdir()))
        for number in range(there, there + pieces):
            (folder / piece_name(utc_now() + timedelta(seconds=20 * number), 20)).write_bytes(b"x" * 1000)

    def look(self, *results: object) -> None:
        """Look; of what is to be done, these come of it in turn."""
        for result in (*results, None):
            self.pupil.look("gate", asked_of(self.store, 1))
            job = self.pupil.job
            if job is not None and result is not None:
                self.done.append(job.step)
                self.pupil.given()
                self.pupil.job_ended(job, result)

    def made(self) -> Outcome:
        return Outcome(detector=str(MODEL), fitting=str(self.fitting), promise="1 a day was asked", notes=("so",))

    def stand_in(self) -> Outcome:
        return Outcome(detector=str(MODEL), fitting=str(self.fitting), seconds=60.0)


@pytest.fixture
def learning(store, fitting):
    return lambda **how: Learning(store, fitting, **how)


def test_a_learning_goes_all_its_way_and_says_so(learning, store):
    one = learning()
    one.look()
    before = standing(store, "gate")
    one.film(3)
    one.look(one.stand_in())
    watched = store.cameras.fittings("gate")[0]
    collected(store, "gate", "ann")
    one.look(Outcome(), Outcome(), Outcome(), one.made())
    now = store.cameras.fittings("gate")

    assert before.state == "collecting"
    assert "0 of about" in before.words
    assert watched.stand_in
    assert one.done == ["stand-in", "check", "train", "export", "calibrate"]
    assert one.state is State.LIVE
    assert [one.stand_in for one in now] == [False, True]
    assert now[0].retired_at is None
    assert standing(store, "gate").words == "the detector that it learned watches: 1 a day was asked"
    assert [one.action for one in store.journal.entries() if one.author == "learning"] == [
        "live",
        "changed",
        "calibrating",
        "exporting",
        "training",
        "checking",
        "changed",
    ]


def test_it_goes_on_where_it_was_after_a_restart_in_each_state(learning):
    one = learning()
    one.film(3)
    one.look(one.stand_in())
    collected(one.store, "gate", "ann")
    states = []
    for result in (Outcome(), Outcome(), Outcome(), one.made()):
        one.open()
        one.look()
        states.append(one.state)
        one.look(result)
    one.open()
    one.look()

    assert states == [State.CHECKING, State.TRAINING, State.EXPORTING, State.CALIBRATING]
    assert one.state is State.LIVE
    assert one.pupil.job is None


def test_a_damaged_record_is_found_out_anew(learning):
    one = learning()
    one.film(3)
    one.look()
    (one.pupil.folder / "learning.json").write_text("{", "utf-8")
    one.open()
    one.look()

    assert (one.state, one.pupil.learning.pieces) == (State.COLLECTING, 3)


def test_pieces_are_spread_over_the_time_and_bounded_by_size(learning):
    one = learning(collect_for=86400, most_video=7200)
    one.look()
    at_first = one.pupil.wanted().every_s
    one.film(7)
    one.look(one.stand_in())
    spread = one.pupil.wanted()
    small = learning(collect_for=86400, most_video=7200, most_gb=1e-4)
    small.film(7)
    small.look(small.stand_in())

    assert at_first == 20
    assert 230 < spread.every_s < 260  # 24 hours for two hours less what is there
    assert small.pupil.wanted().every_s > 900
    assert small.pupil.wanted().most_bytes == 100_000


def test_too_little_video_when_the_time_is_over_is_told_and_collected_on(learning):
    one = learning(collect_for=0.001)
    one.film(1)
    one.look()
    told = one.pupil.learning
    one.film(3)
    one.look(one.stand_in())
    one.look()

    assert told.state is State.COLLECTING
    assert "min of normal video are lacking" in told.problem
    assert one.state is State.CHECKING
    assert one.pupil.learning.problem == ""


def test_video_that_is_too_little_to_train_on_is_collected_on(learning):
    one = learning(collect_for=0.001)
    one.film(4)
    one.look(one.stand_in())
    one.look(TooShortError("there is too little normal video to say what is rare", seen="80 s"))

    assert one.state is State.COLLECTING
    assert "too little normal video" in one.pupil.learning.problem
    assert one.pupil.wanted() is not None


def test_a_process_that_dies_is_started_again_but_not_for_ever(learning):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    collected(one.store, "gate", "ann")
    one.look(Outcome())
    killed = WorkerError("the process that learns died", seen="signal 9")
    for _ in range(4):
        one.pupil._again_s = 0
        one.look(killed)
    still = one.pupil.learning
    one.pupil._again_s = 0
    one.look(killed)
    failed = one.pupil.learning
    again(one.store, "gate", "ann")
    one.look(Outcome())

    assert (still.state, still.deaths) == (State.TRAINING, 4)
    assert "signal 9" in still.problem
    assert failed.state is State.FAILED
    assert "work.log" in failed.hint
    assert one.state is State.EXPORTING


def test_a_process_that_gets_further_may_die_as_often_as_it_likes(learning):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    collected(one.store, "gate", "ann")
    one.look(Outcome())
    for turn in range(12):
        one.look()
        one.pupil._again_s = 0
        one.pupil.look("gate", asked_of(one.store, 1))
        job = one.pupil.job
        assert job is not None
        one.pupil.given()
        for done in (10 * turn, 10 * turn + 1):
            one.pupil.job_moment(Progress("training", done, 1000))
        one.pupil.job_ended(job, WorkerError("the process that learns died", seen="signal 9"))
    one.look()

    assert one.state is State.TRAINING


def test_a_full_disk_is_told_and_waited_for(learning):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    collected(one.store, "gate", "ann")
    one.look(Outcome(), StorageError("a checkpoint cannot be written: the disk is full", seen="0 MB are free"))
    one.look()
    told = one.pupil.learning
    one.look(Outcome())

    assert told.state is State.TRAINING
    assert "the disk is full" in told.problem
    assert one.state is State.EXPORTING
    assert one.pupil.learning.problem == ""


def test_what_the_recorder_says_is_wrong_is_told(learning):
    one = learning()
    one.film(1)
    write_record(one.pupil.folder / "recording.json", Recorded(skipped_s={"dark": 600.0}, problem="the disk is full"))
    one.look()

    assert one.pupil.learning.problem == "the disk is full"
    assert one.pupil.learning.skipped_s == {"dark": 600.0}


def test_a_training_that_fails_says_why_and_what_to_do(learning, store):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    collected(store, "gate", "ann")
    one.look(Outcome(), DetectorError("a loss is no number any more", hint="train with a smaller learning rate"))
    told = standing(store, "gate")

    assert told.state == "failed"
    assert told.words == "a loss is no number any more. Do: train with a smaller learning rate"
    assert store.cameras.fittings("gate")[0].stand_in


def test_somebody_stops_it_and_goes_on(learning, store):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    stop(store, "gate", "ann")
    one.look()
    stopped, wish = one.state, one.pupil.wanted()
    again(store, "gate", "ann")
    one.look()

    assert (stopped, wish) == (State.STOPPED, None)
    assert one.state is State.COLLECTING


def test_what_is_left_out_is_trained_without_even_when_it_is_live(learning, store):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    collected(store, "gate", "ann")
    one.look(Outcome(), Outcome(), Outcome(), one.made())
    name = sorted(path.name for path in (one.pupil.folder / FOOTAGE).iterdir())[1]
    odd = OddPiece(
        number=1, name=name, scene="", began=None, at_s=3.0, seconds=20.0, score=4.0, picture="odd/1.jpg", heat=""
    )
    check = Check(pieces=4, seconds=80, hours={}, light=(1.0, 2.0, 3.0), active=1.0, infrared=0.0, notes=(), odd=(odd,))
    write_record(one.pupil.folder / CHECK, check)
    leave_out(store, "gate", [1], "ann")
    one.look()
    job = one.pupil.job

    assert one.state is State.CHECKING
    assert job is not None
    assert job.opening["left_out"] == [name]
    assert job.opening["attempt"] == 2
    assert not store.cameras.fittings("gate")[0].stand_in  # what is live watches until then


def test_a_line_that_somebody_asked_for_is_drawn_anew_for_the_new_detector(learning, store):
    from oddframe.site.commands import SetLine, carry_out

    one = learning()
    one.film(4)
    one.look(one.stand_in())
    carry_out(SetLine(camera="gate", false_alarms_per_day=6), store, "ann")
    collected(store, "gate", "ann")
    one.look(Outcome(), Outcome(), Outcome(), one.made())
    lines = store.cameras.lines("gate")

    assert [(line.asked_per_day, line.author) for line in lines] == [
        (pytest.approx(6), "learning"),
        (pytest.approx(6), "ann"),
    ]


def test_a_new_learning_leaves_what_watches_as_it_is(learning, store):
    one = learning()
    one.film(4)
    one.look(one.stand_in())
    collected(store, "gate", "ann")
    one.look(Outcome(), Outcome(), Outcome(), one.made())
    change(store, "gate", "ann", "x", lambda asked: asked)
    other = learning()
    other.film(4)
    other.look(other.stand_in())

    assert other.pupil.learning.number == 2
    assert other.done == []
    assert not store.cameras.fittings("gate")[0].stand_in
    assert one.pupil.folder.is_dir()

    collected(store, "gate", "ann")
    other.look(Outcome(), Outcome(), Outcome(), other.made())
    assert other.state is State.LIVE
    assert not one.pupil.folder.exists()  # what watched before lies elsewhere in this test
    assert (other.pupil.folder / FOOTAGE).is_dir()


def test_what_is_wrong_with_one_camera_keeps_no_other_from_learning(learning, store, caplog):
    learning()
    store.cameras.put("yard", "rtsp://10.0.0.3/live", "rtsp://10.0.0.3/live")
    ask(store, "yard", LearnSettings(), "ann")
    store.journal.set("learning of camera 1", {"strange": 1})
    teacher = Teacher(store)

    teacher.look()
    teacher.look()

    assert list(teacher.learnings()) == ["yard"]
    assert [one.getMessage() for one in caplog.records] == ["gate cannot learn"]
    assert "it is tried again every second" in teacher.problems()["learning of gate"]
    store.cameras.remove("gate")
    teacher.look()
    assert teacher.problems() == {}


def test_what_keeps_all_cameras_from_learning_is_told_with_what_to_do_until_it_is_over(store, monkeypatch):
    looked = threading.Event()

    def look(_: Teacher) -> None:
        if not looked.is_set():
            looked.set()
            raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(Teacher, "look", look)
    monkeypatch.setattr("oddframe.teaching.looking._LOOK_EVERY_S", 0.2)
    with Teacher(store) as teacher:
        told = until(teacher.problems)
        assert "ZeroDivisionError: by nothing" in told["learning"]
        assert "restart the site" in told["learning"]
        until(lambda: not teacher.problems())


def until(known, within_s: float = 60.0):
    """What is known once it is."""
    end = time.monotonic() + within_s
    while not (found := known()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def test_of_a_camera_that_was_removed_no_video_is_kept(learning, store):
    one = learning()
    one.film(2)
    teacher = Teacher(store)
    teacher.look()
    before = wanted(store)
    there = (one.pupil.folder / FOOTAGE).is_dir()
    store.cameras.remove("gate")
    teacher.look()

    assert there
    assert list(before) == [1]
    assert not (one.pupil.folder / FOOTAGE).exists()
    assert wanted(store) == {}
