"""How many frames a second does a core draw of a day set, encoding included?

    python benchmarks/day_drawing.py --json benchmarks/results/day_drawing.json

Draws test videos of one place in three kinds of light and weather, by the time that the processor works for each. The
first video of each kind also paints its place, as in a real set one of four or so does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import cv2

from oddframe.data.synthetic.day.draw import Places
from oddframe.data.synthetic.day.sets import scripts
from oddframe.data.synthetic.day.write import write_video
from oddframe.processes.cores import processor
from oddframe.progress import unwatched


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--place", type=int, default=3, help="number of the place in develop")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    tests = [script for script in scripts("develop") if script.part == "test" and script.place == asked.place]
    places, found = Places(), []
    with tempfile.TemporaryDirectory() as folder:
        for script in [tests[k] for k in (0, 1, 2, 6, 7, 8)]:
            begun = time.process_time()
            write_video(Path(folder), script, places, unwatched)
            rate = script.frames / (time.process_time() - begun)
            found.append({"light": script.light, "weather": script.weather, "frames_a_second": round(rate)})
            print(f"{script.light}, {script.weather}: {rate:.0f} frames a second of a core")
    if asked.json is not None:
        asked.json.write_text(json.dumps({"processor": processor()[0], "videos": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
