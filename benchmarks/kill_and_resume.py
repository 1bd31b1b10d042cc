"""Kill a training again and again, let it go on each time, and compare with one that nobody disturbed.

    python benchmarks/kill_and_resume.py
    python benchmarks/kill_and_resume.py --kills 50 --json kills.json

The training is `oddframe train` in a process of its own, with a checkpoint after nearly every step. Every other
SIGKILL comes at a random moment, the rest as soon as a checkpoint has been begun that does not count yet. Training
must end with the very same weights, calibration and history (but for what the clock says). Ends with 1 if it does not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

EPOCHS = 4
PATIENCE_S = 300
SETTINGS = (
    "model.size=[32, 48]",
    "model.width=4",
    "model.items=4",
    f"train.epochs={EPOCHS}",
    "train.batch=4",
    "train.abnormal_batch=4",
    "train.checkpoint_minutes=0.000001",
    "data.heldout=0.3",
    "data.least_heldout=1",
)


def main() -> int:
    """Kill, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    moments = random.Random(given.seed)
    kills: list[dict[str, object]] = []
    trainings, differing = 0, []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        videos = draw(home / "gate")
        if start(videos, home / "whole", home).wait() != 0:
            raise SystemExit("the undisturbed training failed")
        while len(kills) < given.kills:
            trainings += 1
            out = home / f"killed{trainings}"
            kills += train_and_kill(videos, out, home, given.kills - len(kills), moments)
            differing += [f"training {trainings}: {what}" for what in differences(home / "whole", out)]
            shutil.rmtree(out)
    half = sum(bool(kill["unfinished_checkpoint"]) for kill in kills)
    print(f"{len(kills)} kills of {trainings} training(s), {half} of them inside a checkpoint")
    print("\n".join(differing) or "same weights, calibration and history as undisturbed")
    if given.json is not None:
        figures = {"kills": kills, "trainings": trainings, "inside_a_checkpoint": half, "differing": differing}
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return int(bool(differing))


def draw(home: Path) -> Path:
    """Three normal videos of 30 frames and a known anomaly of 12: a square that moves over noise."""
    for seed, (name, frames) in enumerate({"normal/a": 30, "normal/b": 30, "normal/c": 30, "abnormal/odd": 12}.items()):
        (home / name).mkdir(parents=True)
        for index in range(frames):
            picture = np.random.default_rng((seed, index)).integers(60, 70, (32, 48), np.uint8)
            left = (3 * index + 11 * seed) % 40
            picture[12:20, left : left + 8] = 230
            if not cv2.imwrite(str(home / name / f"{index:03}.png"), picture):
                raise OSError(f"cannot write {home}")
    return home


def start(videos: Path, out: Path, home: Path) -> subprocess.Popen[bytes]:
    """Start a training, or let it go on."""
    command = [sys.executable, "-m", "oddframe", "train", str(videos), "--out", str(out), "--preset", "tiny"]
    command += [part for setting in SETTINGS for part in ("--set", setting)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    alike = {"OMP_NUM_THREADS": "1", "ODDFRAME_CACHE": str(home / "cache")}
    return subprocess.Popen(command, env=os.environ | alike, **quiet)


def train_and_kill(videos: Path, out: Path, home: Path, most: int, moments: random.Random) -> list[dict[str, object]]:
    """Train to the end, killed up to `most` times on the way; what was found after each kill."""
    kills: list[dict[str, object]] = []
    while True:
        process = start(videos, out, home)
        if len(kills) < most and wait_for_moment(process, out, moments, inside=len(kills) % 2 == 1):
            process.kill()
            process.wait()
            begun, counts = checkpoints(out)
            kills.append({"checkpoint": counts, "unfinished_checkpoint": begun != counts})
            print(f"kill {len(kills)}: checkpoint {counts} counts", flush=True)
        elif process.wait() == 0:
            return kills
        else:
            raise SystemExit(f"a training that was killed {len(kills)} times did not go on")


def wait_for_moment(process: subprocess.Popen[bytes], out: Path, moments: random.Random, *, inside: bool) -> bool:
    """Wait for a checkpoint of this process, then for the moment to kill it; False where it ended before."""
    first, deadline = checkpoints(out)[1], time.monotonic() + PATIENCE_S
    while checkpoints(out)[1] == first:
        if process.poll() is not None:
            return False
        if time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"no checkpoint within {PATIENCE_S} s")
        time.sleep(0.002)
    if inside:
        while process.poll() is None:
            begun, counts = checkpoints(out)
            if begun > counts:
                time.sleep(moments.uniform(0, 0.01))
                break
    else:
        time.sleep(moments.uniform(0, 0.3))
    return process.poll() is None


def checkpoints(out: Path) -> tuple[int, int]:
    """Number of the newest checkpoint that was begun, and of the one that counts; 0 is none."""
    try:
        begun = max((int(place.name) for place in (out / "resume").iterdir() if place.is_dir()), default=0)
        counts = int(json.loads((out / "resume" / "current.json").read_text("utf-8"))["checkpoint"])
    except FileNotFoundError:
        return 0, 0
    return max(begun, counts), counts


def differences(whole: Path, killed: Path) -> list[str]:
    """What is not the same in two finished runs."""
    found = [
        name
        for name in ("weights.safetensors", "calibration.json", "calibration.npz")
        if (whole / name).read_bytes() != (killed / name).read_bytes()
    ]
    if history(whole) != history(killed):
        found.append("history.jsonl")
    return found


def history(run: Path) -> list[dict[str, object]]:
    """The history without what the clock says."""
    lines = (run / "history.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) | {"seconds": None} for line in lines]


if __name__ == "__main__":
    sys.exit(main())
