"""The page on the other systems of Table II, from `results/peers`, and its short table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddframe.reproduction.published import published_auc
from oddframe.reproduction.rows import ROWS
from pages import table, with_interval

HEAD = """# The other systems of Table II

    python experiments/ped2_peers.py PED2 features
    python experiments/ped2_peers.py PED2 amc --set model.network=false --name amc-flow
    python experiments/ped2_peers.py PED2 unmasking
    python experiments/ped2_peers.py PED2 tsc srnn --set train.lr=0.0001 --set train.schedule=constant \\
        --set train.batch=4
    python experiments/ped2_peers.py PED2 cac
    python experiments/ped2_peers.py PED2 scene-aware --set train.lr=0.001 --set train.schedule=constant \\
        --set train.batch=16
    python experiments/ped2_peers.py PED2 amc --set train.lr=0.0002 --set train.schedule=constant
    python experiments/ped2_peers.py PED2 ognet --set train.lr=0.001 --set train.schedule=constant \\
        --set model.tune_after=1556

UCSD Ped2 with normal video alone: all twelve test videos, protocol `standard`, preset `cpu`, its seed and its six
epochs; rates, schedules and batches are the published ones where there are any. A row stands here once its run is
done. AUC is frame level, in per cent, with the 95 % interval from resampling whole test videos. [What each of them
believes](../explanation/peers.md) is told with pictures, [in what it differs](../reference/detectors.md) from its
publication with the detectors.

`paper` is made of what the publication scores with, min-max over each video. `online` is what alarms are made of.
"Largest place" is `local_distance`, without min-max. Optical flow and frame differences are those of the very frames
that the system scores, as components, without the mean over three frames that is in `online`: a system below them is
not worth its cost. Its own floor is what its input says with nothing learned.
"""

NOTES = """Printed figures are the papers' own, on all test videos; features and flows differ from the published ones as
the notes of the rows say:

"""

ROW_OF = {
    "features": "tsc-features",
    "amc-flow": "amc-flow",
    "unmasking": "unmasking",
    "tsc": "tsc",
    "srnn": "stacked-rnn",
    "ognet": "ognet",
    "amc": "amc",
    "scene-aware": "scene-aware",
    "cac": "cac-abstract",
}
"""Name of a file → row of Table II."""

FLOOR_OF = {"tsc": "features", "srnn": "features", "amc": "amc-flow", "scene-aware": "amc-flow"}
"""Systems whose own input has a floor, and which."""


def sections(results: Path) -> list[str]:
    """The parts of the lab page."""
    cells, rows = _cells(results), {row.key: row for row in ROWS["table2"]}
    notes = [f"- {rows[ROW_OF[name]].label}: {rows[ROW_OF[name]].note}." for name in cells]
    return [HEAD, _table(cells, full=True), NOTES + "\n".join(notes) + "\n"]


def short_table(results: Path) -> str:
    """The table of `docs/results.md`."""
    return _table(_cells(results), full=False)


def _cells(results: Path) -> dict[str, Any]:
    """Name → JSON, in the order of the table."""
    paths = {name: results / "peers" / f"ped2-{name}.json" for name in ROW_OF}
    return {name: json.loads(path.read_text("utf-8")) for name, path in paths.items() if path.exists()}


def _table(cells: Mapping[str, Any], *, full: bool) -> str:
    labels = {row.key: (row.label, row.given) for row in ROWS["table2"]}
    heads = ["system", "given", "printed", "`paper`", "`online`"]
    more = ["largest place", "anomalies found", "false alarms"] if full else []
    rows = [[*heads, *more, "optical flow", "frame differences", "own floor: `paper`"]]
    for name, cell in cells.items():
        auc, events, (label, given) = cell["auc"], cell["events"], labels[ROW_OF[name]]
        printed = published_auc("table2", ROW_OF[name], "ucsd-ped2")
        row = [label, given, "" if printed is None else f"{printed:.1f}"]
        row += [with_interval(auc["paper"]), with_interval(auc["online"])]
        if full:
            row += [with_interval(auc["local_distance"]), f"{events['found']} of {events['labelled']}"]
            row.append(str(events["false"]))
        row += [f"{100 * auc[floor]['micro']:.1f}" for floor in ("flow", "motion")]
        floor = cells.get(FLOOR_OF.get(name, ""))
        rows.append([*row, "" if floor is None else f"{100 * floor['auc']['paper']['micro']:.1f}"])
    return table(rows)
