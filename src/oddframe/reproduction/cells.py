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
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from oddframe.data.protocols import split
from oddframe.data.source import DataSource
from oddframe.data.videoset import VideoSet
from oddframe.detectors import detector_entry
from oddframe.detectors.settings import DetectorSettings
from oddframe.errors import OddframeError, RunError, SettingsError
from oddframe.evaluation.figures import Auc, Named
from oddframe.evaluation.judge import judge
from oddframe.evaluation.result import Result
from oddframe.processes.crew import Crew
from oddframe.processes.engine import Engine
from oddframe.processes.engines import Where
from oddframe.progress import Progress, Watcher
from oddframe.records import FileRecord, Record, read_record, write_record
from oddframe.reproduction.frames import common_figures
from oddframe.reproduction.rows import Row
from oddframe.runs import Run
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.calibration_file import load_calibration
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings

_PATIENCE_S = 3600.0
"""A training or judging that tells of no progress for so long hangs. Steps on a small processor take seconds, the draws
behind the intervals of a large set minutes."""
_STAGES = {"training": (0.02, 0.85), "judging": (0.87, 1.0)}
"""Stage → from which to which share of a cell it takes, roughly; between them it is calibrated."""


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
        """The overrides that a row's training gets: the shared ones, and after them its own.

        Of those of the network, a detector takes what it takes of a preset: what it knows and does not keep, and a
        size that fits it, no larger than the shared one.
        """
        assert row.detector is not None
        kind = detector_entry(row.detector).settings
        known = set(kind.model_fields) - {*kind.kept}
        keys = [override.partition("=")[0].strip().partition(".") for override in self.overrides]
        fitting = (room != "model" or key in known for room, _, key in keys)
        shared = (_within(override, kind) for override in itertools.compress(self.overrides, fitting))
        return (*shared, *row.overrides)


def _within(override: str, kind: type[DetectorSettings]) -> str:
    """The same override, or where it is a size, the largest that fits the detector within it."""
    if (size := re.fullmatch(r"\s*model\.size\s*=\s*\[\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\]\s*", override)) is None:
        return override
    asked = (int(size[1]), int(size[2]))
    height, width = kind.size_within(*asked)
    return override if (height, width) == asked else f"model.size=[{height}, {width}]"


class Plan(FileRecord):
    """What plan.json holds: what all cells of a folder share. `data`: set → fingerprint."""

    preset: str
    overrides: tuple[str, ...]
    data: dict[str, str]


class CellInfo(Record):
    """Which cell it is.

    Attributes:
        given: what its detector learned from. steps: of its training.
        common: window → AUC of each score on the frames that all detectors of a table score.
    """

    set: str
    part: str
    row: str
    label: str
    given: str
    steps: int
    common: dict[str, Named[Auc]]


class Cell(Result):
    """A result that stands in a table."""

    cell: CellInfo


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
    data = {set_key(one): one.fingerprint() for one in sets}
    plan = Plan(preset=budget.preset, overrides=budget.overrides, data=data)
    if path.is_file():
        found = read_record(path, Plan, "the plan of this folder", hint="give another --out")
        shared = {key: value for key, value in data.items() if key in found.data}
        wanted = {"preset": plan.preset, "overrides": list(plan.overrides), "data": shared}
        seen = {
            "preset": found.preset,
            "overrides": list(found.overrides),
            "data": {key: found.data[key] for key in shared},
        }
        if seen != wanted:
            differing = [key for key in wanted if seen[key] != wanted[key]]
            raise RunError(
                "this folder holds cells of other settings, which one table cannot mix",
                path=path,
                seen=", ".join(f"{key} {seen[key]}" for key in differing),
                wanted=", ".join(f"{key} {wanted[key]}" for key in differing),
                hint="give another --out, or the settings that the folder was begun with",
            )
        plan = plan.changed(data=data | found.data)
    (out / "cells").mkdir(parents=True, exist_ok=True)
    (out / "logs").mkdir(exist_ok=True)
    write_record(path, plan)


def work_on(sets: Sequence[VideoSet], rows: Sequence[Row], parts: Sequence[Part]) -> list[Work]:
    """All work that a table needs, in the order of its rows."""
    found = []
    for row in rows:
        if row.detector is not None:
            together = [(part,) for part in parts] if row.given == "known" else [tuple(parts)]
            found += [Work(videos, row, some) for videos in sets for some in together]
    return found


def fill(out: Path, work: Sequence[Work], budget: Budget, *, where: Where, watch: Watcher) -> Outcome:
    """Train and judge what has no cell yet; what fails is noted, and the rest goes on.

    Interrupted, it stops its processes, which keep what they have; called again, it goes on there.
    """
    outcome = Outcome()
    pending = [one for one in work if one.open_parts(out)]
    course = _Course(work, out, watch)

    @contextmanager
    def hand(engine: Engine) -> Iterator[Callable[[Work, Watcher], None]]:
        yield lambda one, told: _do(one, out, budget, engine, told)

    def ended(one: Work, found: OddframeError | None) -> None:
        if found is not None:
            outcome.failed[one.name] = str(found)
            watch(Progress("warning", 0, 0, f"{one.name}: {found}"))
        course.ended(one, failed=found is not None)

    course.tell()
    if pending:
        with where.open(tasks=len(pending), gpu=budget.device.startswith("cuda")) as (engine, jobs):
            Crew(engine, jobs, lambda: hand(engine)).work(pending, course.moment, ended)
    return outcome


