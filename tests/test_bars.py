"""What shows how far work is."""

from __future__ import annotations

import io
import sys

import pytest

from oddframe.bars import Bars, shown
from oddframe.progress import unwatched


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_whoever_watches_is_told(capsys):
    told: list[object] = []
    with shown(told.append) as watch:
        assert watch == told.append


def test_without_a_watcher_a_program_is_quiet_and_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown(None) as watch:
        assert watch is unwatched
    monkeypatch.setattr(sys, "stderr", Terminal())
    with shown(None) as watch:
        assert isinstance(watch, Bars)
