"""A worker for `score_on_a_cluster.py --drive`: it copies what was left of one video for each that it is to score.

What the driver sees is the same, at a hundredth of the time: orders out, news and a summary back, outputs in a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oddframe.footage.summary import Making, read_summary, write_summary
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Progress, Watcher

TEMPLATE = "template"


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Find the outputs that are copied, beside the run."""
    template = Path(opening["run"]).parent / TEMPLATE
    kept = read_summary(template).summary()

    def copy(order: Order, watch: Watcher) -> dict[str, Any]:
        watch(Progress("scoring", 1, 1))
        folder = Path(order["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("scores.csv", "events.csv"):
            shutil.copyfile(template / name, folder / name)
        summary = kept.changed(video=order["name"])
        write_summary(folder, summary, order["made"] and Making.model_validate(order["made"]), {})
        return {"summary": summary.to_dict()}

    yield copy


if __name__ == "__main__":
    serve(begin)
