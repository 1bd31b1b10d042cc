"""How large the windows of optical flow should be, chosen without a test label of real video.

    python experiments/flow_window.py PED2 --fold 0
    python experiments/flow_window.py SYNTHETIC --labelled

Of a real set as `inner_split.py`: one of the fold's known videos against every fifth normal training video. Synthetic
video is drawn to choose settings on: `--labelled` judges every labelled video of it, each scene by itself. Speed is
compared raw, as a mean over the last three frames; nothing is learned.
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
from oddframe.data.videoset import LabelledVideo
from oddframe.settings_layers import load_settings
from oddframe.video.flow import flow
from oddframe.video.motion import window_means
from oddframe.video.picture import as_picture
from oddframe.video.source import Video

RESULTS = Path(__file__).parent / "results" / "flow-window"
SIDES = (1, 2, 3, 4, 5, 6, 8)
FIRST, SMOOTHING = 4, 3


def main() -> None:
    """Measure each side, print the AUCs and leave one JSON: scene → side → AUC."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--labelled", action="store_true", help="all labelled videos, for a set drawn to choose on")
    given = parser.parse_args()
    videos = odd.open_videoset(given.data)
    judged = (*videos.known, *videos.test) if given.labelled else inner(videos, given.fold, given.folds).test
    scenes = {one.scene or "all": [each for each in judged if each.scene == one.scene] for one in judged}
    figures = {name: areas(scene) for name, scene in sorted(scenes.items())}
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = videos.name if given.labelled else f"{videos.name}-inner-{given.fold}"
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    for scene, of_sides in figures.items():
        print(scene, {side: round(figure, 4) for side, figure in of_sides.items()})


def areas(videos: list[LabelledVideo]) -> dict[int, float]:
    """Side → AUC over all frames of these videos."""
    fastest: dict[int, list[NDArray[np.float64]]] = {side: [] for side in SIDES}
    labels = []
    for one in videos:
        cells = list(speeds(one.video))
        labels.append(np.asarray(one.labels, bool)[FIRST:])
        for side in SIDES:
            largest = np.array([window_means(cell, side, 1).max() for cell in cells])
            fastest[side].append(smoothed(largest)[FIRST - 1 :])
    return {side: float(roc_auc_score(np.concatenate(labels), np.concatenate(of))) for side, of in fastest.items()}


def speeds(video: Video) -> Iterator[NDArray[np.float32]]:
    """Squared speed in every cell, of every frame but the first."""
    size, before = load_settings("cpu", detector="flow").model.size, None
    for frame in video.frames():
        picture = as_picture(frame.pixels, size, 1, "area")
        if before is not None:
            yield flow(before, picture, 1)
        before = picture


def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over each value and those shortly before it."""
    return np.array([values[max(0, number - SMOOTHING + 1) : number + 1].mean() for number in range(len(values))])


if __name__ == "__main__":
    main()
