"""Video in, scores out: the one path that judging, scoring and live cameras share."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import oddframe as odd
from oddframe.errors import DataError, RunError, TooShortError
from oddframe.scoring.calibration import SceneNormal
from oddframe.scoring.calibration_file import load_calibration, save_calibration
from oddframe.scoring.components import log_scale
from oddframe.scoring.fusion import Fusion
from oddframe.scoring.heat import box_of, heat_of
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.tail import Tail
from oddframe.settings_layers import load_settings
from oddframe.video.open import open_video

from ..conftest import _make_video, moving_square

SMALL = (
    "model.size=[48, 64]",
    "data.least_heldout=1",
    "model.width=4",
    "train.epochs=1",
    "train.batch=8",
    "train.abnormal_batch=4",
    "score.online=[distance, local_distance, motion, direction]",
)
ODD = range(20, 30)
"""Frames of the scored video that are odd whatever the network has learned: the picture turns into its negative and
back, which is more motion than any normal frame has."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> odd.Run:
    """A detector that has seen a square cross the picture."""
    home = tmp_path_factory.mktemp("scored")
    files = [_make_video(home / f"{name}.mp4", frames=40) for name in "ab"]
    videos = odd.open_videoset(files)
    return odd.train(videos, out=home / "run", settings=load_settings("tiny", overrides=SMALL))


@pytest.fixture
def scorer(run: odd.Run) -> Scorer:
    return Scorer(run, device="cpu")


@pytest.fixture
def video(tmp_path: Path, make_video: Callable[..., Path]) -> odd.Scores:
    """Dimmer than what the detector has seen: a frame that it knows ties with a held-out one, and rounding decides.
    Thirty frames, of which the last ten flash."""

    def dimmer(index: int) -> np.ndarray:
        shown = (0.9 * moving_square(index)).astype(np.uint8)
        return 255 - shown if index in ODD and index % 2 == 0 else shown

    return open_video(make_video(tmp_path / "gate.mp4", frames=30, pictures=dimmer))


def test_every_frame_but_the_first_four_has_a_score(scorer: Scorer, video):
    scores = scorer.score(video)

    assert scores.frame.tolist() == list(range(4, 30))
    assert set(scores.raw) == {"psnr", "distance", "local_error", "local_distance", "motion", "direction"}
    assert all(np.isfinite(values).all() for values in scores.columns().values())


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.slow
def test_scores_do_not_depend_on_how_many_frames_are_judged_at_once(run: odd.Run, scorer: Scorer, video, batch: int):
    settings = run.settings
    other = run.with_settings(settings.model_copy(update={"score": settings.score.model_copy(update={"batch": batch})}))

    one, several = Scorer(other, device="cpu").score(video), scorer.score(video)

    for name, values in several.columns().items():
        near = 1e-6 if name in several.raw else 1e-2  # rarities enlarge what rounding does to the components
        np.testing.assert_allclose(one.columns()[name], values, rtol=1e-3, atol=near, err_msg=name)


@pytest.mark.slow
def test_half_the_precision_gives_nearly_the_same_distances(run: odd.Run, scorer: Scorer, video):
    rounded, exact = Scorer(run, device="cpu", backend="torch-bf16").score(video).distance, scorer.score(video).distance

    assert (rounded != exact).any()
    np.testing.assert_allclose(rounded, exact, rtol=0.1, atol=0.02)


@pytest.mark.slow
def test_a_stream_gives_the_scores_of_the_file(scorer: Scorer, video):
    streamed = list(scorer.stream(video.frames()))

    assert [one.frame for one in streamed] == list(range(4, 30))
    np.testing.assert_allclose([one.online for one in streamed], scorer.score(video).online, rtol=1e-3, atol=1e-2)


@pytest.mark.slow
def test_online_never_looks_ahead(scorer: Scorer, video):
    whole = scorer.score(video).online
    first = [one.online for one in scorer.stream(frame for frame in video.frames() if frame.index < 15)]

    np.testing.assert_allclose(first, whole[:11], rtol=1e-3, atol=1e-2)


def test_a_video_whose_frames_are_all_the_same_has_scores_and_no_paper_score(scorer: Scorer, tmp_path, make_video):
    still = make_video(tmp_path / "still.mkv", codec="ffv1", frames=12, pictures=lambda _: moving_square(0))

    scores = scorer.score(open_video(still))

    assert scores.paper is None
    assert all(np.isfinite(values).all() for values in scores.columns().values())


