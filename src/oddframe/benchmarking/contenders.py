"""What is measured: each is made, warmed up, and then measured once a turn."""

from __future__ import annotations

import math
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from oddframe.artefact import open_trained
from oddframe.plain import Json
from oddframe.runs import Run
from oddframe.scoring.scorer import Scorer
from oddframe.video.open import open_beginning
from oddframe.video.picture import Resize, as_picture
from oddframe.video.store import FrameStore

TURN_S = 0.5
"""Seconds that each figure of a turn is measured for, where one piece of work is not longer."""

_FEWEST_BATCHES = 4
"""Of a stretch of video that is scored, so that its beginning does not weigh much."""

_DECODED_FRAMES = 250
"""Of a video, at most, each turn."""

_STEPS = 4
"""Steps of a turn of training, of which the first waits for the first clips and is left out."""


class Contender(ABC):
    """One thing that is measured.

    Attributes:
        about: what does not change from turn to turn; plain JSON values.
    """

    about: Json

    def __init__(self) -> None:
        self.about = {}
        self._open = ExitStack()

    @abstractmethod
    def turn(self) -> dict[str, float]:
        """Measure once: name → figure."""

    def _place(self) -> Path:
        """A folder that is there as long as the contender."""
        return Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="oddframe-bench-")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


class Limit(Contender):
    """How fast matrix products are: the most that a network could reach, in GFLOP/s."""

    def __init__(self, device: str) -> None:
        super().__init__()
        from oddframe.nn.precision import resolve_device

        self._where = resolve_device(device)
        self.about = {"device": self._where.type}
        self.turn()

    def turn(self) -> dict[str, float]:
        from oddframe.nn.precision import matrix_product_limit

        found = {"fp32": matrix_product_limit(self._where, "fp32"), "bf16": matrix_product_limit(self._where, "bf16")}
        return {precision: gflops for precision, gflops in found.items() if gflops is not None}


class Frames(Contender):
    """How fast pictures come: decoded from the file and resized, and from the frame store; frames a second.

    Args:
        size, channels, resize: as of a detector.
    """

    def __init__(self, video: str, size: tuple[int, int], channels: int, resize: Resize) -> None:
        super().__init__()
        self._video = open_beginning(video, _DECODED_FRAMES)
        self._how = ((size[0], size[1]), channels, resize)
        self._stored = FrameStore(self._place()).open(self._video, self._how[0], channels, resize=resize)
        self.about = {"source": {"size": self._video.size, "fps": self._video.fps}, "picture": [*size, channels]}

    def turn(self) -> dict[str, float]:
        began = time.perf_counter()
        for frame in self._video.frames():
            as_picture(frame.pixels, *self._how)
        seconds = time.perf_counter() - began
        pixels = np.asarray(self._stored.pixels)
        stored = per_second(lambda: [np.array(picture) for picture in pixels], len(pixels))
        return {"decoded": len(pixels) / seconds, "stored": stored}


class Scoring(Contender):
    """One run or artefact, by one backend, with one batch size; frames a second.

    Args:
        folder: of the run or artefact. video: what is scored, as far as a turn goes.
    """

    def __init__(self, folder: str, backend: str, batch: int, device: str, video: str) -> None:
        super().__init__()
        trained = open_trained(folder)
        score = trained.settings.score.model_copy(update={"batch": batch})
        trained = trained.with_settings(trained.settings.model_copy(update={"score": score}))
        self._scorer, self._batch = Scorer(trained, device=device, backend=backend), batch
        runtime = self._scorer.runtime
        shape = (batch, runtime.before + 1 + runtime.after, *runtime.size, runtime.channels)
        self._clips = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        runtime.judge(self._clips)
        began = time.perf_counter()
        runtime.judge(self._clips)
        batches = max(_FEWEST_BATCHES, math.ceil(TURN_S / (time.perf_counter() - began)))
        self._video = open_beginning(video, shape[1] - 1 + batch * batches)
        self._scorer.score(self._video)

    def turn(self) -> dict[str, float]:
        network = per_second(lambda: self._scorer.runtime.judge(self._clips), self._batch)
        began = time.perf_counter()
        judged = len(self._scorer.score(self._video))
        return {"network": network, "scored": judged / (time.perf_counter() - began)}


class Training(Contender):
    """The training step of a run's settings, on made pictures; seconds.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: str, device: str) -> None:
        super().__init__()
        from oddframe.benchmarking.steps import Steps

        settings = Run.open(folder).settings
        self._steps = Steps(settings, device)
        self._clips = self._steps.made_clips(_STEPS)
        self.about = {
            "batch": settings.train.batch,
            "precision": self._steps.precision,
            "gflop": self._steps.flops() / 1e9,
        }

    def turn(self) -> dict[str, float]:
        return {"step": float(np.median([seconds for seconds, _ in self._steps.take(self._clips)]))}


CONTENDERS: Mapping[str, Callable[..., Contender]] = {
    "limit": Limit,
    "frames": Frames,
    "scoring": Scoring,
    "training": Training,
}


def per_second(work: Callable[[], object], units: int) -> float:
    """Repeat work of so many units for `TURN_S`, at least once; units a second."""
    began, done = time.perf_counter(), 0
    while not done or time.perf_counter() - began < TURN_S:
        work()
        done += units
    return done / (time.perf_counter() - began)
