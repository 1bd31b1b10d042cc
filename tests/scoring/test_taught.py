"""A fitting that is taught by reviews, and forgets them without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import numpy as np
import pytest

import oddframe as odd
from oddframe.errors import RunError
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.heldout import HeldOut, columns_of, rarities_of, sums_of
from oddframe.scoring.kept import FILE as MAPS
from oddframe.scoring.kept import Keeping, KeptMaps
from oddframe.scoring.lessons import Known, Lesson, Lessons, learn
from oddframe.scoring.lively import as_lively
from oddframe.scoring.scores import Raw
from oddframe.scoring.taught import Reviewed, Said
from oddframe.scoring.taught_file import FILE
from oddframe.scoring.teach import fitted_of, teach
from oddframe.settings_layers import load_settings

from ..conftest import _make_video
from .test_session import FPS, sway

pytestmark = pytest.mark.slow

SMALL = ("model.size=[48, 64]", "data.least_heldout=1", "data.heldout=0.5")


def lamp(index: int, rows: slice = slice(0, 10), begin: int = 60) -> np.ndarray:
    """What is normal, and a lamp that flickers for a while."""
    shown = sway(900 + index)
    if begin <= index < begin + 30:
        shown[rows, 10:30] = 255 if index % 2 else 0
    return shown


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("camera")
    _make_video(home / "normal.mkv", frames=200, fps=FPS, codec="ffv1", pictures=sway)
    _make_video(home / "calm.mkv", frames=500, fps=FPS, codec="ffv1", pictures=lambda at: sway(300 + at))
    _make_video(home / "lamp.mkv", frames=150, fps=FPS, codec="ffv1", pictures=lamp)
    _make_video(home / "again.mkv", frames=180, fps=FPS, codec="ffv1", pictures=lambda at: lamp(at, begin=100))
    _make_video(home / "below.mkv", frames=150, fps=FPS, codec="ffv1", pictures=lambda at: lamp(at, slice(36, 46)))
    return home


@pytest.fixture(scope="module")
def run(home: Path) -> odd.Run:
    chosen = load_settings("tiny", detector="framediff", overrides=SMALL)
    return odd.train(odd.open_videoset([home / "normal.mkv"]), out=home / "run", settings=chosen)


@pytest.fixture(scope="module")
def made(home: Path, run: odd.Run) -> odd.Fitting:
    return odd.calibrate(run, home / "calm.mkv", out=home / "fitting", false_alarms_per_day=3000)


@pytest.fixture
def fitting(made: odd.Fitting, run: odd.Run, tmp_path: Path) -> odd.Fitting:
    shutil.copytree(made.folder, tmp_path / "fitting")
    return odd.Fitting.open(tmp_path / "fitting", run)


def frames_of(run: odd.Run, fitting: odd.Fitting, video: Path) -> Iterator[Raw]:
    yield from odd.Scorer(run, fitting=fitting).evidence().raw(odd.open_video(video).frames())


def lesson_of(run: odd.Run, fitting: odd.Fitting, video: Path, number: int = 7, **how: object) -> Lesson:
    scores = odd.score(run, video, fitting=fitting)
    (event,) = scores.events
    frames = [raw for raw in frames_of(run, fitting, video) if event.start <= raw.frame < event.end]
    fitted = fitted_of(fitting)
    how = {"reach": "middle"} | how
    lesson = learn(number, frames, fitted.calibration.pooled, Known.of(fitted.judged, ""), **how)  # type: ignore[arg-type]
    assert lesson is not None
    return lesson


def all_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_lesson_silences_its_like_at_its_place_and_changes_no_other_frame(run, fitting, home):
    before = {name: odd.score(run, home / f"{name}.mkv", fitting=fitting) for name in ("again", "below", "calm")}
    assert before["again"].events
    assert before["below"].events

    lesson = lesson_of(run, fitting, home / "lamp.mkv")
    taught = teach(fitting.folder, run, lambda said: replace(said, lessons=said.lessons.with_one(lesson)))
    after = {name: odd.score(run, home / f"{name}.mkv", fitting=taught) for name in before}

    assert not after["again"].events
    assert len(after["below"].events) == len(before["below"].events) == 1
    for name in before:
        found = np.array([raw.untaught is not None for raw in frames_of(run, taught, home / f"{name}.mkv")])
        smoothed = np.convolve(found, [1, 1, 1])[: len(found)] > 0
        assert (after[name].online <= before[name].online).all()
        assert (after[name].online == before[name].online)[~smoothed].all()


def test_what_is_forgotten_leaves_no_trace_whatever_the_order(run, fitting, home):
    untaught = all_of(fitting.folder)
    first, second = lesson_of(run, fitting, home / "lamp.mkv"), lesson_of(run, fitting, home / "below.mkv", number=9)

    def and_(lesson):
        return lambda said: replace(said, lessons=said.lessons.with_one(lesson))

    teach(fitting.folder, run, and_(first))
    one = all_of(fitting.folder)
    teach(fitting.folder, run, and_(second))
    both = all_of(fitting.folder)
    teach(fitting.folder, run, lambda said: said.without(9))

    assert all_of(fitting.folder) == one != both
    teach(fitting.folder, run, lambda said: said.without(7))
    assert all_of(fitting.folder) == untaught
    teach(fitting.folder, run, and_(second))
    teach(fitting.folder, run, and_(first))
    assert all_of(fitting.folder) == both


def test_the_line_is_lower_where_a_lesson_silences_what_had_raised_it(run, home, tmp_path):
    fitting = odd.calibrate(
        run, [home / "calm.mkv", home / "lamp.mkv"], out=tmp_path / "fitting", false_alarms_per_day=3000
    )
    frames = list(frames_of(run, fitting, home / "lamp.mkv"))[55:95]
    fitted = fitted_of(fitting)
    lesson = learn(1, frames, fitted.calibration.pooled, Known.of(fitted.judged, ""), reach="middle")

    taught = teach(fitting.folder, run, lambda said: Said(said.lessons.with_one(lesson)))

    assert taught.line.on < fitting.line.on
    assert taught.promise.asked_per_day == pytest.approx(3000)
    assert taught.calibration().pooled.components.tails.keys() == fitting.calibration().pooled.components.tails.keys()


def test_held_out_video_scores_after_lessons_as_its_frames_do_one_by_one(run, home, tmp_path):
    fitting = odd.calibrate(run, [home / "calm.mkv", home / "lamp.mkv"], out=tmp_path / "fitting")
    fitted = fitted_of(fitting)
    frames = list(frames_of(run, fitting, home / "lamp.mkv"))[55:95]
    lesson = learn(1, frames, fitted.calibration.pooled, Known.of(fitted.judged, ""), reach="wide")
    assert lesson is not None
    lessons = Lessons((lesson,))
    normal, share = fitted.calibration.pooled, fitted.judged.local_share
    stretches = fitted.judged.of_kind("heldout")
    columns = [columns_of(one, normal) for one in stretches]
    before = [sums_of(rarities_of(one, normal), normal.fused.online, normal) for one in columns]
    changed = set()
    for number, row, maps in fitted.maps.frames():
        raw = Raw(row, None, {name: float(one[row]) for name, one in stretches[number].values.items()}, maps)
        if (taught := lessons.applied(raw, None, share)) is not raw:
            changed.add(number)
            for name, value in normal.components.measures(taught).items():
                columns[number][name] = columns[number][name].copy()
                columns[number][name][row] = min(columns[number][name][row], value)
    after = [sums_of(rarities_of(one, normal), normal.fused.online, normal) for one in columns]
    lively = as_lively(before, len(before))
    alone = [
        normal.fused.online.rarity(then - now + moved if number in changed else moved)
        for number, (now, then, moved) in enumerate(zip(before, after, lively, strict=True))
    ]

    found = HeldOut(fitted.calibration, fitted.judged, fitted.maps, fitted.regions).after(lessons)

    assert changed
    assert [one.scores.tolist() for one in found] == [one.tolist() for one in alone]


def test_a_lesson_that_finds_nothing_in_held_out_video_leaves_the_line_bit_for_bit(run, fitting, home):
    lesson = lesson_of(run, fitting, home / "lamp.mkv", hours=(time(20), time(6)))  # held-out video has no time of day

    taught = teach(fitting.folder, run, lambda said: Said(said.lessons.with_one(lesson)))

    assert taught.line == fitting.line
    assert taught.info.promise == taught.promise


def test_an_alarm_changes_the_weights_of_learned_and_nothing_of_online(run, fitting, home):
    pytest.importorskip("scipy")
    fitted = fitted_of(fitting)
    frames = list(frames_of(run, fitting, home / "below.mkv"))[60:90]
    normal = fitted.calibration.pooled.components
    values = {name: np.array([raw.values[name] for raw in frames], np.float32) for name in frames[0].values}
    placed = {name: np.array([normal.measures(raw)[name] for raw in frames], np.float32) for name in normal.places}
    before = odd.score(run, home / "below.mkv", fitting=fitting)

    taught = teach(fitting.folder, run, lambda said: said.with_alarm(Reviewed(3, "", values, placed)))
    after = odd.score(run, home / "below.mkv", fitting=taught)

    assert (after.online == before.online).all()
    assert taught.line == fitting.line
    weights = taught.calibration().pooled.fused.learned.weights
    assert weights != fitting.calibration().pooled.fused.learned.weights
    assert (after.learned != before.learned).any()
    assert after.learned[60:85].min() > np.delete(after.learned, range(55, 95)).max()
    teach(fitting.folder, run, lambda said: said.without(3))
    assert all_of(fitting.folder).keys() == all_of(home / "fitting").keys()


def test_another_line_and_new_recordings_keep_what_people_said(run, fitting, home):
    lesson = lesson_of(run, fitting, home / "lamp.mkv", hours=(time(20), time(6)))
    teach(fitting.folder, run, lambda said: Said(said.lessons.with_one(lesson)))

    again = odd.calibrate(run, out=fitting.folder, false_alarms_per_day=200)
    assert again.lessons.lessons[0].hours == (time(20), time(6))
    new = odd.calibrate(run, home / "normal.mkv", out=fitting.folder)

    assert new.taught is not None
    (kept,) = new.lessons.lessons
    assert (kept.looks == lesson.looks).all()
    assert (kept.places == lesson.places).all()


@pytest.mark.parametrize("which", [FILE, "taught-*.npz"])
def test_damage_is_told_and_never_taken_for_nothing_taught(run, fitting, home, which):
    lesson = lesson_of(run, fitting, home / "lamp.mkv")
    taught = teach(fitting.folder, run, lambda said: Said(said.lessons.with_one(lesson)))
    assert taught.lessons
    (path,) = fitting.folder.glob(which)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(RunError):
        odd.Scorer(run, fitting=fitting.folder)


def test_what_was_taught_to_another_calibration_is_refused(run, fitting, home):
    teach(fitting.folder, run, lambda said: Said(said.lessons.with_one(lesson_of(run, fitting, home / "lamp.mkv"))))
    words = fitting.folder / "calibration.json"
    words.write_text(words.read_text("utf-8") + "\n", "utf-8")

    with pytest.raises(RunError, match="when its calibration was another one"):
        odd.Fitting.open(fitting.folder, run)


def test_a_fitting_without_maps_keeps_its_line(run, fitting, home):
    lesson = lesson_of(run, fitting, home / "lamp.mkv", reach="wide")

    calibration, _ = replace(fitted_of(fitting), maps=KeptMaps()).after(Said(Said().lessons.with_one(lesson)))

    assert calibration.line == fitting.line


def test_the_oddest_frames_are_kept_whatever_their_number(monkeypatch, tmp_path):
    monkeypatch.setattr("oddframe.scoring.kept.MOST_FRAMES", 5)
    keeping = Keeping()
    rng = np.random.default_rng(0)
    odd_ones = rng.permutation(50).astype(float)
    for row, one in enumerate(odd_ones):
        keeping.take(row // 10, row % 10, one, Raw(row, None, {}, {"motion": np.full((2, 3), one, np.float32)}))

    kept = keeping.kept()
    again = KeptMaps.load(tmp_path, kept.save(tmp_path))

    assert (tmp_path / MAPS).is_file()
    rows = (10 * again.stretch + again.row).tolist()
    assert rows == sorted(np.argsort(odd_ones)[-5:].tolist())
    for row, (_, _, maps) in zip(rows, again.frames(), strict=True):
        assert maps["motion"] == pytest.approx(odd_ones[row], rel=0.08)


def test_a_fitting_has_its_own_calibration_beside_what_it_was_taught(run, fitting, home):
    before = load_calibration(fitting.folder).line
    teach(fitting.folder, run, lambda said: Said(said.lessons.with_one(lesson_of(run, fitting, home / "lamp.mkv"))))

    assert load_calibration(fitting.folder).line == before
