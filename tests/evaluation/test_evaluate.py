"""From a trained run to its result: a set of five tiny videos, judged by frame differences."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.shared import FLOOR

from oddframe.data.open import open_videoset
from oddframe.errors import MissingPathError, NothingToJudgeError
from oddframe.evaluation.evaluate import evaluate
from oddframe.evaluation.result import Result
from oddframe.evaluation.testset import judged_source
from oddframe.progress import Progress
from oddframe.reporting import words
from oddframe.runs import Run
from oddframe.scoring.fit import calibrate
from oddframe.scoring.scorer import Scorer
from oddframe.training.train import train


def still(index: int) -> np.ndarray:
    """A ground with a little noise."""
    return np.random.default_rng(index).integers(90, 100, (48, 64, 1), np.uint8)


def flashing(index: int) -> np.ndarray:
    """The same, where a bright square comes or goes in each of frames 20 to 29."""
    picture = still(index)
    if 20 <= index < 30 and index % 2 == 0:
        picture[10:30, 10:30] = 255
    return picture


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with the data (`gate`) and a run of it (`run`)."""
    home = tmp_path_factory.mktemp("trained")
    videos = {"normal/a": still, "normal/b": still, "normal/c": still, "test/flash": flashing, "test/calm": still}
    for name, picture in videos.items():
        (home / "gate" / name).mkdir(parents=True)
        for index in range(40):
            assert cv2.imwrite(str(home / "gate" / name / f"{index:03}.png"), picture(index))
    (home / "gate" / "labels.csv").write_text("video,start,end,class\nflash,20,30,flash\n")
    overrides = [
        "model.size=[48, 64]",
        "model.channels=1",
        "data.heldout=0.3",
        "data.least_heldout=1",
        "score.online=[psnr, motion]",
    ]
    train(home / "gate", out=home / "run", preset="paper", detector="framediff", overrides=overrides)
    return home


@pytest.fixture
def home(trained, tmp_path) -> Path:
    """A copy, which a test may spoil."""
    return shutil.copytree(trained, tmp_path / "home")


@pytest.fixture
def run(home) -> Run:
    return Run.open(home / "run")


@pytest.fixture
def data(home) -> Path:
    return home / "gate"


@pytest.mark.slow
def test_the_experiments_way_of_judging_several_settings_at_once_judges_as_a_run_is_judged(run, data, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "experiments"))
    from ways import judged_ways

    own = evaluate(run, data)
    found = judged_ways(run, open_videoset(data).test, {"own": [], "oddest": ["score.fusion=oddest"]})

    assert found["own"].auc["online"] == own.auc["online"]
    assert found["own"].events.at["own"].stretches.found == own.events.at["own"].stretches.found
    ours, added, oddest = (one.scored[1].scores.online for one in (own, found["own"], found["oddest"]))
    np.testing.assert_allclose(added, ours, rtol=1e-6)
    assert not np.allclose(oddest, ours)


@pytest.mark.slow
def test_a_run_is_judged_on_the_test_videos_of_its_split(run, data):
    result = evaluate(run)

    assert sorted(row["name"] for row in result.table) == ["calm", "flash"]
    assert result.auc["motion"]["micro"] == 1.0
    assert result.undefined_videos.macro == ("calm",)
    assert result.frames["abnormal"] == 10
    assert result.classes["unknown"]["kinds"] == ("flash",)
    assert result.detector == "framediff"
    assert result.threshold["online"]["heldout_frames"] > 0


@pytest.mark.slow
def test_the_result_is_left_in_the_run_and_comes_back(run):
    result = evaluate(run.folder)

    back = Result.load(run.folder)
    assert back == result
    assert len(back.scored) == 2


@pytest.mark.slow
def test_places_are_judged_where_asked_and_where_masks_say_what_is_odd(run, data):
    drawn = np.zeros((48, 64), np.uint8)
    drawn[10:30, 10:30] = 255
    (data / "masks" / "flash").mkdir(parents=True)
    for index in range(20, 30):
        assert cv2.imwrite(str(data / "masks" / "flash" / f"{index:03}.png"), drawn)

    assert evaluate(run).places is None
    places = evaluate(run, places=True).places

    assert (places["frames"], places["regions"], places["tracks"]) == (78, 10, 1)
    assert sorted(places["figures"]) == ["flow", "local_error", "motion", "online"]
    assert places["figures"]["motion"]["tbdc"] == 1.0
    assert places["figures"]["motion"]["pixel_auc"] > 0.99
    assert Result.load(run.folder).places == places
    assert evaluate(run).places == places, "figures once asked for stay"
    assert evaluate(run, places=False).places is None
    assert evaluate(run).places is None


