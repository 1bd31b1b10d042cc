"""The lab page on what an anomaly in the normal video costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pages import table

HEAD = """# An anomaly in the normal video

    oddframe data synth SYNTHETIC
    python experiments/odd_in_normal.py SYNTHETIC --seeds 2020 2

Who records normal video does not watch all of it. What if somebody has ridden a bicycle through it? Each training
below has the same normal video of the demo's set, and so many of the set's known anomalies as if they were normal:
none, one, and all three. Nothing odd is known to any of them. What of the video is trained on and what is held out,
where the alarm line is drawn, is dealt as always. Preset `tiny`; figures of a run's own line.
"""

FOUND = """One odd video costs some points and some anomalies, three cost most of them: the line is drawn above the
oddest held-out stretch, and an anomaly that is held out lifts it. No false alarm came of it: what is lost is not heard.

So look at what was collected. A camera that learns shows its oddest pieces before it trains, and leaves out what is
said not to be normal ([how](../how-to/learn-a-camera.md)). With video of one's own: train, let `oddframe score` find
the oddest moments of the very same video, look at them, and train again without what is not normal (`--start`, `--end`,
or the file removed). What was seen to be odd is worth more as a [known anomaly](../how-to/known-anomalies.md).
"""


def sections(results: Path) -> list[str]:
    """Words and the table, from `odd-in-normal/`."""
    cells = [json.loads(path.read_text("utf-8")) for path in sorted((results / "odd-in-normal").glob("*.json"))]
    rows = [
        ["odd videos", "their odd frames, share of all", "seed", "AUC of frames", "anomalies found", "false alarms"]
    ]
    for one in sorted(cells, key=lambda cell: (cell["videos"], cell["seed"])):
        rows.append(_row(one))
    return [HEAD, table(rows), FOUND]


def _row(cell: dict[str, Any]) -> list[str]:
    own = cell["at"]["own"]
    return [
        str(cell["videos"]),
        f"{100 * cell['share']:.1f} %",
        str(cell["seed"]),
        f"{100 * cell['auc']:.1f}",
        f"{own['found']} of {own['labelled']}",
        str(own["false"]),
    ]
