"""Evidence made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oddframe.data.source import DataInfo
from oddframe.origin import RunInfo, SplitInfo
from oddframe.runs import Run
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.calibration_file import save_calibration
from oddframe.scoring.collect import Footage, judge
from oddframe.scoring.judged_file import save_judged
from oddframe.scoring.scores import Raw
from oddframe.settings import ScoreSettings
from oddframe.settings_layers import load_settings


@pytest.fixture
def raw() -> Callable[..., Raw]:
    """raw(7, maps={"motion": [[0.1, 0.2]]}, psnr=30, motion=0.2) -> the evidence of frame 7, at ten frames a second."""

    def make(frame: int, maps: Mapping[str, Any] | None = None, **values: float) -> Raw:
        return Raw(frame, frame / 10, values, {name: np.array(one, np.float32) for name, one in (maps or {}).items()})

    return make


class Told:
    """A stream of evidence that was made by hand: what it is given to judge is what it finds."""

    direction = True

    def raw(self, frames: Iterable[Raw], rate: object = None) -> Iterator[Raw]:
        yield from frames

    def ways(self, frames: Iterable[Raw], step: int) -> Iterator[Any]:
        for place, raw in enumerate(frames):
            if place % step == 1:
                yield raw.maps["direction"]


def footage(kind: str, raws: list[Raw], *, scene: str = "", abnormal=None) -> Footage:
    """Evidence of frames as a stretch that is to be judged. abnormal: (N,) for known anomalies."""
    odd = None if abnormal is None else {raw.frame: bool(one) for raw, one in zip(raws, abnormal, strict=True)}
    return Footage(scene, kind, len(raws), lambda: raws, odd)


def score_settings(**changes: Any) -> ScoreSettings:
    """PSNR and motion, motion by the oddest half of all places."""
    return ScoreSettings(**({"online": ("psnr", "motion"), "local_share": 0.5} | changes))


def fit(stretches: Iterable[Footage], **changes: Any) -> Calibration:
    """A calibration on stretches, with `score_settings(**changes)`."""
    settings = score_settings(**changes)
    return fit_calibration(judge(Told(), list(stretches), settings, lambda _: None), settings)


def finished_run(folder: Path, stretches: Iterable[Footage], *overrides: str, notes: tuple[str, ...] = ()) -> Run:
    """A finished run of `framediff` as training leaves it, without weights or video."""
    settings = load_settings(
        "tiny",
        detector="framediff",
        overrides=["score.online=[motion]", "score.local_share=0.5", "score.per_place=[]", *overrides],
    )
    judged = judge(Told(), list(stretches), settings.score, lambda _: None)
    calibration = fit_calibration(judged, settings.score)
    folder.mkdir(parents=True, exist_ok=True)
    save_calibration(calibration, folder)
    split = SplitInfo(
        protocol="standard", fold=None, folds=None, normal=(), known=(), test=(), heldout=(), heldout_known=()
    )
    made = Run(
        folder,
        RunInfo(
            state="finished",
            data=DataInfo(),
            split=split,
            settings=settings,
            evidence=save_judged(judged, folder),
            notes=(*notes, *calibration.notes),
        ),
    )
    made.write_info()
    return made


@pytest.fixture
def stretch(raw) -> Callable[..., Footage]:
    """stretch("gate", frames=120, level=0.1) -> held-out video whose motion is about so much, in two places of four."""

    def make(scene: str, frames: int = 120, level: float = 0.01, *, kind: str = "heldout") -> Footage:
        rng = np.random.default_rng(frames)
        shown = []
        for frame in range(frames):
            motion = level * rng.uniform(0.5, 1.5)
            shown.append(
                raw(frame, {"motion": [[motion, 1e-4], [motion, 1e-4]]}, psnr=30 + rng.normal(), motion=motion)
            )
        return footage(kind, shown, scene=scene)

    return make
