"""Whether optical flow sees the same at every size of picture, and what it costs.

    python experiments/flow_sizes.py PED2

Every fifth pair of frames of ten normal training videos at most; no label is looked at. `flow` of each pair, as a
detector with pictures of that size has it, against `flow` of the same pair at 240 rows: rank correlation over pairs,
and the median of the ratio. Beside it the same for pictures that are compared as they come, over cells of a thirtieth
of their height, at half their resolution and at the full one. Milliseconds are the quickest of a dozen pairs, on one
core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import oddframe as odd
from oddframe.video.flow import ROWS, WINDOW, cell_of, flow
from oddframe.video.motion import window_means
from oddframe.video.picture import as_picture

RESULTS = Path(__file__).parent / "results" / "flow-sizes"
SIZES = ((96, 144), (128, 192), (160, 240), (192, 288), (240, 360))
VIDEOS, EVERY, FRAMES = 10, 5, 100

Picture = NDArray[np.uint8]


def main() -> None:
    """Measure each size, print the figures and leave one JSON: height → figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    videos = odd.open_videoset(given.data)
    seen: dict[tuple[str, int], list[float]] = {}
    pairs: dict[int, list[tuple[Picture, Picture]]] = {}
    for one in videos.normal[:: -(-len(videos.normal) // VIDEOS)]:
        frames = list(islice(one.video.frames(), FRAMES))
        for before, now in zip(frames[::EVERY], frames[1::EVERY], strict=False):
            for size in SIZES:
                pair = as_picture(before.pixels, size, 1, "area"), as_picture(now.pixels, size, 1, "area")
                pairs.setdefault(size[0], []).append(pair)
                for name, measure in MEASURES.items():
                    seen.setdefault((name, size[0]), []).append(float(measure(*pair).max()))
    wanted = np.array(seen["flow", ROWS])
    figures = {
        height: {
            name: {
                "milliseconds": milliseconds(pairs[height][:12], MEASURES[name]),
                "rank_correlation": float(spearmanr(wanted, seen[name, height]).statistic),
                "ratio": float(np.median(np.array(seen[name, height]) / wanted)),
            }
            for name in MEASURES
        }
        for height, _ in SIZES
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {"pairs": len(wanted), "heights": figures}
    (RESULTS / f"{videos.name}.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    print(json.dumps(content, indent=1))


def as_they_come(before: Picture, now: Picture, finest_scale: int = 1) -> NDArray[np.float32]:
    """`flow` without bringing pictures to one size, followed at 1 / 2**finest_scale of their resolution."""
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(finest_scale)
    vectors = np.asarray(method.calc(before[:, :, 0], now[:, :, 0], None), np.float32)
    cell, unit = cell_of(len(before)), ROWS / len(before)
    squares = np.square(vectors * unit).sum(axis=2)
    return window_means(window_means(squares, cell, cell), WINDOW, 1)


MEASURES: dict[str, Callable[[Picture, Picture], NDArray[np.float32]]] = {
    "flow": flow,
    "as_they_come": as_they_come,
    "full_resolution": partial(as_they_come, finest_scale=0),
}


def milliseconds(pairs: list[tuple[Picture, Picture]], measure: Callable[..., object]) -> float:
    """Of the quickest pair."""
    taken = []
    for pair in pairs:
        begun = time.process_time()
        measure(*pair)
        taken.append(1000 * (time.process_time() - begun))
    return round(min(taken), 1)


if __name__ == "__main__":
    main()
