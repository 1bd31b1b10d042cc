"""Cells of a table: one detector on one part of a set, trained and judged in processes of their own.

    <out>/plan.json                what all cells share: preset, overrides, data. Other settings are refused
          runs/<set>-<row>-...     run folders; a killed training goes on in there
          cells/<set>-<row>-fold3.json   the result, as `oddframe eval --json` prints it, and "cell", where "common"
                                 has the figures on the frames that all detectors of a table score
          cells/<set>-<row>-fold3.spaces.json   what its queries look like, as `oddframe analyse --json` prints it
          logs/                    what the processes said

A part is a fold, or a rate of known anomalies. A detector that is given none of these learns the same whatever the
part: it is trained once, on the official normal video, and judged on each part's test videos.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from oddframe.data.open import as_before
from oddframe.data.protocols import split
from oddframe.data.videoset import VideoSet
from oddframe.detectors import detector_entry
from oddframe.errors import OddframeError, RunError
from oddframe.evaluation.judge import judge
from oddframe.evaluation.result import Result
from oddframe.files import write_text
from oddframe.processes import Processes
from oddframe.progress import Progress, Watcher
from oddframe.reproduction.frames import common_figures
from oddframe.reproduction.rows import Row
from oddframe.runs import Run
from oddframe.scoring.calibration_file import load_calibration
from oddframe.settings import Settings, load_settings

FORMAT = 1
_TAIL = 6
"""Lines of a failed process that are shown."""


@dataclass(frozen=True)
class Budget:
    """What all cells of a folder have in common.

    Attributes:
        preset, overrides: settings of every training; a detector takes those of the network that it knows.
        device: as everywhere.
    """

    preset: str
    overrides: tuple[str, ...] = ()
    device: str = "auto"

    def overrides_for(self, row: Row) -> tuple[str, ...]:
        """The overrides that a row's training gets: the shared ones, and after them its own."""
        assert row.detector is not None
        known = detector_entry(row.detector).settings.model_fields
        keys = [override.partition("=")[0].partition(".") for override in self.overrides]
        fitting = (room != "model" or key in known for room, _, key in keys)
        return (*itertools.compress(self.overrides, fitting), *row.overrides)


class Part(NamedTuple):
    """Who learns and who is judged: a fold, or a rate of known anomalies.

    Attributes:
        name: in file names. protocol: as of `split`. option: what the protocol asks for, "fold" or "rate".
        value: of the option.
    """

    name: str
    protocol: Literal["kfold", "rate"]
    option: Literal["fold", "rate"]
    value: float


def fold_part(fold: int) -> Part:
    """One fold (Sec. IV-C)."""
    return Part(f"fold{fold}", "kfold", "fold", fold)


def rate_part(rate: float) -> Part:
    """One rate of known anomalies (Sec. IV-E)."""
    return Part(f"rate{100 * rate:g}", "rate", "rate", rate)


@dataclass(frozen=True)
class Work:
    """A training and its judging, which fill one cell, or one for each part.

    Attributes:
        videos: the set. row: which row. parts: the cells that it fills.
    """

    videos: VideoSet
    row: Row
    parts: tuple[Part, ...]

    @property
    def own(self) -> bool:
        """Whether the part's known anomalies are learnt from."""
        return self.row.given == "known"

    @property
    def name(self) -> str:
        return f"{set_key(self.videos)}-{self.row.key}-{self.parts[0].name if self.own else 'normal'}"

    def overrides(self, budget: Budget) -> tuple[str, ...]:
        """Settings beyond the preset's, in the order in which later ones win."""
        return (*budget.overrides_for(self.row), *(() if self.own else ("data.known_normal=drop",)))

    def settings(self, budget: Budget) -> Settings:
        """What its detector is trained with, by the presets of this version."""
        part = self.parts[0]
        protocol = {"protocol": part.protocol, part.option: part.value} if self.own else {}
        overrides = self.overrides(budget)
        return load_settings(budget.preset, detector=self.row.detector, overrides=overrides, data=protocol)

    def run_folder(self, out: Path) -> Path:
        """Where its detector is."""
        return out / "runs" / self.name

    def cell(self, out: Path, part: Part) -> Path:
        """The file of a cell."""
        return out / "cells" / f"{set_key(self.videos)}-{self.row.key}-{part.name}.json"

    def spaces(self, out: Path) -> Path:
        """The file of what its detector's memories look like."""
        return self.cell(out, self.parts[0]).with_suffix(".spaces.json")

    def open_parts(self, out: Path) -> tuple[Part, ...]:
        """The cells that are not done."""
        return tuple(part for part in self.parts if not self.cell(out, part).is_file())


