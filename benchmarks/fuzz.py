"""Damaged files on purpose: what does the project make of them?

    python benchmarks/fuzz.py videos --cases 2000 --seed 0 --out fuzz-videos.json

A case is a small sound file, made here, into which a few faults are written: flipped bits, zeroed or cut parts, parts
of another file, numbers out of range. It is read in a process of its own with a time limit, and this is counted:

    ok           read to the end, all numbers finite
    clear error  an error of `oddframe.errors`
    traceback    anything else that was raised, or a process that died
    nan          a number that is not finite among the results
    hang         nothing for `--limit` seconds

Case n of seed s is always the same file, so the output file is also what a stopped run goes on from, and
`--keep FOLDER` keeps the files of all that is not "ok" or a clear error.

A target is a class of `Target`: `make` writes sound files, `read` reads one in the child. It is found by its name in
`TARGETS`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

OUTCOMES = ("ok", "clear error", "traceback", "nan", "hang")
_SAVED_EVERY = 50


class Target(ABC):
    """One kind of input. Instances are made in the parent and, by name, in the child."""

    name: str

    @abstractmethod
    def make(self, folder: Path) -> None:
        """Write the sound files (or folders) of this kind into an empty folder. Everything in it is a seed file."""

    @abstractmethod
    def read(self, path: Path) -> Iterable[float]:
        """Read one as a user would, and return the numbers that came of it. Runs in the child."""

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Damage a copy of a sound file in place and say how. A folder is damaged in one of its files."""
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file())
            path = rng.choice(inside)
            others = [one for folder in others for one in sorted(folder.rglob("*")) if one.is_file()]
        return damage_bytes(path, others, rng)


def damage_bytes(path: Path, others: list[Path], rng: random.Random) -> str:
    """Write one to three faults into a file."""
    data = bytearray(path.read_bytes())
    words = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        fault = rng.choice(_FAULTS)
        words.append(f"{fault.__name__[1:]}({fault(data, others, rng)})")
    path.write_bytes(data)
    return ", ".join(words)


