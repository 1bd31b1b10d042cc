"""Which events are alike: by where they were, or by how they looked? Is the nearest other one of the same kind?

    python experiments/alike.py SYNTHETIC src/oddframe/instant_model --name synthetic

Events of the test videos above a low line, one that a twentieth of held-out frames are above. Near is by the middle of
what is odd (in widths of the picture), by the mean look of the odd places (in deviations of normal places), or by both
in turn. Only events of the same camera are compared, for nobody reviews two cameras at once by one word.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import oddframe as odd
from oddframe.scoring.lessons import Known, looks_of, odd_places
from oddframe.scoring.regions import Regions
from oddframe.scoring.scores import Event
from oddframe.teaching.trial import Trial
from teaching_now import LOW, Judged, found, judged, kind_of
from teaching_video import fitted_to_held_out

RESULTS = Path(__file__).parent / "results" / "alike"


def main() -> None:
    """Judge, compare, and leave one JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    given = parser.parse_args()
    videos = odd.open_videoset(given.data)
    with tempfile.TemporaryDirectory() as temporary:
        scorer, trial = fitted_to_held_out(given.run, videos, Path(temporary), None)
        low = float(np.quantile(trial.fitted.calibration.heldout["online"], LOW))
        rows = []
        for video in videos.test:
            one = judged(scorer, trial, video)
            for event in found(trial, one, low):
                if (marked := marks(trial, one, event)) is not None:
                    rows.append((one.scene, kind_of(one, event), *marked))
    kinds = [(scene, kind) for scene, kind, _, _ in rows]
    same = np.array([[one == other for other in kinds] for one in kinds])
    near = np.array([[one[0] == other[0] for other in kinds] for one in kinds])
    np.fill_diagonal(same, val=False)
    np.fill_diagonal(near, val=False)
    places, looks = (_distances(np.stack([row[column] for row in rows])) for column in (2, 3))
    compared = np.flatnonzero(same.any(axis=1))
    figures: dict[str, object] = {"events": len(rows), "with_another_of_their_kind": len(compared)}
    for name, distances in {
        "place": places,
        "looks": looks,
        "both": places / places.mean() + looks / looks.mean(),
    }.items():
        nearest = np.where(near, distances, np.inf).argmin(axis=1)
        figures[name] = int(same[compared, nearest[compared]].sum())
    chance = same[compared].sum(axis=1) / near[compared].sum(axis=1)
    figures["by_chance"] = float(chance.sum())
    print(figures)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{given.name}.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def marks(trial: Trial, one: Judged, event: Event) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The middle of what is odd in an event, and its mean look; None where no place is."""
    fitted, remembered = trial.fitted, one.remembered
    normal, known = fitted.calibration.scene(one.scene)[0], Known.of(fitted.judged, one.scene)
    middles, looks = [], []
    for row in range(event.start, event.end):
        raw = remembered.raw(row, Regions(), fitted.judged.local_share)
        places = odd_places(raw, normal)
        if places.any():
            middles.append(np.argwhere(places).mean(axis=0) / places.shape[1])
            looks.append(looks_of({name: each[row] for name, each in remembered.levels.items()}, known.units, places))
    if not middles:
        return None
    return np.mean(middles, axis=0), np.concatenate(looks).mean(axis=0)


def _distances(marked: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(((marked[:, None] - marked) ** 2).sum(axis=2))


if __name__ == "__main__":
    main()