def test_a_video_shorter_than_the_window_is_refused_by_name(scorer: Scorer, tmp_path, make_video):
    with pytest.raises(TooShortError, match=r"short[\s\S]*4 readable frames[\s\S]*at least 5"):
        scorer.score(open_video(make_video(tmp_path / "short.mp4", frames=4)))


def test_a_video_cut_off_in_the_middle_is_scored_as_far_as_it_goes(scorer: Scorer, tmp_path, make_video):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)  # so that all frames weigh the same
    whole = make_video(tmp_path / "whole.avi", frames=60, pictures=lambda index: noise[index])
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])

    scores = scorer.score(open_video(cut))

    assert 10 < len(scores) < 56
    assert any("cut off" in note and "were readable" in note for note in scores.notes)


def test_colour_and_grey_and_other_sizes_can_be_scored(scorer: Scorer, tmp_path, make_video):
    for name, options in {"grey": {"grey": True, "codec": "ffv1"}, "large": {"size": (98, 130)}}.items():
        scores = scorer.score(open_video(make_video(tmp_path / f"{name}.mkv", frames=10, **options)))
        assert np.isfinite(scores.online).all()


def test_an_explanation_shows_the_frame_and_a_box_inside_it(scorer: Scorer, video):
    (shown,) = scorer.explain(video, [2, ODD[5]])  # frame 2 has no score

    assert shown.frame == ODD[5]
    box = shown.box
    assert 0 <= box.x < box.x + box.width <= 64
    assert 0 <= box.y < box.y + box.height <= 48
    assert shown.picture.shape == (48, 64, 3)


@pytest.mark.slow
def test_the_hottest_place_is_as_hot_as_the_frame_is_odd(scorer: Scorer, video):
    unsmoothed = replace(scorer.calibration.pooled, fused=replace(scorer.calibration.pooled.fused, smoothing=1))
    scorer._calibration = replace(scorer.calibration, scenes={"": unsmoothed})
    line = scorer.calibration.line.on
    wanted = {one.frame: max(one.online, 0) / line for one in scorer.stream(video.frames())}

    hottest = {frame.index: heat.max() for frame, heat, _ in scorer.heat_frames(video) if heat is not None}

    assert set(hottest) == set(wanted)
    seen = {frame: value for frame, value in hottest.items() if value > 0}  # else no place is odd by itself
    assert set(ODD) <= set(seen)
    assert seen == pytest.approx({frame: wanted[frame] for frame in seen}, rel=1e-3, abs=1e-2)
    (shown,) = scorer.explain(video, [ODD[5]])
    assert shown.heat.max() == pytest.approx(wanted[ODD[5]], rel=1e-3, abs=1e-2)


@pytest.mark.slow
def test_a_frame_has_a_box_where_it_is_odder_than_half_of_all_normal_ones_and_else_none(scorer: Scorer, video):
    """By motion alone: what a network of one epoch finds odd is another thing on each processor."""
    pooled = scorer.calibration.pooled
    motion = pooled.components.tails["motion"].rarity(log_scale("motion", scorer.calibration.heldout["motion"]))
    alone = replace(pooled.fused.online, weights={"motion": 1.0}, tail=Tail.fit(motion))
    by_motion = replace(pooled, fused=replace(pooled.fused, online=alone, smoothing=1))
    scorer._calibration = replace(scorer.calibration, scenes={"": by_motion})
    normal, _ = scorer.calibration.scene("")
    wanted, streamed = {}, {}
    for one in scorer.stream(video.frames()):
        box = box_of(heat_of(scorer.calibration, normal, one.raw), video.size)
        wanted[one.frame] = box if one.online > np.log10(2) else None
        streamed[one.frame] = one.box

    assert [frame for frame, box in wanted.items() if box is not None] == list(ODD)
    assert streamed == wanted
    assert {one.frame: one.box for one in scorer.explain(video, list(wanted))} == wanted
    assert {frame.index: box for frame, heat, box in scorer.heat_frames(video) if heat is not None} == wanted


def test_heat_comes_with_every_frame_in_order(scorer: Scorer, video):
    heat = [(frame.index, values is None) for frame, values, _ in scorer.heat_frames(video)]

    assert heat == [(index, index < 4) for index in range(30)]


@pytest.fixture
def looking_ahead(scorer: Scorer) -> Scorer:
    """A scorer whose detector takes two frames after the judged one, too, of which it makes nothing."""
    inner = scorer._runtime

    class LookingAhead:
        before, after, size, channels = inner.before, 2, inner.size, inner.channels
        see = staticmethod(inner.see)

        def for_video(self):
            return self

        def judge(self, clips):
            return inner.judge(clips[:, : self.before + 1])

    scorer._runtime = LookingAhead()
    return scorer


