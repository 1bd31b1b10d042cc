"""Unmasking on all frames of UCSD Ped2, also on those without a full window, which count as not odd at all.

    python experiments/unmasking_whole.py ../shared/data/ped2 runs/ped2-unmasking

So are the frames counted in trials of the method that it is held against, whose published score is smoothed: by a
Gaussian over 25 frames with a deviation of 13. `ped2_peers.py` makes the run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import oddframe as odd
from oddframe.evaluation.metrics import Video, auc, pooled

RESULT = Path(__file__).parent / "results" / "peers" / "ped2-unmasking-whole.json"
TAPS = np.exp(-(np.linspace(-12.5, 12.5, 25) ** 2) / (2 * 13.0**2))


def main() -> None:
    """Write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of UCSD Ped2")
    parser.add_argument("run", type=Path, help="of unmasking, judged")
    given = parser.parse_args()
    raw, smoothed = [], []
    with np.load(given.run / "eval-standard-scores.npz", allow_pickle=False) as stored:
        for number, video in enumerate(odd.open_videoset(given.data).test):
            odder = np.zeros(len(video.labels))
            odder[stored[f"{number}/frame"]] = stored[f"{number}/raw.local_distance"]
            raw.append(Video(video.labels, odder))
            smoothed.append(Video(video.labels, np.convolve(odder, TAPS / TAPS.sum(), "same")))
    frames = sum(len(one.labels) for one in raw)
    found = {"frames": frames, "auc": auc(pooled(raw)), "auc_smoothed": auc(pooled(smoothed))}
    RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(found)


if __name__ == "__main__":
    main()
