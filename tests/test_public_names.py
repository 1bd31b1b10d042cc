"""What strangers type: the names of `import oddframe as odd`."""

from __future__ import annotations

import pytest

import oddframe as odd


@pytest.mark.parametrize("name", odd.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str):
    found = getattr(odd, name)

    assert name == "__version__" or found.__doc__


def test_what_the_readme_types_is_public():
    named = {
        "open_video",
        "Frame",
        "load",
        "calibrate",
        "check",
        "bench",
        "reproduce",
        "Scorer",
        "score",
        "score_videos",
    }

    assert named <= set(odd.__all__)