class _Course:
    """How far the cells are, all in all: told as per cent, with what is being done to which."""

    def __init__(self, work: Sequence[Work], out: Path, watch: Watcher) -> None:
        self._watch = watch
        self._cells = sum(len(one.parts) for one in work)
        self._done = self._cells - sum(len(one.open_parts(out)) for one in work)
        self._open = {one.name: len(one.open_parts(out)) for one in work}
        self._share: dict[str, float] = {}
        self._doing: dict[str, str] = {}

    def moment(self, one: Work, told: Progress) -> None:
        """What a training or a judging tells of itself."""
        if told.stage == "warning":
            self._watch(Progress("warning", 0, 0, f"{one.name}: {told.note}"))
            return
        if told.stage == "finished":
            return
        begins, ends = _STAGES.get(told.stage, (0.0, 0.0))
        part = min(told.done / told.total, 1.0) if told.total else 0.0
        self._share[one.name] = max(self._share.get(one.name, 0.0), begins + (ends - begins) * part)
        far = f" {told.done}/{told.total}" if told.total else ""
        self._doing[one.name] = f"{one.name}: {told.stage}{far}"
        self.tell()

    def ended(self, one: Work, *, failed: bool) -> None:
        """A training and its judging are over."""
        self._share.pop(one.name, None)
        self._doing.pop(one.name, None)
        self._done += 0 if failed else self._open[one.name]
        self.tell()

    def tell(self) -> None:
        """Tell how far all cells are."""
        done = self._done + sum(share * self._open[name] for name, share in self._share.items())
        stage = f"making {self._cells} {'cell' if self._cells == 1 else 'cells'}, per cent"
        note = "; ".join((f"{self._done} of {self._cells} done", *self._doing.values()))
        self._watch(Progress(stage, int(100 * done / self._cells) if self._cells else 100, 100, note))


def _do(work: Work, out: Path, budget: Budget, engine: Engine, watch: Watcher) -> None:
    folder = work.run_folder(out)
    settings = work.settings(budget)
    if budget.device != "auto":
        settings = settings.model_copy(update={"train": settings.train.model_copy(update={"device": budget.device})})
    source = _source(work.videos)
    data = {"data": source.to_dict()}
    command = _command(work, budget, folder)

    # One process for both: what a training takes of memory is measured at its end, before the judging begins.
    log = out / "logs" / f"{work.name}.log"
    with engine.start(
        "oddframe.reproduction.worker", {}, does="trains and judges", patience_s=_PATIENCE_S, log=log
    ) as worker:

        def have(what: str, order: Mapping[str, Any], words: Sequence[str]) -> None:
            worker.ask({"command": ["oddframe", *words], what: {**data, **order}}, watch)

        have("train", {"settings": settings.to_dict(), "out": str(folder)}, command)
        if not any(folder.glob("eval-*.json")):
            where = [word for path in source.paths for word in ("--data", str(path))]
            judging = ["eval", str(folder), *where, "--device", budget.device]
            have("judge", {"run": str(folder), "device": budget.device}, judging)
    run, whole = Run.open(folder), Result.load(folder)
    work.spaces(out).unlink(missing_ok=True)  # of a run before this one
    steps = run.history()[-1].step if run.history() else 0
    for part in work.open_parts(out):
        result = whole if work.own else _on_part(whole, run, work.videos, part)
        assert work.row.detector is not None
        about = CellInfo(
            set=set_key(work.videos),
            part=part.name,
            row=work.row.key,
            label=work.row.label,
            given=work.row.given,
            steps=steps,
            common=common_figures(result.scored, work.row),
        )
        write_record(work.cell(out, part), Cell(**dict(result), cell=about))


def _command(work: Work, budget: Budget, folder: Path) -> list[str]:
    """What trains the same by hand."""
    part = work.parts[0]
    protocol = ["--protocol", part.protocol, f"--{part.option}", str(part.value)] if work.own else []
    overrides = [word for one in work.overrides(budget) for word in ("--set", one)]
    assert work.row.detector is not None
    detector = ["--preset", budget.preset, "--detector", work.row.detector, "--device", budget.device]
    source = _source(work.videos)
    data = [*map(str, source.paths), *source.options()]
    return ["train", *data, "--out", str(folder), *detector, *protocol, *overrides]


def _source(videos: VideoSet) -> DataSource:
    """How another process opens a set.

    Raises:
        SettingsError: it was put together by hand.
    """
    if videos.source is None:
        raise SettingsError("a set that was put together by hand cannot be opened by another process", seen=videos.name)
    return videos.source


def _on_part(whole: Result, run: Run, videos: VideoSet, part: Part) -> Result:
    """A result on all test videos, judged anew on those of a part."""
    own = run.settings.data
    asked: dict[str, Any] = {part.option: part.value, "folds": own.folds, "shuffle": own.shuffle}
    parted = split(videos, part.protocol, seed=run.settings.train.seed, **asked)
    names = {video.name for video in parted.test}
    scored = [video for video in whole.scored if video.name in names]
    rule = AlarmRule.of(run.settings.score)
    judged = judge(scored, heldout=load_calibration(run.folder).heldout, rule=rule)
    kept = ("auc", "undefined_videos", "threshold", "classes", "scenes", "table", "events", "frames")
    note = "Trained once, without known anomalies, and judged on the test videos of this part."
    return whole.changed(
        **{name: getattr(judged, name) for name in kept},
        protocol=part.protocol,
        fold=parted.fold,
        folds=parted.folds,
        notes=tuple(dict.fromkeys([note, *whole.notes, *judged.notes])),
    ).with_scores(judged.scored)
