"""What a lab page says of averaged weights."""

from __future__ import annotations

import json
from pathlib import Path

from pages import table

HEAD = """## The mean of the last epochs' weights

    python experiments/ped2_kfold.py PED2 --folds 1 2 --name cpu --set train.keep_every=1
    python experiments/averaged_weights.py runs/ped2-kfold-1-cpu --last 3 --json FILE

The mean of weights along a training often generalizes better than the last ones alone. Here the learning rate ends at
nearly nothing, so that the last epoch is some mean already. AUC micro of `paper` / `online` / distance, stretches found
and false alarms at the run's own line, by how many of the last epochs the mean is over. Each is calibrated anew.
"""

FOUND = """The mean of three is better in one fold and worse in the other, by less than seeds differ: it gains nothing.
"""


def sections(results: Path) -> list[str]:
    """Words and the table, from `averaged/`."""
    cells = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((results / "averaged").glob("*.json"))}
    counts = [one["epochs"] for one in next(iter(cells.values()))["averaged"]]
    rows = [["run", *("the last" if count == 1 else f"the last {count}" for count in counts)]]
    for name, cell in cells.items():
        rows.append([f"`{name}`"])
        for one in cell["averaged"]:
            auc = " / ".join(f"{100 * one['auc'][score]['micro']:.1f}" for score in ("paper", "online", "distance"))
            events = one["events"]
            rows[-1].append(f"{auc}; {events['found']} of {events['labelled']}, {events['false']} false")
    return [HEAD, table(rows), FOUND]
