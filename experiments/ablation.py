"""What each setting does: variants of one preset on one fold of UCSD Ped2, with several seeds each.

    python experiments/ablation.py ../shared/data/ped2 --fold 0 --seeds 1 2

All variants have about the same time to train: with a decoder a step takes three times as long, and there are a third
of the epochs. None has `model.compactness_beside` but those that are named after it. `--size small` is 128x192 and two
thirds of the width of the preset `cpu`, `--size 192x288` has its width. One JSON a variant and seed; what is there is
left alone, so that a stopped run goes on. Variants are run one after another; several calls with other `--only` can run
side by side.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from command_line import as_options, judge, oddframe

RESULTS = Path(__file__).parent / "results" / "ablation"

_TEXT = [
    "model.query_margin=0",
    "model.worst_share=0",
    "model.discriminator=true",
    "model.decoder=true",
    "model.decode_abnormal=true",
    "model.joint_batch=false",
    "model.compactness=0.1",
    "model.update_weight=softmax",
    "model.separateness_distance=squared",
    "train.pseudo_anomalies=[]",
    "train.slowed=0",
    "train.crowd=0",
]
_AUTHORS = [
    "model.discriminator_norm=true",
    "model.update_weight=max",
    "model.triplet_features=unit",
    "model.triplet_distance=plain",
    "model.separateness_distance=plain",
    "model.abnormality_anchor=true",
]
_MEMORIES = [
    *_TEXT,
    "model.decoder=false",
    "model.discriminator=false",
    "model.joint_batch=true",
    "model.update_weight=max",
    "model.separateness_distance=plain",
]
_TAUGHT = [*_MEMORIES, "model.query_margin=1"]

VARIANTS = {
    "all": [],
    "beside": ["model.compactness_beside=true"],
    # the paper's own losses, in the same network, with the preset's optimiser
    "text-losses": _TEXT,
    "authors-losses": [*_TEXT, *_AUTHORS],
    # one thing at a time, from the memories alone upwards
    "memories": _MEMORIES,
    "margin": _TAUGHT,
    "margin-beside": [*_TAUGHT, "model.compactness_beside=true"],
    "margin-skip": [*_TAUGHT, "train.pseudo_anomalies=[skip]"],
    "margin-paste": [*_TAUGHT, "train.pseudo_anomalies=[paste]"],
    "margin-transplant": [*_TAUGHT, "train.pseudo_anomalies=[transplant]"],
    # one thing taken away from all
    "no-margin": ["model.query_margin=0"],
    "no-pseudo": ["train.pseudo_anomalies=[]"],
    "no-slowed": ["train.slowed=0"],
    "no-crowd": ["train.crowd=0"],
    "no-worst": ["model.worst_share=0"],
    "no-joint-batch": ["model.joint_batch=false"],
    "decoder": ["model.decoder=true"],
    "none-known": ["train.pseudo_share=1", "train.pseudo_anomalies=[skip,paste]"],
}
EPOCHS = 6
SIZES = {"192x288": ["model.size=[192,288]", "model.width=24"], "small": ["model.size=[128,192]", "model.width=16"]}
SLOW = ("text-losses", "authors-losses", "decoder", "paper", "authors")


def main() -> None:
    """Train and judge what has no JSON yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of UCSD Ped2")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--size", default="small", choices=tuple(SIZES))
    parser.add_argument("--only", nargs="+", default=[*VARIANTS, "paper", "authors"], help="these variants")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    for seed in given.seeds:
        for name in given.only:
            result = RESULTS / f"ped2-{given.fold}-{given.size}-{name}-{seed}.json"
            if result.exists():
                print(f"{result} is there: left alone")
                continue
            run = given.runs / f"ablation-{result.stem}"
            overrides = [f"train.seed={seed}", *variant(name, given.size)]
            preset = name if name in ("paper", "authors") else "cpu"
            where = ["--preset", preset, "--protocol", "kfold", "--fold", str(given.fold)]
            oddframe("train", str(given.data), "--out", str(run), *where, *as_options(overrides))
            judge(run, result)
            micro = {score: auc["micro"] for score, auc in json.loads(result.read_text("utf-8"))["auc"].items()}
            print(name, seed, {score: round(100 * value, 1) for score, value in micro.items() if value is not None})


def variant(name: str, size: str) -> list[str]:
    """The overrides of a variant; `paper` and `authors` are these presets in the size and width of the others."""
    if name in ("paper", "authors"):
        own = [*SIZES[size], "model.channels=1", "model.patch=2", "data.resize=area"]
    else:
        own = [*SIZES[size], "model.compactness_beside=false", *VARIANTS[name]]
    return [*own, f"train.epochs={EPOCHS // 3 if name in SLOW else EPOCHS}"]


if __name__ == "__main__":
    main()
