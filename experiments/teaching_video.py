"""What the reviews of one test video's events change on all others: found, lost, and where the line is.

    python experiments/teaching_video.py PED2 runs/ped2-tiny-2020 --fps 10 --name ped2-tiny-2020
    python experiments/teaching_video.py SYNTHETIC src/oddframe/instant_model --name synthetic

The detector is fitted to the normal videos that its training held out, as a camera is. Each test video in turn is the
one whose events are reviewed: as its labels have it (what is odd as an alarm, all else as normal), and as if all of it
were normal. The line is that of the fitting, and a low one, that a twentieth of held-out frames are above. All other
videos of the same camera are judged before and after.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import oddframe as odd
from oddframe.artefact import open_trained
from oddframe.runs import host
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.lessons import Lessons
from oddframe.scoring.many import measures_without
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.taught import Said
from oddframe.scoring.teach import fitted_of
from oddframe.teaching.trial import Trial
from teaching_now import LOW, Judged, found, judged, kind_of, learned, part_of, stretches_found

RESULTS = Path(__file__).parent / "results" / "teaching-video"
RADIUS = 1.0
"""Of reach `middle`."""


def main() -> None:
    """Judge, review, and leave one JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path, help="a run, or an artefact")
    parser.add_argument("--name", required=True)
    parser.add_argument("--fps", type=float, help="of folders of frames")
    given = parser.parse_args()
    videos = odd.open_videoset(given.data)
    with tempfile.TemporaryDirectory() as temporary:
        scorer, trial = fitted_to_held_out(given.run, videos, Path(temporary), given.fps)
        rows = list(turns(trial, [judged(scorer, trial, one) for one in videos.test]))
    RESULTS.mkdir(parents=True, exist_ok=True)
    written = {"turns": rows, "host": host().to_dict()}
    (RESULTS / f"{given.name}.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")


def fitted_to_held_out(run: Path, videos: odd.VideoSet, home: Path, fps: float | None) -> tuple[Scorer, Trial]:
    """A detector fitted to the normal videos that its training held out, each scene by its own."""
    trained = open_trained(run)
    held = {one.video for one in trained.info.split.heldout}
    for one in videos.normal:
        if one.name in held:
            place = home / "held-out" / one.scene / one.video.path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if one.video.path.is_dir() else shutil.copy
            copy(one.video.path, place)
    fitting = odd.calibrate(trained, home / "held-out", out=home / "fitting", fps=fps)
    return Scorer(run, fitting=fitting), Trial(fitted_of(fitting), "")


def turns(trial: Trial, test: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """One row for each video that is reviewed, line, and way in which it is."""
    before = trial.fitted.calibration
    low = float(np.quantile(before.heldout["online"], LOW))
    for line, on in (("own", before.line.on), ("low", low)):
        for one in test:
            events = found(trial, one, on)
            for way in ("by its labels", "all normal"):
                alarms = [event for event in events if kind_of(one, event) and way != "all normal"]
                normal = [event for event in events if event not in alarms]
                lessons = learned(trial, [(one, event) for event in normal], RADIUS)
                reviewed = (trial.reviewed(part_of(one.remembered, event), n) for n, event in enumerate(alarms, 1000))
                after, _ = trial.fitted.after(Said(lessons, tuple(each for each in reviewed if len(each))))
                others = [other for other in test if other is not one and other.scene == one.scene]
                then = after.line.on if line == "own" else on
                yield {
                    "video": one.remembered.event,
                    "line": line,
                    "way": way,
                    "called_normal": len(normal),
                    "called_alarm": len(alarms),
                    "before": figures(trial, before, others, Lessons(), on),
                    "after": figures(trial, after, others, lessons, then),
                }


def figures(
    trial: Trial, calibration: Calibration, others: Sequence[Judged], lessons: Lessons, on: float
) -> dict[str, Any]:
    """Of all other videos: AUC, odd frames above the line, labelled stretches found, false events."""
    odd_ones = np.concatenate([one.kind != "" for one in others])
    online = [np.asarray(trial.scores(one.remembered, lessons)) for one in others]
    weighed = [by_learned(trial, calibration, one, lessons) for one in others]
    return {
        "line": on,
        "online_auc": float(roc_auc_score(odd_ones, np.concatenate(online))),
        "learned_auc": float(roc_auc_score(odd_ones, np.concatenate(weighed))),
        "odd_frames": int(odd_ones.sum()),
        "odd_above": int((np.concatenate(online)[odd_ones] >= on).sum()),
        "normal_frames": int((~odd_ones).sum()),
        "normal_above": int((np.concatenate(online)[~odd_ones] >= on).sum()),
        "stretches": sum(stretches_found(one, np.full(len(one.kind), np.inf), on) for one in others),
        "stretches_found": sum(stretches_found(one, scores, on) for one, scores in zip(others, online, strict=True)),
        "false_events": sum(
            not kind_of(one, event)
            for one, scores in zip(others, online, strict=True)
            for event in found(trial, one, on, scores)
        ),
        "heldout_above": float((calibration.heldout["online"] >= on).mean()),
    }


def by_learned(trial: Trial, calibration: Calibration, one: Judged, lessons: Lessons) -> NDArray[np.float64]:
    """(N,) `learned` of a video after lessons."""
    normal, _ = calibration.scene(one.scene)
    fusion, remembered = normal.fused.learned, one.remembered
    measures = {name: remembered.measures[name].copy() for name in fusion.weights}
    if lessons:
        hours = [remembered.at(place).time() for place in range(len(remembered))]
        silenced = lessons.found_in(remembered.levels, hours)
        touched = silenced.any(axis=(1, 2))
        levels = {name: each[touched] for name, each in remembered.levels.items()}
        values = {name: each[touched] for name, each in remembered.values.items()}
        share = trial.fitted.judged.local_share
        for name, each in measures_without(
            levels, silenced[touched], values, normal.components, fusion.weights, {}, share
        ).items():
            measures[name][touched] = each
    rare = {name: normal.components.tails[name].rarity(each) for name, each in measures.items()}
    return fusion.rarity(fusion.causal(normal.fused.smoothing).of_all(rare))


if __name__ == "__main__":
    main()
