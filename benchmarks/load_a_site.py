"""Runs a whole site with many cameras, and says whether it keeps up: what is dropped, how late events are stored.

    python benchmarks/load_a_site.py --cameras 6 --fps 25 --minutes 10 --json benchmarks/results/load-6x25.json
    python benchmarks/load_a_site.py --cameras 30 --fps 5 --minutes 10 --json benchmarks/results/load-30x5.json
    python benchmarks/load_a_site.py --minutes 480 --log soak.jsonl --every 60 --json soak.json          # goes on

Cameras are drawn files in a loop, in which something odd happens for two of every twenty seconds; each is read by a
process of its own. Engine, store, evidence and a sink of JSON lines are those of `oddframe serve`. The detector is an
untrained one of a preset: speed does not depend on weights. With `--log` every sample is kept in a file; the same
command goes on with what is left of its time, and the figures are of all of it. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from children import children_of
from load_figures import figures
from oddframe.benchmarking.drawn import made_frames
from oddframe.cameras.state import HealthState
from oddframe.site.engine_process import EVIDENCE, EngineStatus
from oddframe.site.outbox import Delivery
from oddframe.site.sinks.jsonl import JsonlSink
from oddframe.site.sinks.kinds import sink_record
from oddframe.site.store import Store
from oddframe.site.store.records import LineRecord
from oddframe.site.supervisor import Supervisor

DETECTOR, SINK, GARBAGE = "live", "lines", "garbage"
CLIP_FRAMES, SHORT_FRAMES = 1500, 120
CLIPS = 3
ODD_S, EVERY_S = 2, 20
DETECTOR_FPS = 25.0
"""What the untrained detector counts as trained at: of a camera that sends fewer, it judges every picture."""
_START_S = 180.0
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """What a site is given to do.

    Attributes:
        size: (height, width) of the cameras' pictures. line: where alarms begin.
        garbage: whether one more camera sends a file that is damaged all over.
        detector: folder of a run or an artefact; None makes an untrained one of the preset.
    """

    cameras: int
    fps: float
    size: tuple[int, int]
    preset: str
    precision: str
    backend: str
    line: float
    garbage: bool
    detector: str | None = None


def draw_clip(path: Path, size: tuple[int, int], fps: float, frames: int, *, number: int = 0, odd: bool = True) -> Path:
    """Write a file as a camera would send it: no B-frames, a key frame every two seconds."""
    chance = np.random.default_rng(number)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        options = {"crf": "28", "preset": "veryfast", "tune": "zerolatency", "threads": "1"}
        stream = file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000), options=options)
        stream.height, stream.width = size
        stream.pix_fmt, stream.gop_size = "yuv420p", max(1, round(2 * fps))
        for frame in made_frames(frames, size):
            pixels = frame.pixels.copy()
            if odd and (frame.index / fps + EVERY_S * number / CLIPS) % EVERY_S > EVERY_S - ODD_S:
                high, wide = size[0] // 4, size[1] // 4
                for _ in range(6):
                    top, left = chance.integers(0, size[0] - high), chance.integers(0, size[1] - wide)
                    pixels[top : top + high, left : left + wide] = chance.integers(0, 255, 3)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def damage(path: Path, to: Path) -> Path:
    """A copy of a file in which one byte of a thousand is another one, past the tables at its beginning."""
    content, chance = bytearray(path.read_bytes()), random.Random(0)
    for _ in range(len(content) // 1000):
        content[chance.randrange(len(content) // 5, len(content))] = chance.randrange(256)
    to.write_bytes(content)
    return to


def make_detector(folder: Path, load: Load) -> Path:
    """The artefact, or for torch the run, of an untrained network; or the one that is given."""
    if load.detector is not None:
        return Path(load.detector).resolve()
    # imported here, for torch in memory would count as the supervisor's
    from oddframe.benchmarking.untrained import untrained_run
    from oddframe.exporting.make import export
    from oddframe.progress import unwatched
    from oddframe.settings_layers import load_settings

    short = draw_clip(folder / "short.mp4", load.size, DETECTOR_FPS, SHORT_FRAMES, odd=False)
    run = folder / "run"
    if not run.is_dir():
        untrained_run(run, load_settings(load.preset), short, unwatched)
    if load.backend.startswith("torch"):
        return run
    artefact = folder / f"{load.backend}-{load.precision}"
    if not artefact.is_dir():
        how: Any = "openvino" if load.backend == "openvino" else "onnx"
        precision: Any = load.precision
        export(run, artefact, format=how, precision=precision, calibrate_on=[short], check_on=[short])
    return artefact


def prepare(folder: Path, load: Load, store: Store) -> None:
    """Put cameras, detector, lines and sink into a new store."""
    detector = make_detector(folder, load)
    clips = [
        draw_clip(folder / f"clip-{one}.mp4", load.size, load.fps, CLIP_FRAMES, number=one)
        for one in range(min(CLIPS, load.cameras))
    ]
    addresses = {f"camera-{number:02}": clips[number % len(clips)] for number in range(load.cameras)}
    if load.garbage:
        addresses[GARBAGE] = damage(clips[0], folder / "garbage.mp4")
    store.cameras.put_detector(DETECTOR, str(detector))
    for name, clip in addresses.items():
        store.cameras.put(name, str(clip), str(clip))
        store.cameras.fit(name, DETECTOR)
        line = LineRecord(camera=name, since=datetime.now(UTC), on=load.line, off=0.8 * load.line, asked_per_day=24)
        store.cameras.set_line(line)
    store.sinks.put(sink_record(SINK, "jsonl", str(folder / "sent.jsonl")))


def samples(folder: Path, load: Load, seconds: float, every_s: float) -> Iterator[dict[str, Any]]:
    """Run the site, and say how it is again and again, from when all cameras are online."""
    with Store.open(folder / "site") as store:
        if not store.cameras.all():
            prepare(folder, load, store)
        with Delivery(store, {SINK: JsonlSink(SINK, folder / "sent.jsonl")}):
            supervisor = Supervisor(store, backend=load.backend, log=folder / "engine.log")
            supervisor.start()
            try:
                _until_online(supervisor, load.cameras)
                began_s, next_s = time.monotonic(), 0.0
                while next_s <= seconds:
                    time.sleep(max(0.0, began_s + next_s - time.monotonic()))
                    if (status := supervisor.status) is not None and supervisor.process is not None:
                        yield _sample(time.monotonic() - began_s, status, supervisor, folder)
                    next_s += every_s
            finally:
                supervisor.stop()


def _until_online(supervisor: Supervisor, cameras: int) -> None:
    until_s = time.monotonic() + _START_S + 5 * cameras
    while time.monotonic() < until_s:
        status = supervisor.status
        if status is not None:
            well = [one for one in status.cameras if one.health.state is HealthState.ONLINE and one.judged]
            if sum(one.name != GARBAGE for one in well) == cameras:
                return
        time.sleep(0.5)
    sys.exit(f"not all cameras came online: {supervisor.status and [one.health for one in supervisor.status.cameras]}")


def _sample(at_s: float, status: EngineStatus, supervisor: Supervisor, folder: Path) -> dict[str, Any]:
    assert supervisor.process is not None
    readers = children_of(supervisor.process)
    site = folder / "site"
    evidence = sum(path.stat().st_size for path in (site / EVIDENCE).rglob("*") if path.is_file())
    whole = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    return {
        "at_s": round(at_s, 2),
        "cameras": {
            one.name: {
                "judged": one.judged,
                "decoded": one.counts.decoded,
                "given": one.counts.given,
                "dropped": {**one.counts.dropped, **one.dropped},
                "health": one.health.state,
                "restarted": one.counts.restarted,
            }
            for one in status.cameras
        },
        "judged_s": status.engine.latency_s,
        "stored_s": status.stored_s,
        "waiting": status.waiting,
        "lost": status.lost,
        "without_evidence": status.without_evidence,
        "engines": supervisor.restarts,
        "evidence_mb": round(evidence / 1e6, 3),
        "store_mb": round((whole - evidence) / 1e6, 3),
        "supervisor": _process(os.getpid()),
        "engine": _process(supervisor.process),
        "readers": {str(one): _process(one) for one in readers},
        "busy_s": _busy_s(),
        "load_average": os.getloadavg()[0],
    }


def _process(number: int) -> dict[str, float]:
    """Memory of a process (of what it shares with others its part), and how long it has kept a core busy; zeros of one
    that has just ended."""
    try:
        sizes = Path(f"/proc/{number}/smaps_rollup").read_text()
        kilobytes = int(sizes.partition("\nPss:")[2].split(maxsplit=1)[0])
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return {"mb": 0.0, "cpu_s": 0.0}
    return {"mb": round(kilobytes * 1.024e-3, 2), "cpu_s": (int(fields[11]) + int(fields[12])) / _TICK}


def _busy_s() -> float:
    """How long all cores together have been busy since the machine started, whoever with."""
    user, nice, system, _, _, irq, soft, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + soft) / _TICK


def sessions_of(log: Path) -> list[list[dict[str, Any]]]:
    """Samples of each time that a site ran. Of a line that was never finished, the file is freed."""
    sessions: list[list[dict[str, Any]]] = []
    content = log.read_bytes() if log.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        log.write_bytes(whole)
    for line in whole.splitlines():
        one = json.loads(line)
        if not sessions or one["at_s"] <= sessions[-1][-1]["at_s"]:
            sessions.append([])
        sessions[-1].append(one)
    return sessions


def run(folder: Path, load: Load, seconds: float, every_s: float, log: Path | None) -> dict[str, Any]:
    """Run the site for what is left of the time, and make figures of all samples."""
    sessions = [] if log is None else sessions_of(log)
    done_s = sum(one[-1]["at_s"] - one[0]["at_s"] for one in sessions)
    if done_s + every_s <= seconds:
        sessions.append([])
        for sample in samples(folder, load, seconds - done_s, every_s):
            sessions[-1].append(sample)
            if log is not None:
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(sample) + "\n")
            judged = sum(one["judged"] for one in sample["cameras"].values())
            print(f"{sample['at_s']:.0f} s: {judged} frames judged, stored {sample['stored_s']}", flush=True)
    named = None if load.detector is None else Path(load.detector).name
    return {"load": asdict(load) | {"detector": named}, **figures(sessions, load.cameras, load.fps, GARBAGE)}


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--fps", type=float, default=25.0, help="of each camera")
    parser.add_argument("--size", type=int, nargs=2, default=[360, 640], metavar=("H", "W"), help="of its pictures")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds from sample to sample")
    parser.add_argument("--preset", default="live")
    parser.add_argument("--detector", metavar="FOLDER", help="a run or an artefact, instead of an untrained one")
    parser.add_argument("--backend", choices=["openvino", "onnxruntime", "torch", "torch-bf16"], default="openvino")
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8", help="of an artefact")
    parser.add_argument("--line", type=float, default=3.0, help="where alarms begin")
    parser.add_argument("--garbage", action="store_true", help="one more camera, which sends garbage")
    parser.add_argument("--folder", type=Path, help="for the site, kept; without it one that is removed")
    parser.add_argument("--log", type=Path, metavar="FILE", help="keep samples there, and go on with them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    if 60 * given.minutes < given.every:
        parser.error(f"{given.minutes:g} minutes are too short for a sample every {given.every:g} seconds")
    cv2.setNumThreads(1)
    load = Load(
        given.cameras, given.fps, (given.size[0], given.size[1]), given.preset, given.precision, given.backend,
        given.line, given.garbage, given.detector,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder = given.folder or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        found = run(folder, load, 60 * given.minutes, given.every, given.log)
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    if given.json is not None:
        given.json.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
