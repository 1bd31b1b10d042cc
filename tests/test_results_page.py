"""docs/results.md, docs/performance.md and pages of the lab say what the JSON files say that they are made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["results_page.py", "performance_page.py", "promise_page.py", "scale_page.py"])
def test_pages_of_figures_are_fresh(script: str) -> None:
    command = [sys.executable, str(ROOT / "experiments" / script), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["results.md", "performance.md"])
def test_a_page_for_the_usual_questions_is_short(page: str) -> None:
    assert len((ROOT / "docs" / page).read_text("utf-8").splitlines()) <= 150  # the lab has the rest
