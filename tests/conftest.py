"""Small videos made for tests, the real data where there are any, and a cache that nobody else uses."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray
from tests.shared import draws

from oddframe.data.source import DataInfo
from oddframe.origin import RunInfo, SplitInfo
from oddframe.records import write_record
from oddframe.runs import Run
from oddframe.scoring.scores import AlarmLine, Box, Event, Scores
from oddframe.settings import Settings

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

# Tests import these packages by themselves, to see whether they are there; they call nobody from there, either.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores among them: torch with a thread a core in each of them waits for itself.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same draws each time, on whatever computer, and however busy it is: no test fails by chance.
settings.register_profile(
    "oddframe",
    settings(),
    max_examples=draws(100),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("oddframe")

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"


FIRST = (
    "teaching/test_working.py",
    "cameras/test_rtsp.py",
    "site/test_secrets_stay.py",
    "site/test_supervisor.py",
    "site/test_followed.py",
    "console/test_whole_path.py",
    "console/test_attacks.py",
    "exporting",
    "exporting/test_detectors.py",
    "site/test_leasing.py",
    "footage/test_many.py",
    "footage/test_course.py",
    "reproduction/test_whole.py",
    "scoring/test_memory.py",
    "teaching/test_improving.py",
    "test_outside.py",
    "training/test_train.py",
    "training/test_ranks.py",
    "reproduction/test_reproduce.py",
)
"""What takes longest. It begins first, so that at the end no worker is left alone with it; and what mostly waits comes
first of all."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order below: pytest-xdist has files of many tests first, however long they take."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """What is imported and collected stays: the garbage collector need not look at it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers (-n 2), a file's tests share one, and so do all that need what `exporting` trains."""
    here = Path(__file__).parent
    first = {str(here / one): place for place, one in enumerate(FIRST)}
    places = {}
    for item in items:
        trained = item.path.parent.name == "exporting" and "gate" in item.fixturenames  # type: ignore[attr-defined]
        home = item.path.parent if trained else item.path
        item.add_marker(pytest.mark.xdist_group(str(home)))
        places[item] = first.get(str(home), len(first))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=places.__getitem__)


@pytest.fixture(autouse=True, scope="session")
def _no_users_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that outlive a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODDFRAME_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def _caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of caches that are not there yet. `mktemp` would look through thousands of them for each test."""
    home = tmp_path_factory.mktemp("caches")
    return (home / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_cache(_caches: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODDFRAME_CACHE", str(next(_caches)))


@pytest.fixture(autouse=True, scope="session")
def _migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The file of a site's database that is not there yet begins as a copy of what the migrations have made once."""
    if importlib.util.find_spec("alembic") is None:
        yield
        return
    from oddframe.site.store import store
    from oddframe.site.store.database import Database

    really, made = store.migrate, tmp_path_factory.mktemp("migrated") / "site.db"

    def migrate(database: Database) -> None:
        file = Path(database.engine.url.database or "")
        if database.is_sqlite and file.parent.is_dir() and not file.exists():
            if not made.exists():
                with contextlib.closing(Database(f"sqlite:///{made}")) as first:
                    really(first)
            shutil.copyfile(made, file)
        really(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "migrate", migrate)
        yield


