"""Frames of several cameras become scores and events: the same as of each alone, whatever the others do."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np
import pytest

from oddframe.cameras.ring import Shot
from oddframe.cameras.state import Counts, Health, HealthState
from oddframe.instant import MODEL
from oddframe.scoring.runtimes.runtime import Judged, Runtime
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine
from oddframe.site.engine import Engine
from oddframe.site.events import Change
from oddframe.site.profiles import Profile
from oddframe.site.watch import Watch

from .conftest import NOON

FPS = 12.5
LOW = AlarmLine(0.01, 0.008, None, 1.0)
"""A line that whatever moves is above."""


class DrawnCamera:
    """A camera that gives what a test has drawn, one picture a call."""

    stream = None

    def __init__(self, shots: Sequence[Shot] = ()) -> None:
        self.shots, self.state, self.running = deque(shots), HealthState.ONLINE, False
        self.counts = Counts()

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def pictures(self) -> list[Shot]:
        return [self.shots.popleft()] if self.shots else []

    @property
    def health(self) -> Health:
        return Health(state=self.state, since=NOON)


class Kept:
    """Keeps what happened."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.health: list[tuple[str, HealthState]] = []

    def happened(self, watch: Watch, changes: Sequence[Change]) -> None:
        self.changes += changes

    def ending(self) -> None:
        self.ended_first = [one.event.ended_by for one in self.changes]

    def health_changed(self, watch: Watch, health: Health) -> None:
        self.health.append((watch.name, health.state))

    def of(self, name: str) -> list[tuple[str, str | None]]:
        return [(one.kind, one.event.ended_by) for one in self.changes if one.event.camera == name]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    pytest.importorskip("onnxruntime")
    return Scorer(MODEL, backend="onnxruntime")


def drawn(number: int, kind: int = 0) -> np.ndarray:
    """(96, 144, 1): a square that jumps about on a ramp; each kind in its own way."""
    picture = np.tile(np.linspace(40, 160, 144).astype(np.uint8), (96, 1))
    left, top = (7 * (kind + 1) * number) % 120, (5 + 11 * kind + 3 * number) % 70
    picture[top : top + 20, left : left + 20] = 230
    return picture[:, :, None]


def shots(
    count: int, kind: int = 0, gaps: Sequence[int] = (0,), infrared: range = range(0), first: int = 0
) -> Iterator[Shot]:
    for number in range(first, first + count):
        time_s = number / FPS
        yield Shot(
            drawn(number, kind),
            time_s,
            NOON + timedelta(seconds=time_s),
            number,
            number in gaps,
            number in infrared,
        )


def followed(engine: Engine, watch: Watch) -> list[float]:
    """The score of every frame of a camera that is judged until none of its pictures are left."""
    scores: list[float] = []
    while not watch.camera.running or watch.camera.shots:
        before = watch.judged
        engine.step()
        if watch.judged > before:
            scores.append(watch.latest.score)
    return scores


def test_cameras_that_are_judged_together_score_as_each_alone(scorer):
    engine = Engine(Kept())
    watches = [Watch(f"c{kind}", DrawnCamera(list(shots(14, kind))), scorer) for kind in range(3)]
    for watch in watches:
        engine.add(watch)
    scores: dict[str, list[float]] = {watch.name: [] for watch in watches}
    for _ in range(14):
        engine.step()
        for watch in watches:
            if watch.judged > len(scores[watch.name]):
                scores[watch.name].append(watch.latest.score)

    for kind in range(3):
        session = scorer.session()
        pushed = [session.push(shot.pixels, shot.time_s) for shot in shots(14, kind)]
        alone = [one.online for one in pushed if one is not None]
        assert scores[f"c{kind}"] == pytest.approx(alone, abs=1e-5)
    assert engine.counts.judged == 30


def test_a_batch_holds_windows_of_several_cameras(scorer, monkeypatch):
    sizes = []
    judge = scorer.runtime.judge

    def counting(clips: np.ndarray) -> Judged:
        sizes.append(len(clips))
        return judge(clips)

    monkeypatch.setattr(scorer.runtime, "judge", counting)
    engine = Engine(Kept())
    for kind in range(3):
        engine.add(Watch(f"c{kind}", DrawnCamera(list(shots(6, kind))), scorer))
    for _ in range(6):
        engine.step()

    assert sizes == [3, 3]


def test_nothing_goes_on_across_a_gap(scorer):
    kept = Kept()
    engine = Engine(kept)
    watch = Watch("gate", DrawnCamera(list(shots(30, gaps=(0, 20)))), scorer, lines={"": LOW})
    engine.add(watch)
    scores = followed(engine, watch)

    session = scorer.session()
    second = [session.push(shot.pixels, shot.time_s) for shot in shots(10, first=20)]
    assert len(scores) == 16 + 6
    assert scores[16:] == pytest.approx([one.online for one in second if one is not None], abs=1e-5)
    assert kept.of("gate")[:2] == [("new", None), ("end", "gap")]


class Carrying:
    """A runtime that carries something over a video. `videos` counts the windows of each, of all cameras."""

    def __init__(self, runtime: Runtime, videos: list[list[int]]) -> None:
        self._runtime, self._videos, self._mine = runtime, videos, []

    def __getattr__(self, name: str) -> object:
        return getattr(self._runtime, name)

    def for_video(self) -> Carrying:
        other = Carrying(self._runtime, self._videos)
        self._videos.append(other._mine)
        return other

    def judge(self, clips: np.ndarray) -> Judged:
        self._mine.append(len(clips))
        return self._runtime.judge(clips)


