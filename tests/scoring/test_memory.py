"""A week of video takes no more memory than a minute of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "scoring_memory.py"


@pytest.mark.long
@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path):
    figures = tmp_path / "figures.json"

    done = subprocess.run(
        [sys.executable, BENCHMARK, "--frames", "200", "1200", "--json", figures],
        check=False,
        stdout=subprocess.DEVNULL,
    )

    measured = json.loads(figures.read_text())
    assert done.returncode == 0
    assert [one["judged"] for one in measured["measured"]] == [196, 1196]
    # Two processes that score the same differ by up to 16 MB; a frame of the network's size kept would be 31 MB.
    assert measured["grown_mb"] < 25
