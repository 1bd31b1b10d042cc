"""A video in pieces: the same scores, to the last bit, as in one go."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import oddframe as odd
from oddframe.errors import DataError
from oddframe.origin import Rate
from oddframe.scoring.backgrounds import Still, kept_every, still_of
from oddframe.scoring.pieces import JudgedPiece, Piece, cut, judge_piece, put_together
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine, Scores
from oddframe.settings_layers import load_settings
from oddframe.video._folder import FolderVideo
from oddframe.video.open import open_video
from oddframe.video.source import Video

from ..conftest import _make_video, moving_square
from ..video.conftest import KINDS, encoded

NETWORK = (
    "model.size=[48, 64]",
    "data.least_heldout=1",
    "model.width=4",
    "train.epochs=1",
    "train.batch=8",
    "train.abnormal_batch=4",
    "score.batch=4",
    "score.smoothing=3",
    "score.online=[distance, local_distance, motion, direction]",
)
MOTION = ("model.size=[48, 64]", "data.least_heldout=1", "data.heldout=0.5", "score.online=[psnr, motion, flow]")


STAY_WHOLE: tuple[str, ...] = ()
"""Kinds of files in which a frame does not decode."""


def flashing(index: int) -> np.ndarray:
    """The moving square, which turns into its negative and back for a while, twice."""
    shown = moving_square(index)
    return 255 - shown if (30 <= index < 50 or 100 <= index < 130) and index % 4 < 2 else shown


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("normal")
    return [_make_video(home / f"{name}.mp4", frames=40) for name in "ab"]


@pytest.fixture(scope="module")
def network(normal: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """A network of one epoch, smoothed over three frames."""
    settings = load_settings("tiny", overrides=NETWORK)
    out = tmp_path_factory.mktemp("network") / "run"
    return Scorer(odd.train(odd.open_videoset(normal), out=out, settings=settings), device="cpu")


@pytest.fixture(scope="module")
def motion(normal: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """Frame differences and optical flow."""
    out = tmp_path_factory.mktemp("motion") / "run"
    run = odd.train(odd.open_videoset(normal), out=out, preset="paper", detector="framediff", overrides=MOTION)
    return Scorer(run, device="cpu")


def in_pieces(scorer: Scorer, video: Video, folder: Path, most: int = 4, least: int = 16) -> tuple[list[Piece], Scores]:
    """Scores by way of files, as of several processes; each opens the video for itself."""
    pieces = cut(scorer, video, "", most, least=least)
    folder.mkdir()
    made = {}
    for number in reversed(range(len(pieces))):  # in any order
        path = folder / f"{number}.npz"
        made[path] = judge_piece(scorer, video, "", pieces[number]).save(path)

    def judged() -> Iterator[JudgedPiece]:
        for path, digest in reversed(made.items()):
            yield JudgedPiece.load(path, digest)

    return pieces, put_together(scorer, video, "", judged())


def assert_equal(found: Scores, wanted: Scores, folder: Path) -> None:
    for name, values in wanted.columns().items():
        assert values.tobytes() == found.columns()[name].tobytes(), name
    assert found.to_dict() == wanted.to_dict()
    assert found.begins().tolist() == wanted.begins().tolist()
    assert found.to_csv(folder / "found.csv").read_bytes() == wanted.to_csv(folder / "wanted.csv").read_bytes()


OPEN_GROUPS = {"x264-params": "open-gop=1:bframes=3:scenecut=0:keyint=24:min-keyint=24"}
"""Frames come in another order than they are shown, and refer to some beyond the next key frame."""


@pytest.fixture(params=["network", "motion"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    found: Scorer = request.getfixturevalue(request.param)
    return found


@pytest.mark.slow
def test_a_video_with_pictures_out_of_order_scores_the_same_in_pieces(scorer: Scorer, tmp_path: Path):
    path = encoded(tmp_path / "gate.mp4", frames=range(160), options=OPEN_GROUPS, gop=24, grain=40)
    video = open_video(path)
    wanted = scorer.score(video)

    pieces, found = in_pieces(scorer, video, tmp_path / "pieces", 5)

    assert len(pieces) == 5
    assert_equal(found, wanted, tmp_path)


@pytest.mark.slow
def test_an_event_across_a_cut_is_one_with_the_box_of_its_peak(motion: Scorer, tmp_path: Path, make_video):
    video = open_video(make_video(tmp_path / "gate.mp4", frames=160, pictures=flashing))
    wanted = motion.score(video)

    pieces, found = in_pieces(motion, video, tmp_path / "pieces", 9)

    across = [one for one in wanted.events if any(one.start < piece.first < one.end for piece in pieces)]
    assert any(one.box is not None for one in across)
    assert_equal(found, wanted, tmp_path)


@pytest.mark.slow
def test_a_network_that_is_smoothed_has_the_same_events_in_pieces(network: Scorer, tmp_path: Path, make_video):
    """With a line that half of the frames reach, every piece begins within an event or near one."""
    video = open_video(make_video(tmp_path / "gate.mp4", frames=160, pictures=flashing))
    middle = float(np.median(network.score(video).online))
    lower = replace(network.calibration, line=AlarmLine(middle, 0.8 * middle, None, 1.0))
    scorer = copy.copy(network)
    scorer._calibration = lower
    wanted = scorer.score(video)

    _, found = in_pieces(scorer, video, tmp_path / "pieces", 9)

    assert wanted.events
    assert_equal(found, wanted, tmp_path)


@pytest.mark.slow
def test_a_folder_of_frames_scores_the_same_in_pieces(scorer: Scorer, tmp_path: Path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "gate", frames=120, pictures=flashing)
    for fps in (None, 10):
        video = open_video(folder, fps=fps)
        pieces, found = in_pieces(scorer, video, tmp_path / f"pieces at {fps}")
        assert len(pieces) == 4
        assert_equal(found, scorer.score(video), tmp_path)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_an_artefact_scores_the_same_in_pieces(made_by_0_1: Path, tmp_path: Path, make_video, backend: str):
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    scorer = Scorer(made_by_0_1 / "artefact", backend=backend)
    video = open_video(make_video(tmp_path / "gate.mp4", frames=100, pictures=flashing))

    pieces, found = in_pieces(scorer, video, tmp_path / "pieces")

    assert len(pieces) == 4
    assert_equal(found, scorer.score(video), tmp_path)


@pytest.mark.slow
def test_a_range_scores_the_same_in_pieces(motion: Scorer, tmp_path: Path, make_video):
    path = make_video(tmp_path / "gate.mp4", frames=160, pictures=flashing)
    video = open_video(path, start="17", end="00:11")

    pieces, found = in_pieces(motion, video, tmp_path / "pieces")

    assert (pieces[0].first, pieces[-1].stop, found.frame[0]) == (17, 138, 18)
    assert_equal(found, motion.score(video), tmp_path)


@pytest.mark.parametrize("fps", [3.0, 5.0])
@pytest.mark.slow
def test_a_resampled_video_scores_the_same_in_pieces(network: Scorer, tmp_path: Path, make_video, monkeypatch, fps):
    monkeypatch.setattr(network, "rate", lambda scene="": Rate(fps))
    video = open_video(make_video(tmp_path / "gate.mp4", frames=400, variable_rate=True, pictures=flashing))
    wanted = network.score(video)

    pieces, found = in_pieces(network, video, tmp_path / "pieces")

    assert len(pieces) == 4
    assert any("was resampled to" in note for note in wanted.notes)
    assert_equal(found, wanted, tmp_path)


@pytest.mark.slow
def test_gaps_shorter_than_a_piece_and_doubled_stamps_score_the_same_in_pieces(
    scorer: Scorer, tmp_path: Path, make_frame_folder, monkeypatch
):
    """The clock jumps every 13 frames, and every 29th frame has the stamp of the one before it."""
    frames = np.arange(200)
    times = frames / 12.5 + 20 * (frames // 13) - (frames % 29 == 7) / 12.5
    monkeypatch.setattr(FolderVideo, "times_s", lambda _: times)
    whole = FolderVideo.frames
    monkeypatch.setattr(
        FolderVideo,
        "frames",
        lambda video: (replace(frame, time_s=float(times[frame.index])) for frame in whole(video)),
    )
    video = open_video(make_frame_folder(tmp_path / "gate", frames=200, pictures=flashing), fps=12.5)
    wanted = scorer.score(video)

    pieces, found = in_pieces(scorer, video, tmp_path / "pieces", 6)

    assert len(pieces) == 6
    assert wanted.begins().sum() >= 10
    assert_equal(found, wanted, tmp_path)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.slow
def test_files_of_all_kinds_score_the_same_in_pieces_or_stay_whole(motion: Scorer, tmp_path: Path, kind: str):
    video = open_video(KINDS[kind](tmp_path / kind))
    wanted = motion.score(video)

    try:
        pieces, found = in_pieces(motion, video, tmp_path / "pieces", 3, least=8)
    except DataError:
        assert kind in STAY_WHOLE
        return

    assert kind not in STAY_WHOLE
    assert len(pieces) in (2, 3)
    assert_equal(found, wanted, tmp_path)


@pytest.mark.slow
def test_a_piece_with_a_frame_that_does_not_decode_is_none(motion: Scorer, tmp_path: Path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "gate", frames=90)
    video = open_video(folder)
    pieces = cut(motion, video, "", 3, least=16)
    torn = folder / "050.png"
    torn.write_bytes(torn.read_bytes()[:100])

    judge_piece(motion, video, "", pieces[0])
    with pytest.raises(DataError):
        judge_piece(motion, video, "", pieces[1])


def test_pieces_that_have_not_read_the_same_are_not_put_together(motion: Scorer, tmp_path: Path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "gate", frames=60)
    video = open_video(folder)
    pieces = cut(motion, video, "", 2, least=16)
    first = judge_piece(motion, video, "", pieces[0])
    make_frame_folder(folder, frames=60, pictures=lambda index: moving_square(index + 1, grey=True))

    with pytest.raises(DataError, match="different frames"):
        put_together(motion, video, "", [first, judge_piece(motion, video, "", pieces[1])])


def test_a_judged_piece_that_is_another_one_is_not_taken(motion: Scorer, tmp_path: Path, make_frame_folder):
    video = open_video(make_frame_folder(tmp_path / "gate", frames=60))
    first, second = (judge_piece(motion, video, "", one) for one in cut(motion, video, "", 2, least=16))
    first.save(tmp_path / "1.npz")

    with pytest.raises(DataError):
        JudgedPiece.load(tmp_path / "1.npz", second.save(tmp_path / "2.npz"))


def test_a_video_that_is_too_short_stays_whole(motion: Scorer, tmp_path: Path, make_frame_folder):
    video = open_video(make_frame_folder(tmp_path / "gate", frames=60))

    assert cut(motion, video, "", 8) == []
    assert len(cut(motion, video, "", 8, least=20)) == 3


def test_a_detector_that_carries_something_over_a_video_leaves_it_whole(
    motion: Scorer, tmp_path: Path, make_frame_folder, monkeypatch
):
    video = open_video(make_frame_folder(tmp_path / "gate", frames=60))
    monkeypatch.setattr(motion.runtime, "for_video", object)

    assert cut(motion, video, "", 2, least=20) == []


@pytest.mark.parametrize("count", [1, 95, 96, 97, 192, 193, 1000])
def test_the_pictures_of_a_background_are_known_by_how_many_frames_there_are(count: int):
    levels = np.random.default_rng(count).integers(0, 256, count)
    still = Still()
    for level in levels:
        still.take(np.full((48, 72, 1), level, np.uint8))

    kept = np.stack([np.full((48, 72), level, np.uint8) for level in levels[:: kept_every(count)]])
    np.testing.assert_array_equal(still_of(kept), still.picture())
