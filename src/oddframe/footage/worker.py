"""A process that scores one video after another for `score_videos`: a JSON object a line, orders in, news out.

in   {"run", "backend", "device"}, then of each video {"video", "name", "folder", "asked", "made"}
out  {"ready"} or {"refused"}, then of each video {"at"} and {"warning"} now and then, and {"scored"} or {"failed"}

What libraries print goes to standard error, and so does the traceback of a bug, with which the process ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

from oddframe.errors import OddframeError
from oddframe.footage.folder import Asked
from oddframe.footage.outputs import score_into
from oddframe.progress import Progress
from oddframe.scoring.scorer import Scorer

_NEWS_EVERY_S = 0.2


class _News:
    """Tells whoever gave the orders; ends the process where nobody listens any more."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._last = -_NEWS_EVERY_S

    def __call__(self, **news: Any) -> None:
        try:
            print(json.dumps(news), file=self._stream, flush=True)
        except BrokenPipeError:
            os._exit(1)

    def progress(self, moment: Progress) -> None:
        """Watch the scoring of a video."""
        if moment.stage == "warning":
            self(warning=moment.note)
        elif time.monotonic() - self._last >= _NEWS_EVERY_S:
            self._last = time.monotonic()
            self(at=[moment.stage, moment.done, moment.total])


def main() -> None:
    """Take orders from standard input to its end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the shell has it ignored
    tell = _News(os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    first = json.loads(sys.stdin.readline())
    try:
        scorer = Scorer(first["run"], backend=first["backend"], device=first["device"])
    except OddframeError as error:
        tell(refused=_described(error))
        return
    tell(ready=True)
    for line in sys.stdin:
        order = json.loads(line)
        asked, folder = Asked(**order["asked"]), Path(order["folder"])
        try:
            video = asked.open(order["video"], order["name"])
            scores = score_into(folder, scorer, video, asked, order["made"], tell.progress)
        except OddframeError as error:
            tell(failed=_described(error))
        else:
            tell(scored=scores.to_dict())


def _described(error: OddframeError) -> dict[str, str | None]:
    found = {key: getattr(error, key) for key in ("problem", "path", "seen", "wanted", "hint")}
    return {key: None if value is None else str(value) for key, value in found.items()}


if __name__ == "__main__":
    main()
