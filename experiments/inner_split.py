"""Train and judge on the training part of a fold alone, to choose settings without a look at its test videos.

    python experiments/inner_split.py ../shared/data/ped2 --fold 0 --set train.epochs=4 --name four-epochs

One of the fold's known videos is left out of the training and judged, together with every fifth normal training video.
A fold with a single known video cannot be divided so. The videos that are known in one fold are judged in the others:
what was chosen here is blind for this fold only.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import oddframe as odd
from oddframe.bars import watching
from oddframe.data.protocols import split
from oddframe.data.videoset import LabelledVideo, VideoSet

RESULTS = Path(__file__).parent / "results" / "inner"
EVERY = 5


def main() -> None:
    """Train, judge, and leave one JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="as of `oddframe train`")
    parser.add_argument("--name", required=True, help="of what is tried, in the file's name")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    videos = inner(odd.open_videoset(given.data), given.fold, given.folds)
    name = f"{videos.name}-{given.fold}-{given.name}"
    with watching() as watch:
        run = odd.train(
            videos, out=given.runs / f"inner-{name}", preset=given.preset, overrides=given.overrides, watch=watch
        )
        result = odd.evaluate(run, videos, watch=watch)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result.to_dict(), indent=1) + "\n", "utf-8")
    print({score: round(auc["micro"], 4) for score, auc in result.auc.items() if auc["micro"] is not None})


def inner(videos: VideoSet, fold: int, folds: int) -> VideoSet:
    """A set in which a known video of the fold and every fifth normal one are the test.

    Args:
        videos: a set with the official split. fold, folds: as of the protocol kfold.
    """
    known = split(videos, "kfold", fold=fold, folds=folds).known
    if len(known) < 2:
        raise SystemExit(f"fold {fold} has {len(known)} known video: none can be left out; take another fold")
    apart = videos.normal[EVERY // 2 :: EVERY]
    return replace(
        videos,
        normal=tuple(one for one in videos.normal if one not in apart),
        known=known[:-1],
        test=(known[-1], *(_as_test(one) for one in apart)),
    )


def _as_test(normal: LabelledVideo) -> LabelledVideo:
    """A normal video with labels that say so, under a name that no test video has."""
    return replace(normal, name=f"normal-{normal.name}", labels=np.zeros(normal.video.frame_count, bool))


if __name__ == "__main__":
    main()
