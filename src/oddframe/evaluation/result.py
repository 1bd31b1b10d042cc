"""What judging a run comes to: figures, and where they come from. Plain values; needs no torch.

A `Result` goes to disk as `eval-<protocol>.json` (figures and provenance) with `eval-<protocol>-scores.npz`
(every score beside its label; `stored.py`) next to it, so that a report can be made again without the detector. One of
another making has a name of its own.
AUC, AP and EER are shares, 0..1. What is undefined is None.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PrivateAttr

from oddframe.data.source import DataInfo
from oddframe.errors import MissingPathError
from oddframe.evaluation.event_figures import Events
from oddframe.evaluation.figures import (
    Auc,
    Classes,
    FrameCounts,
    Named,
    Places,
    Row,
    SceneRow,
    Threshold,
    TrainedOn,
    Undefined,
)
from oddframe.evaluation.making import FusionInfo, Judging
from oddframe.evaluation.stored import JudgedVideo, read_scores, write_scores
from oddframe.origin import HostInfo, Versions
from oddframe.records import FileRecord, read_record, unescaped, write_record
from oddframe.scoring.alarms import AlarmRule
from oddframe.settings import ScoreSettings

_MOST_BYTES = 64_000_000
"""A result of a thousand videos has about half a megabyte."""

_HINT = "judge the run again: oddframe eval RUN"


class Result(FileRecord):
    """Figures of one run on its test videos.

    Figures are attributes, and entries of the same names: `result.auc.online.micro` is
    `result.auc["online"]["micro"]`.

    Attributes:
        auc: fusion ("online", "paper", "learned") or component → `Auc`.
        undefined_videos: videos left out of figures, see `Undefined`.
        threshold: name → `Threshold`, for names that have held-out normal video.
        classes: by kind of anomaly, see `Classes`; not true where no kind is named.
        scenes: scene → `SceneRow`; empty where there is only one scene.
        table: one row a video. events: alarms beside labelled stretches.
        places: whether the odd places are found; None where nobody asked, or no frame has a mask.
        frames: how many were judged. trained_on: names of videos.
        detector, protocol, fold, folds, data, run, command, versions, host, parameters, seconds_training,
            peak_memory_mb: where the run comes from; `run` is its folder.
        settings: of the run, as they stand in its file.
        judging: who judged, how and on what; None of version 0.1, and where scores were judged by hand.
        fusions: fusion → what it was made of; empty where `judging` is None.
        notes: what the reader must know.
    """

    auc: Named[Auc]
    undefined_videos: Undefined = Undefined()
    threshold: Named[Threshold] = Named[Threshold]({})
    classes: Classes = Classes()
    table: tuple[Row, ...]
    events: Events
    frames: FrameCounts
    places: Places | None = None
    detector: str = ""
    protocol: str = "standard"
    fold: int | None = None
    folds: int | None = None
    data: DataInfo = DataInfo()
    run: str = ""
    trained_on: TrainedOn = TrainedOn()
    scenes: Named[SceneRow] = Named[SceneRow]({})
    settings: dict[str, str | dict[str, Any]] = Field(default_factory=dict)
    command: str = ""
    versions: Versions = Field(default_factory=dict)
    host: HostInfo | None = None
    parameters: int | None = None
    seconds_training: float | None = None
    peak_memory_mb: float | None = None
    judging: Judging | None = None
    fusions: Named[FusionInfo] = Named[FusionInfo]({})
    notes: tuple[str, ...] = ()
    _scored: tuple[JudgedVideo, ...] = PrivateAttr(())

    @property
    def scored(self) -> tuple[JudgedVideo, ...]:
        """The scores beside their labels; in the `.npz`, not in the JSON. Empty where only the JSON is there."""
        return self._scored

    def with_scores(self, scored: Sequence[JudgedVideo]) -> Self:
        """The same figures with the scores that they were made of."""
        made = self.model_copy()
        made._scored = tuple(scored)
        return made

    def changed(self, **changes: Any) -> Self:
        """The result with other values and the same scores, checked as if it were made anew."""
        return super().changed(**changes).with_scores(self.scored)

    def setting(self, name: str) -> Any:
        """A setting of the run by room and key ("score.online"); None where its version had none.

        The settings may be those of an earlier version: they are read, not judged.
        """
        room, _, key = name.partition(".")
        values = self.settings.get(room)
        return values.get(key) if isinstance(values, dict) else None

    @property
    def rule(self) -> AlarmRule:
        """What makes an alarm of scores, by the run's settings; by today's defaults where its version had none."""
        known = {name: self.setting(f"score.{name}") for name in ("shortest_event_s", "merge_gap_s", "cool_down_s")}
        numbers = {name: value for name, value in known.items() if isinstance(value, int | float)}
        return AlarmRule.of(ScoreSettings().model_copy(update=numbers))

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Result) else NotImplemented

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, scored: Sequence[JudgedVideo] = ()) -> Self:
        """Read what `to_dict` gave.

        Raises:
            ValidationError: it is something else.
        """
        return cls.model_validate(unescaped(values)).with_scores(scored)

    @property
    def file_name(self) -> str:
        """What it is called in a run's folder, see `file_name_of`."""
        return file_name_of(self.protocol, self.data.ground_truth, self.apart)

    @property
    def apart(self) -> tuple[str, ...]:
        """In what it departs from the main result of its run, see `Judging`; nothing for a main result."""
        return () if self.judging is None else self.judging.apart

    def save(self, folder: Path | str) -> Path:
        """Write it and its scores into a folder, under `file_name`; return the JSON's path.

        Raises:
            StorageError: the folder cannot be written.
        """
        path = Path(folder) / self.file_name
        if self.scored:
            write_scores(_scores_path(path), self.scored)
        return write_record(path, self)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a result back: its JSON, or the main one in a run folder. Needs no torch.

        Of several main ones (one a ground truth) it is the newest; where there is none, the newest of all.

        Raises:
            MissingPathError: there is none. RunError: it is damaged or of a newer version.
        """
        path = Path(path)
        if path.is_dir():
            found = sorted(path.glob("eval-*.json"), key=lambda file: file.stat().st_mtime)
            if not found:
                raise MissingPathError("a run that has not been judged", path=path, hint=f"oddframe eval {path}")
            path = ([file for file in found if "." not in file.stem] or found)[-1]
        if not path.is_file():
            raise MissingPathError(
                "there is no result", path=path, wanted="eval-<protocol>.json", hint="oddframe eval RUN"
            )
        result = read_record(path, cls, "the result", limit_bytes=_MOST_BYTES, hint=_HINT)
        if any((path.parent / name).is_file() for name in ("run.json", "artefact.json")):
            result = result.changed(run=str(path.parent))  # it may have been moved since it was judged
        scores = _scores_path(path)
        return result.with_scores(read_scores(scores)) if scores.is_file() else result

    def __repr__(self) -> str:
        online = percent(self.auc["online"].micro) if "online" in self.auc else "-"
        found = f"{self.events.found} of {self.events.labelled} anomalies found"
        return f"<Result of {self.run or self.detector or 'scores'}: {self.protocol}, {found}, online AUC {online} %>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{percent(figures.micro)}</td><td>{percent(figures.macro)}</td>"
            f"<td>{percent(figures.ap)}</td><td>{percent(figures.eer)}</td></tr>"
            for name, figures in self.auc.items()
        )
        fold = "" if self.fold is None else f", fold {self.fold}"
        head = f"<b>{html.escape(self.detector)}</b> on {html.escape(self.data.name)}"
        return (
            f"<div>{head} ({html.escape(self.protocol)}{fold}): {self.frames.judged} frames of "
            f"{self.frames.videos} videos, {self.frames.abnormal} abnormal<br>"
            f"Alarms: {self.events.found} of {self.events.labelled} anomalies found, {self.events.false} false"
            "<table><tr><th></th><th>AUC micro %</th><th>AUC macro %</th><th>AP %</th><th>EER %</th></tr>"
            f"{rows}</table></div>"
        )


def file_name_of(protocol: str, ground_truth: str | None, apart: Sequence[str] = ()) -> str:
    """What a result is called in a run's folder. One that departs from the main result says in what.

    >>> file_name_of("standard", None), file_name_of("kfold", "masks", ["openvino", "seed7"])
    ('eval-standard.json', 'eval-kfold-masks.openvino.seed7.json')
    """
    words = "-".join(word for word in ("eval", protocol, ground_truth) if word)
    return ".".join([words, *apart, "json"])


def percent(value: float | None) -> str:
    """A share as per cent with one digit; a dash where it is undefined.

    >>> percent(0.9345), percent(None)
    ('93.4', '-')
    """
    return "-" if value is None else f"{100 * value:.1f}"


def _scores_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}-scores.npz")
