"""A detector fitted to a camera from its own normal recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import oddframe as odd
from oddframe.cli.main import app
from oddframe.errors import MissingPathError, RunError, SettingsError, TooShortError
from oddframe.scoring import fit
from oddframe.scoring.calibration import LEARNED_IS_ONLINE
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.evidence import Prepared, judge_held, judge_windows
from oddframe.scoring.judged_file import load_judged
from oddframe.settings_layers import load_settings

from ..conftest import _make_video, moving_square
from .test_session import FPS, sway

pytestmark = pytest.mark.slow

SMALL = ("model.size=[48, 64]", "data.least_heldout=1", "data.heldout=0.5", "score.online=[local_error]")
TOP = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.3), (0.0, 0.3))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of two profiles, one of twice the rate, with a flicker at the top of the picture."""
    home = tmp_path_factory.mktemp("camera")
    rng = np.random.default_rng(0)

    def flickering(index: int) -> np.ndarray:
        shown = sway(500 + index / 2)
        shown[:10] = rng.integers(0, 255) if index % 40 < 20 else shown[:10]
        return shown

    _make_video(home / "recordings/day/a.mkv", frames=700, fps=2 * FPS, codec="ffv1", pictures=flickering)
    _make_video(home / "recordings/night/b.mkv", frames=200, fps=FPS, codec="ffv1", pictures=lambda at: sway(at) // 3)
    return home


@pytest.fixture(scope="module")
def run(home: Path) -> odd.Run:
    normal = _make_video(home / "normal.mkv", frames=200, fps=FPS, codec="ffv1", pictures=sway)
    chosen = load_settings("tiny", detector="framediff", overrides=SMALL)
    return odd.train(odd.open_videoset([normal]), out=home / "run", settings=chosen)


@pytest.fixture(scope="module")
def fitting(home: Path, run: odd.Run) -> odd.Fitting:
    return odd.calibrate(run, home / "recordings", out=home / "fitting", false_alarms_per_day=3000)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Regions that ignore the flicker."""
    path = tmp_path / "top.json"
    path.write_text(json.dumps({"ignore": [TOP]}))
    return path


def test_a_fitting_has_the_profiles_the_rate_and_a_promise(fitting: odd.Fitting, run: odd.Run):
    info = fitting.info

    assert [(one.name, one.profile) for one in info.videos] == [("day/a", "day"), ("night/b", "night")]
    assert [one.frames for one in info.videos] == [349, 199]
    assert info.fps == pytest.approx(FPS)
    assert set(load_calibration(fitting.folder).scenes) == {"", "day", "night"}
    assert info.promise.asked_per_day == pytest.approx(3000)
    assert info.promise.hours == pytest.approx(548 / FPS / 3600, rel=0.02)
    assert info.promise.at_most > 3000
    assert fitting.line.note == info.promise.in_words()
    assert info.score.false_alarms_per_hour == pytest.approx(125)
    assert run.settings.score.false_alarms_per_hour == 1


def test_what_is_scored_with_a_fitting_is_judged_by_it(fitting: odd.Fitting, run: odd.Run, home: Path):
    video = home / "recordings/day/a.mkv"
    by_run, by_fitting = odd.score(run, video), odd.score(run, video, fitting=fitting.folder)

    assert by_run.line != by_fitting.line == fitting.line
    assert by_fitting.scene == "day"
    assert by_run.events  # the flicker, which the run has never seen
    assert not by_fitting.events
    session = odd.Scorer(run, fitting=fitting).session(scene="day")
    pushed = [session.push(frame) for frame in odd.open_video(video).frames()]
    np.testing.assert_allclose([one.online for one in pushed if one], by_fitting.online, atol=1e-5)


def test_ignored_places_raise_neither_scores_nor_the_line(run: odd.Run, home: Path, tmp_path: Path, top: Path):
    calm = _make_video(tmp_path / "calm.mkv", frames=350, fps=FPS, codec="ffv1", pictures=lambda at: sway(500 + at))
    flicker = home / "recordings/day/a.mkv"

    lines = [odd.calibrate(run, one, out=tmp_path / one.stem, regions=top).line.on for one in (calm, flicker)]
    odd.calibrate(run, calm, out=tmp_path / "everywhere")

    assert lines[0] == pytest.approx(lines[1], rel=0.1)
    assert odd.score(run, flicker, fitting=tmp_path / "everywhere").events
    seen = [odd.score(run, one, fitting=tmp_path / "calm") for one in (calm, flicker)]
    assert not seen[1].events
    assert np.abs(seen[1].online - seen[0].online[: len(seen[1])]).mean() < 0.2
    for frame, heat, _ in odd.Scorer(run, fitting=tmp_path / "calm").heat_frames(flicker):
        assert heat is None or frame.index > 60 or not heat[0].any()


def test_a_component_without_a_map_is_named_when_there_are_regions(run: odd.Run, home: Path, tmp_path: Path, top: Path):
    made = odd.calibrate(run, home / "recordings/night", out=tmp_path / "made", regions=top)

    assert not any("whole picture" in note for note in made.info.notes)  # frame differences have a map of all


def test_a_fitting_gets_another_line_from_its_evidence_alone(fitting: odd.Fitting, run: odd.Run, tmp_path: Path):
    folder = tmp_path / "copy"
    shutil.copytree(fitting.folder, folder)

    made = odd.calibrate(run, out=folder, false_alarms_per_day=100)
    back = odd.calibrate(run, out=folder, false_alarms_per_day=3000)

    assert made.line.on > fitting.line.on
    assert (made.info.promise.alarms, made.info.promise.asked_per_day) == (0, pytest.approx(100))
    assert back.line == fitting.line
    assert back.info.videos == fitting.info.videos
    with pytest.raises(SettingsError, match="regions cannot be changed"):
        odd.calibrate(run, out=folder, regions=odd.Regions(ignore=(TOP,)))


def test_cameras_with_a_fitting_of_their_own_share_a_network_and_a_batch(fitting: odd.Fitting, run, home, tmp_path):
    night = odd.calibrate(run, home / "recordings/night", out=tmp_path / "night", regions=odd.Regions(ignore=(TOP,)))
    one = odd.Scorer(run, fitting=fitting)
    other = one.with_fitting(night)

    assert one.runtime is other.runtime
    assert (one.calibration.line, other.calibration.line) == (fitting.line, night.line)
    window = [Prepared(number, number / FPS, sway(9 * number)[:, :, :1], number == 0) for number in range(2)]
    both = judge_windows(one.runtime, [(one.evidence(), window), (other.evidence(), window)])
    alone = [next(judge_held(scorer.evidence(), scorer.runtime, window)) for scorer in (one, other)]
    assert [raw.values for raw in both] == [raw.values for raw in alone]
    assert [bool(raw.watched) for raw in both] == [False, True]


def test_an_interrupted_fitting_leaves_nothing_and_what_was_there(
    fitting: odd.Fitting, run, home: Path, tmp_path: Path
):
    folder = tmp_path / "copy"
    shutil.copytree(fitting.folder, folder)

    def interrupt(_):
        raise KeyboardInterrupt

    for out in (folder, tmp_path / "fresh"):
        with pytest.raises(KeyboardInterrupt):
            odd.calibrate(run, home / "recordings", out=out, watch=interrupt)

    assert [one.name for one in tmp_path.iterdir()] == ["copy"]
    assert odd.Scorer(run, fitting=folder).calibration.line == fitting.line


def test_a_fitting_of_another_detector_is_refused(fitting: odd.Fitting, home: Path, tmp_path: Path):
    chosen = load_settings("tiny", detector="framediff", overrides=("model.size=[48, 80]", *SMALL[1:]))
    other = odd.train(odd.open_videoset([home / "normal.mkv"]), out=tmp_path / "other", settings=chosen)

    with pytest.raises(RunError, match="fitting is of another detector"):
        odd.Scorer(other, fitting=fitting)
    with pytest.raises(RunError, match="no fitting in this folder"):
        odd.Scorer(other, fitting=tmp_path)


def test_recordings_of_one_name_are_counted_each_for_itself(run: odd.Run, home: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    again = shutil.copy(home / "recordings/night/b.mkv", tmp_path / "other/b.mkv")

    made = odd.calibrate(run, [home / "recordings/night/b.mkv", again], out=tmp_path / "made")

    assert [(one.name, one.frames) for one in made.info.videos] == [("b", 199), ("b", 199)]


def test_what_cannot_be_fitted_on_is_refused(run: odd.Run, home: Path, tmp_path: Path):
    short = _make_video(tmp_path / "short.mkv", frames=1, codec="ffv1")
    (tmp_path / "empty").mkdir()

    with pytest.raises(TooShortError, match="no video is long enough"):
        odd.calibrate(run, short, out=tmp_path / "out")
    with pytest.raises(MissingPathError):
        odd.calibrate(run, tmp_path / "empty", out=tmp_path / "out")
    with pytest.raises(RunError, match="something in this folder"):
        odd.calibrate(run, short, out=home)
    with pytest.raises(SettingsError, match="folder of its own"):
        odd.calibrate(run, short)  # type: ignore[call-overload]
    with pytest.raises(SettingsError, match="a frame rate is of folders of frames"):
        odd.calibrate(run, out=tmp_path / "out", fps=25)
    with pytest.raises(SettingsError, match=r"score\.stride"):
        odd.calibrate(run, home / "recordings", out=tmp_path / "out", overrides=["score.stride=4"])
    assert not (tmp_path / "out").exists()


def test_the_command_fits_scores_and_says_what_is_vouched_for(run: odd.Run, home: Path, tmp_path: Path, top: Path):
    out, night = str(tmp_path / "fitting"), str(home / "recordings/night/b.mkv")
    asked = ["calibrate", str(run.folder), night, "--out", out, "--regions", str(top)]

    told = CliRunner().invoke(app, [*asked, "--false-alarms-per-day", "1"])
    again = CliRunner().invoke(app, ["calibrate", str(run.folder), "--out", out, "--json"])
    scored = CliRunner().invoke(
        app, ["score", night, "--run", str(run.folder), "--fitting", out, "--out", str(tmp_path / "scores"), "--json"]
    )

    assert told.exit_code == again.exit_code == scored.exit_code == 0, told.output + again.output + scored.output
    assert "1 false alarm a day was asked" in told.output
    assert json.loads(again.stdout)["promise"]["asked_per_day"] == pytest.approx(1)
    (summary,) = json.loads(scored.stdout)["videos"]
    assert summary["line"]["on"] == pytest.approx(odd.Fitting.open(out, run).line.on)
    nothing = CliRunner().invoke(app, [*asked, "--false-alarms-per-day", "0"])
    assert nothing.exit_code == 1
    assert "no rate of false alarms" in nothing.output


def test_one_frame_from_elsewhere_is_as_odd_as_it_was(fitting: odd.Fitting, run: odd.Run):
    """The picture of another camera is an alarm under a fitting, too."""
    session = odd.Scorer(run, fitting=fitting).session(scene="night", fps=FPS)
    quiet = [session.push(sway(number) // 3) for number in range(30)]
    loud = [session.push(255 - moving_square(17 * number)) for number in range(6)]

    assert not any(one.alarm for one in quiet if one)
    assert any(one.alarm for one in loud if one)


def test_blocks_overlap_by_what_a_window_needs_and_no_frame_counts_twice(
    run: odd.Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fit, "BLOCK", 40)

    made = odd.calibrate(run, home / "recordings/night", out=tmp_path / "made")

    stretches = load_judged(made.folder, made.info.evidence).stretches
    assert [one.frames for one in made.info.videos] == [199]
    assert len(stretches) == 5
    assert np.concatenate([one.frame for one in stretches]).tolist() == list(range(1, 200))


def test_a_fitting_does_not_say_of_itself_that_no_anomaly_was_known(fitting: odd.Fitting):
    """That is the training's matter: from it come the weights of `learned`."""
    assert not any(LEARNED_IS_ONLINE in note for note in fitting.info.notes)
