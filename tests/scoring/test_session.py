"""A stream of frames: at any rate, with gaps, for ever; and the same scores as of the file."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import draws

import oddframe as odd
from oddframe.errors import DataError
from oddframe.origin import RunInfo
from oddframe.scoring.scorer import Scorer
from oddframe.settings_layers import load_settings
from oddframe.video.open import open_video
from oddframe.video.source import Video

from ..conftest import _make_video, moving_square

FPS = 12.5
STILL = "score.online=[local_error]"
"""Frame differences alone take no time; optical flow does."""

DRAWS = settings(max_examples=draws(25))


def sway(index: float) -> np.ndarray:
    """A square that runs to and fro, 25 pixels a second, now and then faster."""
    return moving_square(int(30 + 12 * np.sin(index / 9) + 4 * np.sin(index / 2)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> odd.Run:
    """Frame differences, which take no time, of a video of 12.5 frames a second."""
    home = tmp_path_factory.mktemp("streamed")
    video = _make_video(home / "normal.mp4", frames=200, fps=FPS, pictures=sway)
    small = ("model.size=[48, 64]", "data.least_heldout=1", "score.smoothing=3", "data.heldout=0.5", STILL)
    chosen = load_settings("tiny", detector="framediff", overrides=small)
    return odd.train(odd.open_videoset([video]), out=home / "run", settings=chosen)


@pytest.fixture(scope="module")
def scorer(run: odd.Run) -> Scorer:
    return Scorer(run, device="cpu")


def pushed(scorer: Scorer, times: Iterable[float], pictures: Iterable[np.ndarray] | None = None) -> list:
    """What comes of every frame; without pictures, frames show the square where it is at their times."""
    session = scorer.session()
    shown = (sway(time_s * FPS) for time_s in times) if pictures is None else pictures
    return [session.push(picture, time_s) for picture, time_s in zip(shown, times, strict=True)]


def test_a_run_keeps_the_rate_that_it_was_trained_at(run: odd.Run):
    assert run.info.rates == {"": pytest.approx(FPS)}
    assert RunInfo(**dict(odd.Run.open(run.folder).info)).rates == run.info.rates


def test_a_faster_camera_is_judged_at_the_rate_of_the_training(scorer: Scorer):
    slow = [number / FPS for number in range(40)]
    fast = [number / (4 * FPS) for number in range(160)]

    wanted, found = pushed(scorer, slow), pushed(scorer, fast)

    judged = [one for one in found if one is not None]
    assert [one.frame for one in judged] == [4 * number for number in range(1, 40)]
    assert [one.online for one in judged] == [one.online for one in wanted if one is not None]


def test_a_file_of_another_rate_is_judged_as_its_stream_and_says_so(scorer: Scorer, tmp_path: Path):
    video = open_video(
        _make_video(tmp_path / "fast.mkv", frames=90, fps=30, codec="ffv1", pictures=lambda at: sway(at * FPS / 30))
    )

    scores, streamed = scorer.score(video), list(scorer.stream(video.frames()))

    assert 34 <= len(scores) <= 38
    assert scores.frame.tolist() == [one.frame for one in streamed]
    np.testing.assert_allclose(scores.online, [one.online for one in streamed], atol=1e-5)
    assert scores.begins().tolist() == [True] + [False] * (len(scores) - 1)
    assert any("resampled to the 12.5 frames a second" in note for note in scores.notes)


def test_events_of_a_resampled_file_go_on_between_judged_frames_and_are_drawn_on_all(scorer: Scorer, tmp_path: Path):
    def flashing(at: int) -> np.ndarray:
        shown = sway(at * FPS / 25)
        return 255 - shown if 40 <= at < 70 and at % 4 < 2 else shown

    video = open_video(_make_video(tmp_path / "flashing.mkv", frames=120, fps=25, codec="ffv1", pictures=flashing))

    (event,) = scorer.score(video).events

    assert 38 <= event.start <= 44
    assert 66 <= event.end <= 80
    heat = {frame.index: values is not None for frame, values, _ in scorer.heat_frames(video)}
    assert all(heat[frame] for frame in range(2, 119))


def test_a_run_that_does_not_say_its_rate_judges_every_frame_and_says_so(run: odd.Run):
    old = Scorer(odd.Run(run.folder, run.info.changed(rates=None)), device="cpu")
    session = old.session()

    found = [session.push(sway(number / 4), number / 50) for number in range(20)]

    assert [one is None for one in found] == [True] + [False] * 19
    assert any("older version" in note for note in session.notes)
    assert not any("older version" in note for note in Scorer(run).session().notes)


def test_frames_without_times_are_all_judged(scorer: Scorer):
    session = scorer.session()
    found = [session.push(sway(number)) for number in range(8)]

    assert sum(one is not None for one in found) == 7
    assert any("no times" in note for note in session.notes)


@pytest.mark.parametrize(
    ("name", "times", "judged"),
    [
        ("a gap", [0, 0.08, 0.16, 9.0, 9.08, 9.16], [1, 2, 4, 5]),
        ("backwards", [5, 5.08, 5.16, 1.0, 1.08, 1.16], [1, 2, 4, 5]),
        ("standing still", [0, 0.08, 0.08, 0.08, 0.16, 0.24], [1, 4, 5]),
    ],
)
def test_a_clock_that_jumps_or_stands_still_has_a_clear_outcome(scorer: Scorer, name: str, times, judged):
    found = pushed(scorer, times, [sway(number) for number in range(len(times))])

    assert [number for number, one in enumerate(found) if one is not None] == judged


def test_a_gap_is_no_anomaly(scorer: Scorer):
    """However much has changed in the meantime."""
    times = [number / FPS for number in range(20)] + [60 + number / FPS for number in range(20)]
    shown = [sway(number) for number in range(20)] + [255 - sway(number) for number in range(20)]

    found = [one for one in pushed(scorer, times, shown) if one is not None]

    assert not any(one.alarm for one in found)
    assert len(found) == 38


@pytest.mark.parametrize("time_s", [float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(scorer: Scorer, time_s: float):
    with pytest.raises(DataError, match="time"):
        scorer.session().push(sway(0), time_s)


def test_heat_and_a_box_are_made_when_they_are_asked_for(scorer: Scorer):
    session = scorer.session(fps=FPS)
    for number in range(10):
        session.push(sway(number))

    score = session.push(255 - moving_square(0, (96, 128)))

    assert score.heat.ndim == 2
    assert score.heat.max() > 0
    assert 0 <= score.box.x < score.box.x + score.box.width <= 128


GAPS = st.lists(st.sampled_from([0.02, 0.04, 0.08, 0.09, 0.5, 30.0, 0.0, -3.0]), min_size=2, max_size=40)


@DRAWS
@given(steps=GAPS, cut=st.integers(0, 40))
def test_later_frames_change_nothing_earlier(scorer: Scorer, steps: list[float], cut: int):
    times = np.cumsum(steps).tolist()
    pictures = [sway(number) for number in range(len(times))]

    whole, first = pushed(scorer, times, pictures), pushed(scorer, times[:cut], pictures[:cut])

    assert [one and (one.frame, one.online, one.alarm) for one in whole[:cut]] == [
        one and (one.frame, one.online, one.alarm) for one in first
    ]


class Filmed(Video):
    """Frames as a file of them would give them."""

    path, name, size, channels, own_clock = Path("filmed"), "filmed", (48, 64), 3, True
    start = end = fps = None
    source_frame_count = 0

    def __init__(self, filmed: list[odd.Frame]) -> None:
        self._filmed = filmed
        self.source_frame_count = len(filmed)

    def frames(self):
        yield from self._filmed

    def parts(self):
        return ()

    def times_s(self):
        return np.array([frame.time_s for frame in self._filmed])


@DRAWS
@given(steps=GAPS)
def test_stream_push_form_and_file_agree(scorer: Scorer, steps: list[float]):
    frames = [odd.Frame(number, float(at), sway(number)) for number, at in enumerate(np.cumsum(steps))]

    streamed = list(scorer.stream(frames))
    by_push = [one for one in pushed(scorer, [one.time_s for one in frames], [one.pixels for one in frames]) if one]

    assert [(one.frame, one.online, one.alarm) for one in by_push] == [
        (one.frame, one.online, one.alarm) for one in streamed
    ]
    if streamed:  # else the file is too short, which is an error
        scores = scorer.score(Filmed(frames))
        assert scores.frame.tolist() == [one.frame for one in streamed]
        np.testing.assert_allclose([one.online for one in streamed], scores.online, atol=1e-5)


@pytest.mark.slow
def test_a_session_takes_as_much_memory_after_a_thousand_frames_as_after_some(scorer: Scorer):
    session, pictures = scorer.session(fps=4 * FPS), [sway(number) for number in range(40)]

    def held(frames: int) -> float:
        for number in range(frames):
            session.push(pictures[number % 40])
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held(300)
        after = held(1000)
    finally:
        tracemalloc.stop()
    assert after - before < 50_000
