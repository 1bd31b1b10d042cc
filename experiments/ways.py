"""Several ways of making `online` of the same evidence, judged in one pass over the test videos."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import oddframe as odd
from oddframe.data.videoset import LabelledVideo, VideoSet
from oddframe.evaluation.judge import judge
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.collector import Collector, Rows
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.scorer import Scorer
from oddframe.settings import Settings
from oddframe.settings_layers import with_overrides


def parser_of_part(about: str | None) -> argparse.ArgumentParser:
    """What a script is told that looks at a part of a set and leaves one JSON: see `part_of`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True, help="of the JSON")
    parser.add_argument("--scenes", nargs="+", help="these alone")
    parser.add_argument("--videos", type=int, help="test videos of each scene; all of them if not given")
    return parser


def part_of(videos: VideoSet, scenes: Sequence[str] | None, most: int | None) -> VideoSet:
    """The same set with these scenes alone, and so many test videos of each."""
    kept: dict[str, list[LabelledVideo]] = {}
    for one in videos.test:
        if scenes is None or one.scene in scenes:
            kept.setdefault(one.scene, []).append(one)
    return replace(
        videos,
        normal=tuple(one for one in videos.normal if scenes is None or one.scene in scenes),
        test=tuple(one for several in kept.values() for one in several[:most]),
    )


def judged_ways(run: odd.Run, test: Sequence[LabelledVideo], ways: Mapping[str, Sequence[str]]) -> dict[str, Result]:
    """Way → alarms beside labels; the evidence of each frame is gathered once.

    Args:
        run: trained with a `score.online` that has all components of all ways. ways: name → settings of `score`.
    """
    scorer, evidence = Scorer(run), load_judged(run.folder, run.info.evidence)
    settings = {way: with_overrides(run.settings, given) for way, given in ways.items()}
    made = {way: fit_calibration(evidence, one.score) for way, one in settings.items()}
    judged: dict[str, list[JudgedVideo]] = {way: [] for way in ways}
    for number, video in enumerate(test):
        print(f"{number + 1} of {len(test)}: {video.name}", flush=True)
        gathering = {way: _Gathering(made[way], settings[way], video) for way in ways}
        for raw in scorer.evidence().raw(video.video.frames()):
            for one in gathering.values():
                one.collector.take(one.rows.of(raw))
        for way, one in gathering.items():
            scores, first = replace(one.collector.finish([]), video=video.name), video.video.first_index
            kinds = tuple(Span(span.start + first, span.end + first, span.class_name) for span in video.classes)
            assert video.labels is not None
            labels = video.labels[scores.frame - first]
            judged[way].append(JudgedVideo(video.name, video.scene, scores, labels, kinds, video.conditions))
    return {way: judge(several, rule=AlarmRule.of(settings[way].score)) for way, several in judged.items()}


class _Gathering:
    """Gathers the scores of a video in its own scene."""

    def __init__(self, made: Calibration, settings: Settings, video: LabelledVideo) -> None:
        normal = made.scene(video.scene)[0]
        self.rows = Rows(made, normal, settings, video.video.size)
        self.collector = Collector(made, normal, settings, video.video, video.scene)


def figures(result: Result) -> dict[str, Any]:
    """AUC of frames, and recall of stretches at each line: of all, and of each kind."""
    events = result.events
    return {
        "auc": result.auc["online"].micro,
        "normal_hours": events.normal_hours,
        "at": {
            rate: {
                "false": at.alarms.false,
                "false_per_hour": at.alarms.per_hour,
                "recall": at.stretches.recall,
                "found": at.stretches.found,
                "labelled": at.stretches.labelled,
                "kinds": {kind: [one.found, one.labelled] for kind, one in sorted(at.kinds.items())},
            }
            for rate, at in events.at.items()
        },
    }
