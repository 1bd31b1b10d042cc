"""What an anomaly in the normal video costs: the same trainings with a share of odd video among the normal one.

    oddframe data synth SYNTHETIC
    python experiments/odd_in_normal.py SYNTHETIC --seeds 2020 2

The odd video is the set's own known anomalies, taken as if they were normal: people forget a minute in which a cyclist
passed. What of it is trained on and what is held out is drawn as of all other video. One JSON a seed and share.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import oddframe as odd
from oddframe.bars import watching
from oddframe.data.videoset import LabelledVideo, VideoSet
from ways import figures, judged_ways

RESULTS = Path(__file__).parent / "results" / "odd-in-normal"
PRESET = "tiny"


def main() -> None:
    """Train, judge, and leave one JSON a seed and share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2020])
    parser.add_argument("--videos", type=int, nargs="+", default=[0, 1, 3], help="odd videos among the normal ones")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    videos = odd.open_videoset(given.data)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for seed in given.seeds:
        for count in given.videos:
            path = RESULTS / f"{count}-{seed}.json"
            if path.exists():
                print(f"{path} is there: left alone")
                continue
            mixed, share = with_odd(videos, count)
            with watching() as watch:
                run = odd.train(
                    mixed, out=given.runs / f"odd-in-normal-{count}-{seed}", preset=PRESET, seed=seed, watch=watch
                )
            found = figures(judged_ways(run, videos.test, {"own": []})["own"])
            kinds = sorted({span.class_name or "?" for one in videos.known[:count] for span in one.classes})
            about = {"videos": count, "share": share, "kinds": kinds, "seed": seed, "preset": PRESET, **found}
            path.write_text(json.dumps(about, indent=1) + "\n", "utf-8")
            own = found["at"]["own"]
            print(f"{count} odd videos ({100 * share:.1f} %): AUC {100 * found['auc']:.1f}, {own['found']} found")


def with_odd(videos: VideoSet, count: int) -> tuple[VideoSet, float]:
    """The set with so many of its known anomalies among its normal video and none known; the share of odd frames."""
    odd_ones = videos.known[:count]
    frames = sum(int(one.labels.sum()) for one in odd_ones if one.labels is not None)
    normal = (*videos.normal, *(as_normal(one) for one in odd_ones))
    return replace(videos, normal=normal, known=()), frames / sum(one.video.frame_count for one in normal)


def as_normal(video: LabelledVideo) -> LabelledVideo:
    """The same video with nothing known of it."""
    return replace(video, name=f"taken for normal: {video.name}", labels=None, classes=(), masks=None)


if __name__ == "__main__":
    main()
