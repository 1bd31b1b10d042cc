"""Draw docs/images/demo.png from a judged run on the synthetic set.

    oddframe demo --out demo
    python docs/images/make_picture.py demo/run

Without a name, it takes the test video whose own AUC is nearest to the median of all that have an event: an ordinary
one, not the best.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oddframe.data.open import open_videoset
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.runs import Run
from oddframe.scoring.explanation import Explanation
from oddframe.scoring.scorer import Scorer
from oddframe.video import draw

PICTURE = Path(__file__).with_name("demo.png")
_INK, _ALARM, _TRUTH = "#1f5f8b", "#b3261e", "#8a8f98"


def main() -> None:
    """Read the run, explain four frames, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("video", nargs="?", help="name of a test video, as the page has it")
    parser.add_argument("--out", type=Path, default=PICTURE)
    given = parser.parse_args()
    result = Result.load(given.run)
    name = given.video or _ordinary(result)
    judged = next((one for one in result.scored if one.name == name), None)
    if judged is None:
        parser.error(f"no test video '{name}' among {', '.join(one.name for one in result.scored)}")
    if not judged.stretches():
        parser.error(f"nothing is labelled abnormal in '{name}'")
    run = Run.open(given.run)
    videos = open_videoset((run.folder / run.info.data.root).resolve())
    video = next(one.video for one in videos.test if one.name == name)
    frames = _chosen(judged)
    figure = _drawn(judged, Scorer(run, device="cpu").explain(video, frames, judged.scene))
    figure.savefig(given.out, dpi=110)
    print(f"{given.out}: {judged.name}, {given.out.stat().st_size // 1000} kB")


def _ordinary(result: Result) -> str:
    found = [row for row in result.table if row["online"] and row["events_found"]]
    return sorted(found, key=lambda row: row["online"] or 0)[len(found) // 2]["name"]


def _chosen(judged: JudgedVideo) -> list[int]:
    """The calmest frame of the first normal stretch, then three spread over the longest abnormal one."""
    start, end = max(judged.stretches(), key=lambda stretch: stretch[1] - stretch[0])
    frame = judged.scores.frame
    calm = np.flatnonzero(~judged.labels)
    first = int(frame[calm[np.argmin(judged.scores.online[calm])]])
    odd = [int(start + (end - start) * share) for share in (0.25, 0.5, 0.75)]
    return sorted([first, *odd])


def _drawn(judged: JudgedVideo, shown: Sequence[Explanation]) -> Figure:
    scores = judged.scores
    figure = Figure(figsize=(9, 3.9), layout="constrained")
    grid = figure.add_gridspec(2, len(shown), height_ratios=(1, 0.85))
    seconds = scores.frame if scores.time_s is None else scores.time_s
    for column, one in enumerate(shown):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(draw.overlay(one.picture, one.heat))
        axes.set_title(f"{one.time_s:.1f} s" if one.time_s is not None else f"frame {one.frame}", fontsize=9)
        axes.axis("off")
    axes = figure.add_subplot(grid[1, :])
    _curve(axes, judged, seconds, [one.frame for one in shown])
    return figure


def _curve(axes: Axes, judged: JudgedVideo, seconds: np.ndarray, marked: Sequence[int]) -> None:
    scores, line = judged.scores, judged.scores.line.on
    for start, end in judged.stretches():
        inside = (scores.frame >= start) & (scores.frame < end)
        kind = next((span.kind for span in judged.kinds if span.start < end and start < span.end), None)
        axes.axvspan(seconds[inside][0], seconds[inside][-1], color=_TRUTH, alpha=0.25, linewidth=0)
        axes.annotate(
            kind or "abnormal", (seconds[inside].mean(), 1), xycoords=("data", "axes fraction"), xytext=(0, -3),
            textcoords="offset points", ha="center", va="top", fontsize=8, color="#4a4f57",
        )  # fmt: skip
    axes.plot(seconds, scores.online, color=_INK, linewidth=1.3)
    axes.axhline(line, color=_ALARM, linewidth=0.9, linestyle="--")
    axes.annotate(
        "alarm line", (1, line), xycoords=("axes fraction", "data"), xytext=(-4, 3), textcoords="offset points",
        ha="right", color=_ALARM, fontsize=8, bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
    )  # fmt: skip
    at = [int(np.searchsorted(scores.frame, frame)) for frame in marked]
    axes.plot(seconds[at], scores.online[at], "o", color=_INK, markersize=4)
    axes.set(ylabel="how odd", xlabel="seconds", ylim=(0, 1.15 * max(scores.online.max(), line)))
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


if __name__ == "__main__":
    main()
