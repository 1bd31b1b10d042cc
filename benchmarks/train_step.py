"""A training step of this project beside the same network trained plainly.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --frames UCSDped2/Train/Train001 --json train_step.json

"oddframe" is `training.loop.Loop` as `oddframe train` runs it: clips from the frame store, prepared in the background
(pseudo-anomalies, light and mirroring included), channels-last, fused optimiser, bf16 where this machine is fast at
it. "compiled" is the same with `train.compile`, which needs a C++ compiler; what compiling takes is told by itself.
"plain" is the same network and the same losses in eager fp32 with contiguous tensors and the optimiser's
defaults; for every clip of a step it reads its five pictures from image files, as published training scripts do:
`cv2.imread`, `cv2.resize`, `/ 127.5 - 1`. It makes no pseudo-anomalies. They take turns, a few steps each, so that a
busy moment hits all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from oddframe.benchmarking.steps import Steps
from oddframe.models.detector import Batch, Clips
from oddframe.models.weights import build_detector
from oddframe.nn.precision import resolve_precision
from oddframe.runs import host, versions
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.video.open import open_video
from oddframe.video.store import FrameStore

CPU = torch.device("cpu")
ABNORMAL_FRAMES = 40
SIDES = ("oddframe", "compiled", "plain")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--size", metavar="HEIGHTxWIDTH", help="of pictures, in place of the preset's")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="a folder of frames; drawn ones without it")
    parser.add_argument("--steps", type=int, default=6, help="steps a turn, of which the first does not count")
    parser.add_argument("--repeats", type=int, default=5, help="turns that count")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    changes = ["train.epochs=1", "train.device=cpu"]
    if given.size:
        changes.append(f"model.size=[{given.size.replace('x', ', ')}]")
    settings = load_settings(given.preset, overrides=changes)
    precision = resolve_precision(settings.train.precision, CPU)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(settings, given.frames, Path(folder), given.steps, given.repeats)
    for name in SIDES:
        one = figures[name]
        print(
            f"{name:9} {one['median_s']:.3f} s a step   (half of them {one['lower_s']:.3f} to {one['upper_s']:.3f})"
            f"   waits for data {one['waiting']:6.1%} of the time"
        )
    print(f"plain / oddframe: {figures['ratio']:.2f}   ({given.preset} preset, {precision}, {figures['steps']} steps)")
    print(f"compiled / oddframe: {figures['compiled_ratio']:.2f}, after {figures['compiling_s']:.0f} s of compiling")
    if given.json is not None:
        about = {"preset": given.preset, "size": settings.model.size, "precision": precision}
        about |= {"threads": torch.get_num_threads()}
        about |= {"host": host().to_dict(), "versions": versions()}
        given.json.write_text(json.dumps(figures | about, indent=1) + "\n", "utf-8")


def measure(settings: Settings, frames: Path | None, folder: Path, steps: int, repeats: int) -> dict[str, object]:
    """Let all train in turns; the first turn of each is left out."""
    window = build_detector(settings.detector, settings.model, 0).window.frames
    normal = steps * settings.train.batch + window - 1
    frames = draw(folder / "frames", normal + ABNORMAL_FRAMES) if frames is None else frames
    sampler = stored_clips(settings, frames, folder / "cache", normal, window)
    plain = PlainTraining(settings, sorted(path for path in frames.iterdir() if path.is_file()), normal)
    trained = Steps(settings, "cpu")
    compiled = Steps(settings.model_copy(update={"train": settings.train.model_copy(update={"compile": True})}), "cpu")
    began = time.perf_counter()
    compiled.take(sampler)
    compiling = time.perf_counter() - began
    turns: list[Callable[[int], list[tuple[float, float]]]] = [
        lambda _: trained.take(sampler),
        lambda _: compiled.take(sampler),
        lambda turn: list(plain.steps(steps, np.random.default_rng(turn)))[1:],
    ]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    for turn in range(repeats + 1):
        for name, take in zip(SIDES, turns, strict=True):
            now = take(turn)
            found[name] += now if turn else []
    summaries = {name: summary(of_name) for name, of_name in found.items()}
    ours = summaries["oddframe"]["median_s"]
    return {
        **summaries,
        "ratio": summaries["plain"]["median_s"] / ours,
        "compiled_ratio": summaries["compiled"]["median_s"] / ours,
        "compiling_s": compiling,
        "steps": len(found["oddframe"]),
    }


def summary(steps: list[tuple[float, float]]) -> dict[str, float]:
    """Median and quartiles of whole steps, and the share of the time that went into waiting for data."""
    seconds = [whole for whole, _ in steps]
    lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
    return {
        "median_s": median,
        "lower_s": lower,
        "upper_s": upper,
        "waiting": sum(waited for _, waited in steps) / sum(seconds),
    }


def draw(folder: Path, count: int) -> Path:
    """Write frames as large as those of UCSD Ped2: noise, and squares that move."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        picture = rng.integers(80, 120, (240, 360), np.uint8)
        for row in range(20, 220, 40):
            left = (row + 4 * index) % 340
            picture[row : row + 30, left : left + 15] = 230
        if not cv2.imwrite(str(folder / f"{index:04}.jpg"), picture):
            raise OSError(f"cannot write {folder}")
    return folder


