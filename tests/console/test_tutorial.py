"""What docs/tutorial/first-camera.md has a newcomer type and click is there, word for word."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs/tutorial/first-camera.md").read_text("utf-8")


def test_what_it_installs_can_be_installed():
    (block,) = re.findall(r"^```sh\n(.*?)^```", TUTORIAL, re.M | re.S)
    install, start = block.splitlines()
    named = re.fullmatch(r'pip install "oddframe\[([\w,]+)\]"', install)
    project = (ROOT / "pyproject.toml").read_text("utf-8")

    assert named
    assert [one for one in named[1].split(",") if f"\n{one} = [" not in project] == []
    assert start == "oddframe serve"  # that it is right usage, tests/test_readme.py says


def test_what_it_clicks_stands_on_a_button_or_link():
    console = files("oddframe.console")
    sources = [one.read_text("utf-8") for folder in ("templates", "static") for one in (console / folder).iterdir()]
    sources.append((console / "pages" / "navigation.py").read_text("utf-8"))
    shown = "\n".join(sources).replace("${this.verdict}", "normal")
    clicked = set(re.findall(r"\*\*(.+?)\*\*", TUTORIAL))

    assert len(clicked) > 10
    assert [one for one in sorted(clicked) if not re.search(rf"""[>"`]{re.escape(one)}[<"`]""", shown)] == []
