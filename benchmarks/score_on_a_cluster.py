"""Scores an archive on a Ray cluster of two nodes on this machine, one of which is killed in the middle.

    python benchmarks/score_on_a_cluster.py --videos 60 --json benchmarks/results/score_on_a_cluster.json

Says whether all videos are finished, none of them twice, and whether the tables are those of one machine without Ray;
how much faster two workers are than one, at one thread each; and how much memory the driver has. Videos are short and
drawn by arithmetic; the detector is one of preset `tiny` after one epoch: neither speed nor equality depends on what it
has learned.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import av
import numpy as np

os.environ |= {"OMP_NUM_THREADS": "1", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}

import oddframe as odd
from oddframe.footage.many import score_videos
from oddframe.progress import Progress


def main() -> None:
    """Make the videos, score them three times, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=60)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number in range(given.videos):
            write_video(home / f"videos/{number:04}.mp4", given.frames, number)
        write_video(home / "normal.mp4", 900, given.videos)
        fast = ["train.epochs=1", "data.least_heldout=1"]
        run = odd.train(home / "normal.mp4", out=home / "run", preset="tiny", overrides=fast)
        found = measure(run, home)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps({"command": command(given), **found}, indent=1) + "\n", "utf-8")


def measure(run: odd.Run, home: Path) -> dict[str, Any]:
    """One worker and two on a Ray of this machine, and two nodes of which one dies."""
    seconds, said = {}, Counter[str]()
    for jobs in (1, 2):
        began = time.monotonic()
        score_videos(run, home / "videos", out=home / f"ray-{jobs}", engine="ray", jobs=jobs)
        seconds[jobs] = time.monotonic() - began
    score_videos(run, home / "videos", out=home / "here", jobs=2)
    ended = with_a_death(run, home, said)
    videos = sorted(one.name for one in (home / "videos").iterdir())
    tables = [f"{name[:-4]}/{table}" for name in videos for table in ("scores.csv", "events.csv")]
    return {
        "videos": len(videos),
        "one_worker_s": round(seconds[1], 1),
        "two_workers_s": round(seconds[2], 1),
        "speed_up": round(seconds[1] / seconds[2], 2),
        "after_a_death": {
            "finished": sum(one.summary is not None for one in ended),
            "finished_twice": sum(number > 1 for number in said.values()),
            "tables_equal": all(
                (home / "here" / one).read_bytes() == (home / "nodes" / one).read_bytes() for one in tables
            ),
        },
        "driver_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cores": len(os.sched_getaffinity(0)),
    }


def with_a_death(run: odd.Run, home: Path, said: Counter[str]) -> list[Any]:
    """Score on two nodes of one core each; kill the second one when a third of the videos is finished."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    killing = threading.Thread(target=cluster.remove_node, args=(other,), kwargs={"allow_graceful": False})
    third = len(list((home / "videos").iterdir())) // 3

    def watch(moment: Progress) -> None:
        if moment.stage == "finished":
            said[moment.note.split(":")[0]] += 1
            if len(said) == third:
                killing.start()
        elif moment.stage == "warning":
            print(moment.note, flush=True)

    try:
        return score_videos(
            run, home / "videos", out=home / "nodes", engine="ray", address=cluster.address, jobs=2, watch=watch
        )
    finally:
        killing.join()
        cluster.shutdown()


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


def command(given: argparse.Namespace) -> str:
    """What makes the same again."""
    return f"python benchmarks/score_on_a_cluster.py --videos {given.videos} --frames {given.frames}"


if __name__ == "__main__":
    main()