def moving_square(index: int, size: tuple[int, int] = (48, 64), *, grey: bool = False) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, or (H, W, 1): a shaded ground with a bright square that moves two pixels a frame."""
    height, width = size
    ground = np.add.outer(np.linspace(40, 110, height), np.linspace(0, 60, width))
    picture = np.stack([ground, ground[::-1], ground[:, ::-1]], axis=2).astype(np.uint8)
    left = 2 * index % max(width - 8, 1)
    picture[height // 3 : height // 3 + 8, left : left + 8] = (250, 230, 60)
    return picture[:, :, :1].copy() if grey else picture


@contextlib.contextmanager
def _as_urgent_as_before() -> Iterator[None]:
    """For root, SVT-AV1 makes the thread that encodes a real-time one. It, and whatever it starts, would take a core
    from all others for as long as the worker lives."""
    before = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    yield
    if before is not None and os.sched_getscheduler(0) != before:
        os.sched_setscheduler(0, before, os.sched_param(0))


def _make_video(
    path: Path,
    frames: int = 40,
    fps: float = 12.5,
    size: tuple[int, int] = (48, 64),
    *,
    grey: bool = False,
    codec: str | None = None,
    pixel_format: str | None = None,
    variable_rate: bool = False,
    pictures: Callable[[int], NDArray[np.uint8]] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video file and return its path.

    The codec follows from the ending (.avi mpeg4, else h264); "ffv1" in .mkv keeps grey pictures bit by bit.
    variable_rate: every third frame lasts twice as long. pictures: index -> (H, W, 1 or 3) uint8 instead of the
    shaded ground with its square.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = codec or ("mpeg4" if path.suffix == ".avi" else "libx264")
    pixel_format = pixel_format or (("gray" if grey else "bgr0") if codec == "ffv1" else "yuv420p")
    tick = Fraction(fps).limit_denominator(1000)
    with _as_urgent_as_before(), av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=tick)
        stream.height, stream.width = size
        stream.pix_fmt = pixel_format
        stream.time_base = 1 / tick
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "12", "threads": "1"}
        pts = 0
        for index in range(frames):
            picture = pictures(index) if pictures else moving_square(index, size, grey=grey)
            if picture.shape[2] == 1 and not grey:
                picture = np.repeat(picture, 3, axis=2)
            frame = (
                av.VideoFrame.from_ndarray(picture[:, :, 0], format="gray")
                if grey
                else av.VideoFrame.from_ndarray(picture, format="rgb24")
            )
            frame.pts, frame.time_base = pts, 1 / tick
            pts += 2 if variable_rate and index % 3 == 2 else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _make_frame_folder(
    path: Path,
    frames: int = 10,
    size: tuple[int, int] = (48, 64),
    *,
    grey: bool = True,
    suffix: str = ".png",
    first: int = 0,
    digits: int = 3,
    prefix: str = "",
    pictures: Callable[[int], NDArray[np.uint8]] | None = None,
) -> Path:
    """Write pictures named PREFIX, number from `first` on with `digits` digits, SUFFIX. Return the folder."""
    path.mkdir(parents=True, exist_ok=True)
    for index in range(frames):
        picture = pictures(index) if pictures else moving_square(index, size, grey=grey)
        name = path / f"{prefix}{first + index:0{digits}}{suffix}"
        assert cv2.imwrite(str(name), picture[:, :, ::-1])
    return path


@pytest.fixture
def picture() -> Callable[..., NDArray[np.uint8]]:
    """The picture that `make_video` and `make_frame_folder` put at an index."""
    return moving_square


@pytest.fixture
def make_video() -> Callable[..., Path]:
    """make_video(path, frames=40, fps=12.5, size=(48, 64), grey=, codec=, pixel_format=, variable_rate=, ...)."""
    return _make_video


@pytest.fixture
def make_frame_folder() -> Callable[..., Path]:
    """make_frame_folder(path, frames=10, size=(48, 64), grey=, suffix=, first=, digits=, prefix=, pictures=)."""
    return _make_frame_folder


def _make_run(folder: Path, settings: Settings, **given: object) -> Run:
    """Write run.json alone, as far as opening a run goes. Of the split and the data, what is not given is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    empty = SplitInfo(
        protocol="standard", fold=None, folds=None, normal=(), known=(), test=(), heldout=(), heldout_known=()
    )
    parts = {"split": empty.changed(**given.pop("split", {})), "data": DataInfo(**given.pop("data", {}))}
    run = Run(folder, RunInfo(**{"state": "finished", "settings": settings, **parts, **given}))
    write_record(folder / "run.json", run.info)
    return run


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """make_run(folder, settings, split={...}, data={...}, state=, ...): a finished run but for its weights."""
    return _make_run


@pytest.fixture
def made_by_0_1() -> Path:
    """What version 0.1 left: "dream", a run with its figures, and "artefact"."""
    return Path(__file__).resolve().parent / "made_by_0_1"


def _shared(name: str, what: str) -> Path:
    folder = SHARED.resolve() / name
    if not folder.is_dir():
        pytest.skip(f"{what} are not at ../shared/{name}")
    return folder


@pytest.fixture
def shared_data() -> Path:
    """Folder of the real data."""
    return _shared("data", "the real videos and labels")


@pytest.fixture
def ped2() -> Path:
    """UCSD Ped2 in the community layout."""
    return _shared("data/ped2", "the frames of UCSD Ped2")


@pytest.fixture
def oracle_dir() -> Path:
    """Numbers computed by the peers' own code; see its README."""
    return Path(__file__).parent / "oracle"


@pytest.fixture
def dev_full() -> Path:
    """A file on a disk that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    return Path("/dev/full")


@pytest.fixture
def scored() -> Callable[..., Scores]:
    """`scored([0, 1, 4])`: frames from 4 on, ten a second, alarm line at 3, an event for each (start, end) given."""

    def make(
        online: Sequence[float],
        *,
        name: str = "gate",
        events: Sequence[tuple[int, int]] = (),
        fps: float | None = 10.0,
        size: tuple[int, int] = (48, 64),
    ) -> Scores:
        values = np.array(online, np.float32)
        frame = np.arange(4, 4 + len(values))
        return Scores(
            video=name,
            size=size,
            fps=fps,
            frame=frame,
            time_s=frame / fps if fps else None,
            raw={"psnr": 40 - values, "motion": values / 10},
            calibrated={},
            online=values,
            paper=None,
            learned=values,
            line=AlarmLine(3.0, 2.0, 1.0 if fps else None, 1.0),
            events=tuple(
                Event(start, end, start, 4.0, *((fps and at / fps) for at in (start, end, start)), Box(8, 8, 20, 16))
                for start, end in events
            ),
        )

    return make


@pytest.fixture(scope="session")
def chromium() -> Iterator[WebDriver]:
    """A real browser without a window; it looks at files of this machine and asks for nothing else."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("there is no Chromium with its driver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield opened
    opened.quit()
