"""Several judged runs on one page: what each was given, what each reaches, and whether the others differ from the
first by more than the luck of the draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from oddframe.errors import MissingPathError, NothingToJudgeError, RunError
from oddframe.evaluation.compare import Comparison, compare
from oddframe.evaluation.judge import FUSIONS
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting import words
from oddframe.reporting.curves import Curve, curve, points_each
from oddframe.reporting.detection import detection_curve
from oddframe.reporting.render import render
from oddframe.scoring.scores import COMPONENTS

_OPEN_STRIPS = 24
"""That a page shows at once; the videos of the others unfold."""

_TONES = 8
"""Colours in the style sheet."""


def comparison_page(results: Sequence[Result], watch: Watcher = unwatched) -> str:
    """The page of several results; the others are compared with the first.

    Raises:
        MissingPathError: there is no result at all. MissingExtraError: scikit-learn is not installed.
    """
    if not results:
        raise MissingPathError("no run is named", wanted="the folders of judged runs", hint="oddframe report RUN RUN")
    names = names_of(results)
    notes = [
        f"The scores of single frames of '{name}' are not beside its result, so it has figures only."
        for name, result in zip(names, results, strict=True)
        if not result.scored
    ]
    differences: list[tuple[str, Comparison]] = []
    for number, (name, result) in enumerate(zip(names[1:], results[1:], strict=True), 1):
        watch(Progress("comparing", number, len(results) - 1, name))
        compared = _compared(results[0], result)
        if isinstance(compared, Comparison):
            differences.append((name, compared))
        else:
            notes.append(f"'{name}' is not compared with '{names[0]}': {compared}.")
    strips, groups, alone = _strips(results, names)
    if alone:
        notes.append(f"{words.count(alone, 'video')} that only one run has judged: not among the strips below.")
    curves = [
        detection_curve(result, "online", tone=number % _TONES, name=name)
        for number, (name, result) in enumerate(zip(names, results, strict=True))
    ]
    scores = (*FUSIONS, *COMPONENTS)
    return render(
        "compare.html.jinja",
        title=_title(results),
        names=names,
        results=results,
        settings=settings_that_differ(results),
        scores=[score for score in scores if any(score in result.auc for result in results)],
        compared=[score for score in scores if any(score in found.differences for _, found in differences)],
        differences=differences,
        detection=[one for one in curves if one is not None],
        curves=strips,
        groups=groups,
        open_groups=max(1, _OPEN_STRIPS // len(results)),
        notes=notes,
    )


def names_of(results: Sequence[Result]) -> list[str]:
    """A short name for each: its folder's, with as many of the folders around it as tell all of them apart."""
    parts = [Path(result.run).parts or (result.detector,) for result in results]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    names = [one[-1] for one in parts]
    return [f"{name} ({number})" for number, name in enumerate(names, 1)]  # one of them is named twice


def settings_that_differ(results: Sequence[Result]) -> list[tuple[str, list[str]]]:
    """("room.key", its value in each run) of each setting on which two runs differ; a dash where a run has none.

    What only one kind of detector has, and with one value, is no choice that somebody made between these runs.
    """
    flat = [_flat(result.settings) for result in results]
    keys = dict.fromkeys(key for one in flat for key in one)
    return [
        (key, [one.get(key, "-") for one in flat]) for key in keys if len({one[key] for one in flat if key in one}) > 1
    ]


def _flat(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{room}.{key}": ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for room, values in settings.items()
        if isinstance(values, Mapping)
        for key, value in values.items()
    }


def _title(results: Sequence[Result]) -> str:
    """How many, and on what, where that is the same for all."""
    data = {words.data_of(result) for result in results}
    return f"{len(results)} runs on {data.pop()}" if len(data) == 1 else f"{len(results)} runs side by side"


def _compared(first: Result, second: Result) -> Comparison | str:
    """The comparison, or why there is none."""
    try:
        return compare(first, second)
    except (RunError, NothingToJudgeError) as error:
        return error.problem + (f" ({error.seen})" if error.seen else "")


@dataclass(frozen=True)
class Group:
    """The strips of one video, and the place of the first among those of all."""

    video: str
    first: int
    strips: list[Curve]


def _strips(results: Sequence[Result], names: Sequence[str]) -> tuple[list[Curve], list[Group], int]:
    """The strips of all runs; which of them belong to one video; how many videos only one run has.

    Videos are the same where data and name are. Their strips have one scale across, also where some detectors need
    more frames before the first that they judge.
    """
    found: dict[tuple[str, str], list[tuple[str, JudgedVideo]]] = {}
    for name, result in zip(names, results, strict=True):
        for video in result.scored:
            found.setdefault((result.data.fingerprint, video.name), []).append((name, video))
    shared = {key: members for key, members in found.items() if len(members) > 1}
    points = points_each(sum(map(len, shared.values())))
    strips: list[Curve] = []
    groups = []
    for (_, video_name), members in shared.items():
        drawn = [
            replace(curve(video.scores, points=points, labels=video.labels, kinds=video.kinds), name=name)
            for name, video in members
        ]
        first, last = min(one.first for one in drawn), max(one.last for one in drawn)
        groups.append(Group(video_name, len(strips), drawn))
        strips += [replace(one, first=first, last=last) for one in drawn]
    return strips, groups, len(found) - len(shared)
