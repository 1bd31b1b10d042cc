"""What people and programs see: results on standard output, progress and warnings on standard error."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from oddframe.progress import Progress, Watcher

LINE_EVERY_S = 10.0


def say(text: object = "") -> None:
    """Print text as it is, without markup."""
    Console(soft_wrap=True, highlight=False).print(str(text), markup=False)


def print_json(content: Any) -> None:
    """Print one JSON object."""
    print(json.dumps(content, indent=1, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; all columns but the first are flush right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=number > 0)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


@contextlib.contextmanager
def watching() -> Iterator[Watcher]:
    """Show progress: a bar with the time left on a terminal, else a plain line now and then."""
    if not sys.stderr.isatty():
        yield Lines(sys.stderr)
        return
    bars = _Bars()
    with bars.drawn:
        yield bars


class Lines:
    """Progress as plain lines, at most one every ten seconds; a warning comes at once, and once.

    Args:
        stream: where lines go. clock: seconds, for tests.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._warned: set[str] = set()
        self._stage = ""
        self._since = (0.0, 0)
        self._last = -float("inf")

    def __call__(self, moment: Progress) -> None:
        if moment.stage == "warning":
            if moment.note not in self._warned:
                self._warned.add(moment.note)
                print(f"warning: {moment.note}", file=self._stream, flush=True)
            return
        if moment.stage == "finished":
            print(moment.note, file=self._stream, flush=True)
            return
        now = self._clock()
        if moment.stage != self._stage:
            self._stage, self._since = moment.stage, (now, moment.done)
        if now - self._last >= LINE_EVERY_S:
            self._last = now
            print(self._line(moment, now), file=self._stream, flush=True)

    def _line(self, moment: Progress, now: float) -> str:
        line = moment.stage
        if moment.total:
            line += f" {moment.done}/{moment.total}"
        if moment.note:
            line += f", {moment.note}"
        began, first = self._since
        if moment.done > first and moment.total > moment.done:
            line += f", {_left((moment.total - moment.done) * (now - began) / (moment.done - first))} left"
        return line


def _left(seconds: float) -> str:
    """A length of time that is a guess.

    >>> _left(42), _left(700), _left(8000)
    ('42 s', '12 min', '2 h 13 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class _Bars:
    """Progress as bars, one a stage."""

    def __init__(self) -> None:
        from rich import progress

        self.drawn = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(compact=True),
            progress.TextColumn("{task.fields[note]}", style="dim"),
            console=Console(stderr=True),
        )
        self._stage = ""
        self._task: Any = None
        self._warned: set[str] = set()

    def __call__(self, moment: Progress) -> None:
        if moment.stage == "warning":
            if moment.note not in self._warned:
                self._warned.add(moment.note)
                self.drawn.console.print(f"warning: {moment.note}", markup=False, style="yellow")
            return
        if moment.stage == "finished":
            self.drawn.console.print(moment.note, markup=False, highlight=False)
            return
        if moment.stage != self._stage:
            self._end_stage()
            self._stage = moment.stage
            self._task = self.drawn.add_task(moment.stage, total=None, note="")
        self.drawn.update(self._task, completed=moment.done, total=moment.total or None, note=moment.note)

    def _end_stage(self) -> None:
        """Another stage has begun, so this one is over, and must not look busy for ever."""
        if self._task is not None:
            total = self.drawn.tasks[self._task].total or 1
            self.drawn.update(self._task, total=total, completed=total)
