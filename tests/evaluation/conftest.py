"""Scores built by hand: no detector, no video."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.scoring.scores import AlarmLine, Box, Event, Scores


@pytest.fixture
def judged() -> Callable[..., JudgedVideo]:
    """`judged("a", "0011", [1, 2, 3, 4])`: frame numbers from 4, one frame a second, alarms from 3 on."""

    def make(
        name: str,
        labels: str,
        online: list[float],
        *,
        paper: bool = True,
        events: list[tuple[int, int]] = (),
        kinds: list[tuple[int, int, str]] = (),
        fps: float | None = 1.0,
        **raw: list[float],
    ) -> JudgedVideo:
        values = np.array(online, np.float32)
        frame = np.arange(4, 4 + len(values))
        found = [
            Event(
                start, end, start, 3.0, fps and start / fps, fps and end / fps, fps and start / fps, Box(1, 2, 30, 40)
            )
            for start, end in events
        ]
        scores = Scores(
            video=name,
            size=(48, 64),
            fps=fps,
            frame=frame,
            time_s=frame / fps if fps else None,
            raw={key: np.array(column, np.float32) for key, column in raw.items()},
            calibrated={key: np.array(column, np.float32) for key, column in raw.items()},
            online=values,
            paper=values / 10 if paper else None,
            learned=values,
            line=AlarmLine(3.0, 2.0, 1.0, 1.0),
            events=tuple(found),
        )
        spans = tuple(Span(*span) for span in kinds)
        return JudgedVideo(name, "", scores, np.array([letter == "1" for letter in labels]), spans)

    return make