def _flip(data: bytearray, others: list[Path], rng: random.Random) -> str:
    count = rng.choice((1, 4, 32, 256))
    for _ in range(count if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return f"{count} bits"


def _header(data: bytearray, others: list[Path], rng: random.Random) -> str:
    count = rng.choice((1, 3, 10))
    reach = min(len(data), rng.choice((64, 512, 4096)))
    for _ in range(count if reach else 0):
        data[rng.randrange(reach)] = rng.randrange(256)
    return f"{count} of the first {reach} bytes"


def _number(data: bytearray, others: list[Path], rng: random.Random) -> str:
    size = rng.choice((2, 4, 8))
    if len(data) <= size:
        return "none"
    at = rng.randrange(min(len(data) - size, rng.choice((512, 1 << 30))) or 1)
    value = rng.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * size
    data[at : at + size] = value
    return f"{value.hex()} at {at}"


def _zero(data: bytearray, others: list[Path], rng: random.Random) -> str:
    at, size = _part(data, rng)
    data[at : at + size] = bytes(size)
    return f"{size} at {at}"


def _remove(data: bytearray, others: list[Path], rng: random.Random) -> str:
    at, size = _part(data, rng)
    del data[at : at + size]
    return f"{size} at {at}"


def _truncate(data: bytearray, others: list[Path], rng: random.Random) -> str:
    size = rng.randrange(len(data) + 1)
    del data[size:]
    return f"to {size}"


def _repeat(data: bytearray, others: list[Path], rng: random.Random) -> str:
    at, size = _part(data, rng)
    data[at:at] = data[at : at + size]
    return f"{size} at {at}"


def _splice(data: bytearray, others: list[Path], rng: random.Random) -> str:
    other = rng.choice(others)
    foreign = other.read_bytes()
    start, size = _part(foreign, rng)
    at = rng.randrange(len(data) + 1)
    data[at : at + (size if rng.random() < 0.5 else 0)] = foreign[start : start + size]
    return f"{size} of {other.name} at {at}"


def _part(data: bytes | bytearray, rng: random.Random) -> tuple[int, int]:
    if not data:
        return 0, 0
    at = rng.randrange(len(data))
    return at, min(len(data) - at, rng.choice((1, 16, 200, 2000, 20000)))


_FAULTS: tuple[Callable[[bytearray, list[Path], random.Random], str], ...] = (
    _flip,
    _header,
    _number,
    _zero,
    _remove,
    _truncate,
    _repeat,
    _splice,
)


class Videos(Target):
    """Video files of most containers and codecs, opened and read by `open_video`, whole and from the middle."""

    name = "videos"

    def make(self, folder: Path) -> None:
        """Thirty small frames in each."""
        for name, codec, options in (
            ("a.mp4", "libx264", {}),
            ("fast.mp4", "libx264", {"movflags": "faststart"}),
            ("fragments.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
            ("phone.mov", "libx264", {}),
            ("old.avi", "mpeg4", {}),
            ("camera.avi", "mjpeg", {}),
            ("stream.ts", "libx264", {}),
            ("disc.mpg", "mpeg2video", {}),
            ("a.mkv", "libx264", {}),
            ("exact.mkv", "ffv1", {}),
            ("web.webm", "libvpx", {}),
            ("new.webm", "libvpx-vp9", {}),
            ("flash.flv", "libx264", {}),
            ("windows.wmv", "wmv2", {}),
            ("bare.h264", "libx264", {}),
        ):
            _draw_video(folder / name, codec, options)

    def read(self, path: Path) -> Iterable[float]:
        """Yield sizes, times and a sum of pixels of each frame."""
        from oddframe.errors import CutOffVideoError
        from oddframe.video.open import open_video

        cut_off: CutOffVideoError | None = None
        video = open_video(path)
        yield from (video.frame_count, *video.size, video.channels, video.fps or 0.0)
        last = -1
        try:
            for frame in video.frames():
                assert last < frame.index < video.frame_count, f"frame {frame.index} after {last}"
                last = frame.index
                yield float(frame.time_s or 0.0)
                yield float(frame.pixels[::8, ::8].sum())
        except CutOffVideoError as error:
            cut_off = error
        middle = video.frame_count // 2
        try:
            first = next(iter(open_video(path, start=str(middle)).frames()), None)
            assert first is None or first.index >= middle, f"frame {first.index}, asked for {middle}"
        except CutOffVideoError as error:
            cut_off = error
        if cut_off is not None:
            raise cut_off


def _draw_video(path: Path, codec: str, options: dict[str, str]) -> None:
    from fractions import Fraction

    import av
    import numpy as np

    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (48, 64, 3), np.uint8)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = 48, 64
        stream.pix_fmt = {"mjpeg": "yuvj420p", "ffv1": "bgr0"}.get(codec, "yuv420p")
        stream.gop_size = 10
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "threads": "1"}
        for number in range(30):
            picture = ground.copy()
            picture[16:32, number : number + 16] = 250
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


class Pictures(Target):
    """Folders of pictures and TIFFs of several pages, opened and read by `open_video`."""

    name = "pictures"

    def make(self, folder: Path) -> None:
        """Six small pictures in each, of 8 and of 16 bits."""
        import cv2
        import numpy as np

        rng = np.random.default_rng(0)
        for name, suffix, depth in (
            *(("jpeg", ".jpg", "u1"), ("png", ".png", "u1"), ("bmp", ".bmp", "u1"), ("tiff", ".tif", "u1")),
            *(("thermal", ".tiff", "u2"), ("deep", ".png", "u2"), ("stack", "", "u2")),
        ):
            (folder / name).mkdir()
            top = 256 if depth == "u1" else 9000
            pictures = [rng.integers(0, top, (20, 30, 3)).astype(depth) for _ in range(6)]
            for number, pixels in enumerate(pictures if suffix else ()):
                cv2.imwrite(str(folder / name / f"{number}{suffix}"), pixels)
            if not suffix:
                cv2.imwritemulti(str(folder / name / "a.tif"), pictures)

    def read(self, path: Path) -> Iterable[float]:
        """Yield sizes and a sum of pixels of each frame."""
        from oddframe.video.open import open_video

        video = open_video(path)
        yield from (video.frame_count, *video.size, video.channels)
        for frame in video.frames():
            yield float(frame.pixels.sum())


