"""A process that scores one video after another for `score_videos`.

Opening {"run", "backend", "device"}, and "fitting" where there is one; of each video {"video", "name", "folder",
"asked", "made"}, and its summary back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oddframe.footage.folder import Asked
from oddframe.footage.outputs import score_into
from oddframe.footage.published import filled
from oddframe.footage.summary import Making
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.scoring.scorer import Scorer
from oddframe.storage.place import place_of


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Load the detector."""
    fitting = opening.get("fitting")
    scorer = Scorer(opening["run"], backend=opening["backend"], device=opening["device"], fitting=fitting)

    def score(order: Order, watch: Watcher) -> dict[str, Any]:
        asked = Asked(**order["asked"])
        video = asked.open(order["video"], order["name"])
        made = None if order["made"] is None else Making.model_validate(order["made"])
        with filled(place_of(order["folder"])) as folder:
            scores = score_into(folder, scorer, video, asked, made, watch)
        return scores.to_dict()

    yield score


if __name__ == "__main__":
    serve(begin)
