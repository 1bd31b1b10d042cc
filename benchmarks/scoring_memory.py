"""Whether memory, or the time for a frame, grows with the length of a video that is scored.

    python benchmarks/scoring_memory.py
    python benchmarks/scoring_memory.py --frames 1000 10000 --json scoring_memory.json

A small network is trained for a moment; then videos of each length, whose frames are made as they are read, are scored
in a process of their own, and the most memory that it held and its time for a frame are compared. The wish is at most
50 MB more for the longest video than for the shortest one. Time is told, not judged: it depends on what else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.runs import host, peak_memory_mb, versions
from oddframe.video.source import Frame, Video

WANTED_MB = 50.0
SOURCE = (240, 360)
SETTINGS = (
    "model.size=[96, 144]",
    "model.width=4",
    "train.epochs=1",
    "train.batch=8",
    "data.heldout=0.3",
    "data.least_heldout=1",
)


class MadeVideo(Video):
    """Frames without a file: noise, and a square that crosses the picture."""

    path, name = Path("made"), "made"
    size, channels, fps, own_clock = SOURCE, 3, 25.0, True
    start = end = None

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._ground = np.random.default_rng(0).integers(60, 80, (*SOURCE, 3), np.uint8)

    @property
    def source_frame_count(self) -> int:
        return self._frames

    def frames(self) -> Iterator[Frame]:
        """Make one frame after another."""
        for index in range(self._frames):
            yield Frame(index, index / 25.0, self.picture(index))

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(240, 360, 3): what frame `index` shows."""
        picture = np.roll(self._ground, index, axis=0)
        left = 5 * index % (SOURCE[1] - 40)
        picture[80:120, left : left + 40] = 220
        return picture

    def parts(self) -> Sequence[Path]:
        return ()

    def times_s(self) -> NDArray[np.float64]:
        return np.arange(self._frames) / 25.0


def train_small(home: Path) -> None:
    """Leave a run in `home`/run."""
    from oddframe.settings_layers import load_settings
    from oddframe.training.train import train

    os.environ["ODDFRAME_CACHE"] = str(home / "cache")
    video = MadeVideo(120)
    for name, first in {"a": 0, "b": 60}.items():
        folder = home / "gate" / "normal" / name
        folder.mkdir(parents=True)
        for index in range(60):
            if not cv2.imwrite(str(folder / f"{index:03}.png"), video.picture(first + index)):
                raise OSError(f"{folder} cannot be written")
    train(home / "gate", out=home / "run", settings=load_settings("tiny", overrides=SETTINGS))


def score_once(run: Path, frames: int) -> None:
    """Score a video of so many frames and print what it took, for the process that asked."""
    from oddframe.runs import Run
    from oddframe.scoring.scorer import Scorer

    scorer = Scorer(Run.open(run), device="cpu")
    scorer.score(MadeVideo(50))  # libraries and buffers are in place now
    before, began = peak_memory_mb(), time.perf_counter()
    scores = scorer.score(MadeVideo(frames))
    seconds = time.perf_counter() - began
    figures = {
        "frames": frames,
        "judged": len(scores),
        "before_mb": before,
        "peak_mb": peak_memory_mb(),
        "seconds": seconds,
    }
    print(json.dumps(figures))


def main() -> int:
    """Measure and print; 1 if memory grew by more than it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[1000, 4000, 16_000])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run is not None:
        score_once(given.run, given.frames[0])
        return 0
    measured = []
    with tempfile.TemporaryDirectory() as home:
        train_small(Path(home))
        for frames in sorted(given.frames):
            command = [sys.executable, __file__, "--run", str(Path(home) / "run"), "--frames", str(frames)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            measured.append(json.loads(done.stdout.splitlines()[-1]))
            one = measured[-1]
            rate = one["frames"] / one["seconds"]
            print(f"{one['frames']:8} frames   {one['peak_mb']:8.1f} MB at most   {rate:6.1f} frames/s", flush=True)
    grown = measured[-1]["peak_mb"] - measured[0]["peak_mb"]
    print(f"grown by {grown:.1f} MB   wanted: at most {WANTED_MB:g} MB")
    slowed = _ms_a_frame(measured[-1]) / _ms_a_frame(measured[0])
    print(f"a frame of the longest video takes {slowed:.2f} times as long as one of the shortest")
    if given.json is not None:
        figures = {"measured": measured, "grown_mb": grown, "wanted_mb": WANTED_MB, "slowed": slowed}
        figures |= {"host": host().to_dict(), "versions": versions()}
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return int(grown > WANTED_MB)


def _ms_a_frame(one: dict[str, float]) -> float:
    return 1000 * one["seconds"] / one["frames"]


if __name__ == "__main__":
    sys.exit(main())