@pytest.mark.slow
def test_without_masks_places_are_not_judged_and_that_is_said(run):
    result = evaluate(run, places=True)

    assert result.places is None
    assert any("No judged frame has a mask" in note for note in result.notes)


@pytest.mark.slow
def test_data_that_moved_are_asked_for_and_may_be_named(run, data, tmp_path):
    moved = shutil.move(data, tmp_path / "elsewhere")

    with pytest.raises(MissingPathError, match="--data"):
        evaluate(run)
    assert evaluate(run, moved).auc["motion"]["micro"] == 1.0


@pytest.mark.slow
def test_data_with_other_labels_are_noted(run, data):
    (data / "labels.csv").write_text("video,start,end,class\nflash,21,30,flash\n")

    assert any("differ from those of the training" in note for note in evaluate(run).notes)


def test_a_test_set_without_labels_cannot_be_judged(run, data):
    (data / "labels.csv").unlink()

    with pytest.raises(NothingToJudgeError, match=r"labels\.csv"):
        evaluate(run)


def test_a_missing_test_video_is_named(run, data):
    shutil.rmtree(data / "test" / "calm")

    with pytest.raises(MissingPathError, match="calm"):
        evaluate(run)


def write_videos(home: Path, videos: dict[str, object]) -> Path:
    """Folders of forty frames."""
    for name, picture in videos.items():
        (home / name).mkdir(parents=True)
        for index in range(40):
            assert cv2.imwrite(str(home / name / f"{index:03}.jpg"), picture(index))
    return home


@pytest.fixture
def avenue(tmp_path) -> Path:
    """Part of Avenue: three training videos, a test video that flashes, and both of its ground truths."""
    sides = {f"training/frames/{number:02}": still for number in range(1, 4)} | {"testing/frames/01": flashing}
    home = write_videos(tmp_path / "avenue", sides)
    labels = np.zeros(40, np.uint8)
    labels[20:30] = 1
    np.save(home / "frame_labels_avenue.npy", labels)
    cells = np.empty((1, 40), object)
    for frame in range(40):
        cells[0, frame] = np.full((48, 64), 18 <= frame < 32, np.uint8)
    pytest.importorskip("scipy.io").savemat(home / "1_label.mat", {"volLabel": cells})
    return home


@pytest.mark.slow
def test_a_figure_says_by_which_ground_truth_and_on_which_part_of_a_set(avenue, tmp_path):
    run = train(open_videoset(avenue, partial=True), out=tmp_path / "run", detector="framediff", overrides=FLOOR)

    result = evaluate(run)

    assert (result.frames["abnormal"], result.data["ground_truth"], result.data["labels"]) == (14, "masks", ("avenue",))
    assert any("only part of the set was there; missing: test videos 2-21 (1 of 21" in note for note in result.notes)
    assert "(ground truth: masks)" in words.what_judged(result)


@pytest.mark.slow
def test_a_run_can_be_judged_by_the_other_ground_truth_and_says_so(avenue, tmp_path):
    run = train(open_videoset(avenue, partial=True), out=tmp_path / "run", detector="framediff", overrides=FLOOR)

    result = evaluate(run, judged_source(run, ground_truth="frames"))

    assert (result.frames["abnormal"], result.data["ground_truth"]) == (10, "frames")
    assert result.data["labels"] == ("frame_labels_avenue.npy",)
    assert any("ground truth 'masks', judged by those of 'frames'" in note for note in result.notes)
    assert run.info.data.ground_truth == "masks"


