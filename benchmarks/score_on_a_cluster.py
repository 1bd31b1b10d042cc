"""Scores an archive on a Ray cluster of two nodes on this machine, one of which is killed in the middle.

    python benchmarks/score_on_a_cluster.py --json benchmarks/results/score_on_a_cluster.json
    python benchmarks/score_on_a_cluster.py --only driver --json benchmarks/results/score_on_a_cluster.json

Three questions, which `--only` asks one by one; the JSON keeps the answers to the others:

- death: are all videos finished, none of them twice, and are the tables those of one machine without Ray?
- gain: how much faster are two nodes than one, at one core and one thread each? In turns, so that a busy moment hits
  both. From the first finished video to the last, so that nobody's start counts.
- driver: how much memory has the process that hands out 100 videos, and 5,000? Workers copy outputs there, in place of
  scoring: see `copying_worker.py`.

Videos are short and drawn by arithmetic; the detector is one of preset `tiny` after one epoch: neither speed nor
equality depends on what it has learned.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np

from children import memory_mb
from copying_worker import TEMPLATE

os.environ |= {"OMP_NUM_THREADS": "1", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
os.environ.setdefault("RAY_raylet_start_wait_time_s", "240")  # a busy machine is slow, and not broken

import oddframe as odd
from oddframe.footage.archive import EVENTS, SCORES, table
from oddframe.footage.many import score_videos
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.runs import host, versions

QUESTIONS = ("death", "gain", "driver")
COPYING = 8
"""Workers that copy: they wait more than they work."""


def main() -> None:
    """Make the videos, ask, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=60)
    parser.add_argument("--frames", type=int, default=60, help="of each video")
    parser.add_argument("--turns", type=int, default=3, help="of one node and of two")
    parser.add_argument("--turn-videos", type=int, default=20, help="how many of the videos are scored in a turn")
    parser.add_argument("--driven", type=int, nargs="+", default=[100, 5000], help="videos for a driver")
    parser.add_argument("--only", choices=QUESTIONS, nargs="+", default=QUESTIONS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--drive", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.drive is not None:
        print(json.dumps(drive(given.home, given.drive)))
        return
    found: dict[str, Any] = {}
    if given.json and given.json.is_file():
        found = json.loads(given.json.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run = prepare(home, given)
        if "death" in given.only:
            found["after_a_death"] = after_a_death(run, home, given.frames)
        if "gain" in given.only:
            found["two_nodes"] = gain(run, home, given)
        if "driver" in given.only:
            found["driver"] = [driven(home, number) for number in given.driven]
    found |= {"cores": len(os.sched_getaffinity(0)), "host": host().to_dict(), "versions": versions()}
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def prepare(home: Path, given: argparse.Namespace) -> odd.Run:
    """Draw the videos and train the detector."""
    if given.only != ["driver"]:
        for number in range(given.videos):
            write_video(home / f"videos/{number:04}.mp4", given.frames, number)
    write_video(home / "normal.mp4", 400, given.videos)
    fast = ["train.epochs=1", "data.least_heldout=1"]
    return odd.train(home / "normal.mp4", out=home / "run", preset="tiny", overrides=fast)


# A node dies ------------------------------------------------------------------------------------------------


def after_a_death(run: odd.Run, home: Path, frames: int) -> dict[str, Any]:
    """Score on two nodes of one core each; kill the second one when a third of the videos is finished."""
    score_videos(run, home / "videos", out=home / "here", jobs=2)
    finished, warnings = Counter[str](), []
    third = len(list((home / "videos").iterdir())) // 3
    with cluster() as (nodes, add):
        other = add()
        killing = threading.Thread(target=nodes.remove_node, args=(other,), kwargs={"allow_graceful": False})

        def watch(moment: Progress) -> None:
            if moment.stage == "finished":
                finished[moment.note.split(":")[0]] += 1
                if sum(finished.values()) == third:
                    killing.start()
            elif moment.stage == "warning":
                warnings.append(moment.note)
                print(moment.note, file=sys.stderr, flush=True)

        ended = on(nodes, run, home, "nodes", jobs=2, watch=watch)
        killing.join()
    for name in ("here", "nodes"):
        table(home / name)
    names = [one.name for one in ended]
    csv = [f"{name}/{kind}" for name in names for kind in ("scores.csv", "events.csv")]
    parquet = [
        path.relative_to(home / "here").as_posix()
        for kind in (SCORES, EVENTS)
        for path in (home / "here" / kind).rglob("*.parquet")
    ]
    return {
        "videos": len(ended),
        "frames": frames,
        "finished": sum(one.summary is not None for one in ended),
        "finished_twice": sum(number > 1 for number in finished.values()),
        "tried_again": sum("tried again" in note for note in warnings),
        "tables": len(csv) + len(parquet),
        "tables_equal": sum(same(home, one) for one in [*csv, *parquet]),
    }


def same(home: Path, way: str) -> bool:
    """Whether a file of the nodes is that of one machine, to the byte."""
    there = home / "nodes" / way
    return there.is_file() and there.read_bytes() == (home / "here" / way).read_bytes()


# Two nodes beside one ---------------------------------------------------------------------------------------


def gain(run: odd.Run, home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Videos a second of one node and of two, in turns."""
    some = sorted((home / "videos").iterdir())[: given.turn_videos]
    rates: dict[int, list[float]] = {1: [], 2: []}
    with cluster() as (nodes, add):
        for turn in range(given.turns):
            for jobs in (1, 2):
                other = add() if jobs == 2 else None
                rates[jobs].append(rate(nodes, run, home, f"{jobs}-{turn}", some, jobs))
                if other is not None:
                    nodes.remove_node(other)
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    return {
        "videos": len(some),
        "frames": given.frames,
        "one_videos_per_s": [round(one, 3) for one in rates[1]],
        "two_videos_per_s": [round(two, 3) for two in rates[2]],
        "ratios": [round(ratio, 2) for ratio in ratios],
        "ratio": round(median(ratios), 2),
    }


def rate(nodes: Any, run: odd.Run, home: Path, name: str, videos: list[Path], jobs: int) -> float:
    """Videos a second, from when each worker has finished its first one."""
    ended: list[float] = []

    def watch(moment: Progress) -> None:
        if moment.stage == "finished":
            ended.append(time.monotonic())

    on(nodes, run, home, name, videos=videos, jobs=jobs, watch=watch)
    return (len(ended) - jobs) / (ended[-1] - ended[jobs - 1])


# The cluster ------------------------------------------------------------------------------------------------


@contextmanager
def cluster() -> Iterator[tuple[Any, Any]]:
    """A Ray cluster with one node of one core, and what adds another node, on the next core.

    Whatever works on a node keeps to its core, decoding included, or one node would have the other's core, too.
    """
    from ray.cluster_utils import Cluster

    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    os.sched_setaffinity(0, cores)

    def add() -> Any:
        os.sched_setaffinity(0, cores[1:2] or cores)
        other = nodes.add_node(num_cpus=1)
        os.sched_setaffinity(0, cores)
        nodes.wait_for_nodes()
        return other

    try:
        yield nodes, add
    finally:
        nodes.shutdown()


def on(
    nodes: Any, run: odd.Run, home: Path, name: str, *, jobs: int, videos: Any = None, watch: Watcher = unwatched
) -> list[Any]:
    """Score on a cluster."""
    return score_videos(
        run, videos or home / "videos", out=home / name, engine="ray", address=nodes.address, jobs=jobs, watch=watch
    )


# The driver -------------------------------------------------------------------------------------------------


def driven(home: Path, videos: int) -> dict[str, Any]:
    """What a driver of so many videos takes, in a process of its own."""
    if not (home / TEMPLATE).exists():
        write_video(home / "template.mp4", 400, 1)
        odd.score(home / "run", home / "template.mp4", out=home / TEMPLATE)
    folder = home / f"tiny-{videos}"
    folder.mkdir()
    for number in range(videos):
        (folder / f"{number:05}.mp4").write_bytes(b"copied, not scored")
    here = Path(__file__)
    command = [sys.executable, str(here), "--drive", str(videos), "--home", str(home)]
    path = os.pathsep.join([str(here.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(folder)
    shutil.rmtree(home / f"driven-{videos}")
    return json.loads(done.stdout.splitlines()[-1])


def drive(home: Path, videos: int) -> dict[str, Any]:
    """Hand out videos to workers that copy, and say how large this process has become."""
    from oddframe.processes.ray_engine import RayEngine

    start = RayEngine.start
    RayEngine.start = lambda self, _, *rest, **more: start(self, "copying_worker", *rest, **more)
    steps: dict[str, float] = {}

    def watch(moment: Progress) -> None:
        if moment.stage == "finished":
            steps["working_mb"] = memory_mb("VmRSS")

    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": COPYING, "include_dashboard": False})
    began = memory_mb("VmRSS")
    try:
        ended = score_videos(
            home / "run", home / f"tiny-{videos}", out=home / f"driven-{videos}", engine="ray",
            address=nodes.address, jobs=COPYING, watch=watch,
        )  # fmt: skip
    finally:
        nodes.shutdown()
    return {
        "videos": videos,
        "workers": COPYING,
        "finished": sum(one.summary is not None for one in ended),
        "began_mb": round(began, 1),
        "working_mb": round(steps["working_mb"], 1),
        "peak_mb": round(memory_mb("VmHWM"), 1),
    }


def write_video(path: Path, frames: int, seed: int) -> None:
    """A bright block that crosses noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        stream.options = {"preset": "ultrafast", "threads": "1"}
        for number in range(frames):
            picture = random.integers(90, 110, (128, 192, 3), np.uint8)
            left = (2 * number + 7 * seed) % 176
            picture[56:72, left : left + 16] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
