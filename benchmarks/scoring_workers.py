"""Several videos scored by two processes of one core each, beside one process of one core.

    python benchmarks/scoring_workers.py
    python benchmarks/scoring_workers.py --workers 4 --run runs/gate --json scoring_workers.json

Every worker has opened its run, and takes a turn when it is told to. One and all take turns, so that a busy moment hits
both. A worker keeps to a core of its own, decoding included, or the one would have the others' cores for reading ahead.
Without --run, an untrained network of the preset `tiny` scores; what is scored is drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from oddframe.benchmarking.bench import summarise
from oddframe.runs import host, versions
from oddframe.scoring.scorer import Scorer
from oddframe.video.open import open_video

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a run or an artefact")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--videos", type=int, default=4, help="how many are scored a turn; each of 600 frames")
    parser.add_argument("--repeats", type=int, default=5, help="turns that count")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    parser.add_argument("--work", type=Path, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        work(given.run, given.work, given.core)
        return
    cores = sorted(os.sched_getaffinity(0))
    if given.workers > len(cores):
        parser.error(f"{given.workers} workers need a core each, and there are {len(cores)}")
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(given.run, Path(folder), cores[: given.workers], given.videos, given.repeats)
    for name in ("one", "all"):
        one = figures[name]
        print(f"{name:4} {one['median']:.1f} frames/s   (half of the turns {one['lower']:.1f} to {one['upper']:.1f})")
    print(f"{given.workers} workers / one: {figures['ratio']:.2f}")
    if given.json is not None:
        about = {"workers": given.workers, "videos": given.videos, "host": host().to_dict(), "versions": versions()}
        given.json.write_text(json.dumps(figures | about, indent=1) + "\n", "utf-8")


def measure(run: Path | None, folder: Path, cores: Sequence[int], videos: int, repeats: int) -> dict[str, object]:
    """Let one worker score all videos, then all workers their parts, in turns; the first turn of each is left out."""
    from oddframe.benchmarking.drawn import draw_video

    files = [draw_video(folder / f"{number}.mp4") for number in range(videos)]
    if run is None:
        from oddframe.benchmarking.untrained import untrained_run
        from oddframe.progress import unwatched
        from oddframe.settings_layers import load_settings

        run = untrained_run(folder / "run", load_settings("tiny"), files[0], unwatched).folder
    frames = sum(open_video(file).frame_count for file in files)
    shares = {core: files[number :: len(cores)] for number, core in enumerate(cores)}
    sides = {
        "one": [Worker(run, files, cores[0])],
        "all": [Worker(run, share, core) for core, share in shares.items()],
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    try:
        for turn in range(repeats + 1):
            for name, side in sides.items():
                began = time.perf_counter()
                for worker in side:
                    worker.begin()
                for worker in side:
                    worker.wait()
                if turn:
                    rates[name].append(frames / (time.perf_counter() - began))
    finally:
        for worker in (*sides["one"], *sides["all"]):
            worker.close()
    figures = {name: summarise(values) for name, values in rates.items()}
    return {**figures, "ratio": figures["all"]["median"] / figures["one"]["median"]}


class Worker:
    """A process on one core that scores its videos, one after another, whenever it is told to."""

    def __init__(self, run: Path, videos: Sequence[Path], core: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, __file__, "--run", str(run), "--core", str(core), "--work", *map(str, videos)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ONE_THREAD,
        )
        self.wait()

    def begin(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def wait(self) -> None:
        assert self._child.stdout is not None
        if not self._child.stdout.readline():
            raise SystemExit("a worker has ended early; what it said is above")

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()


def work(run: Path, videos: Sequence[Path], core: int) -> None:
    """What a worker does."""
    os.sched_setaffinity(0, {core})
    cv2.setNumThreads(1)
    scorer = Scorer(run, device="cpu")
    opened = [open_video(video) for video in videos]
    print("ready", flush=True)
    for _ in sys.stdin:
        for video in opened:
            scorer.score(video)
        print("done", flush=True)


if __name__ == "__main__":
    main()