def stored_clips(settings: Settings, frames: Path, cache: Path, normal: int, window: int) -> ClipSampler:
    """Clips from the frame store: `normal` frames, and the ones after them as a known anomaly."""
    size, channels = settings.model.size, int(settings.model.channels)
    pixels = FrameStore(cache).open(open_video(frames), size, channels, resize=settings.data.resize).pixels
    if len(pixels) < normal + window:
        raise SystemExit(
            f"{frames} has {len(pixels)} frames, wanted {normal + window}: fewer --steps, or other --frames"
        )
    known = np.arange(len(pixels)) >= normal
    sources = [
        ClipSource("normal", pixels, known, 0, normal),
        ClipSource("known", pixels, known, normal, len(pixels)),
    ]
    roles = build_detector(settings.detector, settings.model, 0).roles
    return ClipSampler(sources, window, settings.train, roles, known=1)


class PlainTraining:
    """The same network and losses, the plain way.

    Args:
        files: image files in order; the first `normal` of them are normal.
    """

    def __init__(self, settings: Settings, files: list[Path], normal: int) -> None:
        self.settings, self.files, self.normal = settings, files, normal
        self.detector = build_detector(settings.detector, settings.model, settings.train.seed).train()
        (self.group,) = self.detector.parameter_groups().values()
        kind = torch.optim.AdamW if settings.train.optimizer == "adamw" else torch.optim.Adam
        self.optimizer = kind(self.group.parameters, lr=settings.train.lr, weight_decay=settings.train.weight_decay)

    def steps(self, count: int, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
        """Take steps; yield (seconds, seconds of reading) of each."""
        for _ in range(count):
            began = time.perf_counter()
            batch = self._read(rng)
            read = time.perf_counter()
            traces = []
            for objective in self.detector.objectives(batch):
                self.optimizer.zero_grad()
                objective.loss.backward()
                if self.settings.train.gradient_clip:
                    torch.nn.utils.clip_grad_norm_(self.group.parameters, self.settings.train.gradient_clip)
                self.optimizer.step()
                traces.append(objective.trace)
                float(objective.loss.detach())
            with torch.no_grad():
                self.detector.after_step(traces)
            yield time.perf_counter() - began, read - began

    def _read(self, rng: np.random.Generator) -> Batch:
        train, roles = self.settings.train, self.detector.roles
        frames = self.detector.window.frames
        normal = self.normal - frames + 1
        last = len(self.files) - frames + 1
        abnormal = None
        if "abnormal" in roles:
            height, width = self.settings.model.size
            places = torch.zeros(train.abnormal_batch, height, width, dtype=torch.bool)
            places[:, height // 3 : height // 2, width // 3 : width // 2] = True
            abnormal = Clips(self._clips(rng.integers(self.normal, last, train.abnormal_batch)), places)
        second = Clips(self._clips(rng.integers(normal, size=train.batch))) if "second" in roles else None
        return Batch(Clips(self._clips(rng.integers(normal, size=train.batch))), second, abnormal)

    def _clips(self, starts: np.ndarray) -> torch.Tensor:
        frames = self.detector.window.frames
        return torch.stack(
            [torch.stack([self._picture(path) for path in self.files[start : start + frames]]) for start in starts]
        )

    def _picture(self, path: Path) -> torch.Tensor:
        height, width = self.settings.model.size
        grey = self.settings.model.channels == 1
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB)
        scaled = cv2.resize(picture, (width, height)).astype(np.float32) / 127.5 - 1
        return torch.from_numpy(scaled.reshape(height, width, -1).transpose(2, 0, 1).copy())


if __name__ == "__main__":
    main()
