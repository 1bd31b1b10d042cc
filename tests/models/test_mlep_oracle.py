"""What MLEP's own code makes of folds, clips and scores, beside what is made of them here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest

from oddframe.data.protocols import split
from oddframe.data.videoset import LabelledVideo, VideoSet
from oddframe.evaluation.metrics import Video, auc, pooled
from oddframe.scoring.fusion import paper_fusion
from oddframe.training.clip_sources import ClipSource


@pytest.fixture
def stored(oracle_dir: Path) -> dict[str, npt.NDArray[np.int64]]:
    with np.load(oracle_dir / "mlep.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def a_set(lengths: list[int]) -> VideoSet:
    """Test videos without pictures: a protocol looks at names and lengths only."""
    test = [
        LabelledVideo(f"{number:03}", SimpleNamespace(frame_count=frames), np.ones(frames, bool))
        for number, frames in enumerate(lengths, start=1)
    ]
    return VideoSet("made", "folder", Path("made"), (), (), tuple(test))


@pytest.mark.parametrize(("videos", "folds"), [(21, 10), (107, 5), (107, 10), (36, 10), (12, 10)])
def test_folds_are_cut_as_theirs(stored, videos: int, folds: int) -> None:
    sizes = [len(split(a_set([9] * videos), "kfold", fold=fold, folds=folds).known) for fold in range(folds)]
    assert sizes == stored[f"folds_{videos}_{folds}_sizes"].tolist()


def test_what_is_judged_beside_a_fold_is_what_they_judge(stored) -> None:
    parts = split(a_set(stored["avenue_len"].tolist()), "kfold", fold=2, folds=10)
    assert [video.video.frame_count for video in parts.test] == stored["avenue_fold3_test_len"].tolist()


def starts(labels: npt.NDArray[np.bool_], *, abnormal: bool) -> set[int]:
    return set(ClipSource("v", np.empty((0, 1, 1, 1), np.uint8), labels, 0, len(labels)).starts(5, abnormal=abnormal))


def their_starts(rows: npt.NDArray[np.int64]) -> set[int]:
    """Each of their clips is followed by itself played backwards."""
    assert np.array_equal(rows[::2], rows[1::2, ::-1])
    return {int(row[0]) for row in rows[::2]}


def test_abnormal_clips_are_theirs_and_mixed_ones_are_not_called_normal(stored) -> None:
    labels = stored["clip_mask_v01"].astype(bool)
    last = len(labels) - 5  # theirs leave out the last start there is
    assert starts(labels, abnormal=True) - {last} == their_starts(stored["clip_abnormal_0"])
    mixed = {start for start in range(last) if len(set(labels[start : start + 5])) == 2}
    assert mixed
    assert (starts(labels, abnormal=False) - {last}) | mixed == their_starts(stored["clip_normal_0"])


def test_a_video_without_labels_is_normal_throughout(stored) -> None:
    frames = int(stored["clip_len_v02"])
    assert starts(np.zeros(frames, bool), abnormal=False) - {frames - 5} == their_starts(stored["clip_normal_1"])


@pytest.mark.parametrize("scaled", [False, True])
def test_their_auc_over_all_frames_comes_out_with_and_without_scaling_by_video(stored, oracle_dir, scaled) -> None:
    pytest.importorskip("sklearn")
    with np.load(oracle_dir / "scoring.npz", allow_pickle=False) as lists:
        videos = []
        for number in range(3):
            psnr = lists[f"v{number}_psnr"]
            videos.append(
                Video(lists[f"v{number}_label"].astype(bool), paper_fusion(psnr, None, 0.6) if scaled else -psnr)
            )
    assert auc(pooled(videos)) == pytest.approx(float(stored[f"auc_normalize_{int(scaled)}"]), abs=1e-7)
