"""16-bit pictures from training to scores: one range, learned once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.data.check import check
from oddframe.errors import SettingsError
from oddframe.scoring.scorer import Scorer
from oddframe.training.train import train
from oddframe.video.open import open_video


def thermal(folder: Path, frames: int, person: range = range(0)) -> Path:
    """14 bits: a cat of 60 counts walks over a ground of 7,325; a person of 200 counts is odd."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0)
    for number in range(frames):
        pixels = 7325 + noise.normal(0, 2, (48, 64)) + 60 * np.sin(np.arange(64) / 10)
        pixels[38:42, number % 60 : number % 60 + 4] += 60
        if number in person:
            left = (number - person.start) * 3
            pixels[8:32, left : left + 8] += 200
        cv2.imwrite(str(folder / f"{number:03}.tiff"), pixels.astype(np.uint16))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("thermal")
    return train(
        thermal(place / "normal", 60), out=place / "run", detector="framediff", overrides=["data.least_heldout=1"]
    )


def test_a_run_on_thermal_pictures_finds_the_person_by_the_range_that_it_learned(run, tmp_path):
    video = open_video(thermal(tmp_path / "day", 40, range(20, 32)))
    scorer = Scorer(run)

    scores = scorer.score(video)

    low, high = run.settings.data.pixel_range
    assert 7100 < low < 7260
    assert 7450 < high < 7700
    assert scorer.as_trained(video).pixel_range != video.pixel_range  # that of the day alone is wider
    runs = (scores.frame > 20) & (scores.frame < 32)
    assert scores.online[runs].min() > 100 * abs(scores.online[scores.frame < 20]).max()


def test_a_run_of_other_depth_than_the_video_says_so(run, tmp_path, make_frame_folder):
    scores = Scorer(run).score(open_video(make_frame_folder(tmp_path / "grey", frames=12)))

    assert any("the run was trained on 16" in note for note in scores.notes)


def test_data_check_names_the_range_that_training_learns(run):
    found = check(Path(run.folder).parent / "normal")

    assert (found.pixel_range.low, found.pixel_range.high) == run.settings.data.pixel_range
    assert f"{found.pixel_range.low} (black) to {found.pixel_range.high} (white)" in str(found)


def test_the_same_command_goes_on_with_the_range_that_it_learned(run):
    again = train(
        Path(run.folder).parent / "normal", out=run.folder, detector="framediff", overrides=["data.least_heldout=1"]
    )

    assert again.settings == run.settings


def test_a_range_for_pictures_of_eight_bits_is_refused(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "grey", frames=40)

    with pytest.raises(SettingsError, match="the normal video has 8"):
        train(folder, out=tmp_path / "run", detector="framediff", overrides=["data.pixel_range=[0,999]"])
