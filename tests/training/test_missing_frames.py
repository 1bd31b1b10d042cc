"""Frames that do not decode, from the file to the run."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.errors import CutOffVideoError
from oddframe.progress import Progress
from oddframe.scoring.scorer import Scorer
from oddframe.training.train import train

LITTLE = "data.least_heldout=1"


@pytest.fixture
def folder(tmp_path, make_frame_folder):
    """60 frames of which 20 and 21 are broken."""
    folder = make_frame_folder(tmp_path / "gate", frames=60)
    for number in (20, 21):
        (folder / f"{number:03}.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    return folder


def test_a_folder_with_broken_pictures_is_refused_until_that_is_allowed_and_then_says_which_frames(folder, tmp_path):
    out, told = tmp_path / "run", []

    def watch(progress: Progress) -> None:
        if progress.stage == "warning":
            told.append(progress.note)

    with pytest.raises(CutOffVideoError, match=r"020\.png, 021\.png[\s\S]*--allow-cut-off"):
        train(folder, out=out, detector="framediff", overrides=[LITTLE])
    run = train(folder, out=out, detector="framediff", overrides=["data.allow_cut_off=true", LITTLE], watch=watch)

    sentence = "gate: 2 of 60 frames do not decode (20-21); no clip spans them"
    assert sentence in run.info.notes
    assert sentence in told


@pytest.mark.slow
def test_scores_of_a_folder_with_broken_pictures_keep_the_numbers_of_its_frames(folder, tmp_path, make_frame_folder):
    sound = make_frame_folder(tmp_path / "sound", frames=60)
    run = train(sound, out=tmp_path / "run", detector="framediff", overrides=[LITTLE])

    scores = Scorer(run).score(folder)

    assert 19 in scores.frame
    assert not np.isin([20, 21], scores.frame).any()
    assert scores.frame[-1] == 59
    assert any("020.png, 021.png" in note for note in scores.notes)
