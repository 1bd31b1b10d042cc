"""Whether one run is better than another on the same videos, or whether that is the luck of the draw.

A video that is hard for one detector is hard for the next. So the two are compared on the same draws of videos: the
interval of a difference is then much narrower than the two runs' own intervals suggest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import NothingToJudgeError, RunError
from oddframe.evaluation import metrics
from oddframe.evaluation.compare_events import EventDifference, Side, event_differences
from oddframe.evaluation.judge import FUSIONS
from oddframe.evaluation.metrics import Pairs, Video
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.plain import Json
from oddframe.scoring.scores import COMPONENTS

_LONGEST = 120
"""Letters of a value that an error quotes."""

Results = Result | Path | str | Sequence[Result | Path | str]


class Compared(TypedDict):
    """One of the two that are compared."""

    detector: str
    runs: list[str]
    """Folders, one a fold."""


class Difference(TypedDict):
    """Micro AUCs (0..1; the mean over folds where there are several) of one fusion or component."""

    first: float
    second: float
    difference: float
    """Second less first: positive where the second run is better."""
    interval: list[float] | None
    """95 % of draws of other videos have their difference in here; None where no draw has both classes."""
    left_out: list[str]
    """Videos on which the score is undefined for one of the two."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two runs on the same folds.

    Attributes:
        first, second: what is compared.
        folds: numbers of the folds compared; empty where the protocol has none.
        videos: test videos, each counted once. frames: judged frames that both have, over all folds.
        differences: fusion or component that both have → `Difference`.
        events: "own", "6" and "1" false alarms an hour → `EventDifference`; empty where nothing is labelled abnormal.
    """

    first: Compared
    second: Compared
    protocol: str
    folds: list[int]
    videos: int
    frames: int
    differences: Mapping[str, Difference]
    events: Mapping[str, EventDifference]

    def __repr__(self) -> str:
        online = self.differences.get("online")
        better = "" if online is None else f", online AUC {100 * online['difference']:+.1f} points"
        sides = " and ".join(", ".join(side["runs"]) for side in (self.first, self.second))
        return f"<Comparison of {sides}: {self.protocol}{better}>"

    def to_dict(self) -> Json:
        """As plain JSON values."""
        return asdict(self)


def compare(first: Results, second: Results, *, seed: int = 0, resamples: int = 1000) -> Comparison:
    """Compare the alarms and the micro AUCs of two judged runs (percentile bootstrap over videos, paired).

    Draws are of the set's videos, the same for both sides; a video that is in the test of several folds is drawn for
    all of them at once. Frames that only one side has (a longer window has no score for the first ones) take no part.

    Args:
        first, second: a `Result`, its JSON, a run's folder, or a folder with the runs of several folds; or several of
            these.
        seed: of the draws of videos. resamples: how many.

    Raises:
        RunError: the two are not of the same protocol, folds, data, videos or labels, or a result lacks its scores.
        MissingPathError: there is no result. NothingToJudgeError: the frames have labels of one kind only.
    """
    one, other = _by_fold(first), _by_fold(second)
    _same("protocol", *(sorted({result.protocol for result in side.values()}) for side in (one, other)))
    _same("folds", sorted(map(str, one)), sorted(map(str, other)))
    folds = [_beside(one[fold], other[fold]) for fold in one]
    names = sorted({video.name for fold in folds for video in fold})
    drawn = metrics.draws(len(names), np.random.default_rng(seed), resamples)
    found = {score: _difference(folds, score, names, drawn) for score in _shared(folds)}
    differences = {score: difference for score, difference in found.items() if difference is not None}
    if not differences:
        raise NothingToJudgeError("runs cannot be compared on frames of one kind", wanted="normal and abnormal frames")
    sides = [_sides(fold, one[key], other[key]) for key, fold in zip(one, folds, strict=True)]
    return Comparison(
        first=_described(one),
        second=_described(other),
        protocol=next(iter(one.values())).protocol,
        folds=[fold for fold in one if fold is not None],
        videos=len(names),
        frames=sum(len(video.labels) for fold in folds for video in fold),
        differences=differences,
        events=event_differences(sides, names, drawn),
    )


def _sides(fold: Sequence[_Beside], first: Result, second: Result) -> tuple[Side, Side]:
    one, other = zip(*(video.sides for video in fold), strict=True)
    return Side(one, first.rule), Side(other, second.rule)


@dataclass(frozen=True)
class _Beside:
    """One test video as both sides have scored it: the frames that both have, and where they are in either."""

    name: str
    labels: NDArray[np.bool_]
    sides: tuple[JudgedVideo, JudgedVideo]
    rows: tuple[NDArray[np.intp], NDArray[np.intp]]

    def scored(self, score: str) -> tuple[Video, Video] | None:
        """Labels and scores of either side; None where the score is undefined for one of them."""
        both = [video.scores.fusion(score) for video in self.sides]
        if both[0] is None or both[1] is None:
            return None
        return Video(self.labels, both[0][self.rows[0]]), Video(self.labels, both[1][self.rows[1]])


def _difference(
    folds: Sequence[Sequence[_Beside]], score: str, names: Sequence[str], drawn: NDArray[np.float64]
) -> Difference | None:
    left_out: list[str] = []
    own: list[list[float]] = []
    resampled = []
    for fold in folds:
        scored = {video.name: both for video in fold if (both := video.scored(score)) is not None}
        left_out += [video.name for video in fold if video.name not in scored]
        columns = drawn[:, [names.index(name) for name in scored]]
        sides = [[both[side] for both in scored.values()] for side in (0, 1)]
        values = [metrics.auc(metrics.pooled(side)) for side in sides]
        if values[0] is None or values[1] is None:
            return None
        own.append([values[0], values[1]])
        resampled.append(Pairs(sides[1]).auc(columns) - Pairs(sides[0]).auc(columns))
    first, second = np.mean(own, axis=0).tolist()
    interval = metrics.spread(np.mean(resampled, axis=0)) if len(names) >= metrics.LEAST_VIDEOS else None
    return {
        "first": first,
        "second": second,
        "difference": second - first,
        "interval": None if interval is None else list(interval),
        "left_out": list(dict.fromkeys(left_out)),
    }


def _shared(folds: Sequence[Sequence[_Beside]]) -> list[str]:
    """Fusions, and the components that every video has on both sides."""
    all_scores = [video.scores.raw for fold in folds for one in fold for video in one.sides]
    return [*FUSIONS, *(name for name in COMPONENTS if all(name in raw for raw in all_scores))]


def _beside(first: Result, second: Result) -> list[_Beside]:
    _same("data", *(result.data.fingerprint for result in (first, second)))
    one, other = ({video.name: video for video in result.scored} for result in (first, second))
    _same("test videos", sorted(one), sorted(other))
    found = []
    for name in one:
        sides = one[name], other[name]
        _, *rows = np.intersect1d(sides[0].scores.frame, sides[1].scores.frame, return_indices=True)
        labels = [video.labels[row] for video, row in zip(sides, rows, strict=True)]
        if differing := int((labels[0] != labels[1]).sum()):
            raise RunError(
                f"runs that were judged by other labels cannot be compared: those of '{name}' differ",
                seen=f"{differing} of {len(labels[0])} frames",
                wanted="the same labels",
                hint="judge both on the same data: oddframe eval RUN --data FOLDER",
            )
        found.append(_Beside(name, labels[0], sides, (rows[0], rows[1])))
    return found


def _by_fold(given: Results) -> dict[int | None, Result]:
    """The results of one side by fold, in ascending order."""
    several = [given] if isinstance(given, Result | Path | str) else given
    results = [result for one in several for result in ([one] if isinstance(one, Result) else _read(Path(one)))]
    found: dict[int | None, Result] = {}
    for result in results:
        if not result.scored:
            raise RunError(
                "a result without its scores cannot be compared",
                path=result.run or None,
                wanted="eval-<protocol>-scores.npz beside the JSON",
                hint="copy it along, or judge the run again: oddframe eval RUN",
            )
        if result.fold in found:
            raise RunError(
                "one side of a comparison has two results of the same fold",
                seen=f"{found[result.fold].run} and {result.run}",
                wanted="one run a fold",
                hint="name one run on either side, or a folder with one run a fold",
            )
        found[result.fold] = result
    return dict(sorted(found.items(), key=lambda item: -1 if item[0] is None else item[0]))


def _read(path: Path) -> list[Result]:
    """The result at a path: a JSON, a run's folder, or those of a folder of runs."""
    if path.is_dir() and not (path / "run.json").is_file() and not any(path.glob("eval-*.json")):
        judged = sorted(folder for folder in path.iterdir() if any(folder.glob("eval-*.json")))
        if judged:
            return [Result.load(folder) for folder in judged]
    return [Result.load(path)]


def _described(side: Mapping[int | None, Result]) -> Compared:
    results = list(side.values())
    return {"detector": results[0].detector, "runs": [result.run for result in results]}


def _same(what: str, first: object, second: object) -> None:
    if first != second:
        raise RunError(
            f"runs of different {what} cannot be compared",
            seen=f"{_in_words(first)} and {_in_words(second)}",
            wanted=f"the same {what} on both sides",
            hint="train and judge both with the same data, --protocol and --fold",
        )


def _in_words(value: object) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
