"""What the doctor says."""

from __future__ import annotations

import json

import pytest

from oddframe import doctor


@pytest.fixture
def found():
    return doctor.examine()


def test_the_examination_is_plain_json_and_says_what_is_there(found):
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    assert found["extras"]["train"].to_dict() == {
        "ready": True,
        "missing": [],
        "install": 'pip install "oddframe[train]"',
    }
    assert found["precision"]["chosen"] in ("fp32", "bf16")
    assert found["video"]["decoders"]["h264"]
    assert found["cache"]["bytes"] == 0
    assert 1 <= found["machine"]["usable_cores"] <= found["machine"]["cores"]


def test_what_is_missing_comes_with_the_line_to_type(found):
    train = found.extras["train"].changed(ready=False, missing=("torch",))
    video = found.video.changed(writes_h264=False, decoders={"h264": True, "av1": False})

    words = doctor.in_words(found.changed(extras={"train": train}, video=video, precision=None, cuda=None))
    assert 'extra train: not installed (torch missing): pip install "oddframe[train]"' in words
    assert "cannot read av1" in words
    assert "no heat video" in words


def test_a_cache_that_cannot_be_written_is_a_finding_and_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ODDFRAME_CACHE", str(tmp_path / "file" / "cache"))

    assert "cannot be written" in doctor.in_words(doctor.examine())
