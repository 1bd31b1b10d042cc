"""What is found by how fast things move, by which way they do, and by both: alarms by kind, without a network.

    python experiments/flow_kinds.py DATA --name NAME [--scenes gate avenue] [--videos 4] [--heldout 0.25]

Held-out normal video draws the lines. Test videos are gone through once; what is raised by `flow`, by `direction`
and by the two together is judged apart. DATA is a set with labels, as `oddframe data synth` draws one (with or without
`--scale day --set develop`). `--videos` takes the first so many test videos of each scene.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import oddframe as odd
from oddframe.bars import watching
from oddframe.data.videoset import LabelledVideo, VideoSet
from oddframe.evaluation.judge import judge
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.collector import Collector
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.scorer import Scorer
from oddframe.settings import ScoreSettings
from oddframe.settings_layers import load_settings, with_overrides

RESULTS = Path(__file__).parent / "results" / "flow-kinds"
WAYS = {"flow": "[flow]", "direction": "[direction]", "both": "[flow,direction]"}
SETTINGS = ("model.size=[160,240]", "score.online=[flow,direction]", "data.known=leave-out")


def main() -> None:
    """Train nothing, calibrate, judge, print recall, and leave one JSON: way → event figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True, help="of the JSON")
    parser.add_argument("--scenes", nargs="+", help="these alone")
    parser.add_argument("--videos", type=int, help="test videos of each scene; all of them if not given")
    parser.add_argument("--heldout", type=float, default=0.5, help="share of normal video that draws the lines")
    given = parser.parse_args()
    videos = part_of(odd.open_videoset(given.data), given.scenes, given.videos)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings("cpu", detector="flow", overrides=[*SETTINGS, f"data.heldout={given.heldout}"])
        with watching() as watch:
            run = odd.train(videos, out=Path(folder) / "run", settings=settings, watch=watch)
        found = {way: figures(result) for way, result in judged_ways(run, videos.test).items()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    test = [one.name for one in videos.test]
    about = {"data": videos.name, "heldout": given.heldout, "videos": test, "ways": found}
    (RESULTS / f"{given.name}.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    for way, one in found.items():
        print(way, f"AUC {100 * one['auc']:.1f}", {rate: at["recall"] for rate, at in one["at"].items()})


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


def judged_ways(run: odd.Run, test: Sequence[LabelledVideo]) -> dict[str, Result]:
    """Way → alarms beside labels; the evidence of each frame is gathered once."""
    scorer, evidence = Scorer(run), load_judged(run.folder, run.info.evidence)
    settings = {way: with_overrides(run.settings, [f"score.online={names}"]).score for way, names in WAYS.items()}
    made = {way: fit_calibration(evidence, score) for way, score in settings.items()}
    judged: dict[str, list[JudgedVideo]] = {way: [] for way in WAYS}
    for number, video in enumerate(test):
        print(f"{number + 1} of {len(test)}: {video.name}", flush=True)
        collectors = {way: collector(made[way], settings[way], video) for way in WAYS}
        for raw in scorer.evidence().raw(video.video.frames()):
            for one in collectors.values():
                one.take(raw)
        for way, one in collectors.items():
            scores, first = replace(one.finish([]), video=video.name), video.video.first_index
            kinds = tuple(Span(span.start + first, span.end + first, span.class_name) for span in video.classes)
            assert video.labels is not None
            labels = video.labels[scores.frame - first]
            judged[way].append(JudgedVideo(video.name, video.scene, scores, labels, kinds, video.conditions))
    return {way: judge(several, rule=AlarmRule.of(settings[way])) for way, several in judged.items()}


def collector(made: Calibration, score: ScoreSettings, video: LabelledVideo) -> Collector:
    """Gathers the scores of a video in its own scene."""
    return Collector(made, made.scene(video.scene)[0], score, video.video, video.scene)


def figures(result: Result) -> dict[str, Any]:
    """AUC of frames, and recall of stretches at each line: of all, and of each kind."""
    events = result.events
    return {
        "auc": result.auc["online"].micro,
        "normal_hours": events.normal_hours,
        "at": {
            rate: {
                "false_per_hour": at.alarms.per_hour,
                "recall": at.stretches.recall,
                "found": at.stretches.found,
                "labelled": at.stretches.labelled,
                "kinds": {kind: [one.found, one.labelled] for kind, one in sorted(at.kinds.items())},
            }
            for rate, at in events.at.items()
        },
    }


if __name__ == "__main__":
    main()