class Store(Target):
    """Entries of the frame store: damaged or not, what it gives is what the video shows."""

    name = "store"
    _HOW = ((16, 24), 1)

    def make(self, folder: Path) -> None:
        """A video beside a store that holds it: one with a clock of its own, one without."""
        import cv2
        import numpy as np

        from oddframe.video.open import open_video
        from oddframe.video.store import FrameStore

        rng = np.random.default_rng(0)
        (folder / "clock" / "source").mkdir(parents=True)
        _draw_video(folder / "clock" / "source" / "a.mkv", "ffv1", {})
        (folder / "frames" / "source").mkdir(parents=True)
        for number in range(30):
            cv2.imwrite(str(folder / f"frames/source/{number:02}.png"), rng.integers(0, 256, (16, 24), np.uint8))
        for place in (folder / "clock", folder / "frames"):
            FrameStore(place / "store").open(open_video(self._source(place)), *self._HOW)

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Damage what the store wrote, and leave the video alone."""
        inside = [sorted(one for one in (at / "store").rglob("*") if one.is_file()) for at in (path, *others)]
        chosen = rng.choice([one for one in inside[0] if one.suffix != ".lock"])
        return f"{chosen.name}: {damage_bytes(chosen, [one for of in inside[1:] for one in of], rng)}"

    def read(self, path: Path) -> Iterable[float]:
        """Yield times and sums of pixels; anything but what the video shows is an `AssertionError`."""
        import numpy as np

        from oddframe.video.open import open_video
        from oddframe.video.picture import as_picture
        from oddframe.video.store import FrameStore

        video = open_video(self._source(path))
        stored = FrameStore(path / "store").open(video, *self._HOW)
        frames = list(video.frames())
        assert len(stored.pixels) == len(frames)
        for number, frame in enumerate(frames):
            assert np.array_equal(stored.pixels[number], as_picture(frame.pixels, *self._HOW)), f"pixels of {number}"
            assert stored.times_s is None or stored.times_s[number] == frame.time_s, f"time of {number}"
            yield float(stored.pixels[number].sum())
            yield float(frame.time_s or 0.0)

    def _source(self, place: Path) -> Path:
        source = place / "source"
        return source / "a.mkv" if (source / "a.mkv").is_file() else source


_SMALL = ("model.size=[32, 48]", "train.epochs=1", "train.batch=8", "data.heldout=0.2", "data.least_heldout=1")


def _trained(place: Path, detector: str, *overrides: str) -> Path:
    """Train a small detector on two drawn videos; its run stands beside them in `place`."""
    import oddframe as odd
    from oddframe.settings_layers import load_settings

    for name in ("normal/a.mkv", "normal/b.mkv", "test/c.mkv"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        _draw_video(place / name, "ffv1", {})
    (place / "labels.csv").write_text("video,start,end\nc,10,20\n")
    settings = load_settings("tiny", detector=detector, overrides=(*_SMALL, *overrides))
    odd.train(place, out=place / "run", settings=settings)
    return place / "run"


def _damage_one(place: Path, names: list[str], others: list[Path], rng: random.Random) -> str:
    """Damage one of some files of a folder."""
    chosen = place / rng.choice(names)
    return f"{chosen.name}: {damage_bytes(chosen, [place / name for name in names], rng)}"


class Runs(Target):
    """Runs: opened, their history read, a video scored with them."""

    name = "runs"
    _FILES = ("run.json", "calibration.json", "calibration.npz", "weights.safetensors", "history.jsonl")

    def make(self, folder: Path) -> None:
        """A small network, and one detector without any."""
        _trained(folder / "dream", "dream-unet", "model.width=4", "model.items=4")
        _trained(folder / "floor", "framediff")

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Damage what a scoring reads of the run."""
        return _damage_one(path / "run", [one for one in self._FILES if (path / "run" / one).is_file()], others, rng)

    def read(self, path: Path) -> Iterable[float]:
        """Yield the scores and the line."""
        from oddframe.runs import Run

        run = Run.open(path / "run")
        run.history()
        return _scored(run, path / "test" / "c.mkv")


def _scored(trained: Any, video: Path) -> Iterator[float]:
    from oddframe.scoring.scorer import Scorer
    from oddframe.video.open import open_video

    scorer = Scorer(trained, device="cpu")
    scores = scorer.score(open_video(video))
    yield scores.line.on
    for values in scores.columns().values():
        yield from map(float, values)


