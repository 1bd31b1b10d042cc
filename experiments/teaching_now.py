"""What reviews change at once: what "normal" silences of its like and of all else, what "alarm" makes of `learned`.

    python experiments/teaching_now.py runs/demo-2 SYNTHETIC --name demo-2
    python experiments/teaching_now.py runs/ped2-standard-cpu-2 PED2 --name ped2-2

Every frame of the test is judged once. Then events are reviewed, lessons learned from them, and all other videos judged
again after these, by the code that a site runs. Reviewed are (1) events of anomalies, as if somebody called them
normal: what is silenced of the same kind, and what of others; (2) false events at a low line, one that a twentieth of
held-out frames are above; (3) events of anomalies as alarms.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import oddframe as odd
from oddframe.data.videoset import LabelledVideo
from oddframe.scoring.alarms import AlarmRule, events
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.lessons import Known, Lesson, Lessons, Reach, learn
from oddframe.scoring.regions import Regions
from oddframe.scoring.rounded import rounded
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine, Event
from oddframe.scoring.taught import Fitted, Said
from oddframe.site.remembered import Remembered
from oddframe.teaching.trial import Trial

RESULTS = Path(__file__).parent / "results" / "teaching"
RADII = (0.25, 0.5, 1.0, 2.0, 1e3)
"""Of lessons, in deviations. The last one asks for no likeness: whatever is at the place is silenced."""
MARGIN: Reach = "narrow"
"""Of places around."""
COUNTS = (1, 3, 10)
LOW = 0.95
"""Share of held-out frames below the low line."""


@dataclass(frozen=True)
class Judged:
    """A test video, judged once. kind: of each frame, "" where it is normal. online: before any lesson."""

    scene: str
    remembered: Remembered
    kind: NDArray[np.str_]
    online: NDArray[np.float64]


def main() -> None:
    """Judge, review, and leave one JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--only", nargs="+", help="names of the test videos that are judged")
    given = parser.parse_args()
    scorer, videos = Scorer(given.run), odd.open_videoset(given.data)
    run = scorer.run
    assert isinstance(run, odd.Run)
    evidence = load_judged(run.folder, run.info.evidence)
    fitted = Fitted(scorer.calibration, evidence, run.settings.score)
    trial = Trial(fitted, "")
    test = [judged(scorer, trial, one) for one in videos.test if given.only is None or one.name in given.only]
    own = scorer.calibration.line
    low = float(np.quantile(scorer.calibration.heldout["online"], LOW))
    found = {
        "run": run.folder.name,
        "line": own.on,
        "low": low,
        "videos": [one.remembered.event for one in test],
        "called_normal": list(called_normal(trial, test, own.on)),
        "false": list(false_alarms(trial, test, replace(own, on=low, off=0.8 * low))),
        "alarms": list(called_alarm(trial, test, own.on)),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{given.name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def judged(scorer: Scorer, trial: Trial, video: LabelledVideo) -> Judged:
    """Judge a test video as a site would remember it."""
    normal, _ = scorer.calibration.scene(video.scene)
    rows, levels = [], []
    for raw in scorer.evidence().raw(video.video.frames(), scorer.rate(video.scene)):
        rows.append((replace(raw, maps={}), normal.components.measures(raw)))
        levels.append(rounded(raw.maps))
    raws = [raw for raw, _ in rows]
    frame = np.array([raw.frame for raw in raws], np.int64)
    fps = video.video.fps or 10.0
    remembered = Remembered(
        video.name,
        False,
        "",
        video.scene,
        "",
        scorer.calibration.line.on,
        datetime(2026, 1, 1, tzinfo=UTC),
        1,
        (1e6 * frame / fps).astype(np.int64),
        frame,
        frame / fps,
        np.array([raw.anew for raw in raws], bool),
        {name: np.array([raw.values[name] for raw in raws]) for name in raws[0].values},
        {name: np.array([one[name] for _, one in rows]) for name in rows[0][1]},
        {name: np.stack([one[name] for one in levels]) for name in levels[0]},
    )
    place = frame - video.video.first_index
    kind = np.full(len(frame), "", dtype=object)
    if video.labels is not None:
        kind[video.labels[place]] = "odd"
    for span in video.classes:
        kind[(place >= span.start) & (place < span.end)] = span.class_name or "odd"
    print(f"{video.name}: {len(frame)} frames", flush=True)
    return Judged(video.scene, remembered, kind, np.array(trial.scores(remembered, Lessons())))


def called_normal(trial: Trial, test: Sequence[Judged], on: float) -> Iterator[dict[str, Any]]:
    """Anomalies of one kind in one scene are called normal, those of 1, 3 and 10 videos: what is silenced of the kind
    in the others, and what of other kinds."""
    kinds = sorted({(one.scene, kind) for one in test for kind in set(one.kind) if kind})
    for scene, kind in kinds:
        here = [one for one in test if one.scene == scene]
        taught = [(one, event) for one in here for event in found(trial, one, on) if kind_of(one, event) == kind]
        for reviews in sorted({min(count, len(taught)) for count in COUNTS} - {0}):
            for radius in RADII:
                lessons = learned(trial, taught[:reviews], radius)
                teachers = {id(one) for one, _ in taught[:reviews]}
                after = {id(one): np.array(trial.scores(one.remembered, lessons)) for one in here}
                own, like, other, calm = (np.zeros(2, int) for _ in range(4))
                for one in here:
                    for some, which in (
                        ((own if id(one) in teachers else like), one.kind == kind),
                        (other, (one.kind != kind) & (one.kind != "")),
                        (calm, one.kind == ""),
                    ):
                        some += [(one.online[which] >= on).sum(), (after[id(one)][which] >= on).sum()]
                yield {
                    "scene": scene,
                    "kind": kind,
                    "reviews": reviews,
                    "radius": radius,
                    "own": own.tolist(),
                    "like": like.tolist(),
                    "other": other.tolist(),
                    "normal": calm.tolist(),
                }


def false_alarms(trial: Trial, test: Sequence[Judged], line: AlarmLine) -> Iterator[dict[str, Any]]:
    """False events at a low line are called normal, the first ones of each scene: which of the others are no more, and
    which anomalies."""
    for scene in sorted({one.scene for one in test}):
        here = [one for one in test if one.scene == scene]
        wrong = [(one, event) for one in here for event in found(trial, one, line.on) if not kind_of(one, event)]
        for reviews in sorted({min(count, len(wrong)) for count in COUNTS} - {0}):
            for radius in RADII:
                lessons = learned(trial, wrong[:reviews], radius)
                counts = {"false": np.zeros(2, int), "anomalies": np.zeros(2, int)}
                reviewed = {(id(one), event.start) for one, event in wrong[:reviews]}
                for one in here:
                    after = np.array(trial.scores(one.remembered, lessons))
                    for number, scores in enumerate((one.online, after)):
                        for event in found(trial, one, line.on, scores):
                            if not kind_of(one, event) and not any(
                                (id(one), start) in reviewed for start in range(event.start - 5, event.end)
                            ):
                                counts["false"][number] += 1
                        counts["anomalies"][number] += stretches_found(one, scores, line.on)
                yield {
                    "scene": scene,
                    "reviews": reviews,
                    "radius": radius,
                    "reviewed_of": len(wrong),
                    **{name: one.tolist() for name, one in counts.items()},
                }


def called_alarm(trial: Trial, test: Sequence[Judged], on: float) -> Iterator[dict[str, Any]]:
    """Anomalies are called alarms, those of 1, 3 and 10 events in a row: AUC of `learned` on all other videos."""
    all_found = [(one, event) for one in test for event in found(trial, one, on) if kind_of(one, event)]
    for count in COUNTS:
        for first in range(0, len(all_found), max(1, len(all_found) // 4)):
            some = [all_found[(first + step) % len(all_found)] for step in range(min(count, len(all_found)))]
            alarms = tuple(
                trial.reviewed(part_of(one.remembered, event), number) for number, (one, event) in enumerate(some)
            )
            calibration, _ = trial.fitted.after(Said(alarms=alarms))
            others = [one for one in test if id(one) not in {id(video) for video, _ in some}]
            odd_ones = np.concatenate([one.kind != "" for one in others])
            if odd_ones.all() or not odd_ones.any():
                continue
            figures = {}
            for name, scenes in (("before", trial.fitted.calibration), ("after", calibration)):
                scores = []
                for one in others:
                    normal, _ = scenes.scene(one.scene)
                    tails, fusion = normal.components.tails, normal.fused.learned
                    rare = {key: tails[key].rarity(values) for key, values in one.remembered.measures.items()}
                    scores.append(fusion.rarity(fusion.causal(normal.fused.smoothing).of_all(rare)))
                figures[name] = float(roc_auc_score(odd_ones, np.concatenate(scores)))
            yield {
                "reviews": len(some),
                "first": some[0][0].remembered.event,
                "weights": dict(calibration.pooled.fused.learned.weights),
                **figures,
            }


def found(trial: Trial, one: Judged, on: float, scores: NDArray[np.float64] | None = None) -> list[Event]:
    """The events of a video at a line, by rows of its table."""
    line, rule = AlarmLine(on, 0.8 * on, None, 1.0), AlarmRule.of(trial.fitted.score)
    remembered = one.remembered
    rows = range(len(remembered))
    return list(events(rows, one.online if scores is None else scores, line, rule, remembered.time_s))


def kind_of(one: Judged, event: Event) -> str:
    """What most of the odd frames of an event are; "" where none is odd."""
    kinds = [kind for kind in one.kind[event.start : event.end] if kind]
    return max(set(kinds), key=kinds.count) if kinds else ""


def stretches_found(one: Judged, scores: NDArray[np.float64], on: float) -> int:
    """How many labelled stretches of a video have a frame above the line."""
    place, count = 0, 0
    for kind, several in groupby(one.kind):
        length = len(list(several))
        count += bool(kind) and bool((scores[place : place + length] >= on).any())
        place += length
    return count


def part_of(remembered: Remembered, event: Event) -> Remembered:
    """The frames of an event alone."""
    part = slice(max(event.start - 5, 0), event.end)
    columns = ("at_us", "frame", "time_s", "anew")
    return replace(
        remembered,
        **{name: getattr(remembered, name)[part] for name in columns},
        **{
            kind: {name: values[part] for name, values in getattr(remembered, kind).items()}
            for kind in ("values", "measures", "levels")
        },
    )


def learned(trial: Trial, some: Sequence[tuple[Judged, Event]], radius: float) -> Lessons:
    """Lessons of some events that were called normal."""
    lessons: list[Lesson] = []
    for number, (one, event) in enumerate(some):
        fitted, remembered = trial.fitted, one.remembered
        raws = (remembered.raw(row, Regions(), fitted.judged.local_share) for row in range(event.start, event.end))
        normal, _ = fitted.calibration.scene(one.scene)
        lesson = learn(number, raws, normal, Known.of(fitted.judged, one.scene), reach=MARGIN)
        lessons += [] if lesson is None else [replace(lesson, radius=radius)]
    return Lessons(tuple(lessons))


if __name__ == "__main__":
    main()
