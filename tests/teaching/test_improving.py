"""A detector becomes better by reviews: what is trained on, what is compared on, what is offered, swapped and back."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from oddframe.errors import ConflictError, SettingsError
from oddframe.instant import MODEL
from oddframe.records import write_record
from oddframe.runs import Run
from oddframe.site.events import CameraEvent, Change, event_id
from oddframe.site.evidence import CLIP, place_of_evidence
from oddframe.site.learning import LearnSettings, ask
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.footage import divide, laid_out
from oddframe.teaching.improving import (
    FILE,
    Counted,
    Improvement,
    back,
    gather,
    place_in_clip,
    reviewed_clips,
    sides,
    take,
)
from oddframe.teaching.record import FILE as LEARNING
from oddframe.teaching.record import Learning, State, learning_folder
from oddframe.teaching.teacher import improved
from oddframe.teaching.working.improve import drawn, improve
from oddframe.teaching.working.recordings import take_recordings
from oddframe.teaching.working.task import Task
from oddframe.teaching.working.train import calibrate, export, train

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def quiet(_: object) -> None:
    pass


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "site") as opened:
        opened.cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/live")
        yield opened


def event_of(store: Store, number: int, verdict: str | None, clip: Path | None, *, lasts_s: float = 2.0) -> CameraEvent:
    """An event whose clip begins ten seconds before it, and what somebody said of it."""
    begin = NOON + timedelta(minutes=number)
    end = begin + timedelta(seconds=lasts_s)
    event = CameraEvent(
        id=event_id(begin), camera="gate", profile="", started_at=begin, peak_at=begin, ended_at=end, start_s=100.0,
        peak_s=100.0, end_s=100.0 + lasts_s, start_frame=0, peak_frame=0, end_frame=9, score=4.0, line=3.0,
        ended_by="calm",
    )  # fmt: skip
    store.events.write([Change(kind="new", number=0, at=begin, event=event)])
    if clip is not None:
        path = place_of_evidence(store.folder / "evidence", event, CLIP)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip, path)
        store.evidence.add(event.id, CLIP, str(path.relative_to(store.folder)), path.stat().st_size)
    if verdict is not None:
        store.reviews.add(event.id, "ann", verdict)
    return event


def test_where_an_event_is_in_its_clip_is_found_from_its_end():
    event = CameraEvent.model_construct(start_s=100.0, end_s=102.0)
    long = CameraEvent.model_construct(start_s=100.0, end_s=400.0)

    assert place_in_clip(event, 12.0) == (5.0, 7.0)  # five before, two of it, five after
    assert place_in_clip(event, 14.5) == (7.5, 9.5)  # it began at the key frame before
    assert place_in_clip(long, 25.0) == (5.0, 25.0)
    assert place_in_clip(event, 3.0) == (0.0, 2.0)


def test_events_on_which_people_agree_and_that_have_a_clip_are_taken(store, street):
    clip = street(120)
    event_of(store, 1, "alarm", clip)
    event_of(store, 2, "normal", clip)
    event_of(store, 3, "unsure", clip)
    event_of(store, 4, "alarm", None)
    event_of(store, 5, None, clip)
    disputed = event_of(store, 6, "alarm", clip)
    store.reviews.add(disputed.id, "bob", "normal")

    found = reviewed_clips(store, "gate")

    assert [(one.verdict, one.begin_s, one.end_s) for one in found] == [("alarm", 5.0, 7.0), ("normal", 5.0, 7.0)]


@pytest.mark.slow
def test_nothing_is_trained_on_and_compared_on(store, street):
    for number in range(7):
        event_of(store, number, "alarm" if number % 3 else "normal", street(120))

    clips = reviewed_clips(store, "gate")
    trained, compared = sides(clips)

    assert sorted(one.event for one in (*trained, *compared)) == [one.event for one in clips]
    assert not {one.event for one in trained} & {one.event for one in compared}
    assert {one.verdict for one in trained} == {one.verdict for one in compared} == {"alarm", "normal"}


def learned(store: Store, folder: Path) -> None:
    """As if the camera had learned there."""
    about = {"learning": 1, "attempt": 1, "private": []}
    detector = folder / "attempt-1" / "detector"
    detector = detector if detector.is_dir() else MODEL
    fitting = folder / "attempt-1" / "fitting"
    store.cameras.put_detector("learned", str(detector))
    store.cameras.fit("gate", "learned", str(fitting) if fitting.is_dir() else None, about)
    write_record(
        folder / LEARNING,
        Learning(number=1, camera="gate", state=State.LIVE, since=utc_now(), began_at=utc_now()),
    )


def test_what_is_lacking_is_told(store, street):
    with pytest.raises(SettingsError, match="was not learned by this site"):
        gather(store, "gate")
    ask(store, "gate", LearnSettings(preset="tiny"), "ann")
    folder = learning_folder(store.folder, 1, 1)
    (folder / "attempt-1" / "run").mkdir(parents=True)
    learned(store, folder)
    event_of(store, 1, "alarm", street(120))

    with pytest.raises(SettingsError, match="too few alarms are confirmed"):
        gather(store, "gate")


@pytest.mark.slow
def test_only_what_is_better_is_swapped_and_goes_back(store, street, tmp_path):
    from oddframe.scoring.fit import calibrate as fit

    ask(store, "gate", LearnSettings(preset="tiny"), "ann")
    folder = learning_folder(store.folder, 1, 1)
    (folder / "attempt-1" / "run").mkdir(parents=True)
    fitting = fit(MODEL, [street(150)], out=folder / "attempt-1" / "fitting", backend="onnxruntime").folder
    learned(store, folder)
    for number in (1, 2):
        event_of(store, number, "alarm", street(120))
    home = gather(store, "gate").home
    better = tmp_path / "better"
    shutil.copytree(fitting, better)
    made = Improvement(
        made_at=utc_now(), trained_alarms=1, trained_normal=0, alarms=1, normal=0, hours=1.0,
        before=Counted(found=0, false_alarms=2), after=Counted(found=0, false_alarms=2), found_difference=None,
        false_difference=(-1.0, 0.5), better=False, detector=str(MODEL), fitting=str(better),
        instead_of=str(MODEL),
    )  # fmt: skip
    home.mkdir(parents=True)

    with pytest.raises(SettingsError, match="no better detector was made"):
        take(store, "gate", "ann")
    write_record(home / FILE, made)
    with pytest.raises(ConflictError, match="not better"):
        take(store, "gate", "ann")
    with pytest.raises(SettingsError, match="no other detector"):
        back(store, "gate", "ann")
    write_record(home / FILE, made.changed(after=Counted(found=1, false_alarms=2), better=True))
    event_of(store, 3, "alarm", street(120))  # what people say meanwhile takes no offer away
    taken = take(store, "gate", "ann").folder
    gone_back = back(store, "gate", "ann").folder

    assert taken == str(better)
    assert gone_back == str(fitting)
    assert [entry.author for entry in store.journal.entries()[:2]] == ["ann", "ann"]


def test_what_came_of_it_is_told_in_words():
    made = Improvement(
        made_at=utc_now(), trained_alarms=4, trained_normal=2, alarms=5, normal=3, hours=1.5,
        before=Counted(found=2, false_alarms=3), after=Counted(found=4, false_alarms=3), found_difference=(0.0, 0.8),
        false_difference=None, better=True, detector="a", fitting="b",
        instead_of="c",
    )  # fmt: skip

    assert made.in_words() == (
        "On 5 confirmed alarms that neither was trained on, the detector that watches finds 2, the new one 4. "
        "On 90 min of normal video, and 3 events that were called normal, they raise 3 and 3 false alarms. "
        "Of other alarms it may find +0 to +80 % more. It is better."
    )


def test_draws_of_pairs_tell_how_sure_a_difference_is():
    gained = np.array([1.0, 0, 1, 0, 1, 1, 0, 1])
    low, high = drawn(lambda draw: gained[draw].mean(), len(gained))

    assert 0.2 <= low < gained.mean() < high <= 1.0
    assert drawn(lambda draw: 0.0, 4) is None


@pytest.mark.long
@pytest.mark.slow
def test_a_detector_is_trained_on_with_reviews_from_its_own_weights(store, street, monkeypatch):
    for extra in ("torch", "onnxscript", "onnxruntime"):
        pytest.importorskip(extra)
    # less video than is wanted: the flow in each frame takes its time
    monkeypatch.setattr("oddframe.teaching.working.check.LEAST_FRAMES", 20)
    how = LearnSettings(preset="tiny", segment=2, time_budget=1)
    ask(store, "gate", how, "ann")
    folder = learning_folder(store.folder, 1, 1)
    task = Task(folder=str(folder), settings=how.kept(), attempt=1, videos=(str(street(160)),))
    take_recordings(task, quiet)
    training, apart = divide(task.pieces())
    laid_out(apart, task.here / "apart")
    laid_out(training, task.here / "normal")
    for step in (train, export, calibrate):
        step(task, quiet)
    learned(store, folder)
    for number in range(4):
        event_of(store, number, "alarm", street(120, range(50, 70)))
    event_of(store, 5, "normal", street(120))
    asked = gather(store, "gate")

    made = improved(asked, quiet)
    again = improve(asked, quiet)  # as its process does

    run = Run.open(asked.home / "run")
    assert run.info.started_from == Run.open(task.here / "run").info.weights
    assert run.info.clips is not None
    assert run.info.clips.abnormal > 0
    assert (made.trained_alarms, made.alarms, made.normal) == (2, 2, 1)
    assert made == again
    labels = (asked.home / "data" / "labels.csv").read_text("utf-8").splitlines()
    assert [line.split(",")[1:3] for line in labels[1:]] == [["50", "70"]] * 2
