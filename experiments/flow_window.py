"""How large the windows of optical flow should be, chosen without a test label.

    python experiments/flow_window.py ../shared/data/ped2 --fold 0
    python experiments/flow_window.py SYNTHETIC --fold 0 --folds 3

As `inner_split.py`: one of the fold's known videos against every fifth normal training video. Speed is compared raw, as
a mean over the last three frames; nothing is learned.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import oddframe as odd
from inner_split import inner
from oddframe.video.flow import flow
from oddframe.video.motion import window_means
from oddframe.video.picture import as_picture
from oddframe.video.source import Video

RESULTS = Path(__file__).parent / "results" / "inner"
SIDES = (1, 2, 3, 4, 5, 6, 8)
SIZE, FIRST, SMOOTHING = (240, 360), 4, 3


def main() -> None:
    """Measure each side, print the AUCs and leave one JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--folds", type=int, default=10)
    given = parser.parse_args()
    videos = inner(odd.open_videoset(given.data), given.fold, given.folds)
    fastest: dict[int, list[NDArray[np.float64]]] = {side: [] for side in SIDES}
    labels = []
    for one in videos.test:
        cells = list(speeds(one.video))
        labels.append(np.asarray(one.labels, bool)[FIRST:])
        for side in SIDES:
            largest = np.array([window_means(cell, side, 1).max() for cell in cells])
            fastest[side].append(smoothed(largest)[FIRST - 1 :])
    figures = {
        side: float(roc_auc_score(np.concatenate(labels), np.concatenate(values))) for side, values in fastest.items()
    }
    name = f"{videos.name}-{given.fold}-flow-window"
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print({side: round(figure, 4) for side, figure in figures.items()})


def speeds(video: Video) -> Iterator[NDArray[np.float32]]:
    """Squared speed in every cell, of every frame but the first."""
    before = None
    for frame in video.frames():
        picture = as_picture(frame.pixels, SIZE, 1, "area")
        if before is not None:
            yield flow(before, picture, 1)
        before = picture


def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over each value and those shortly before it."""
    return np.array([values[max(0, number - SMOOTHING + 1) : number + 1].mean() for number in range(len(values))])


if __name__ == "__main__":
    main()
