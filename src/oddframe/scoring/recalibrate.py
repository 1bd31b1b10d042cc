"""A finished run calibrated again: what is decided after a frame was judged is no part of what was trained.

The evidence that the run keeps (`judged_file.py`) is enough: neither video nor network is needed, and it takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oddframe.artefact import FILE, Artefact, Trained
from oddframe.errors import OddframeError, RunError, SettingsError, StorageError
from oddframe.files import read_bytes
from oddframe.plain import Json, JsonValue
from oddframe.records import Record, as_json, parse_as
from oddframe.runs import Run, locked
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration_file import LineRecord, load_calibration, save_calibration
from oddframe.scoring.judged import Judged, refuse_other_flow
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.scores import AlarmLine
from oddframe.settings import Settings, refuse_missing_components
from oddframe.settings_layers import with_overrides

HISTORY = "calibrations.jsonl"

_MOST_HISTORY = 16 * 2**20

OF_THE_EVIDENCE = ("window", "stride", "local_share", "place_normal")
"""Settings of `score` that were used when the frames were judged. To change them, video has to be judged again."""


Changes = Mapping[str, tuple[JsonValue, JsonValue]]
"""Setting → (before, after)."""


class Change(Record):
    """One line of calibrations.jsonl.

    Attributes:
        when: UTC, ISO 8601. settings: setting → (before, after). before, after: alarm lines; `before` is None where
            the calibration before could not be read.
    """

    when: str
    settings: dict[str, tuple[Any, Any]]
    before: LineRecord | None
    after: LineRecord


@dataclass(frozen=True)
class Recalibrated:
    """What became of a run.

    Attributes:
        run: with its new settings. changed: setting → (before, after), as "score.smoothing": (3, 5).
        before, after: the alarm lines. notes: what a reader must know of the calibration.
    """

    run: Run
    changed: Changes
    before: AlarmLine | None
    after: AlarmLine
    notes: tuple[str, ...]

    def to_dict(self) -> Json:
        """As plain JSON values."""
        return {
            "run": str(self.run.folder),
            "changed": {name: list(both) for name, both in self.changed.items()},
            "before": None if self.before is None else asdict(self.before),
            "after": asdict(self.after),
            "notes": list(self.notes),
        }


def recalibrate(run: Trained | Path | str, *, overrides: Iterable[str] = ()) -> Recalibrated:
    """Calibrate a finished run again; see `fit.calibrate`.

    Raises:
        RunError, SettingsError, StorageError, MissingExtraError: as there.
    """
    opened = run if isinstance(run, Run) else _open(run.folder if isinstance(run, Artefact) else run)
    given = tuple(overrides)
    settings = with_overrides(opened.settings, given)
    changed = setting_changes(opened.settings, settings)
    refuse_others(opened.folder, settings, changed)
    with locked(opened.folder):
        judged = load_judged(opened.folder, opened.info.evidence)
        refuse_other_flow(judged.flow, judged.components, settings.model.size[0], opened.folder)
        asked = [name for name in ("online", "per_place") if any(one.split("=")[0] == f"score.{name}" for one in given)]
        _refuse_missing(judged, settings, asked)
        before, notes_before = _line_before(opened.folder)
        made = fit_calibration(judged, settings.score)
        save_calibration(made, opened.folder)
        notes = [note for note in opened.info.notes if note not in notes_before]
        opened.write_info(
            settings=settings,
            trained_score=opened.info.trained_score or opened.settings.score,
            notes=tuple(dict.fromkeys((*notes, *made.notes))),
        )
        _remember(opened.folder, changed, before, made.line)
    return Recalibrated(opened, changed, before, made.line, made.notes)


def history(folder: Path) -> list[Change]:
    """How often a run was calibrated after its training, and what was changed.

    Raises:
        RunError: calibrations.jsonl cannot be read or is damaged.
    """
    path = folder / HISTORY
    if not path.is_file():
        return []
    lines = read_bytes(path, _MOST_HISTORY, f"the run's {HISTORY}").splitlines()
    return [parse_as(line, Change, f"the run's {HISTORY}", path=path) for line in lines]


def _open(folder: Path | str) -> Run:
    if (Path(folder) / FILE).is_file():
        raise RunError(
            "an artefact is not calibrated again",
            path=folder,
            wanted="the run that it was exported from",
            hint="oddframe calibrate RUN --set ..., then oddframe export RUN --out FOLDER",
        )
    return Run.open(folder)


def setting_changes(before: Settings, after: Settings) -> Changes:
    """Setting → (before, after), of all that differ, as plain JSON values."""
    there = before.flat()
    return {name: (there.get(name), one) for name, one in after.flat().items() if there.get(name) != one}


def refuse_others(folder: Path, settings: Settings, changed: Iterable[str]) -> None:
    """Refuse what a calibration cannot change.

    Raises:
        SettingsError: a setting of the training, or one that the evidence has been taken with.
    """
    free = [name for name in type(settings.score).model_fields if name not in OF_THE_EVIDENCE]
    for name in changed:
        room, _, key = name.partition(".")
        if room == "score" and key in free:
            continue
        why = "frames were judged with it, and their pictures are not kept" if room == "score" else "it was trained so"
        raise SettingsError(
            f"{name} of a finished run cannot be changed: {why}",
            path=folder,
            seen=name,
            wanted=", ".join(f"score.{key}" for key in free),
            hint=f"oddframe train with --set {name}=... and another --out",
        )


def _refuse_missing(judged: Judged, settings: Settings, asked: Iterable[str]) -> None:
    score = settings.score
    for name in asked:
        given = judged.components if name == "online" else judged.local_components
        refuse_missing_components(name, getattr(score, name), given, settings.detector)
    for name in OF_THE_EVIDENCE:
        if getattr(judged, name) != getattr(score, name):
            raise RunError(
                "the run's evidence was taken with other settings than its run.json says",
                path=None,
                seen=f"score.{name}: {getattr(judged, name)} and {getattr(score, name)}",
                hint="copy the run again, or train again with another --out",
            )


def _line_before(folder: Path) -> tuple[AlarmLine | None, tuple[str, ...]]:
    """The line and the notes so far. A calibration that is damaged or missing is made anew, not mourned."""
    try:
        before = load_calibration(folder)
    except OddframeError:
        return None, ()
    return before.line, before.notes


def _remember(folder: Path, changed: Changes, before: AlarmLine | None, after: AlarmLine) -> None:
    change = Change(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=dict(changed),
        before=None if before is None else LineRecord(**asdict(before)),
        after=LineRecord(**asdict(after)),
    )
    path = folder / HISTORY
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(as_json(change) + "\n")
    except OSError as error:
        raise StorageError.of(error, "the history of calibrations cannot be written", path) from None
