"""What `oddframe table` takes of the processor, of memory and of the disk, for a few videos and for many.

    python benchmarks/table_an_archive.py --json benchmarks/results/table_an_archive.json

Each video is an hour of one judged frame a second, with drawn scores of all components and one event. Each number of
videos has a process of its own, and there is a second call, which finds nothing new. Seconds are the processor's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from children import memory_mb
from oddframe.footage.archive import EVENTS, SCORES, table
from oddframe.footage.summary import Summary, write_summary
from oddframe.runs import host, versions
from oddframe.scoring.scores import COMPONENTS, AlarmLine, Box, Event, Scores

FRAMES = 3600
CAMERAS = 10


def main() -> None:
    """Draw the outputs, make the tables, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, nargs="+", default=[20, 200])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make is not None:
        print(json.dumps(make(given.make)))
        return
    with tempfile.TemporaryDirectory() as folder:
        measured = [in_a_process(Path(folder) / str(videos), videos) for videos in given.videos]
    found = {"frames": FRAMES, "measured": measured, "host": host().to_dict(), "versions": versions()}
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def in_a_process(folder: Path, videos: int) -> dict[str, Any]:
    """Draw so many videos' outputs, and have their tables made."""
    draw(folder, videos)
    command = [sys.executable, __file__, "--make", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    csv = sum(path.stat().st_size for path in folder.rglob("scores.csv"))
    parquet = sum(path.stat().st_size for path in (folder / SCORES).rglob("*.parquet"))
    events = sum(path.stat().st_size for path in (folder / EVENTS).rglob("*.parquet"))
    shutil.rmtree(folder)
    rows = videos * FRAMES
    return {
        "videos": videos,
        **found,
        "csv_bytes_a_frame": round(csv / rows, 1),
        "parquet_bytes_a_frame": round(parquet / rows, 1),
        "events_bytes_a_video": round(events / videos),
    }


def make(folder: Path) -> dict[str, Any]:
    """Make the tables twice, in this process."""
    steps = []
    for _ in range(2):
        began = time.process_time()
        made = table(folder)
        steps.append(time.process_time() - began)
    return {
        "first_cpu_s": round(steps[0], 2),
        "again_cpu_s": round(steps[1], 2),
        "added_again": len(made.added),
        "peak_mb": round(memory_mb("VmHWM"), 1),
    }


def draw(folder: Path, videos: int) -> None:
    """The outputs of videos of several cameras, an hour each; all have the same scores."""
    draws = np.random.default_rng(1)
    columns = {name: draws.gamma(2.0, 1.0, FRAMES).astype(np.float32) for name in COMPONENTS}
    online = draws.gamma(2.0, 0.5, FRAMES).astype(np.float32)
    event = Event(100, 120, 110, float(online[110]), 100.0, 120.0, 110.0, Box(10, 20, 30, 40))
    first: Path | None = None
    for number in range(videos):
        camera, hour = f"camera-{number % CAMERAS}", number // CAMERAS
        scores = Scores(
            f"{camera}/{hour:05}", (360, 640), 1.0, np.arange(FRAMES), np.arange(FRAMES, dtype=np.float64), columns,
            columns, online, online, online, AlarmLine(3.0, 2.0, 1.0, 1.0), (event,),
            began=datetime(2026, 1, 1) + timedelta(hours=hour),
        )  # fmt: skip
        place = folder / camera / f"{hour:05}"
        place.mkdir(parents=True)
        if first is None:
            first = scores.to_csv(place / "scores.csv")
        else:
            shutil.copyfile(first, place / "scores.csv")
        write_summary(place, Summary.of(scores), None, {})


if __name__ == "__main__":
    main()
