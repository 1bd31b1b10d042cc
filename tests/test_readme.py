"""What the README and the documents promise can be typed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import oddframe
from oddframe.cli.main import app
from oddframe.detectors import detectors

from .conftest import moving_square

ROOT = Path(__file__).resolve().parents[1]
COMMAND = typer.main.get_command(app)
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in BESIDE), *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "docs/tutorial").glob("*.ipynb"))


def text_of(page: Path) -> str:
    """A page's text; of a notebook, what stands between its cells of code."""
    if page.suffix != ".ipynb":
        return page.read_text("utf-8")
    cells = json.loads(page.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def blocks(page: Path, *languages: str) -> list[str]:
    """The code blocks of a page in these languages."""
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```", text_of(page), re.M | re.S)


def commands(page: Path) -> list[list[str]]:
    """The `oddframe` commands of a page, in order."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    inline = re.findall(r"`oddframe ([^`]+)`", text_of(page))
    # where the output goes is the shell's business
    found = [shlex.split(line.split(" > ")[0], comments=True)[1:] for line in lines if line.startswith("oddframe ")]
    return found + [shlex.split(words) for words in inline if "|" not in words and ("/" in words or " --" in words)]


def parse(words: list[str]) -> None:
    """Raise if this is wrong usage."""
    with COMMAND.make_context("oddframe", list(words)) as context:
        _, command, rest = COMMAND.resolve_command(context, list(words))
        if hasattr(command, "commands"):
            _, command, rest = command.resolve_command(context, rest)
        command.make_context(words[0], rest)


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_the_documents_is_right_usage(page):
    for words in commands(page):
        parse(words)


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_documents_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)\)", text_of(page))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]

    assert not missing


def test_settings_in_the_documents_exist():
    from oddframe.detectors import detectors
    from oddframe.settings_layers import load_settings

    given: dict[str, set[str]] = {}
    for page in PAGES:
        for line in page.read_text("utf-8").replace("\\\n", " ").splitlines():
            detector = re.search(r"(?:--detector|ped2_peers\.py PED2) (\S+)", line)
            settings = re.findall(r"--set ([\w.]+=[\w.-]+)", line)
            # a plug-in of the how-to is not installed here; it has the settings that all detectors share
            known = detector is not None and detector[1] in detectors()
            given.setdefault(detector[1] if detector and known else "dream-unet", set()).update(settings)
    for name, settings in given.items():
        load_settings("cpu", detector=name, overrides=sorted(settings))

    assert len(set().union(*given.values())) > 4


def test_the_start_page_leads_to_every_page_of_the_site():
    listed = re.findall(r"[\w/-]+\.(?:md|ipynb)", (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2])
    start = (ROOT / "docs/README.md").read_text("utf-8")

    wanted = [page for page in listed if not page.startswith(("lab/", "decisions/0")) and page != "README.md"]
    assert len(wanted) > 20
    assert [page for page in wanted if f"({page})" not in start] == []


def test_the_reference_is_what_the_code_says():
    scope: dict[str, object] = {"__name__": "make_reference", "__file__": str(ROOT / "docs/make_reference.py")}
    exec(compile((ROOT / "docs/make_reference.py").read_text("utf-8"), "make_reference.py", "exec"), scope)
    pages = scope["pages"]()

    stale = [name for name, text in pages.items() if (ROOT / "docs/reference" / name).read_text("utf-8") != text]
    assert not stale, "run: python docs/make_reference.py"


def test_the_reference_of_python_has_an_entry_for_each_public_name():
    page = (ROOT / "docs/reference/python.md").read_text("utf-8")
    entries = re.findall(r"^::: oddframe\.(\w+)$", page, re.M)

    # `__version__` is a word, of which there is nothing to render
    assert sorted([*entries, "__version__"]) == sorted(oddframe.__all__)
    assert "odd.__version__" in page


def test_no_change_is_told_twice():
    entries = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("- ")]

    assert sorted(set(entries)) == sorted(entries)
    assert len(entries) > 20


