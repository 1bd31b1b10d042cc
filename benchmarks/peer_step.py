"""Training and scoring of this project beside MNAD as its published code does both.

    python benchmarks/peer_step.py
    python benchmarks/peer_step.py --frames UCSDped2/Train/Train001 --profile --json peer_step.json
    python benchmarks/peer_step.py --size 256x256 --width 64 --artefact mnad-onnx mnad-openvino

"plain" is `plain_mnad.py`: the published way. "mnad" is the same network by `training.loop.Loop`, as `oddframe train`
runs it, and by the scorer with every runtime: clips from the frame store, channels-last, fused optimiser, bf16 where
this machine is fast at it. Beside them stands the detector of the preset, with its own batch. What is scored, scores
the same frames on disk. All take turns, so that a busy moment hits all. Shares are of a matrix product's speed in bf16
for what computes in bf16, in fp32 for all else, measured in the same turns.

Without --artefact, an untrained MNAD is exported in fp32 and int8 and scored; speed does not depend on weights.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from oddframe.artefact import INPUT, Artefact, Trained, open_trained
from oddframe.benchmarking.bench import summarise
from oddframe.benchmarking.steps import Steps
from oddframe.benchmarking.untrained import untrained_run
from oddframe.exporting.make import export
from oddframe.nn.flops import count_flops
from oddframe.nn.precision import Precision, matrix_product_limit
from oddframe.outside import import_openvino
from oddframe.progress import unwatched
from oddframe.runs import host, versions
from oddframe.scoring.runtimes.choose import fitting, missing_extra
from oddframe.scoring.runtimes.openvino import properties
from oddframe.scoring.scorer import Scorer
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.video.open import open_video
from plain_mnad import BATCH, FRAMES, PlainPictures, PlainScoring, PlainTraining
from train_step import draw, stored_clips

CPU = torch.device("cpu")
PUBLISHED = ("model.channels=3", f"train.batch={BATCH}")
"""Of both sides: the published code reads grey pictures as three channels, too."""
SHOWN = 12
"""Operations in the table of --profile."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu", help="where size and width come from, and the detector beside MNAD")
    parser.add_argument("--size", metavar="HEIGHTxWIDTH", help="of pictures, in place of the preset's")
    parser.add_argument("--width", type=int, help="of the network, in place of the preset's")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="a folder of frames; drawn ones without it")
    parser.add_argument("--artefact", type=Path, nargs="+", default=[], metavar="FOLDER", help="runs or artefacts")
    parser.add_argument("--steps", type=int, default=4, help="steps a turn, of which the first does not count")
    parser.add_argument("--scored", type=int, default=24, metavar="FRAMES", help="frames that are scored a turn")
    parser.add_argument("--repeats", type=int, default=5, help="turns that count")
    parser.add_argument("--profile", action="store_true", help="say which operations the time of a step goes into")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    changes = [f"model.width={given.width}"] if given.width else []
    if given.size:
        height, _, width = given.size.partition("x")
        changes.append(f"model.size=[{height}, {width}]")
    mnad = load_settings(given.preset, detector="mnad", overrides=[*changes, *PUBLISHED])
    beside = load_settings(given.preset, overrides=changes)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(mnad, beside, given, Path(folder))
    report(figures)
    if given.json is not None:
        about = {"preset": given.preset, "size": mnad.model.size, "width": mnad.model.width}
        about |= {"threads": torch.get_num_threads(), "host": host().to_dict(), "versions": versions()}
        given.json.write_text(json.dumps(figures | about, indent=1) + "\n", "utf-8")


