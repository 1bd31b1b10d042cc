"""Whether an exported detector scores like its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import ComparedInfo, map_output
from oddframe.data.videoset import LabelledVideo
from oddframe.errors import CutOffVideoError, ExportError, TooShortError
from oddframe.evaluation import metrics
from oddframe.exporting.footage import Look
from oddframe.progress import Progress, Watcher
from oddframe.scoring.components import LEAST_VALUE
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Raw
from oddframe.settings import BESIDE

LIMIT = 1e-3
"""Relative difference that fp32 may have. Seen: 1e-6 to 1e-5, the order in which sums are taken."""


@dataclass(frozen=True)
class Parity:
    """Two ways to score, frame by frame: a `ComparedInfo` whose differences may be infinite (see `relative`)."""

    videos: tuple[str, ...]
    frames: int
    relative: dict[str, float]
    alarmed_by_run: int
    alarmed_by_artefact: int
    differing: int

    def info(self) -> ComparedInfo:
        """As it is kept; the differences are finite."""
        return ComparedInfo(**asdict(self))


def compare(run: Scorer, artefact: Scorer, looks: Sequence[Look], watch: Watcher) -> Parity:
    """Score the same videos with both, side by side, so that no length fills the memory."""
    worst: dict[str, float] = {}
    alarms: list[tuple[bool, bool]] = []
    for look in looks:
        both = (scorer.stream(look.frames(), look.scene, look.fps) for scorer in (run, artefact))
        try:
            for wanted, seen in zip_longest(*both):
                if wanted is None or seen is None or wanted.frame != seen.frame:
                    worst["frame"] = float("inf")  # they do not even judge the same frames
                if wanted is None or seen is None:
                    break
                alarms.append((wanted.alarm, seen.alarm))
                for name, value in _differences(seen.raw, wanted.raw).items():
                    worst[name] = max(worst.get(name, 0.0), value)
                watch(Progress(f"comparing on {look.name}", len(alarms), 0))
        except CutOffVideoError:
            pass  # what was readable has been compared
    if not alarms:
        raise TooShortError("no video is long enough to compare scores on", seen=", ".join(look.name for look in looks))
    by_run, by_artefact = np.array(alarms).T
    return Parity(
        tuple(look.name for look in looks),
        len(alarms),
        worst,
        int(by_run.sum()),
        int(by_artefact.sum()),
        int((by_run != by_artefact).sum()),
    )


def relative(seen: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Largest difference, divided by the wanted value; values below `LEAST_VALUE`, which score alike, count as that.

    >>> relative(np.array([3.0, 1e-9]), np.array([2.0, 0.0]))
    0.5
    """
    difference = np.abs(seen - wanted) / np.maximum(np.abs(wanted), LEAST_VALUE)
    return float(difference.max()) if np.isfinite(difference).all() else float("inf")


def _differences(seen: Raw, wanted: Raw) -> dict[str, float]:
    """Of every component and map that the network gives."""
    found = {}
    for name, value in wanted.values.items():
        if name not in BESIDE:
            found[name] = relative(np.array([seen.values[name]], np.float32), np.array([value], np.float32))
    for name, one in wanted.maps.items():
        if name not in BESIDE:
            found[map_output(name)] = relative(seen.maps[name], one)
    return found


def refuse_infinite(parity: Parity) -> None:
    """Refuse a graph that gives what is no number, whatever its precision.

    Raises:
        ExportError: a component or map of a frame is infinite or not a number.
    """
    if broken := [name for name, value in parity.relative.items() if not np.isfinite(value)]:
        raise ExportError(
            f"the exported graph gives numbers that are infinite, or none at all: {', '.join(broken)}",
            seen=f"on {', '.join(parity.videos)}",
            wanted="finite numbers, as its run gives",
            hint="export with --precision fp32, or score with the run",
        )


def refuse_difference(parity: Parity, made: bool) -> None:
    """Hold a graph in fp32 to its run.

    Raises:
        ExportError: a component differs by more than `LIMIT`, or the alarms of one frame do; alarms on `made` pictures
            mean nothing.
    """
    name = max(parity.relative, key=lambda name: parity.relative[name])
    if parity.relative[name] > LIMIT:
        raise ExportError(
            f"the exported graph does not score like its run: '{name}' differs",
            seen=f"{parity.relative[name]:.2g} of its value on {', '.join(parity.videos)}",
            wanted=f"at most {LIMIT:g}",
            hint="a detector that branches on values, or draws, cannot be exported: score with the run",
        )
    if parity.differing and not made:
        raise ExportError(
            "the exported graph gives other alarms than its run",
            seen=f"{parity.differing} of {parity.frames} frames of {', '.join(parity.videos)}",
            wanted="the same alarms on every frame",
            hint="score with the run itself, or compare on other video: --check-on VIDEO",
        )


def area(scorer: Scorer, videos: Sequence[LabelledVideo], watch: Watcher) -> float | None:
    """AUC of `online` over all frames of labelled videos; None where they are of one kind only."""
    judged = []
    for number, video in enumerate(videos):
        watch(Progress("judging", number, len(videos), video.name))
        try:
            scores = scorer.score(video.video, video.scene)
        except TooShortError:
            continue
        assert video.labels is not None
        judged.append(metrics.Video(video.labels[scores.frame - video.video.first_index], scores.online))
    return metrics.auc(metrics.pooled(judged))
