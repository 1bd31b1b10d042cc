"""What is in a day set: a table of its anomalies by kind, and a picture of its places in every light and weather.

python experiments/day_world.py day/develop --picture docs/images/day-world.jpg
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from oddframe.data.open import open_videoset
from oddframe.data.synthetic.day.draw import Places, frames
from oddframe.data.synthetic.day.moves import RATE
from oddframe.data.synthetic.day.sets import scripts

SHOWN = 250
"""The frame of each video that is shown: something odd is on its way by then."""


def table(folder: Path) -> str:
    """Anomalies of the test by kind: how many, how long, how large, and how many by night."""
    rows: dict[str, list[tuple[float, float, bool]]] = defaultdict(list)
    hours = normal_hours = 0.0
    for video in open_videoset(folder).test:
        assert video.labels is not None
        hours += len(video.labels) / RATE / 3600
        normal_hours += int((~video.labels).sum()) / RATE / 3600
        for span in video.classes:
            sizes = []
            for frame in range(span.start, span.end, 5):
                mask = None if video.masks is None else video.masks.read(frame)
                if mask is not None:
                    sizes.append(float(mask.sum()))
            night = video.conditions["light"] == "night"
            rows[span.class_name or ""].append(
                ((span.end - span.start) / RATE, float(np.median(sizes or [0.0])), night)
            )
    lines = ["| kind | stretches | by night | seconds, median | pixels, median |", "| --- | --- | --- | --- | --- |"]
    for kind, found in sorted(rows.items()):
        seconds, pixels = (np.median([one[k] for one in found]) for k in (0, 1))
        lines.append(f"| `{kind}` | {len(found)} | {sum(one[2] for one in found)} | {seconds:.1f} | {pixels:.0f} |")
    count = sum(map(len, rows.values()))
    lines.append(f"\n{count} stretches in {hours:.2f} hours of test video, of which {normal_hours:.2f} are normal.")
    return "\n".join(lines)


def picture(name: str) -> np.ndarray:
    """One frame of each light and weather (columns) of each place (rows), (H, W, 3) RGB."""
    places, rows = Places(), []
    for place in range(4):
        tests = [script for script in scripts(name) if script.part == "test" and script.place == place][:6]  # type: ignore[arg-type]
        rows.append(np.hstack([next(islice(frames(script, places), SHOWN, None))[0] for script in tests]))
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--set", default="develop")
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    if asked.picture is not None:
        cv2.imwrite(str(asked.picture), picture(asked.set)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if asked.folder is not None:
        print(table(asked.folder))


if __name__ == "__main__":
    main()
