"""Progress as people see it: bars with the time left on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, TextIO

from oddframe.progress import Progress, Watcher, unwatched

LINE_EVERY_S = 10.0


@contextlib.contextmanager
def watching() -> Iterator[Watcher]:
    """Show progress: a bar with the time left on a terminal, else a plain line now and then."""
    if not sys.stderr.isatty():
        yield Lines(sys.stderr)
        return
    bars = Bars()
    with bars.drawn:
        yield bars


@contextlib.contextmanager
def shown(watch: Watcher | None) -> Iterator[Watcher]:
    """Whoever watches, or, where nobody was named, bars on a terminal and in a notebook; elsewhere nothing is shown."""
    if watch is not None:
        yield watch
    elif _in_notebook() and not find_spec("ipywidgets"):  # bars cannot be drawn there
        yield Lines(sys.stderr)
    elif sys.stderr.isatty() or _in_notebook():
        bars = Bars(stderr=not _in_notebook())
        with bars.drawn:
            yield bars
    else:
        yield unwatched


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:  # a notebook has loaded it
        return False
    from rich.console import Console

    return Console().is_jupyter


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
            line += f", {roughly((moment.total - moment.done) * (now - began) / (moment.done - first))} left"
        return line


def roughly(seconds: float) -> str:
    """A length of time that is a guess.

    >>> roughly(42), roughly(700), roughly(8000)
    ('42 s', '12 min', '2 h 13 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Bars:
    """Progress as bars, one a stage.

    Args:
        stderr: where they go; a notebook shows standard output.
    """

    def __init__(self, *, stderr: bool = True) -> None:
        from rich import progress
        from rich.console import Console

        self.drawn = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(compact=True),
            progress.TextColumn("{task.fields[note]}", style="dim"),
            console=Console(stderr=stderr),
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