@dataclass
class Outcome:
    """What became of the work: failures by name; the cells are on disk."""

    failed: dict[str, str] = field(default_factory=dict)


def set_key(videos: VideoSet) -> str:
    """A benchmark's kind, or the name of people's own set."""
    return videos.name if videos.kind in ("folder", "files") else videos.kind


def settle_plan(out: Path, budget: Budget, sets: Sequence[VideoSet]) -> None:
    """Write down what all cells of this folder share, or make sure that it is still so.

    Raises:
        RunError: the folder holds cells of other settings or of other data.
    """
    path = out / "plan.json"
    plan: dict[str, Any] = {
        "format": FORMAT,
        "preset": budget.preset,
        "overrides": list(budget.overrides),
        "data": {set_key(one): one.fingerprint() for one in sets},
    }
    if path.is_file():
        try:
            found = json.loads(path.read_text("utf-8"))
            shared = {key: value for key, value in plan["data"].items() if key in found["data"]}
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                "the plan of this folder is damaged", path=path, seen=repr(error), hint="give another --out"
            ) from None
        wanted = {key: plan[key] for key in ("format", "preset", "overrides")} | {"data": shared}
        seen = {key: found.get(key) for key in wanted} | {"data": {key: found["data"][key] for key in shared}}
        if seen != wanted:
            differing = [key for key in wanted if seen[key] != wanted[key]]
            raise RunError(
                "this folder holds cells of other settings, which one table cannot mix",
                path=path,
                seen=", ".join(f"{key} {seen[key]}" for key in differing),
                wanted=", ".join(f"{key} {wanted[key]}" for key in differing),
                hint="give another --out, or the settings that the folder was begun with",
            )
        plan["data"] |= found["data"]
    (out / "cells").mkdir(parents=True, exist_ok=True)
    (out / "logs").mkdir(exist_ok=True)
    write_text(path, json.dumps(plan, indent=1) + "\n")


def work_on(sets: Sequence[VideoSet], rows: Sequence[Row], parts: Sequence[Part]) -> list[Work]:
    """All work that a table needs, in the order of its rows."""
    found = []
    for row in rows:
        if row.detector is not None:
            together = [(part,) for part in parts] if row.given == "known" else [tuple(parts)]
            found += [Work(videos, row, some) for videos in sets for some in together]
    return found


def fill(out: Path, work: Sequence[Work], budget: Budget, *, jobs: int = 1, watch: Watcher) -> Outcome:
    """Train and judge what has no cell yet; what fails is noted, and the rest goes on.

    Interrupted, it stops its processes, which keep what they have; called again, it goes on there.
    """
    outcome = Outcome()
    cells = sum(len(one.parts) for one in work)
    pending = [one for one in work if one.open_parts(out)]
    done = cells - sum(len(one.open_parts(out)) for one in pending)
    running = _Processes(budget, jobs, out)
    watch(Progress("cells", done, cells, pending[0].name if pending else ""))
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(_do, one, out, running): one for one in pending}
        try:
            for future in as_completed(futures):
                one = futures[future]
                try:
                    future.result()
                    done += len(one.parts)
                except OddframeError as error:
                    outcome.failed[one.name] = str(error)
                    watch(Progress("warning", 0, 0, f"{one.name}: {error}"))
                watch(Progress("cells", done, cells, one.name))
        except BaseException:
            running.stop()
            try:
                pool.shutdown(cancel_futures=True)
            except KeyboardInterrupt:  # once more: a step may take its time
                running.stop()
            raise
    return outcome


