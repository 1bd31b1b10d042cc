"""Scores judged by hand, and pictures that need neither video nor detector."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from oddframe.errors import UnreadableVideoError
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.scoring.explanation import Explanation
from oddframe.scoring.scores import Box, Scores


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
