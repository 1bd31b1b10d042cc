"""Scores built by hand, pictures that need neither video nor detector, and the smallest run that there is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.errors import UnreadableVideoError
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.runs import Run
from oddframe.scoring.scorer import Explanation
from oddframe.scoring.scores import AlarmLine, Box, Event, Scores
from oddframe.training.train import train


def flashing(index: int) -> np.ndarray:
    """Noise, in which a bright square comes or goes in frames 32, 34, ... 50."""
    picture = np.random.default_rng(index).integers(90, 100, (48, 64, 1), np.uint8)
    if 30 <= index < 50 and index % 4 < 2:
        picture[8:24, 40:56] = 255
    return picture


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Frame differences, calibrated on noise."""
    home = tmp_path_factory.mktemp("gate")
    for index in range(80):
        (home / "normal").mkdir(exist_ok=True)
        cv2.imwrite(str(home / "normal" / f"{index:03}.png"), flashing(1000 + index))
    sizes = ["model.size=[48, 64]", "model.channels=1", "data.heldout=0.5", "score.online=[psnr, local_error]"]
    return train(home / "normal", out=home / "run", preset="paper", detector="framediff", overrides=sizes)


@pytest.fixture
def gate(tmp_path: Path, make_frame_folder: Callable[..., Path]) -> Path:
    """Sixty frames with an event from 32 to 50."""
    return make_frame_folder(tmp_path / "gate", frames=60, pictures=flashing)


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


@pytest.fixture
def judged(scored: Callable[..., Scores]) -> Callable[..., JudgedVideo]:
    """`judged("0011", [1, 2, 3, 4], name=..., events=...)`: the same beside labels; kinds are (start, end, kind)."""

    def make(
        labels: str, online: Sequence[float], *, kinds: Sequence[tuple[int, int, str]] = (), **options: object
    ) -> JudgedVideo:
        scores = scored(online, **options)
        spans = tuple(Span(*kind) for kind in kinds)
        return JudgedVideo(scores.video, "", scores, np.array([letter == "1" for letter in labels]), spans)

    return make


@dataclass
class DrawnPictures:
    """Frames of one grey or coloured level; videos in `gone` cannot be read."""

    channels: int = 1
    explains: bool = True
    gone: tuple[str, ...] = ()

    def frames(self, video: str, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        if video in self.gone:
            raise UnreadableVideoError("this file does not decode as video", path=video)
        for number in sorted(wanted):
            yield number, np.full((48, 64, self.channels), number % 256, np.uint8)

    def explain(self, video: str, wanted: Sequence[int]) -> list[Explanation]:
        if not self.explains:
            return []
        small = np.full((24, 32, self.channels), 90, np.uint8)
        error, heat = np.full((24, 32), 0.01, np.float32), np.eye(6, 8, dtype=np.float32) * 2
        return [
            Explanation(number, None, picture, small, error, heat, Box(8, 8, 20, 16))
            for number, picture in self.frames(video, wanted)
        ]


@pytest.fixture
def drawn() -> type[DrawnPictures]:
    return DrawnPictures


_VOID = {"meta", "link", "img", "input"}


class _Balance(HTMLParser):
    """Fails on a tag that closes another one than the last opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag == "img":
            assert dict(attrs)["alt"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


def _read(page: Path) -> tuple[str, _Balance]:
    text = page.read_text("utf-8")
    parsed = _Balance()
    parsed.feed(text)
    assert parsed.open == []
    return text, parsed


def _embedded(text: str) -> list[dict]:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])["videos"]


@pytest.fixture
def read() -> Callable[[Path], tuple[str, _Balance]]:
    """`read(page)`: its text and what its tags hold; fails on tags that do not balance."""
    return _read


@pytest.fixture
def embedded() -> Callable[[str], list[dict]]:
    """`embedded(text)`: the curves that stand in a page for its script."""
    return _embedded