def measure(mnad: Settings, beside: Settings, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Let all train and score in turns; the first turn of each is left out."""
    needed = max(given.steps * max(mnad.train.batch, beside.train.batch) + 60, given.scored + FRAMES)
    frames = draw(folder / "frames", needed) if given.frames is None else given.frames
    pictures = PlainPictures(sorted(path for path in frames.iterdir() if path.is_file()), mnad.model)
    plain = PlainTraining(mnad.model, pictures)
    ours = {"mnad": Steps(mnad, "cpu"), beside.detector: Steps(beside, "cpu")}
    clips = {
        name: stored_clips(settings, frames, folder / "cache", given.steps * settings.train.batch + FRAMES - 1, FRAMES)
        for name, settings in (("mnad", mnad), (beside.detector, beside))
    }
    scorers = _scorers(given.artefact, mnad, frames, folder)
    scoring, video = PlainScoring(mnad.model, pictures), open_video(frames, end=str(given.scored + FRAMES - 1))
    limits: dict[Precision, list[float]] = {"fp32": [], "bf16": []}
    steps: dict[str, list[tuple[float, float]]] = {"plain": [], **{name: [] for name in ours}}
    rates: dict[str, list[float]] = {"plain": [], **{name: [] for name in scorers}}
    for turn in range(given.repeats + 1):
        limit = {precision: matrix_product_limit(CPU, precision) for precision in limits}
        now = {"plain": list(plain.steps(given.steps, np.random.default_rng(turn)))[1:]}
        now |= {name: one.take(clips[name]) for name, one in ours.items()}
        rate = {"plain": _rate(lambda: scoring.score(given.scored), given.scored)}
        rate |= {name: _rate(lambda of=scorer: of.score(video), given.scored) for name, scorer in scorers.items()}
        if turn:
            for precision, reached in limit.items():
                limits[precision] += [reached] if reached else []
            for name, taken in now.items():
                steps[name] += taken
            for name, a_second in rate.items():
                rates[name].append(a_second)
    top = {precision: summarise(reached) for precision, reached in limits.items() if reached}
    batch = pictures.clips(range(BATCH))
    flops = {"plain": count_flops(lambda: plain.step(batch)), **{name: one.flops() for name, one in ours.items()}}
    training = {}
    for name, taken in steps.items():
        training[name] = {
            **summarise([whole for whole, _ in taken]),
            "waiting": sum(waited for _, waited in taken) / sum(whole for whole, _ in taken),
            "precision": ours[name].precision if name in ours else "fp32",
            "clips": ours[name].clips if name in ours else BATCH,
            "gflop": flops[name] / 1e9,
        }
        of = top[training[name]["precision"]]["median"]
        training[name]["share"] = flops[name] / 1e9 / training[name]["median"] / of
    frame = count_flops(lambda: scoring.judge(batch[:1])) / 1e9
    scored = {name: summarise(values) for name, values in rates.items()}
    for name, one in scored.items():
        same = name == "plain" or scorers[name].run.settings.detector == "mnad"
        of = top["bf16" if name.endswith("torch-bf16") else "fp32"]["median"]
        one |= {"share": frame * one["median"] / of if same else None}
    figures = {"limit": top, "training": training, "scoring": scored, "gflop_a_frame": frame}
    clip = {name: one["median"] / one["clips"] for name, one in training.items()}
    figures["ratio"] = {
        "training": {name: clip["plain"] / one for name, one in clip.items() if name != "plain"},
        "scoring": {name: one["median"] / scored["plain"]["median"] for name, one in scored.items() if name != "plain"},
    }
    if given.profile:
        one_step = ours["mnad"].made_clips(1)
        figures["operations"] = {
            "plain": operations(lambda: plain.step(batch)),
            "mnad": operations(lambda: ours["mnad"].take(one_step)),
        }
        figures["graph_operations"] = {
            name: graph_operations(one.run)
            for name, one in scorers.items()
            if isinstance(one.run, Artefact) and name.endswith("openvino")
        }
    return figures


def _scorers(artefacts: list[Path], mnad: Settings, frames: Path, folder: Path) -> dict[str, Scorer]:
    """Name → scorer, of every runtime that is installed and computes one of them."""
    found: dict[str, Trained] = {path.resolve().name: open_trained(path) for path in artefacts}
    if not found:
        run = untrained_run(folder / "run", mnad, frames, unwatched)
        found = {"run": run}
        if missing_extra("openvino") is None:
            found["fp32"] = export(run, folder / "fp32")
            found["int8"] = export(run, folder / "int8", format="openvino", precision="int8", calibrate_on=[frames])
    for name, one in found.items():
        if one.settings.model.size != mnad.model.size:
            raise SystemExit(f"{name} is of size {one.settings.model.size}, and all else of {mnad.model.size}: --size")
    return {
        f"{name}, {backend}": Scorer(one, device="cpu", backend=backend)
        for name, one in found.items()
        for backend in fitting(one)
        if missing_extra(backend) is None and (backend != "torch-bf16" or matrix_product_limit(CPU, "bf16") is not None)
    }


def _rate(work: Callable[[], object], frames: int) -> float:
    began = time.perf_counter()
    work()
    return frames / (time.perf_counter() - began)


def operations(work: Callable[[], object]) -> list[dict[str, Any]]:
    """What the time of some work goes into: the operations that take most, with their share of all time in torch."""
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        work()
    events = sorted(watched.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True)
    total = sum(event.self_cpu_time_total for event in events)
    return [
        {"operation": event.key, "share": event.self_cpu_time_total / total, "calls": event.count}
        for event in events[:SHOWN]
    ]


def graph_operations(artefact: Artefact) -> list[dict[str, Any]]:
    """What the time of judging one clip goes into, by the operations that OpenVINO made of the graph."""
    openvino = import_openvino()
    how = {**properties(), "PERF_COUNT": True}
    about = artefact.about
    clip = np.zeros((1, about.before + 1 + about.after, *about.size, about.channels), np.uint8)
    request = openvino.Core().compile_model(artefact.folder / about.graph, "CPU", how).create_infer_request()
    spent: dict[str, float] = {}
    calls: dict[str, int] = {}
    for turn in range(5):
        request.infer({INPUT: clip})
        for one in request.get_profiling_info() if turn else ():
            if one.real_time.total_seconds() > 0:
                name = f"{one.node_type}, {one.exec_type}"
                spent[name] = spent.get(name, 0.0) + one.real_time.total_seconds()
                calls[name] = calls.get(name, 0) + (turn == 1)
    total = sum(spent.values())
    most = sorted(spent, key=spent.__getitem__, reverse=True)[:SHOWN]
    return [{"operation": name, "share": spent[name] / total, "calls": calls[name]} for name in most]


def report(figures: dict[str, Any]) -> None:
    """Print what was measured."""
    for precision, limit in figures["limit"].items():
        print(f"matrix products in {precision}: {limit['median']:.0f} GFLOP/s")
    for name, one in figures["training"].items():
        times = "" if name == "plain" else f"   {figures['ratio']['training'][name]:.2f} times plain, by the clip"
        print(
            f"training {name:11} {_quartiles(one, 3)} s a step of {one['clips']} clips   "
            f"{one['share']:6.1%} of the limit   waits for data {one['waiting']:6.1%} of the time{times}"
        )
    for name, one in figures["scoring"].items():
        share = "" if one["share"] is None else f"   {one['share']:6.1%} of the limit"
        times = "" if name == "plain" else f"   {figures['ratio']['scoring'][name]:.2f} times plain"
        print(f"scoring {name:24} {_quartiles(one, 1)} frames/s{share}{times}")
    for name, found in figures.get("operations", {}).items():
        print(f"\n{name}, one step")
        for one in found:
            print(f"  {one['share']:6.1%}  {one['calls']:6} calls  {one['operation']}")
    for name, found in figures.get("graph_operations", {}).items():
        print(f"\n{name}, one clip")
        for one in found:
            print(f"  {one['share']:6.1%}  {one['calls']:6} calls  {one['operation']}")


def _quartiles(one: dict[str, float], digits: int) -> str:
    return f"{one['median']:.{digits}f} ({one['lower']:.{digits}f} to {one['upper']:.{digits}f})"


if __name__ == "__main__":
    main()
