"""Packages of others: none of them calls anybody, leaves something in the home, or takes a finished result down."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from oddframe.errors import MissingExtraError
from oddframe.outside import hidden, import_onnxruntime, new_figure

from .test_cli import VERBS

LISTENER = """
import sys
def hear(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "socket.sendto",
                 "socket.sendmsg", "urllib.Request"):
        with open({heard!r}, "a") as file:
            print(event, arguments, sys.argv, file=file)
sys.addaudithook(hear)
"""

COMMANDS = (
    "data synth data --scale tiny",
    "data check data",
    "train data --preset tiny --out run --set model.size=[48,64] --set model.width=4 --set train.epochs=1 "
    "--set data.least_heldout=1",
    "eval run",
    "calibrate run --set score.false_alarms_per_hour=60",
    "report run",
    "analyse run --clips 4",
    "compare run run",
    "export run --out model",
    "score data/test --run model --backend onnxruntime --out scores --jobs 2",
    "score data/test --run model --backend openvino --out scores-2",
    "table scores",
    "bench model --repeats 1 --batch 1",
    "reproduce table3 data --preset tiny --row framediff --set data.folds=2 --set data.least_heldout=1 --out table3",
    "live data/test/passage/passage-t01.mp4 --run model --backend onnxruntime --for 1",
    "site check site.yaml",
    "site regions site.yaml gate gate.json",
    "serve site.yaml --no-console --backend onnxruntime --for 1",
    "site status site.yaml",
    "site learn site.yaml gate",
    "improve --help",  # its steps are those of train, export and calibrate
    "site password site.yaml",
    "site lessons site.yaml gate",
    "site teach --help",
    "site forget --help",
    "site deliver site.yaml",
    "site backup site.yaml depot.tar",
    "site restore depot.tar depot-again",
    "demo --instant",
    "models",
    "doctor",
    "data cache",
)


SITE = """
folder: site
cameras:
  gate:
    address: data/test/passage/passage-t01.mp4
    detector: model
sinks:
  file: {kind: jsonl, url: sent.jsonl}
"""


@pytest.fixture
def surroundings(tmp_path, monkeypatch) -> Path:
    """A user with an empty home, whose processes note down whom they would call."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/sitecustomize.py").write_text(LISTENER.format(heard=str(tmp_path / "heard")))
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    for name in ("CI", "ORT_DISABLE_TELEMETRY", "MPLCONFIGDIR", "MPLBACKEND", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ODDFRAME_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "modules"), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def need(*packages: str) -> None:
    """Skip where one is not installed. Importing it here would be what this test is about."""
    if lacking := [package for package in packages if find_spec(package) is None]:
        pytest.skip(f"not installed: {', '.join(lacking)}")


def python(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_listener_hears(surroundings):
    python("-c", "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    pass")

    assert "socket.connect" in (surroundings / "heard").read_text()


@pytest.mark.long
@pytest.mark.slow
def test_no_verb_opens_a_socket_or_leaves_anything_in_the_home(surroundings):
    need("onnxscript", "openvino", "pyarrow")
    heard, home = surroundings / "heard", surroundings / "home"
    (surroundings / "work/site.yaml").write_text(SITE)

    python("-c", f"from oddframe.cli.main import app\nfor words in {[command.split() for command in COMMANDS]!r}:\n"
                 "    assert not app(words, standalone_mode=False), words")  # fmt: skip

    assert not heard.exists(), heard.read_text()
    assert list(home.rglob("*")) == []
    assert {verb for verb in VERBS if not any(command.startswith(" ".join(verb)) for command in COMMANDS)} == set()
    assert (surroundings / "work/scores").is_dir()


def test_onnxruntime_leaves_nothing_in_the_home(surroundings):
    need("onnxruntime")
    python("-c", "from oddframe.outside import import_onnxruntime\nimport_onnxruntime().SessionOptions()")

    assert list((surroundings / "home").iterdir()) == []


@pytest.mark.parametrize("backend", ["module://of.a.notebook", "rubbish"])
@pytest.mark.slow
def test_a_notebooks_backend_that_is_not_installed_here_stops_no_picture(backend, surroundings, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", backend)
    python(
        "-c",
        "from oddframe.outside import new_figure\nimport os\n"
        "new_figure('plotting', (2, 1)).savefig('a.png')\n"
        f"assert os.environ['MPLBACKEND'] == {backend!r}",
    )

    assert Path("a.png").stat().st_size > 100


@pytest.mark.slow
def test_a_backend_that_is_there_is_what_else_is_drawn_with(surroundings, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "svg")

    told = python("-c", "from oddframe.outside import new_figure\nnew_figure('plotting', (2, 1))\n"
                  "import matplotlib\nprint(matplotlib.get_backend())")  # fmt: skip
    assert told.strip() == "svg"


@pytest.mark.slow
def test_who_keeps_settings_of_matplotlib_keeps_its_folder(surroundings):
    show = "new_figure('plotting', (2, 1))\nimport matplotlib\nprint(matplotlib.get_configdir())"
    show = f"from oddframe.outside import new_figure\n{show}"
    assert Path(python("-c", show).strip()) == surroundings / "cache/matplotlib"

    own = surroundings / "home/.config/matplotlib"
    own.mkdir(parents=True)
    (own / "matplotlibrc").write_text("font.size: 20\n")
    assert Path(python("-c", show).strip()) == own


def test_a_hidden_package_is_not_there_and_then_again(tmp_path, monkeypatch):
    (tmp_path / "found_here.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    with hidden("found_here"), pytest.raises(ImportError):
        importlib.import_module("found_here")
    found = importlib.import_module("found_here")
    with hidden("found_here"):  # what is loaded stays
        assert sys.modules["found_here"] is found


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtraError, match=r'pip install "oddframe\[train\]"'):
        new_figure("plotting", (2, 1))
    with pytest.raises(MissingExtraError, match=r'pip install "oddframe\[runtime\]"'):
        import_onnxruntime()


def test_scripts_in_the_documentation_switch_telemetry_off_before_they_import_onnxruntime():
    root = Path(__file__).resolve().parents[1]
    blocks = [
        block
        for page in (root / "README.md", *(root / "docs").rglob("*.md"))
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        if re.search(r"^import.*onnxruntime", block, re.M)
    ]
    assert blocks
    for block in blocks:
        assert re.search(r'ORT_DISABLE_TELEMETRY"\] = "1".*^import[^\n]*onnxruntime', block, re.M | re.S)
