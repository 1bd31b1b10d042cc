"""Draw detection over the course of training from what `training_course.py` wrote.

    python experiments/training_picture.py experiments/results/course/ped2-*-cpu.json

Writes docs/images/training-course.png: a panel for each file, a line for each score.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "training-course.png"
LINES = {
    "online": ("#1f5f8b", "-"),
    "paper": ("#b3261e", "-"),
    "distance": ("#1f5f8b", "--"),
    "local_distance": ("#5b9bbf", ":"),
    "motion": ("#8a8f98", "-"),
}


def main() -> None:
    """Draw one panel a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("courses", type=Path, nargs="+")
    given = parser.parse_args()
    figure = Figure(figsize=(2.7 * len(given.courses), 3.2), layout="constrained")
    panels = figure.subplots(1, len(given.courses), sharey=True, squeeze=False)[0]
    for axes, file in zip(panels, given.courses, strict=True):
        course = json.loads(file.read_text("utf-8"))["course"]
        epochs = [one["epoch"] for one in course]
        for name, (color, style) in LINES.items():
            if all(name in one["auc"] for one in course):
                micro = [100 * one["auc"][name]["micro"] for one in course]
                axes.plot(epochs, micro, style, color=color, marker=".", label=name.replace("_", " "))
        axes.set(title=file.stem, xlabel="epoch", xticks=epochs)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("AUC micro, per cent")
    panels[-1].legend(frameon=False, fontsize="small", loc="lower right")
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
