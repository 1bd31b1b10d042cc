"""What it costs that frames are numbered and timed exactly, watched over, and checked for damage.

    python benchmarks/reading.py
    python benchmarks/reading.py --repeats 15 --json reading.json
    python benchmarks/reading.py MY.mp4 --beside OTHER/src

Videos are opened, counted and read to their end by oddframe, and read by PyAV alone into the same pictures; each time
in a process of its own, in turn. Compared are seconds of the processor, as seconds of the clock depend on what else
runs. `--beside` compares with another state of the package, such as `git worktree add OTHER COMMIT` leaves.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from oddframe.runs import host, versions
from oddframe.video.open import open_video

PLAIN, OURS, OTHER = "PyAV alone", "oddframe", "beside"
NOISE = 6


def draw(path: Path, codec: str, size: tuple[int, int], frames: int, options: dict[str, str]) -> Path:
    """Write a square that crosses a noisy picture."""
    height, width = size
    noise = np.random.default_rng(0).integers(-NOISE, NOISE + 1, (16, height, width, 3), np.int16)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = 50
        stream.codec_context.time_base = Fraction(1, 25)
        stream.options = options
        for number in range(frames):
            picture = 90 + noise[number * 7 % 16]
            at = number * 4 % (width - 60)
            picture[height // 3 : height // 3 + 60, at : at + 60, 0] += 100
            frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def drawn(folder: Path) -> list[Path]:
    """Files of common kinds, the last one of a kind whose packets do not tell its frames."""
    fast = {"preset": "veryfast"}
    small = (240, 320)
    return [
        draw(folder / "h264, 640x360.mp4", "libx264", (360, 640), 1500, fast),
        draw(folder / "h264, 320x240.mkv", "libx264", small, 200, fast),
        draw(folder / "vp9, 320x240.webm", "libvpx-vp9", small, 200, {"deadline": "realtime", "cpu-used": "8"}),
        draw(folder / "mjpeg, 320x240.avi", "mjpeg", small, 200, {}),
        draw(folder / "h264, B-frames, 320x240.avi", "libx264", small, 200, fast),
    ]


def cpu_s() -> float:
    """Seconds that all threads of this process have used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read_plainly(path: Path) -> dict[str, float]:
    """Decode every picture with PyAV, as a loop does that trusts the file."""
    begun, count = cpu_s(), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            frame.to_ndarray(format="rgb24")
            count += 1
    return {"frames": count, "cpu_s": cpu_s() - begun}


def read_here(path: Path) -> dict[str, float]:
    """Open, count and read with the package that is imported."""
    begun = cpu_s()
    video = open_video(path)
    opened = cpu_s()
    promised = video.frame_count
    counted = cpu_s()
    count = sum(1 for _ in video.frames())
    ended = cpu_s()
    if count != promised:
        raise SystemExit(f"{path}: {promised} frames promised, {count} read")
    parts = {"open_s": opened - begun, "count_s": counted - opened, "read_s": ended - counted}
    return {"frames": count, "cpu_s": ended - begun, **parts}


READERS: dict[str, Callable[[Path], dict[str, float]]] = {PLAIN: read_plainly, OURS: read_here, OTHER: read_here}


def measured(name: str, path: Path, source: Path | None) -> dict[str, float]:
    """One reading in a process of its own."""
    environment = dict(os.environ) if source is None else {**os.environ, "PYTHONPATH": str(source.resolve())}
    command = [sys.executable, __file__, "--one", name, str(path)]
    answer = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {"median": median, "lower": lower, "upper": upper}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="videos; drawn ones of common kinds if not given")
    parser.add_argument("--beside", type=Path, metavar="SRC", help="the src folder of another state of the package")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    parser.add_argument("--one", choices=READERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        print(json.dumps(READERS[given.one](given.files[0])))
        return
    names = [PLAIN, OURS, *([OTHER] if given.beside else [])]
    found: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in given.files or drawn(Path(folder)):
            taken: dict[str, list[dict[str, float]]] = {name: [] for name in names}
            for repeat in range(given.repeats):
                for name in names if repeat % 2 else names[::-1]:
                    taken[name].append(measured(name, path, given.beside if name == OTHER else None))
            found[path.name] = {
                name: {"frames": ones[0]["frames"]}
                | {part: spread([one[part] for one in ones]) for part in ones[0] if part != "frames"}
                for name, ones in taken.items()
            }
            print(f"{path.name}, {taken[OURS][0]['frames']} frames")
            for name, ones in taken.items():
                total = spread([one["cpu_s"] for one in ones])
                parts = ", ".join(
                    f"{part[:-2]} {spread([one[part] for one in ones])['median']:.3f}"
                    for part in ("open_s", "count_s", "read_s")
                    if part in ones[0]
                )
                print(
                    f"  {name:12} {total['median']:.3f} s of the processor ({total['lower']:.3f} to "
                    f"{total['upper']:.3f})  {parts}"
                )
    if given.json is not None:
        report = {"host": host().model_dump(), "versions": versions(), "repeats": given.repeats, "files": found}
        given.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
