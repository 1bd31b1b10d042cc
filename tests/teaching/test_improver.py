"""Improvements that people ask for are done beside the engine: one at a time, told how far, ended, and gone on with."""

from __future__ import annotations

import threading
import time

import pytest

from oddframe.errors import SettingsError, TrainingError, WorkerError
from oddframe.progress import Progress
from oddframe.records import write_record
from oddframe.site.learning import LearnSettings, ask
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching import asking_better, improver, looking
from oddframe.teaching.asking_better import begin_better, better_standing, stop_better
from oddframe.teaching.improver import Improver
from oddframe.teaching.improving import FILE, Counted, Improvement, ImproveTask, ReviewedClip
from oddframe.teaching.record import FILE as LEARNING
from oddframe.teaching.record import Learning, State, learning_folder


class Training:
    """Stands in for what takes hours: it goes on when a test says so.

    Attributes:
        tasks: that were given to it. wrong: what it fails by, one after the other.
    """

    def __init__(self) -> None:
        self.tasks: list[ImproveTask] = []
        self.wrong: list[Exception] = []
        self.may_end = threading.Event()

    def __call__(self, task, watch, workers) -> Improvement:
        self.tasks.append(task)
        watch(Progress("training", 30, 100))
        while not self.may_end.wait(0.01):
            if workers.stopped:
                raise WorkerError("the process ended")
        if self.wrong:
            raise self.wrong.pop(0)
        made = Improvement(
            made_at=utc_now(), trained_alarms=1, trained_normal=0, alarms=1, normal=0, hours=1.0,
            before=Counted(found=0, false_alarms=2), after=Counted(found=1, false_alarms=2), found_difference=None,
            false_difference=None, better=True, detector="d", fitting="f", instead_of=task.detector,
        )  # fmt: skip
        write_record(task.home / FILE, made)
        return made