class Artefacts(Target):
    """Artefacts: opened, a video scored with them."""

    name = "artefacts"

    def make(self, folder: Path) -> None:
        """One of a detector without a network, whose graph is small."""
        import oddframe as odd

        odd.export(_trained(folder / "floor", "framediff"), folder / "floor" / "model")

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Damage one of its files."""
        return _damage_one(path / "model", sorted(one.name for one in (path / "model").iterdir()), others, rng)

    def read(self, path: Path) -> Iterable[float]:
        """Yield the scores and the line."""
        from oddframe.artefact import Artefact

        artefact = Artefact.open(path / "model")
        artefact.parity()
        return _scored(artefact, path / "test" / "c.mkv")


class Results(Target):
    """Results and their stored scores: read back, compared with themselves, made into a page."""

    name = "results"

    def make(self, folder: Path) -> None:
        """The figures of a detector without a network."""
        import oddframe as odd

        odd.evaluate(_trained(folder / "floor", "framediff"))

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Damage the figures or the scores."""
        return _damage_one(path / "run", sorted(one.name for one in (path / "run").glob("eval-*")), others, rng)

    def read(self, path: Path) -> Iterable[float]:
        """Yield the figures and every score."""
        from oddframe.evaluation.compare import compare
        from oddframe.evaluation.result import Result
        from oddframe.reporting.pages import report

        result = Result.load(path / "run")
        repr(result), result._repr_html_()
        for figures in result.auc.values():
            yield from (value for value in (figures.micro, figures.macro, figures.ap, figures.eer) if value is not None)
        for video in result.scored:
            for values in video.scores.columns().values():
                yield from map(float, values)
        report(result, path / "page.html", pictures=None)
        if result.scored:
            for difference in compare(result, result, resamples=10).differences.values():
                yield difference["difference"]


