"""A process that draws one video after another for `generate_day`.

Opening {"folder", "set"}; of each video {"name"}, and its record back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from oddframe.data.synthetic.day.draw import Places
from oddframe.data.synthetic.day.sets import scripts
from oddframe.data.synthetic.day.write import write_video
from oddframe.plain import Json
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Learn what is in the set."""
    cv2.setNumThreads(1)  # a process a core: several threads each would only wait for one another
    there = {script.name: script for script in scripts(opening["set"])}
    places, root = Places(), Path(opening["folder"])

    def draw(order: Order, watch: Watcher) -> Json:
        return write_video(root, there[order["name"]], places, watch).to_dict()

    yield draw


if __name__ == "__main__":
    serve(begin)