@pytest.mark.slow
def test_a_detector_that_looks_ahead_scores_all_frames_but_the_first_and_last_ones(run, looking_ahead: Scorer, video):
    scores, wanted = looking_ahead.score(video), Scorer(run, device="cpu").score(video)

    assert scores.frame.tolist() == list(range(4, 28))
    np.testing.assert_allclose(scores.raw["psnr"], wanted.raw["psnr"][:-2], rtol=1e-4)
    np.testing.assert_allclose(scores.raw["motion"], wanted.raw["motion"][:-2], rtol=1e-4)


def test_a_session_that_looks_ahead_gives_the_score_of_an_earlier_frame(looking_ahead: Scorer, video):
    session = looking_ahead.session()
    pushed = [session.push(frame) for frame in video.frames()]

    assert [None if one is None else one.frame for one in pushed] == [None] * 6 + list(range(4, 28))


def test_heat_and_explanations_of_a_detector_that_looks_ahead_are_of_the_judged_frame(looking_ahead: Scorer, video):
    heat = [(frame.index, values is None) for frame, values, _ in looking_ahead.heat_frames(video)]
    shown = looking_ahead.explain(video, [2, 10, 29])

    assert heat == [(index, index < 4 or index > 27) for index in range(30)]
    (one,) = shown  # frames 2 and 29 have no score
    wanted = next(frame.pixels for frame in video.frames() if frame.index == 10)
    np.testing.assert_array_equal(one.picture, wanted)


def without(frames, *lost: int):
    """Frames as of a file in which some do not decode."""
    return (frame for frame in frames if frame.index not in lost)


def test_no_window_lies_across_frames_that_do_not_decode(scorer: Scorer, video):
    streamed = list(scorer.stream(without(video.frames(), *range(12, 15))))

    assert [one.frame for one in streamed] == [*range(4, 12), *range(19, 30)]


def test_frames_that_do_not_decode_are_noted_and_have_no_row(scorer: Scorer, video, monkeypatch):
    whole = video.frames
    monkeypatch.setattr(video, "frames", lambda: without(whole(), *range(12, 15), 20))

    scores = scorer.score(video)

    assert scores.frame.tolist() == [*range(4, 12), 19, *range(25, 30)]
    assert (
        "4 of 30 frames do not decode (12-14, 20): they have no scores, and no event goes on across them"
        in scores.notes
    )


def test_a_jump_of_the_clock_ends_the_window_and_is_noted(scorer: Scorer, video):
    session = scorer.session()
    judged = []
    for frame in video.frames():
        later = replace(frame, time_s=frame.time_s + (30 if frame.index >= 12 else 0))
        score = session.push(later)
        judged += [] if score is None else [score.frame]

    assert judged == [*range(4, 12), *range(16, 30)]
    assert [note for note in session.notes if "clock" in note] == [
        "the clock jumps by +30.1 s before frame 12: no event goes on across that"
    ]


def test_a_stream_that_looks_ahead_judges_no_window_across_a_hole(looking_ahead, video):
    streamed = list(looking_ahead.stream(without(video.frames(), 9, 10)))

    assert [one.frame for one in streamed] == [*range(4, 7), *range(15, 28)]


@pytest.mark.slow
def test_two_sessions_of_one_scorer_do_not_meet(scorer: Scorer, video):
    alone = [one.online for one in scorer.stream(video.frames())]
    first, second = scorer.session(), scorer.session()
    found = []
    for frame in video.frames():
        found.append(first.push(frame))
        second.push(replace(frame, pixels=255 - frame.pixels))

    assert [one.online for one in found if one is not None] == alone


@pytest.mark.slow
def test_explaining_while_scoring_and_scoring_in_two_threads_lose_no_frame(scorer: Scorer, video):
    wanted = scorer.score(video)

    def explain(_, maps):
        scorer.explain(video, [10])

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(scorer.score, video) for _ in range(2)]
    for found in (scorer.score(video, maps=explain), *(one.result() for one in both)):
        assert found.frame.tolist() == wanted.frame.tolist()
        np.testing.assert_array_equal(found.online, wanted.online)