@pytest.mark.slow
def test_classes_that_only_the_test_shows_are_judged_apart_from_those_that_became_known(tmp_path):
    videos = {f"normal/{letter}": still for letter in "abc"} | {f"test/flash{n}": flashing for n in range(2)}
    home = write_videos(tmp_path / "gate", videos | {"test/fire": flashing})
    rows = ["flash0,20,30,flash", "flash1,20,30,flash", "fire,20,30,fire"]
    (home / "labels.csv").write_text("\n".join(["video,start,end,class", *rows]))
    run = train(
        home,
        out=tmp_path / "run",
        detector="framediff",
        overrides=FLOOR,
        protocol="unseen",
        known_classes=["flash"],
    )

    result = evaluate(run)

    assert run.info.split.known_classes == ("flash",)
    assert len(run.info.split.known) == 1
    assert sorted(run.info.split.test + run.info.split.known) == ["fire", "flash0", "flash1"]
    assert (result.classes["known"]["kinds"], result.classes["unknown"]["kinds"]) == (("flash",), ("fire",))
    assert (result.classes["known"]["frames"], result.classes["unknown"]["frames"]) == (10, 10)
    assert result.classes["unknown"]["online"] > 0.9


@pytest.mark.slow
def test_a_result_says_who_judged_with_which_seed_and_what_each_fusion_adds(run, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/bin/oddframe", "eval", "runs/gate", "--backend", "torch"])

    evaluate(run, backend="torch")

    result = Result.load(run.folder)
    assert (result.judging.backend, result.judging.seed, result.judging.apart) == ("torch", 0, ())
    assert result.judging.command == "oddframe eval runs/gate --backend torch"
    assert result.judging.versions["oddframe"] == result.versions["oddframe"]
    assert result.fusions.online.weights == {"psnr": 1.0, "motion": 1.0}
    assert result.fusions.paper.weights == {"psnr": 1.0}  # frame differences have no queries: gamma weighs nothing
    assert result.fusions.paper.gamma is None
    assert result.fusions.paper.normalised == "min-max over each whole video"
    assert result.fusions.learned.smoothing == run.settings.score.smoothing


@pytest.mark.slow
def test_another_seed_backend_or_data_never_takes_the_place_of_the_main_result(run, data, tmp_path):
    main = evaluate(run)
    (run.folder / "eval-standard.json").chmod(0o400)
    kept = (run.folder / "eval-standard.json").read_bytes()
    other = shutil.copytree(data, tmp_path / "other")
    (other / "labels.csv").write_text("video,start,end,class\nflash,20,24,flash\n")

    evaluate(run, seed=7)
    evaluate(run, backend="torch-bf16", seed=7)
    elsewhere = evaluate(run, other)

    assert elsewhere.frames.abnormal == 4
    word = f"data{elsewhere.data.fingerprint[2:10]}"
    assert sorted(path.name for path in run.folder.glob("eval-*.json")) == sorted(
        [
            "eval-standard.json",
            "eval-standard.seed7.json",
            "eval-standard.torch-bf16.seed7.json",
            f"eval-standard.{word}.json",
        ]
    )
    assert (run.folder / "eval-standard.json").read_bytes() == kept
    assert Result.load(run.folder) == main
    assert Result.load(run.folder / "eval-standard.seed7.json").judging.seed == 7
    assert len(Result.load(run.folder / f"eval-standard.{word}.json").scored) == 2


@pytest.mark.slow
def test_the_same_data_elsewhere_and_labels_mended_in_their_place_make_the_main_result_again(run, data, tmp_path):
    evaluate(run, shutil.copytree(data, tmp_path / "copied"))
    (data / "labels.csv").write_text("video,start,end,class\nflash,20,24,flash\n")
    evaluate(run)

    assert [path.name for path in run.folder.glob("eval-*.json")] == ["eval-standard.json"]
    assert Result.load(run.folder).frames.abnormal == 4


@pytest.mark.slow
def test_where_there_are_masks_alarms_are_judged_in_place_and_the_marks_come_back(run, data):
    folder = data / "masks" / "flash"
    folder.mkdir(parents=True)
    where = np.zeros((48, 64), np.uint8)
    where[10:30, 10:30] = 255
    for frame in range(20, 30):
        assert cv2.imwrite(str(folder / f"{frame:03}.png"), where)

    stretches = evaluate(run, data).events.at.own.stretches

    assert (stretches.found, stretches.masked, stretches.in_place) == (1, 1, 1)
    flash = next(video for video in Result.load(run.folder).scored if video.name == "flash")
    assert flash.in_place is not None
    assert (flash.in_place >= 0).sum() == 10


@pytest.mark.slow
def test_conditions_of_videos_have_figures_of_their_own_and_come_back(run, data):
    (data / "conditions.csv").write_text("video,light\nflash,day\ncalm,night\n")

    light = evaluate(run, data).events.at.own.conditions.light

    assert (light.day.videos, light.day.stretches.labelled, light.night.stretches.labelled) == (1, 1, 0)
    stored = {video.name: dict(video.conditions) for video in Result.load(run.folder).scored}
    assert stored == {"flash": {"light": "day"}, "calm": {"light": "night"}}


@pytest.mark.slow
def test_lines_for_other_rates_are_those_that_calibrate_would_draw(run, data):
    promised = evaluate(run, data).events.promised

    assert list(promised) == ["24", "6", "1"]
    drawn = calibrate(run.folder, overrides=["score.false_alarms_per_hour=24"]).after
    assert (promised["24"].line, promised["24"].vouched_per_hour) == (drawn.on, drawn.per_hour)


@pytest.mark.slow
def test_evidence_that_is_damaged_takes_no_other_figure_with_it(run, data):
    (run.folder / "evidence.npz").write_bytes(b"torn")

    result = evaluate(run, data)

    assert (len(result.events.promised), result.events.found) == (0, 1)
    assert any(note.startswith("Alarm lines for other rates cannot be drawn: ") for note in result.notes)


def _interrupted_at(name: str):
    """A watcher who interrupts as soon as a video is begun."""

    def watch(moment: Progress) -> None:
        if moment.stage == "judging" and moment.note == name:
            raise KeyboardInterrupt

    return watch


def _scored(monkeypatch) -> list[str]:
    """Names of the videos that are scored from now on."""
    names: list[str] = []
    really = Scorer.score

    def score(self, video, *rest, **more):
        names.append(video.name)
        return really(self, video, *rest, **more)

    monkeypatch.setattr(Scorer, "score", score)
    return names


@pytest.mark.slow
def test_a_judging_that_was_interrupted_goes_on_with_the_same_result(home, tmp_path, monkeypatch):
    whole = evaluate(shutil.copytree(home / "run", home / "whole"))
    with pytest.raises(KeyboardInterrupt):
        evaluate(home / "run", watch=_interrupted_at("flash"))
    scored, told = _scored(monkeypatch), []

    result = evaluate(home / "run", watch=told.append)

    assert scored == ["flash"]
    assert any("1 of 2 videos were judged before" in moment.note for moment in told)
    apart = dict.fromkeys(("run", "judging"))
    assert result.to_dict() | apart == whole.to_dict() | apart
    for one, other in zip(result.scored, whole.scored, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.scores.online, other.scores.online)
        np.testing.assert_array_equal(one.labels, other.labels)
    assert not list((home / "run").glob(".eval-*"))


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["labels", "calibration", "backend", "damaged", "places"])
def test_what_was_judged_counts_only_for_the_same_judging_and_undamaged(changed, home, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        evaluate(home / "run", watch=_interrupted_at("flash"))
    asked = {}
    if changed == "labels":
        (home / "gate" / "labels.csv").write_text("video,start,end,class\nflash,20,31,flash\n")
    elif changed == "calibration":
        calibrate(home / "run", overrides=["score.false_alarms_per_hour=2"])
    elif changed == "backend":
        asked = {"backend": "torch-bf16"}
    elif changed == "places":
        asked = {"places": True}
    else:
        (kept,) = (home / "run").glob(".eval-*/*")
        kept.write_bytes(kept.read_bytes()[:-100])
    scored = _scored(monkeypatch)

    evaluate(home / "run", **asked)

    assert scored == ["calm", "flash"]


@pytest.mark.slow
def test_an_interruption_says_where_nothing_is_kept(run):
    with pytest.raises(KeyboardInterrupt, match="one pass, which begins anew"):
        evaluate(run, places=True, watch=_interrupted_at("flash"))

    assert not list(run.folder.glob(".eval-*"))