def test_the_index_of_decisions_lists_every_page_by_its_title():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", index, re.M)
    pages = [page for page in sorted(folder.glob("*.md")) if page.name != "README.md"]
    titles = [page.read_text("utf-8").partition("\n")[0] for page in pages]

    assert [name for _, name, _ in listed] == [page.name for page in pages]
    assert [f"# {number}: {title}" for number, _, title in listed] == titles


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A place with what the README speaks of: a world in demo/data, and gate.mp4."""
    from oddframe.data.synthetic import generate

    data = generate(tmp_path / "demo/data", scale="tiny")
    shutil.copy(next((data / "test").rglob("*.mp4")), tmp_path / "gate.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_commands_of_the_readme_run(home, request):
    """With a detector that has nothing to train, Ped2 only checked, since training it takes its time, and no camera."""
    for words in commands(ROOT / "README.md"):
        if "data/ped2" in words or "runs/ped2" in words or words[0] in ("demo", "live"):
            continue
        if words[0] == "train":
            words = [*words, "--detector", "framediff", "--set", "data.least_heldout=1"]
        # the video of the tests is two seconds long
        words = ["0:01" if word == "5:00" else word for word in words]
        told = CliRunner().invoke(app, words)
        assert told.exit_code == 0, f"{words}: {told.output}"
    assert Path("runs/gate/scores/gate/report.html").is_file()


@pytest.mark.slow
def test_ped2_is_read_as_the_readme_says(ped2):
    told = CliRunner().invoke(app, ["data", "check", str(ped2)])

    assert told.exit_code == 0
    assert "16 videos, 2550 frames" in told.stdout
    assert "12 videos, 2010 frames, 1648 abnormal" in told.stdout


@pytest.mark.slow
def test_the_python_of_the_readme_runs(home):
    code, _ = blocks(ROOT / "README.md", "python")
    # on a set that is smaller than any that is of use
    exec(
        compile(
            code.replace('preset="tiny"', 'preset="tiny", overrides=["data.least_heldout=1"]'), "README.md", "exec"
        ),
        {},
    )

    assert Path("gate.csv").stat().st_size > 500
    assert Path("gate.png").is_file()
    assert Path("runs/demo/report.html").is_file()


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/stream.md"])
def test_the_loop_over_a_webcam_runs_on_a_file(page: str, tmp_path, monkeypatch, capsys, make_video):
    def flashing(index: int):
        return moving_square(index) if index < 90 or index % 4 < 2 else 255 - moving_square(index)

    normal = make_video(tmp_path / "normal.mp4", frames=120, fps=25)
    make_video(tmp_path / "webcam.mp4", frames=120, fps=25, pictures=flashing)
    monkeypatch.chdir(tmp_path)
    small = ("model.size=[48, 64]", "data.least_heldout=1", "score.smoothing=1")
    oddframe.train(normal, detector="framediff", preset="tiny", overrides=small, out="runs/gate")
    (code,) = (block for block in blocks(ROOT / page, "python") if "VideoCapture" in block)
    of_file = {
        "VideoCapture(0)": 'VideoCapture("webcam.mp4")',
        "time.monotonic()": "camera.get(cv2.CAP_PROP_POS_MSEC) / 1e3",
    }
    for there, here in of_file.items():
        assert there in code
        code = code.replace(there, here)

    exec(compile(code, page, "exec"), {})

    told = capsys.readouterr().out.splitlines()
    assert told
    assert all(re.fullmatch(r"frame (9\d|1\d\d): \d+\.\d at Box\(.*\)", line) for line in told)


ADD_A_DETECTOR = ROOT / "docs/how-to/add-a-detector.md"


@pytest.fixture
def plug_in(tmp_path, monkeypatch) -> Path:
    """The package of the how-to, word for word, installed in a place of its own; the folder that it is in."""
    for code in blocks(ADD_A_DETECTOR, "python", "toml"):
        place = tmp_path / code.partition("\n")[0].removeprefix("# ")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(code)
    project = tomllib.loads((tmp_path / "odd_mean/pyproject.toml").read_text("utf-8"))["project"]
    # what an installer makes of `pyproject.toml`; one that builds the package would need the network
    installed = tmp_path / f"odd_mean/odd_mean-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    points = [f"{name} = {place}" for name, place in project["entry-points"]["oddframe.detectors"].items()]
    (installed / "entry_points.txt").write_text("\n".join(["[oddframe.detectors]", *points]))
    monkeypatch.syspath_prepend(tmp_path / "odd_mean")
    monkeypatch.chdir(tmp_path)
    detectors.cache_clear()
    yield tmp_path
    detectors.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] == "odd_mean"]:
        del sys.modules[module]


@pytest.mark.slow
def test_the_detectors_of_the_how_to_are_listed_with_their_settings(plug_in):
    listed = {one["name"]: one for one in json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)["detectors"]}

    assert listed["mean"]["presets"]["tiny"] == {"size": [96, 144], "training": 0, "inference": 0}
    assert listed["mixed"]["presets"]["tiny"] == {"size": [96, 144], "training": 4, "inference": 4}
    assert listed["mixed"]["settings"]["reconstruction"]["default"] == 1.0


@pytest.mark.slow
def test_the_commands_of_the_how_to_train_and_judge_its_detectors(plug_in):
    """On small videos and small pictures."""
    small = ["--preset", "tiny", "--set", "model.size=[48, 64]", "--set", "data.least_heldout=1"]
    for words in commands(ADD_A_DETECTOR):
        words = [*words, *{"train": small, "data": ["--scale", "tiny"]}.get(words[0], [])]
        told = CliRunner().invoke(app, words)
        assert told.exit_code == 0, f"{words}: {told.output}"
    judged = json.loads((plug_in / "runs/mixed/eval-standard.json").read_text("utf-8"))
    history = [json.loads(line) for line in (plug_in / "runs/mixed/history.jsonl").read_text("utf-8").splitlines()]
    assert judged["detector"] == "mixed"
    assert judged["auc"]["psnr"]["micro"] > 0.5
    assert history[-1]["terms"]["reconstruction"] < history[0]["terms"]["reconstruction"]
