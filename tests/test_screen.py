"""What is printed: whole, whoever reads it, and whatever the names are."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from rich.console import Console

from oddframe.cli import screen

LONG = "Einfahrt Tiefgarage Nord/2026-11-28/06/gate/58.50 [week 48]"
ROWS = [(LONG, "1,234", "3", f"results/{LONG}"), ("belt", "9", "0", "results/belt")]
HEADS = ("video", "frames", "events", "folder")


def test_a_table_that_is_piped_has_all_columns_whole_on_one_line_a_row(capsys):
    screen.print_table((*HEADS, ""), [(*row, "") for row in ROWS])

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == list(HEADS)
    assert all(cell in lines[1] for cell in ROWS[0])


@pytest.mark.parametrize("width", [160, 80, 50, 20])
def test_on_a_terminal_of_any_width_nothing_of_a_table_is_lost(width, monkeypatch, capsys):
    terminal = {"width": width, "force_terminal": True, "no_color": True}
    monkeypatch.setattr(screen, "Console", lambda **options: Console(**terminal | options))
    screen.print_table(HEADS[:3], [row[:3] for row in ROWS])

    told = "".join(capsys.readouterr().out.split())
    assert "…" not in told
    assert all(cell in told for cell in ("frames", "events", "1,234", "belt"))
    without_figures = told.replace("1,234", "").replace("3", "", 1) if width == 50 else told
    assert all(word in without_figures for word in LONG.split())


def printed(code: str, encoding: str) -> bytes:
    program = f"from oddframe.cli.screen import *\nlet_printing_never_fail()\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("encoding", "name", "shown"),
    [
        ("utf-8", "камера.mp4", "камера.mp4".encode()),
        ("cp1252", "камера.mp4", rb"\u043a\u0430\u043c\u0435\u0440\u0430.mp4"),
        ("cp1252", "Süd.mp4", b"S\xfcd.mp4"),
        ("ascii", "Süd.mp4", rb"S\xfcd.mp4"),
        ("utf-8", "S\udcfcd.mp4", rb"S\udcfcd.mp4"),  # what a name in an older encoding is to Python
    ],
)
@pytest.mark.parametrize("how", ["say({name!r})", "print_table(('video',), [({name!r},)])"])
def test_printing_never_fails_for_a_name(how, encoding, name, shown):
    assert shown in printed(how.format(name=name), encoding)


def test_a_name_in_an_older_encoding_is_one_json_string():
    assert printed("print_json({'video': 'S\\udcfcd.mp4'})", "cp1252") == b'{\n "video": "S\\udcfcd.mp4"\n}'


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.slow
def test_an_error_about_such_a_name_is_one_message(encoding, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "oddframe", "data", "check", os.fsencode(tmp_path / "S") + b"\xfcd.mp4"],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"error: there is no such file")
    assert rb"S\udcfcd.mp4" in done.stderr
