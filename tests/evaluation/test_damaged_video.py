"""The middle of a test video does not decode: the other frames keep their numbers, labels and scores."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from oddframe.evaluation.evaluate import evaluate
from oddframe.reporting.pages import report
from oddframe.scoring.scorer import Scorer
from oddframe.training.train import train

ODD = {*range(40, 60), *range(130, 160)}
LOST = range(79, 109)
SENTENCE = "30 of 200 frames do not decode (79-108)"


def draw(path: Path, frames: int, odd: set[int], seed: int) -> None:
    """Every picture stands for itself. A bright square jumps where it is odd, and now and then a little elsewhere."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.gop_size = 1
        stream.options = {"preset": "ultrafast", "threads": "1"}
        for number in range(frames):
            picture = np.full((48, 64, 3), 80, np.uint8) + rng.integers(0, 12, (48, 64, 3), np.uint8)
            if number in odd or rng.random() < 0.1:
                at = rng.integers(0, 50)
                picture[8:20, at : at + 12] = 160
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))


def destroy(path: Path, numbers: range) -> None:
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        position, size = packets[number]
        data[position : position + size] = bytes(size)
    path.write_bytes(bytes(data))


@pytest.mark.slow
def test_damage_in_the_middle_of_a_test_video_costs_its_frames_and_no_others(tmp_path):
    from sklearn.metrics import roc_auc_score  # it loads for a second

    sound, torn = tmp_path / "sound", tmp_path / "torn"
    for seed, name in enumerate(("normal/a.mp4", "normal/b.mp4", "normal/c.mp4"), 1):
        draw(sound / name, 60, set(), seed)
    draw(sound / "test" / "gate.mp4", 200, ODD, 0)
    (sound / "labels.csv").write_text("video,start,end,class\ngate,40,60,\ngate,130,160,\n")
    shutil.copytree(sound, torn)
    destroy(torn / "test" / "gate.mp4", LOST)
    overrides = ["model.size=[48, 64]", "data.heldout=0.3", "data.least_heldout=1", "score.online=[psnr, motion]"]
    run = train(sound, out=tmp_path / "run", detector="framediff", overrides=overrides)

    whole = Scorer(run).score(sound / "test" / "gate.mp4")
    damaged = Scorer(run).score(torn / "test" / "gate.mp4")
    result = evaluate(run, torn)
    page = report(result, out=tmp_path / "page.html").read_text("utf-8")

    assert not np.isin(LOST, damaged.frame).any()
    assert set(range(1, 200)) - set(damaged.frame.tolist()) == {*LOST, 109}  # 109 has no frame before it
    np.testing.assert_allclose(damaged.time_s, damaged.frame / 25)
    left = np.isin(whole.frame, damaged.frame)
    labels = [frame in ODD for frame in damaged.frame.tolist()]
    expected = roc_auc_score(labels, -whole.psnr[left])
    assert 0.7 < expected < 0.999
    assert result.auc["psnr"]["micro"] == pytest.approx(expected, abs=1e-6)
    assert any(SENTENCE in note for note in damaged.notes)
    assert any(SENTENCE in note for note in result.notes)
    assert SENTENCE in page