def _do(work: Work, out: Path, running: _Processes) -> None:
    budget, folder, part = running.budget, work.run_folder(out), work.parts[0]
    protocol = ["--protocol", part.protocol, f"--{part.option}", str(part.value)] if work.own else []
    overrides = [word for one in work.overrides(budget) for word in ("--set", one)]
    assert work.row.detector is not None
    detector = ["--preset", budget.preset, "--detector", work.row.detector, "--device", budget.device]
    data = [str(work.videos.root), *_as_opened(work.videos)]
    running.oddframe(work.name, "train", *data, "--out", str(folder), *detector, *protocol, *overrides)
    if not any(folder.glob("eval-*.json")):
        running.oddframe(work.name, "eval", str(folder), "--data", str(work.videos.root), "--device", budget.device)
    run, whole = Run.open(folder), Result.load(folder)
    work.spaces(out).unlink(missing_ok=True)  # of a run before this one
    steps = run.history()[-1]["step"] if run.history() else 0
    for part in work.open_parts(out):
        result = whole if work.own else _on_part(whole, run, work.videos, part)
        cell: dict[str, Any] = {
            "set": set_key(work.videos),
            "part": part.name,
            "row": work.row.key,
            "label": work.row.label,
            "given": work.row.given,
            "steps": steps,
        }
        cell["common"] = common_figures(result.scored, work.row.detector)
        write_text(work.cell(out, part), json.dumps(result.to_dict() | {"cell": cell}, indent=1) + "\n")


def _as_opened(videos: VideoSet) -> list[str]:
    """The options by which another process opens a set as it was opened here."""
    how = as_before(videos.described())
    truth = ["--ground-truth", how["ground_truth"]] if how["ground_truth"] else []
    return ["--kind", how["kind"], *truth, *(["--partial"] if how["partial"] else [])]


def _on_part(whole: Result, run: Run, videos: VideoSet, part: Part) -> Result:
    """A result on all test videos, judged anew on those of a part."""
    own = run.settings.data
    asked: dict[str, Any] = {part.option: part.value, "folds": own.folds, "shuffle": own.shuffle}
    parted = split(videos, part.protocol, seed=run.settings.train.seed, **asked)
    names = {video.name for video in parted.test}
    scored = [video for video in whole.scored if video.name in names]
    judged = judge(scored, heldout=load_calibration(run.folder).heldout)
    kept = ("auc", "undefined_videos", "threshold", "classes", "scenes", "table", "events", "frames", "scored")
    note = "Trained once, without known anomalies, and judged on the test videos of this part."
    return replace(
        whole,
        **{name: getattr(judged, name) for name in kept},
        protocol=part.protocol,
        fold=parted.fold,
        folds=parted.folds,
        notes=list(dict.fromkeys([note, *whole.notes, *judged.notes])),
    )


class _Processes:
    """Runs the command line in processes of its own, so that each cell's time and memory are its own."""

    def __init__(self, budget: Budget, jobs: int, out: Path) -> None:
        self.budget, self._out = budget, out
        self._processes = Processes(jobs)

    def oddframe(self, name: str, *arguments: str) -> None:
        """Run a verb to its end.

        Raises:
            RunError: it failed; the last lines that it said stand in the error.
        """
        log = self._out / "logs" / f"{name}.log"
        with log.open("ab") as said, self._processes.run("oddframe", *arguments, stdout=said, stderr=said) as process:
            code = process.wait()
        if code:
            last = log.read_text("utf-8", errors="replace").splitlines()[-_TAIL:]
            raise RunError(
                f"`oddframe {arguments[0]}` failed (exit code {code})", path=log, seen="\n          ".join(last)
            )

    def stop(self) -> None:
        """End what runs; each process keeps what it has, as on an interrupt."""
        self._processes.stop()
