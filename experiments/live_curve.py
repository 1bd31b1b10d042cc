"""Detection against speed: networks of several sizes on one fold of UCSD Ped2, as runs and as artefacts.

    python experiments/live_curve.py ../shared/data/ped2 --fold 0
    python experiments/live_curve.py ../shared/data/ped2 --fold 0 --speed

The first command trains, exports and judges what has no JSON yet; a stopped one goes on. The second one, on a machine
that has nothing else to do, measures how fast all of them score a video of 360x240, taking turns, and draws the curve.
All are trained as preset `cpu` is; `live` is 128x192. The smallest point is frame differences, which have no network.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from command_line import as_options, judge, oddframe
from oddframe.benchmarking.drawn import draw_video

RESULTS = Path(__file__).parent / "results" / "live"
SPEED = Path(__file__).parents[1] / "benchmarks" / "results" / "live-curve.json"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "live-curve.png"

POINTS = {
    "framediff": ["model.size=[96,144]"],
    "96x144": ["model.size=[96,144]", "model.width=12"],
    "128x192": ["model.size=[128,192]", "model.width=16"],
    "160x240": ["model.size=[160,240]", "model.width=20"],
    "192x288": ["model.size=[192,288]"],
    "240x360": [],
}
"""Name → what it changes in preset `cpu`."""

COMPUTED = {"": "torch, fp32", "-fp32": "OpenVINO, fp32", "-int8": "OpenVINO, int8"}
"""What is appended to a point's name → what computes."""

UNJUDGED = "torch-bf16"
"""What is measured beside these, as `oddframe bench` does, but not judged."""


def main() -> None:
    """Train, export and judge; or measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of UCSD Ped2")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=list(POINTS), choices=list(POINTS), help="these points")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders and artefacts go")
    parser.add_argument("--speed", action="store_true", help="measure how fast all of them are, and draw")
    given = parser.parse_args()
    if given.speed:
        folders = [place for name in given.only for place in folders_of(given.runs / f"live-{name}").values()]
        with tempfile.TemporaryDirectory() as place:
            video = draw_video(Path(place) / "drawn.mp4", (240, 360))
            found = oddframe("bench", *map(str, folders), "--measure-on", str(video), "--json", keep=True)
        SPEED.write_text(found, "utf-8")
        draw(given.fold, json.loads(found))
        return
    for name in given.only:
        run = given.runs / f"live-{name}"
        detector = ["--detector", "framediff"] if name == "framediff" else []
        protocol = ["--protocol", "kfold", "--fold", str(given.fold)]
        oddframe("train", str(given.data), "--out", str(run), *detector, *protocol, *as_options(POINTS[name]))
        for added, folder in folders_of(run).items():
            if added and not folder.is_dir():
                how = ["--format", "openvino", "--precision", added[1:]]
                oddframe("export", str(run), "--out", str(folder), *how)
            result = RESULTS / f"ped2-{given.fold}-{name}{added}.json"
            if not result.is_file():
                judge(folder, result, "--data", str(given.data))


def folders_of(run: Path) -> dict[str, Path]:
    """The run and its artefacts; frame differences have nothing to quantise."""
    added = ("", "-fp32") if run.name.endswith("framediff") else tuple(COMPUTED)
    return {one: run.with_name(run.name + one) for one in added}


def draw(fold: int, speed: dict[str, Any]) -> None:
    """Write docs/images/live-curve.png: one line for each that computes, a point for each network."""
    fastest: dict[str, float] = {}
    for one in speed["scoring"]:
        if one["backend"] != UNJUDGED:
            name = one["of"].removeprefix("live-")
            fastest[name] = max(fastest.get(name, 0.0), one["scored"]["median"])
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for added, label in COMPUTED.items():
        points = []
        for name in POINTS:
            result = RESULTS / f"ped2-{fold}-{name}{added}.json"
            if name + added in fastest and result.is_file():
                micro = json.loads(result.read_text("utf-8"))["auc"]["online"]["micro"]
                points.append((fastest[name + added], 100 * micro, name))
        networks = [(x, y) for x, y, name in points if name != "framediff"]
        (line,) = axes.plot(*zip(*networks, strict=True), marker="o", label=label)
        for x, y, name in points:
            if name == "framediff":
                axes.plot(x, y, marker="s", color=line.get_color())
            beside: dict[str, Any] = {"xytext": (6, 5)} if added else {"xytext": (-6, -11), "ha": "right"}
            axes.annotate(name, (x, y), textcoords="offset points", fontsize="small", **beside)
    axes.set(
        xscale="log", xlabel="frames a second, from the video file to scores", ylabel="online: AUC micro, per cent"
    )
    lower, upper = axes.get_xlim()
    lower *= 0.85
    ticks = [tick for tick in (25, 50, 100, 150, 200, 300, 400, 600, 800, 1200, 1600) if lower < tick < upper]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(lower, 1.15 * upper)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small", loc="lower left")
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