@pytest.mark.slow
def test_plain_pixels_are_numbered_and_timed_as_they_come(scorer: Scorer, video):
    wanted = list(scorer.stream(video.frames()))
    pixels = [frame.pixels for frame in video.frames()]

    by_rate = list(scorer.stream(pixels, fps=12.5))
    by_clock = list(scorer.stream(pixels, times_s=(frame.time_s for frame in video.frames())))

    for found in (by_rate, by_clock):
        assert [one.frame for one in found] == [one.frame for one in wanted]
        assert [one.online for one in found] == [one.online for one in wanted]
        assert [one.time_s for one in found] == pytest.approx([one.time_s for one in wanted])


def test_grey_pixels_of_two_axes_are_taken(scorer: Scorer):
    session = scorer.session(fps=10)
    for index in range(5):
        scored = session.push(moving_square(index, grey=True)[:, :, 0])

    assert scored is not None


@pytest.mark.parametrize("wrong", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)])
def test_what_is_no_picture_is_refused_by_type_and_shape(scorer: Scorer, wrong):
    with pytest.raises(DataError, match="picture"):
        scorer.session().push(wrong)


def test_a_scorer_tells_by_what_it_judges(run, scorer: Scorer):
    assert scorer.run.folder == run.folder
    assert scorer.fitting is None


@pytest.mark.slow
def test_public_objects_print_one_line(run, scorer: Scorer, video):
    streamed = list(scorer.stream(video.frames()))[-1]
    scores = scorer.score(video)
    for shown in (run, scorer, scorer.session(), streamed, scores, video, scorer.explain(video, [10])[0]):
        assert len(repr(shown)) < 300
        assert "\n" not in repr(shown)
        assert " at 0x" not in repr(shown)
    assert repr(streamed).startswith("FrameScore(frame=29, time_s=2.32, online=")
    assert repr(scores).startswith("<Scores of gate: 26 frames, ")


def test_a_calibration_survives_being_written_down(run: odd.Run, tmp_path: Path):
    calibration = load_calibration(run.folder)
    save_calibration(calibration, tmp_path)
    again = load_calibration(tmp_path)

    assert again.line == calibration.line
    assert again.pooled.fused.online.weights == calibration.pooled.fused.online.weights
    for name, values in calibration.heldout.items():
        np.testing.assert_array_equal(again.heldout[name], values)


@pytest.mark.parametrize("damage", ["missing", "truncated", "another format"])
def test_a_calibration_that_cannot_be_used_is_named(run: odd.Run, tmp_path: Path, damage: str):
    save_calibration(load_calibration(run.folder), tmp_path)
    path = tmp_path / "calibration.json"
    text = path.read_text()
    if damage == "missing":
        path.unlink()
    else:
        path.write_text(text[:100] if damage == "truncated" else text.replace('"format": 2', '"format": 99'))

    with pytest.raises(RunError, match="calibration"):
        load_calibration(tmp_path)


def with_component(normal: SceneNormal, name: str) -> SceneNormal:
    """The same, without `direction` and with another component that is as `motion` is."""
    tails = {one: tail for one, tail in normal.components.tails.items() if one != "direction"}
    places = {one: place for one, place in normal.components.places.items() if one != "direction"}
    components = replace(normal.components, tails={**tails, name: tails["motion"]}, places=places)

    def fewer(fusion: Fusion) -> Fusion:
        return replace(fusion, weights={one: weight for one, weight in fusion.weights.items() if one != "direction"})

    fused = replace(normal.fused, online=fewer(normal.fused.online), learned=fewer(normal.fused.learned))
    return SceneNormal(components, fused)


@pytest.mark.parametrize(("measure", "component"), [(1, "flow"), (1, "motion"), (2, "flow")])
def test_a_run_whose_line_rests_on_flow_that_was_measured_otherwise_is_refused(
    run: odd.Run, tmp_path: Path, measure: int, component: str
):
    """At 48 rows the first way of measuring gave other numbers; runs that did not measure flow have no need to know."""
    copied = tmp_path / "run"
    shutil.copytree(run.folder, copied)
    made = load_calibration(copied)
    scenes = {name: with_component(scene, component) for name, scene in made.scenes.items()}
    heldout = {**made.heldout, component: made.heldout["motion"]}
    heldout.pop("direction")
    save_calibration(replace(made, scenes=scenes, heldout=heldout, flow=measure), copied)

    if (measure, component) == (1, "flow"):
        with pytest.raises(RunError, match="knows optical flow as another version measured it") as caught:
            Scorer(copied)
        assert caught.value.hint == "train again: oddframe train DATA --out FOLDER"
    else:
        assert Scorer(copied).calibration.flow == measure