@pytest.fixture
def training(monkeypatch) -> Training:
    monkeypatch.setattr(looking, "_LOOK_EVERY_S", 0.01)
    return Training()


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A site whose cameras have learned, and whose reviews are enough."""

    def gathered(store: Store, camera: str) -> ImproveTask:
        home = learning_folder(store.folder, store.cameras.get(camera).id, 1) / "improved-1"
        home.mkdir(parents=True, exist_ok=True)
        clip = ReviewedClip(event="1", verdict="alarm", clip="1.mp4", begin_s=0, end_s=1)
        watches = store.cameras.fittings(camera)[0].detector.folder
        return ImproveTask(
            folder=str(home), attempt="a", run="r", detector=watches, clips=(clip,), false_alarms_per_day=1.0
        )

    for module in (asking_better, improver):
        monkeypatch.setattr(module, "gather", gathered)
    with Store.open(tmp_path / "site") as opened:
        for number, name in enumerate(("gate", "yard"), 1):
            opened.cameras.put(name, "0", "USB 0")
            ask(opened, name, LearnSettings(), "ann")
            opened.cameras.put_detector(f"learned {name}", "learned" if name == "gate" else "other")
            opened.cameras.fit(name, f"learned {name}", None, {"learning": 1, "attempt": 1})
            folder = learning_folder(opened.folder, number, 1)
            (folder / "attempt-1" / "run").mkdir(parents=True)
            live = Learning(number=1, camera=name, state=State.LIVE, since=utc_now(), began_at=utc_now())
            write_record(folder / LEARNING, live)
        yield opened


def until(store: Store, camera: str, state: str) -> asking_better.BetterStanding:
    """Wait until an improvement is so far."""
    until_s = time.monotonic() + 60
    while (standing := better_standing(store, camera)).state != state:
        assert time.monotonic() < until_s, standing
        time.sleep(0.01)
    return standing


def test_it_is_told_how_far_it_is_and_what_came_of_it(store, training):
    before = better_standing(store, "gate")
    begin_better(store, "gate", "ann")
    waits = better_standing(store, "gate").state
    with Improver(store, training) as working:
        until(store, "gate", "training")
        while better_standing(store, "gate").words != "training, 30 %":
            time.sleep(0.01)
        training.may_end.set()
        standing = until(store, "gate", "made")
        states = working.states()

    assert (before.state, before.made, waits) == ("", None, "waiting")
    assert states == {"gate": "made"}
    assert standing.made is not None
    assert standing.words == standing.made.in_words()
    assert ("ann", "improve") in [(entry.author, entry.action) for entry in store.journal.entries()]


def test_one_is_worked_on_at_a_time(store, training):
    begin_better(store, "gate", "ann")
    begin_better(store, "yard", "ann")
    with Improver(store, training):
        until(store, "gate", "training")
        waits = better_standing(store, "yard").state
        training.may_end.set()
        until(store, "gate", "made")
        until(store, "yard", "made")

    assert waits == "waiting"
    assert len(training.tasks) == 2


def test_what_fails_says_why_and_what_to_do_and_begins_again(store, training):
    training.wrong = [TrainingError("the losses are not finite", hint="ask for a smaller rate")]
    training.may_end.set()
    begin_better(store, "gate", "ann")
    with Improver(store, training) as working:
        failed = until(store, "gate", "failed")
        problems = working.problems()
        begin_better(store, "gate", "ann")
        until(store, "gate", "made")

    assert failed.words == "the losses are not finite. Do: ask for a smaller rate"
    assert problems == {"improvement of gate": "the losses are not finite; ask for a smaller rate"}
    assert not working.problems()


def test_a_process_that_dies_is_begun_again_and_then_said_to_have_died(store, training):
    training.may_end.set()
    training.wrong = [WorkerError("the process died")] * 4
    begin_better(store, "gate", "ann")
    with Improver(store, training):
        failed = until(store, "gate", "failed")

    assert len(training.tasks) == 3
    assert "it goes on where it was" in failed.words


def test_it_is_stopped_and_gone_on_with(store, training):
    with pytest.raises(SettingsError, match="not being improved"):
        stop_better(store, "gate", "ann")
    begin_better(store, "gate", "ann")
    with Improver(store, training):
        until(store, "gate", "training")
        stop_better(store, "gate", "ann")
        until(store, "gate", "stopped")
        begin_better(store, "gate", "ann")
        training.may_end.set()
        until(store, "gate", "made")


def test_what_the_sites_end_broke_off_goes_on_with_the_same_reviews(store, training, monkeypatch):
    begin_better(store, "gate", "ann")
    with Improver(store, training):
        until(store, "gate", "training")
    monkeypatch.setattr(improver, "gather", None)  # more was reviewed since
    training.may_end.set()
    with Improver(store, training):
        until(store, "gate", "made")

    assert training.tasks[0] == training.tasks[1]


def test_a_camera_that_is_removed_holds_nobody_up(store, training):
    begin_better(store, "gate", "ann")
    begin_better(store, "yard", "ann")
    with Improver(store, training):
        until(store, "gate", "training")
        store.cameras.remove("gate")
        until(store, "yard", "training")


def test_why_it_cannot_be_asked_for_is_said(store):
    store.cameras.put("barn", "1", "USB 1")

    assert better_standing(store, "barn").why_not.startswith("It has to learn first")
    assert better_standing(store, "gate").why_not.startswith("It takes 2 confirmed alarms")


def test_what_keeps_all_of_them_from_being_improved_is_told_until_it_is_over(store, training, monkeypatch):
    begin_better(store, "gate", "ada")
    broken = threading.Event()
    broken.set()

    def asked(*_: object) -> None:
        if broken.is_set():
            raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(improver, "better_asked_of", asked)
    with Improver(store, training) as improving:
        until = time.monotonic() + 60
        while not improving.problems():
            assert time.monotonic() < until
        assert "ZeroDivisionError: by nothing" in improving.problems()["improving"]
        broken.clear()
        while improving.problems():
            assert time.monotonic() < until
