"""Whether there is normal video enough to say what is rare."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from oddframe.data.protocols import Section, Split
from oddframe.errors import TooShortError
from oddframe.models.detector import Window
from oddframe.settings import DataSettings
from oddframe.training.enough import refuse_little_heldout
from oddframe.training.train import train


def parts(*heldout: int, trained: int = 405, fps: float | None = 25.0) -> Split:
    """A split with so many frames in each held-out piece."""
    video = SimpleNamespace(video=SimpleNamespace(fps=fps))
    sections = tuple(Section(video, 0, length) for length in heldout)
    return Split("standard", None, None, (Section(video, 0, trained),), (), (), sections, ())


def refusal(split: Split, **settings: float) -> TooShortError:
    with pytest.raises(TooShortError, match="too little normal video is held out") as caught:
        refuse_little_heldout(split, Window(4, 0), DataSettings(**settings))
    return caught.value


def test_eighteen_seconds_are_too_little_and_how_much_is_enough_is_said():
    """450 frames, a tenth held out in two pieces, each of which loses the four frames before the first judged one."""
    error = refusal(parts(22, 23))

    assert error.seen == "37 held-out frames that can be judged, of 450 normal ones"
    assert "at least 100" in error.wanted
    assert error.hint.startswith("630 more frames of normal video, 26 s of it")  # a tenth of them are the 63 that lack
    assert "--set data.heldout=0.3." in error.hint
    assert error.hint.endswith("To go on in spite of it: --set data.least_heldout=37")


def test_a_hint_that_cannot_help_is_not_given():
    """Half of 45 frames are not a hundred."""
    assert "data.heldout" not in refusal(parts(10, 10, trained=25), heldout=0.4).hint
    assert "data.heldout" not in refusal(parts(50), heldout=0.3).hint  # more than half of what is there
    assert " of it" not in refusal(parts(22, 23, fps=None)).hint.partition(",")[0]


def test_a_piece_that_is_shorter_than_a_window_adds_nothing():
    assert refusal(parts(3, 27)).seen.startswith("23 held-out frames")


@pytest.mark.parametrize(("fps", "said"), [(7.1, "89 s of it"), (7.0, "2 min of it"), (5.2, "3 min of it")])
def test_a_minute_and_a_half_and_more_is_said_in_minutes_never_too_few(fps, said):
    """It takes 630 frames: 88.7, 90 and 121.2 s."""
    assert said in refusal(parts(22, 23, fps=fps)).hint


def test_a_hundred_frames_are_enough():
    refuse_little_heldout(parts(104), Window(4, 0), DataSettings())
    refuse_little_heldout(parts(22, 23), Window(4, 0), DataSettings(least_heldout=37))


def test_it_is_said_before_anything_is_decoded(gate, small, tmp_path):
    told = []

    with pytest.raises(TooShortError, match="too little normal video"):
        train(gate, out=tmp_path / "run", settings=small("data.least_heldout=100"), watch=told.append)

    assert told == []
