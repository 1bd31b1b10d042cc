"""Draw the online score over the videos that hold detection back, from judged runs.

    python experiments/held_back_picture.py --videos 09 11 12 -- runs/ped2-kfold-0-cpu runs/ped2-kfold-1-cpu

Writes docs/images/NAME.png, `held-back` where no name is given: a row for each run, a column for each video. Grey is
what is labelled abnormal.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from oddframe.evaluation.result import Result

IMAGES = Path(__file__).parents[1] / "docs" / "images"
_INK, _ALARM, _TRUTH = "#1f5f8b", "#b3261e", "#8a8f98"


def main() -> None:
    """Draw one panel a run and video."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--videos", nargs="+", required=True)
    parser.add_argument("--name", default="held-back", help="of the picture")
    given = parser.parse_args()
    figure = Figure(figsize=(3.2 * len(given.videos), 1.7 * len(given.runs)), layout="constrained")
    panels = figure.subplots(len(given.runs), len(given.videos), sharex=True, sharey=True, squeeze=False)
    for row, folder in zip(panels, given.runs, strict=True):
        scored = {one.name: one for one in Result.load(folder).scored}
        for axes, name in zip(row, given.videos, strict=True):
            video = scored[name]
            scores = video.scores
            axes.plot(scores.frame, scores.online, color=_INK, linewidth=1.1)
            axes.axhline(scores.line.on, color=_ALARM, linewidth=0.8, linestyle="--")
            for begin, end in video.stretches():
                axes.axvspan(begin, end, color=_TRUTH, alpha=0.22, linewidth=0)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_title(f"video {name}, {folder.name}", fontsize="small")
        row[0].set_ylabel("online")
    for axes in panels[-1]:
        axes.set_xlabel("frame")
    figure.savefig(IMAGES / f"{given.name}.png", dpi=110)


if __name__ == "__main__":
    main()