def test_what_a_detector_carries_is_each_cameras_own_and_begins_anew_after_a_gap(scorer):
    videos: list[list[int]] = []
    carrying = copy.copy(scorer)
    carrying._runtime = Carrying(scorer.runtime, videos)
    engine = Engine(Kept())
    engine.add(Watch("whole", DrawnCamera(list(shots(14))), carrying))
    engine.add(Watch("broken", DrawnCamera(list(shots(14, gaps=(0, 8)))), carrying))
    for _ in range(14):
        engine.step()

    assert [sum(windows) for windows in videos if windows] == [10, 4, 2]


def test_pictures_that_cannot_be_judged_harm_no_other_camera(scorer):
    garbage = [Shot(np.zeros((3, 3, 2), np.float64), 0.0, NOON, 1, True, False)] * 12
    kept = Kept()
    engine = Engine(kept)
    bad = Watch("bad", DrawnCamera(garbage), scorer, clock=lambda: 0.0)  # however long the others take
    good = Watch("good", DrawnCamera(list(shots(12))), scorer)
    engine.add(bad)
    engine.add(good)
    scores = followed(engine, good)

    session = scorer.session()
    alone = [session.push(shot.pixels, shot.time_s) for shot in shots(12)]
    assert scores == pytest.approx([one.online for one in alone if one is not None], abs=1e-5)
    assert ("bad", HealthState.OFFLINE) in kept.health
    assert bad.health.reason.startswith("its pictures cannot be judged")
    assert bad.dropped["failed"] == 1  # and then it is let alone for a while


def test_a_window_that_the_runtime_refuses_harms_no_other_of_its_batch(scorer, monkeypatch):
    judge = scorer.runtime.judge

    def refusing(clips: np.ndarray) -> Judged:
        if (clips == 77).all(axis=(1, 2, 3, 4)).any():
            raise RuntimeError("no such picture")
        return judge(clips)

    monkeypatch.setattr(scorer.runtime, "judge", refusing)
    flat = [Shot(np.full((96, 144, 1), 77, np.uint8), one.time_s, one.taken_at, one.number, one.gap, False) for one in shots(8)]  # fmt: skip  # noqa: E501
    engine = Engine(Kept())
    bad, good = Watch("bad", DrawnCamera(flat), scorer), Watch("good", DrawnCamera(list(shots(8))), scorer)
    engine.add(bad)
    engine.add(good)

    assert len(followed(engine, good)) == 4
    assert bad.judged == 0


@pytest.mark.parametrize("state", [HealthState.FROZEN, HealthState.MOVED, HealthState.OFFLINE])
def test_a_camera_that_is_not_well_raises_no_alarm_and_its_event_ends(scorer, state):
    kept = Kept()
    engine = Engine(kept)
    camera = DrawnCamera(list(shots(60)))
    watch = Watch("gate", camera, scorer, lines={"": LOW})
    engine.add(watch)
    for _ in range(20):
        engine.step()
    camera.state = state
    for _ in range(20):
        engine.step()
    judged = watch.judged

    assert kept.of("gate") == [("new", None), ("end", "gap")]
    assert kept.health == [("gate", HealthState.ONLINE), ("gate", state)]
    assert watch.dropped == {"not online": 20}
    camera.state = HealthState.ONLINE
    followed(engine, watch)
    assert watch.judged - judged == 20 - 1 - 4  # its window begins anew


def test_a_line_is_changed_while_it_runs(scorer):
    kept = Kept()
    engine = Engine(kept)
    engine.add(Watch("gate", DrawnCamera(list(shots(40))), scorer, lines={"": LOW}))
    for _ in range(20):
        engine.step()
    engine.set_line("gate", "", AlarmLine(50.0, 40.0, None, 1.0))
    for _ in range(20):
        engine.step()

    assert kept.of("gate") == [("new", None), ("end", "line")]


@pytest.mark.slow
def test_the_oddest_frame_of_every_ten_seconds_is_kept_with_its_line_until_it_is_taken(scorer):
    watch = Watch("gate", DrawnCamera(list(shots(300))), scorer, lines={"": LOW})
    engine = Engine(Kept())
    engine.add(watch)
    scores = followed(engine, watch)

    peaks = watch.tally.take_peaks()

    assert [peak.at.second // 10 for peak in peaks] == [0, 1, 2]
    assert max(peak.score for peak in peaks) == max(scores)
    assert {peak.line for peak in peaks} == {LOW.on}
    assert watch.tally.take_peaks() == []


def test_infrared_is_another_profile_with_a_scene_and_a_line_of_its_own(scorer):
    kept = Kept()
    engine = Engine(kept)
    profiles = (Profile(name="night", scene="square", infrared=True), Profile(name="day", scene="street"))
    camera = DrawnCamera(list(shots(40, gaps=(0, 20), infrared=range(20, 40))))
    watch = Watch("gate", camera, scorer, profiles=profiles, lines={"night": LOW})
    engine.add(watch)
    followed(engine, watch)

    session = scorer.session("square")
    alone = [session.push(shot.pixels, shot.time_s) for shot in shots(20, first=20)]
    assert watch.profile == "night"
    assert watch.latest.score == pytest.approx(alone[-1].online, abs=1e-5)
    assert {one.event.profile for one in kept.changes if one.event.line == LOW.on} == {"night"}


def test_what_lasts_is_ended_first_when_it_stops_and_then_the_cameras(scorer):
    kept = Kept()
    engine = Engine(kept)
    camera = DrawnCamera(list(shots(20)))
    engine.add(Watch("gate", camera, scorer, lines={"": LOW}))
    for _ in range(20):
        engine.step()
    assert camera.running
    engine.end()

    assert kept.of("gate") == [("new", None), ("end", "stop")]
    assert kept.ended_first == [None, "stop"]
    assert not camera.running