class SettingsFiles(Target):
    """Settings: a YAML file, as `--settings` takes it, and an override."""

    name = "settings"
    _VALUES = (
        *("!!timestamp 2020-01-01", "!!float x", "2020-13-45", "&a [1]", "*a", "9" * 5000, "1e400", ".nan", ".inf"),
        *("null", "''", "[]", "{}", "[[1]]", "{a: 1}", "true", "-1", "0", "1e-320", "x" * 5000, "[0, 0]", "[null]"),
    )

    def make(self, folder: Path) -> None:
        """The whole tree of two presets."""
        import yaml

        from oddframe.settings_layers import load_settings

        for preset in ("tiny", "paper"):
            (folder / f"{preset}.yaml").write_text(yaml.safe_dump(load_settings(preset).to_dict()))

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Faults of bytes, a strange value behind a key, or brackets without end."""
        kind = rng.randrange(3)
        if kind == 0:
            return damage_bytes(path, others, rng)
        lines = path.read_text().splitlines()
        if kind == 1:
            at, value = rng.randrange(len(lines)), rng.choice(self._VALUES)
            lines[at] = f"{lines[at].split(':')[0]}: {value}"
            path.write_text("\n".join(lines))
            return f"{value[:20]} in line {at}"
        opening, count = rng.choice(("[", "{", "- ", "? ", "a: {", "&a [*a,", "!!x ")), rng.randrange(1, 20000)
        path.write_text(opening * count)
        return f"{opening} {count} times"

    def read(self, path: Path) -> Iterable[float]:
        """Yield some numbers of the settings."""
        from oddframe.settings_layers import load_settings

        settings = load_settings("tiny", file=path)
        return settings.train.lr, settings.train.weight_decay, settings.score.false_alarms_per_hour


class Resume(Target):
    """Checkpoints of a training that was stopped: a network and its optimiser go on from them."""

    name = "resume"

    def make(self, folder: Path) -> None:
        """One after three steps."""
        from oddframe.training.resume import Checkpoints, Position

        network, optimizers = self._network()
        for _ in range(3):
            sum(parameter.square().sum() for parameter in network.parameters()).backward()
            optimizers["network"].step()
        Checkpoints(folder / "run").save(Position(1, 3, 2.5, 0, {"loss": 0.5}, 1), network, optimizers)

    def read(self, path: Path) -> Iterable[float]:
        """Yield where it is."""
        from oddframe.training.resume import Checkpoints

        position = Checkpoints(path).load(*self._network())
        return () if position is None else (position.epoch, position.step, position.seconds, *position.sums.values())

    def _network(self) -> tuple[Any, dict[str, Any]]:
        import torch

        network = torch.nn.Linear(3, 4)
        return network, {"network": torch.optim.AdamW(network.parameters())}


class Labels(Target):
    """Label files and masks of every kind, read for two videos of 8 and 12 frames as a set reads them."""

    name = "labels"
    _VIDEOS, _COUNTS, _SIZE = ("01", "02"), (8, 12), (16, 24)

    def make(self, folder: Path) -> None:
        """A list of frames, spans in cells, a table, and masks in one file and as pictures; packed and not."""
        import cv2
        import numpy as np
        from scipy.io import savemat

        odd = np.arange(20) % 7 > 3
        for number, (kind, shape) in enumerate((("u1", 20), ("<i8", (1, 20)), (">f8", 20), ("?", 20))):
            np.save(folder / f"flat{number}.npy", odd.astype(kind).reshape(shape))
        spans = np.empty((1, 2), object)
        spans[0, 0], spans[0, 1] = np.array([[3.0], [5.0]]), np.array([[1, 7], [2, 12]], np.uint16)
        cell = np.empty((1, 8), object)
        drawn = np.zeros((8, *self._SIZE), np.uint8)
        drawn[3:6, 4:8, 10:14] = 1
        for number, mask in enumerate(drawn):
            cell[0, number] = mask
        for name, packed in (("plain", False), ("packed", True)):
            savemat(folder / f"gt_{name}.mat", {"other": np.ones(9), "gt": spans}, do_compression=packed)
            savemat(folder / f"masks_{name}.mat", {"volLabel": cell}, do_compression=packed)
        np.save(folder / "masks.npy", drawn)
        np.save(folder / "masks_double.npy", drawn.astype("<f8"))
        (folder / "list.m").write_text(
            "TestVideoFile = {};\n% spans\nTestVideoFile{end+1}.gt_frame = [3:5];\n"
            "TestVideoFile{end+1}.gt_frame = [1:2, 7:12];\n"
        )
        for name, count in zip(self._VIDEOS, self._COUNTS, strict=True):
            (folder / "table/test" / name).mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(folder / f"table/test/{name}/{number:02}.bmp"), drawn[3])
        (folder / "table/labels.csv").write_text("video,start,end,class\n01,2,5,cart\n02,0,2,\n02,6,11,bike\n")
        for suffix in (".png", ".bmp", ".jpg", ".tif"):
            cv2.imwrite(str(folder / f"mask{suffix}"), drawn[3] * 255)

    def damage(self, path: Path, others: list[Path], rng: random.Random) -> str:
        """Damage a file of labels, and leave videos alone."""
        files = [one / "labels.csv" if one.is_dir() else one for one in others]
        return damage_bytes(path / "labels.csv" if path.is_dir() else path, files, rng)

    def read(self, path: Path) -> Iterable[float]:
        """Yield each label, or how much of each mask is odd."""
        from oddframe.data.label_files import read_label_file
        from oddframe.data.mask_volumes import VolumeMasks
        from oddframe.data.open import open_videoset
        from oddframe.data.videoset import Masks

        if path.is_dir():
            for one in open_videoset(path, fps=5.0).test:
                yield from () if one.labels is None else map(float, one.labels)
        elif path.stem.startswith("mask"):
            volume = path.suffix in (".mat", ".npy")
            masks = VolumeMasks.of(path, 8, self._SIZE) if volume else Masks({0: path}, self._SIZE)
            for frame in masks.paths:
                mask = masks.read(frame)
                assert mask is not None
                assert mask.shape == self._SIZE, f"a mask of {mask.shape}"
                yield float(mask.sum())
        else:
            for labels in read_label_file(path, path.name, self._VIDEOS, self._COUNTS).labels:
                assert labels is not None
                yield from map(float, labels)


TARGETS: dict[str, type[Target]] = {
    target.name: target for target in (Videos, Pictures, Store, Runs, Artefacts, Results, SettingsFiles, Resume, Labels)
}


class Reader:
    """A child that reads one path after another, and is ended and started anew when it hangs or dies."""

    def __init__(self, target: str, limit_s: float) -> None:
        self._target, self._limit_s = target, limit_s
        self._child: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def outcome(self, path: Path) -> dict[str, str]:
        """Have one path read; return {"outcome": ..., "said": ...}."""
        if self._child is None:
            self._start()
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{path}\n")
            self._child.stdin.flush()
            answer = self._answers.get(timeout=self._limit_s)
        except queue.Empty:
            self.close()
            return {"outcome": "hang", "said": f"nothing for {self._limit_s:g} s"}
        except OSError:
            answer = ""
        if not answer:
            code = self._child.wait()
            self.close()
            return {"outcome": "traceback", "said": f"the process died with {code}"}
        return dict(json.loads(answer))

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def _start(self) -> None:
        self._answers = queue.Queue()
        self._child = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).resolve()), "--child", self._target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=_listen, args=(self._child, self._answers), daemon=True).start()
        assert self._answers.get(timeout=120) == "ready\n", "the child does not start: run it with --child to see why"


def _listen(child: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        answers.put(line)
    answers.put("")


def _child(target: Target) -> None:
    """Answer each line on stdin, a path, by one line of JSON."""
    answers = os.fdopen(os.dup(1), "w")  # what libraries print goes elsewhere
    os.dup2(2, 1)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(_judged(target, Path(line.rstrip("\n")))) + "\n")
        answers.flush()


def _judged(target: Target, path: Path) -> dict[str, str]:
    from oddframe.errors import OddframeError

    try:
        for number in target.read(path):
            if not math.isfinite(number):
                return {"outcome": "nan", "said": repr(number)}
    except OddframeError as error:
        return {"outcome": "clear error", "said": f"{type(error).__name__}: {error.problem}"}
    except BaseException as error:
        return {"outcome": "traceback", "said": "".join(traceback.format_exception(error)[-4:])}
    return {"outcome": "ok", "said": ""}


def _cases(target: Target, seed: int, first: int, count: int, place: Path) -> Iterator[tuple[int, Path, str]]:
    """Yield number, damaged copy and what was done to it. Case n depends on seed and n alone."""
    sound = place / "sound"
    sound.mkdir()
    target.make(sound)
    seeds = sorted(sound.iterdir())
    for number in range(first, count):
        rng = random.Random(f"{target.name} {seed} {number}")
        chosen = rng.choice(seeds)
        case = place / "case" / chosen.name
        shutil.rmtree(place / "case", ignore_errors=True)
        case.parent.mkdir()
        if chosen.is_dir():
            shutil.copytree(chosen, case)
        else:
            shutil.copy(chosen, case)
        yield number, case, target.damage(case, seeds, rng)


def main() -> None:
    """Fuzz one target; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that one case may take")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; a stopped run goes on from it")
    parser.add_argument("--keep", type=Path, help="folder for the files of tracebacks, NaN and hangs")
    asked = parser.parse_args()
    target = TARGETS[asked.target]()
    about: dict[str, Any] = {"target": asked.target, "seed": asked.seed, "limit_s": asked.limit}
    done: dict[str, Any] = {**about, "cases": 0, "seconds": 0.0, "counts": dict.fromkeys(OUTCOMES, 0), "faults": []}
    if asked.out.exists():
        done = json.loads(asked.out.read_text())
        if {name: done[name] for name in about} != about:
            parser.error(f"{asked.out} is of another run: {', '.join(f'{name} {done[name]}' for name in about)}")
    counts, reader = Counter(done["counts"]), Reader(asked.target, asked.limit)
    began_s = time.monotonic() - done["seconds"]

    def save() -> None:
        done["seconds"] = round(time.monotonic() - began_s, 1)
        done["counts"] = {outcome: counts[outcome] for outcome in OUTCOMES}
        beside = asked.out.with_name(f".{asked.out.name}.tmp")
        beside.write_text(json.dumps(done, indent=1) + "\n")
        beside.replace(asked.out)

    try:
        with tempfile.TemporaryDirectory(prefix="oddframe-fuzz-") as place:
            for number, path, fault in _cases(target, asked.seed, done["cases"], asked.cases, Path(place)):
                found = reader.outcome(path)
                counts[found["outcome"]] += 1
                done["cases"] = number + 1
                if found["outcome"] not in ("ok", "clear error"):
                    done["faults"].append({"case": number, "file": path.name, "fault": fault, **found})
                    print(f"case {number}, {path.name}, {fault}: {found['outcome']}\n{found['said']}", flush=True)
                    if asked.keep is not None:
                        asked.keep.mkdir(parents=True, exist_ok=True)
                        (shutil.copytree if path.is_dir() else shutil.copy)(path, asked.keep / f"{number}_{path.name}")
                if (number + 1) % _SAVED_EVERY == 0:
                    save()
    finally:
        reader.close()
        save()
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(TARGETS[sys.argv[2]]())
    else:
        main()
