"""What is measured in one run, and what is said of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from oddframe.artefact import Artefact, Trained, open_trained
from oddframe.benchmarking.contenders import CONTENDERS
from oddframe.benchmarking.drawn import draw_video
from oddframe.benchmarking.figures import Benched, Figure, Reading, Scoring, Training
from oddframe.benchmarking.process import Process
from oddframe.errors import MissingExtraError, OddframeError, SettingsError, WorkerError
from oddframe.plain import Json, JsonValue
from oddframe.processes.cores import threads
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.runs import Run, host, versions
from oddframe.scoring.runtimes.choose import fitting, missing_extra
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.storage.place import local
from oddframe.video.open import open_video

_READY, _MEASURING = "getting ready", "measuring"

_OF_TORCH = {"torch": "fp32", "torch-bf16": "bf16"}


def bench(
    trained: Sequence[Trained | Path | str] = (),
    *,
    settings: Settings | None = None,
    video: Path | str | None = None,
    batches: Sequence[int] = (1, 8),
    repeats: int = 5,
    device: str = "auto",
    watch: Watcher = unwatched,
) -> Benched:
    """Measure how fast this machine scores and trains, and the memory that this takes.

    Every contender has a process of its own. Each repeat goes round all of them, so that a busy moment hits all alike.

    Args:
        trained: runs and artefacts, or their folders. Without any, an untrained network of `settings` is made and,
            where the extra `export` is installed, its artefact.
        settings: of the untrained network; the preset `cpu` if not given.
        video: a file or folder of frames to decode and score; a drawn one of 640x360 if not given.
        batches: frames judged at once. repeats: how often each figure is measured.
        device: of torch; the other runtimes compute on the processor.
        watch: told how far it is.

    Raises:
        RunError: no run or artefact. DataError: the video cannot be read. SettingsError: a number below one, or no such
        device. MissingExtraError: there is nothing to measure without torch.
    """
    for what, numbers in (("batch", batches), ("repeats", (repeats,))):
        if not numbers or min(numbers) < 1:
            raise SettingsError(f"nothing can be measured with this --{what}", seen=list(numbers), wanted="1 or more")
    with tempfile.TemporaryDirectory(prefix="oddframe-bench-") as place:
        watch(Progress(_READY, 0, 0))
        footage = draw_video(Path(place) / "drawn.mp4") if video is None else local(open_video(video).path)
        found = _Bench(footage, list(dict.fromkeys(batches)), device, drawn=video is None)
        if trained:
            for one in map(open_trained, trained):
                found.add(one, one.folder.resolve().name)
        else:
            chosen = load_settings() if settings is None else settings
            _add_untrained(found, Path(place), chosen, footage, watch)
        return found.measure(repeats, watch)


def _add_untrained(found: _Bench, place: Path, settings: Settings, video: Path, watch: Watcher) -> None:
    from oddframe.benchmarking.untrained import untrained_run  # needs torch

    name = f"untrained {settings.detector}"
    run = untrained_run(place / "run", settings, video, watch)
    found.add(run, name)
    try:
        from oddframe.exporting.make import export

        found.add(export(run, place / "artefact", watch=watch), name)
    except OddframeError as error:
        found.left_out.append(f"{name} as an artefact: {error.in_one_line()}")


@dataclass
class _Entry:
    """A contender: what it is, the process that it has while it is measured, its figures so far (one a turn)."""

    name: str
    kind: str
    arguments: Mapping[str, JsonValue]
    about: Mapping[str, JsonValue]
    process: Process | None = None
    figures: dict[str, list[float]] = field(default_factory=dict)

    def start(self) -> Process:
        self.process = Process(self.kind, **self.arguments)
        self.about = {**self.about, **self.process.about}
        return self.process

    def take_turn(self) -> None:
        assert self.process is not None
        for name, value in self.process.turn().items():
            self.figures.setdefault(name, []).append(value)

    def summary(self) -> Json:
        figures = {name: summarise(values) for name, values in self.figures.items()}
        return {**self.about, **figures, "peak_memory_mb": self.process.peak_memory_mb if self.process else None}


class _Bench:
    """Contenders, from what was asked for to their figures."""

    def __init__(self, video: Path, batches: Sequence[int], device: str, *, drawn: bool) -> None:
        self._video, self._batches, self._device, self._drawn = video, batches, device, drawn
        self._entries: list[_Entry] = []
        self.left_out: list[str] = []

    def add(self, trained: Trained, name: str) -> None:
        """Add all that can be measured of a run or an artefact."""
        if not self._entries:
            self._add_machine(trained.settings)
        gflop = None if missing_extra("torch") else _gflop_a_frame(trained)
        folder = {"folder": str(trained.folder), "device": self._device}
        for backend in fitting(trained):
            if (why := self._unfit(backend)) is not None:
                self.left_out.append(f"{name}, {backend}: {why}")
                continue
            precision = trained.about.precision if isinstance(trained, Artefact) else _OF_TORCH[backend]
            for batch in self._batches:
                about: Json = {"of": name, "backend": backend, "batch": batch, "precision": precision, "gflop": gflop}
                # only torch computes elsewhere than on the processor
                device = self._device if backend in _OF_TORCH else "cpu"
                arguments: Json = {
                    **folder,
                    "device": device,
                    "backend": backend,
                    "batch": batch,
                    "video": str(self._video),
                }
                self._entries.append(_Entry(f"{name}, {backend}, batch {batch}", "scoring", arguments, about))
        if isinstance(trained, Run) and gflop:
            self._entries.append(_Entry(f"{name}, training", "training", folder, {"of": name}))

    def _add_machine(self, settings: Settings) -> None:
        """Add what does not depend on runs but for the size of their pictures."""
        if missing_extra("torch") is None:
            self._entries.append(_Entry("matrix products", "limit", {"device": self._device}, {}))
        else:
            self.left_out.append(f"the limit and shares of it: {MissingExtraError('this', 'train').in_one_line()}")
        model = settings.model
        how: Json = {"size": model.size, "channels": int(model.channels), "resize": settings.data.resize}
        where: Json = {"video": str(self._video), **how}
        self._entries.append(_Entry("reading video", "frames", where, {"drawn": self._drawn}))

    def _unfit(self, backend: str) -> str | None:
        """Why a backend is not measured."""
        if (extra := missing_extra(backend)) is not None:
            return MissingExtraError("this backend", extra).in_one_line()
        if backend == "torch-bf16":
            from oddframe.nn.precision import matrix_product_limit, resolve_device

            if matrix_product_limit(resolve_device(self._device), "bf16") is None:
                return "slower than fp32 on this machine, which has no units for it"
        return None

    def measure(self, repeats: int, watch: Watcher) -> Benched:
        """Start all, let them take turns, and say what came out."""
        total = len(self._entries)
        with ExitStack() as stack:
            for number, entry in enumerate(list(self._entries)):
                watch(Progress(_READY, number, total, entry.name))
                with self._lost_is_left_out(entry):
                    stack.callback(entry.start().close)
            for turn in range(repeats):
                for number, entry in enumerate(list(self._entries)):
                    watch(Progress(_MEASURING, turn * total + number, repeats * total, entry.name))
                    with self._lost_is_left_out(entry):
                        entry.take_turn()
            watch(Progress(_MEASURING, repeats * total, repeats * total))
            return self._found(repeats)

    @contextmanager
    def _lost_is_left_out(self, entry: _Entry) -> Iterator[None]:
        """A contender for which there is not enough memory is no reason to know nothing of the others."""
        try:
            yield
        except WorkerError as error:
            self._entries.remove(entry)
            self.left_out.append(f"{entry.name}: {error.in_one_line()}")

    def _found(self, repeats: int) -> Benched:
        of = {kind: [one for one in self._entries if one.kind == kind] for kind in CONTENDERS}
        limit = next(iter(of["limit"]), None)
        limits = {} if limit is None else {name: Figure(**summarise(values)) for name, values in limit.figures.items()}
        on_cpu = limit is not None and limit.about["device"] == "cpu"
        scoring, training = [], []
        for one in (Scoring.model_validate({**entry.summary(), "share": None}) for entry in of["scoring"]):
            reached = limits.get(one.precision) if on_cpu or one.backend in _OF_TORCH else None
            scoring.append(one.changed(share=_share(one.gflop, one.network.median, reached)))
        for step in (Training.model_validate({**entry.summary(), "share": None}) for entry in of["training"]):
            share = _share(step.gflop, 1 / step.step.median, limits.get(step.precision))
            training.append(step.changed(share=share))
        return Benched(
            limit=limits,
            frames=next((Reading.model_validate(entry.summary()) for entry in of["frames"]), None),
            scoring=tuple(scoring),
            training=tuple(training),
            left_out=tuple(self.left_out),
            repeats=repeats,
            threads=threads(),
            host=host(),
            versions=versions(),
        )


def summarise(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles.

    >>> summarise([3.0, 1.0, 2.0])
    {'median': 2.0, 'lower': 1.5, 'upper': 2.5}
    """
    lower, median, upper = np.percentile(values, [25, 50, 75])
    return {"median": float(median), "lower": float(lower), "upper": float(upper)}


def _gflop_a_frame(trained: Trained) -> float:
    """What torch would have to compute for one frame; 0 for a detector without a network."""
    from oddframe.models.weights import build_detector
    from oddframe.nn.flops import count_flops
    from oddframe.nn.precision import resolve_device
    from oddframe.scoring.runtimes.torch import TorchRuntime

    settings = trained.settings
    detector = build_detector(settings.detector, settings.model, settings.train.seed)
    runtime = TorchRuntime(detector, settings.score, resolve_device("cpu"))
    clips = np.zeros((1, detector.window.frames, *runtime.size, runtime.channels), np.uint8)
    return count_flops(lambda: runtime.judge(clips)) / 1e9


def _share(gflop: float | None, a_second: float, limit: Figure | None) -> float | None:
    return gflop * a_second / limit.median if gflop and limit else None
