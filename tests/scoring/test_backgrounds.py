"""What stands still before a camera, and whether a video is of another one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from oddframe.errors import RunError
from oddframe.scoring.backgrounds import FILE, SIZE, Backgrounds, Still, alike


def street(seed: int, *, night: bool = False) -> np.ndarray:
    """(96, 144, 3): house walls as one camera sees them; each seed is another street."""
    rng = np.random.default_rng(seed)
    picture = np.full((96, 144, 3), 120, np.uint8)
    for _ in range(12):
        x, y = (int(one) for one in rng.integers(0, (120, 80)))
        corner = (x + int(rng.integers(10, 60)), y + int(rng.integers(8, 40)))
        cv2.rectangle(picture, (x, y), corner, [int(rng.integers(20, 230))] * 3, -1)
    if night:
        picture = (90 * (picture / 255.0) ** 2.2).astype(np.uint8)
    return picture


def crowded(ground: np.ndarray, frames: int = 40) -> list[np.ndarray]:
    """Frames in which half a dozen people walk over the ground."""
    rng, shown = np.random.default_rng(0), []
    for _ in range(frames):
        picture = ground.copy()
        for _ in range(6):
            x, y = (int(one) for one in rng.integers(0, (130, 70)))
            cv2.rectangle(picture, (x, y), (x + 8, y + 22), (10, 10, 10), -1)
        shown.append(picture)
    return shown


def seen(frames) -> np.ndarray:
    still = Still()
    for frame in frames:
        still.take(frame)
    return still.picture()


@pytest.fixture
def trained() -> Backgrounds:
    return Backgrounds.of([("gate", np.stack([street(1)] * 3)), ("belt", np.stack([street(2)] * 3))])


def test_who_walks_by_leaves_the_background_as_it_is():
    assert alike(seen(crowded(street(1))), seen([street(1)])) > 0.8


def test_light_and_night_do_not_make_another_camera():
    assert alike(seen([street(1)]), seen([street(1, night=True)])) > 0.6
    assert alike(seen([street(1)]), seen([255 - street(1)])) > 0.9


def test_a_nudge_is_the_same_camera_and_another_street_is_not():
    ground = street(1)
    assert alike(seen([ground]), seen([np.roll(ground, (2, 2), (0, 1))])) > 0.6
    assert max(alike(seen([ground]), seen([street(seed)])) for seed in range(2, 20)) < 0.3


def test_nothing_is_said_of_pictures_without_edges(trained):
    plain = seen([np.full((96, 144, 1), 90, np.uint8)])

    assert alike(plain, seen([street(1)])) is None
    assert trained.notes("gate", plain) == []
    assert trained.notes("gate", None) == []


def test_a_video_of_the_scene_that_it_names_gives_no_note(trained):
    assert trained.notes("gate", seen(crowded(street(1)))) == []


def test_another_camera_is_named_with_what_it_looks_like(trained):
    assert trained.notes("gate", seen([street(2)]))[0].startswith(
        "the still background is not that of scene 'gate'; it looks like 'belt'"
    )
    assert trained.notes("", seen([street(2)])) == ["by its still background this is scene 'belt': give --scene belt"]
    assert "of no scene in the training ('gate', 'belt')" in trained.notes("", seen([street(3)]))[0]
    assert trained.notes("yard", seen([street(1)])) == ["scene 'yard' was not in the training; it looks like 'gate'"]


def test_a_run_without_named_scenes_knows_its_one_camera():
    trained = Backgrounds.of([("", np.stack([street(1)] * 3))])

    assert trained.notes("", seen([street(1)])) == []
    assert trained.notes("", seen([street(3)]))[0].startswith("the still background is not that of the training video")


def test_backgrounds_survive_being_written_down_and_a_run_without_has_none(trained, tmp_path):
    trained.save(tmp_path)
    again = Backgrounds.load(tmp_path)

    assert list(again.scenes) == ["gate", "belt"]
    np.testing.assert_array_equal(again.scenes["belt"], trained.scenes["belt"])
    assert again.scenes["belt"].shape == SIZE
    assert Backgrounds.load(tmp_path / "nothing").scenes == {}


@pytest.mark.parametrize("share", [0, 0.3, 0.5])
def test_damaged_backgrounds_are_one_clear_error(trained, tmp_path, share: float):
    content = bytearray(trained.save(tmp_path).read_bytes())
    content[round(share * len(content))] ^= 0xFF
    (tmp_path / FILE).write_bytes(content)

    with pytest.raises(RunError, match="still backgrounds is damaged"):
        Backgrounds.load(tmp_path)


def test_of_a_long_video_a_bounded_number_of_pictures_is_held():
    still = Still()
    for number in range(1000):
        still.take(np.full((8, 8, 1), 200 if number < 400 else 50, np.uint8))

    assert len(still._kept) <= 96
    assert still.picture()[0, 0] == 50
