"""The notebook of the tutorial runs, and what it shows is worth looking at."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs/tutorial/first-look.ipynb"
MOST_BYTES = 200_000


def test_the_notebook_is_small_and_shows_what_it_found():
    assert NOTEBOOK.stat().st_size < MOST_BYTES

    stored = nbformat.read(NOTEBOOK, as_version=4)
    shown = [output for cell in stored.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert {"text/html", "image/png", "image/jpeg"} <= kinds
    assert not [output for output in shown if output.output_type == "error"]


@pytest.mark.slow
def test_the_notebook_runs_and_finds_what_was_drawn(tmp_path, monkeypatch):
    from nbclient import NotebookClient

    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []

    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # something is thrown from frame 20 on, somebody cycles from frame 92 on: one event each
    assert code[0].outputs[-1].data["text/plain"] == "<Scores of square: 146 frames, 2 events>"
    calls = code[-1].outputs[-1].data["text/plain"]
    assert [20 <= frame < 53 or 92 <= frame < 150 for frame, _ in ast.literal_eval(calls)] == [True, True]
    assert (tmp_path / "first-look/curve.png").is_file()
