"""What is loaded when: a fresh interpreter each, asked for its modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import oddframe

HEAVY = ("torch", "sklearn", "scipy", "matplotlib", "tensorboard", "jinja2")
VIDEO = ("cv2", "av")


def loaded(code: str, *, cwd: Path | None = None) -> set[str]:
    """Names of the top-level packages that are loaded after `code` has run in a fresh interpreter."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=cwd, env=dict(os.environ)
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_but_itself():
    seen = loaded("import oddframe; oddframe.__all__; dir(oddframe)")

    assert not seen & {*HEAVY, *VIDEO, "numpy", "pydantic", "rich", "typer"}


@pytest.mark.slow
def test_help_is_printed_without_what_does_the_work():
    seen = loaded(
        "import sys\nsys.argv = ['oddframe', '--help']\nfrom oddframe.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )

    assert not seen & {*HEAVY, *VIDEO, "numpy", "pydantic"}


@pytest.mark.slow
def test_video_is_read_and_stored_without_torch_and_scikit_learn(tmp_path, make_video):
    make_video(tmp_path / "gate.mp4", frames=8)
    seen = loaded(
        "import oddframe\nfrom oddframe.video.open import open_video\nfrom oddframe.video.store import FrameStore\n"
        "assert len(FrameStore().open(open_video('gate.mp4'), (16, 24), 1).pixels) == 8",
        cwd=tmp_path,
    )

    assert not seen & set(HEAVY)


@pytest.mark.slow
def test_data_are_checked_without_torch_and_scikit_learn(tmp_path, make_video):
    make_video(tmp_path / "gate/normal/a.mp4", frames=8)
    seen = loaded("from oddframe.data.check import check\nassert check('gate').ok", cwd=tmp_path)

    assert not seen & set(HEAVY)


@pytest.mark.slow
def test_settings_are_made_without_torch():
    seen = loaded("import oddframe\noddframe.load_settings('paper')\noddframe.Settings, oddframe.Run, oddframe.Scores")

    assert not seen & {*HEAVY, *VIDEO}


@pytest.mark.slow
def test_stored_scores_are_judged_without_torch():
    seen = loaded(
        """
import numpy as np
from oddframe.evaluation.judge import judge
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.scores import AlarmLine, Scores
rising = np.arange(8, dtype=np.float32)
scores = Scores("gate", (48, 64), 10.0, np.arange(4, 12), rising / 10, {"psnr": -rising}, {"psnr": rising},
                rising, rising, rising, AlarmLine(9.0, 8.0, 0.0, 1.0))
assert judge([JudgedVideo("gate", "", scores, rising > 3)]).auc["online"]["micro"] == 1.0
"""
    )

    assert "torch" not in seen


@pytest.mark.slow
def test_the_public_modules_need_neither_torch_nor_scikit_learn_to_be_imported():
    names = [name for name in oddframe.__all__ if name not in ("train", "analyse", "export")]
    seen = loaded(f"import oddframe\nfor name in {names!r}:\n    getattr(oddframe, name)")

    assert not seen & set(HEAVY)


@pytest.mark.parametrize("name", oddframe.__all__)
def test_every_public_name_is_there(name):
    assert getattr(oddframe, name) is not None
    assert name in dir(oddframe)


def test_what_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        oddframe.trian  # noqa: B018


def test_no_room_bears_the_name_of_a_public_function():
    """Importing a room sets it as an attribute of the package, over the public function of that name."""
    rooms = {path.stem for path in Path(oddframe.__file__).parent.iterdir()}

    assert not rooms & {name for name in oddframe.__all__ if name.islower()}
