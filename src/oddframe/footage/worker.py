"""A process that scores one video after another for `score_videos`.

Opening {"run", "backend", "device"}; of each video {"video", "name", "folder", "asked", "made"}, and its summary back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oddframe.footage.folder import Asked
from oddframe.footage.outputs import score_into
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.scoring.scorer import Scorer


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Load the detector."""
    scorer = Scorer(opening["run"], backend=opening["backend"], device=opening["device"])

    def score(order: Order, watch: Watcher) -> dict[str, Any]:
        asked = Asked(**order["asked"])
        video = asked.open(order["video"], order["name"])
        return score_into(Path(order["folder"]), scorer, video, asked, order["made"], watch).to_dict()

    yield score


if __name__ == "__main__":
    serve(begin)
