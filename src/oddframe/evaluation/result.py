"""What judging a run comes to: figures, and where they come from. Plain values; needs no torch.

A `Result` goes to disk as `eval-<protocol>.json` (figures and provenance) with `eval-<protocol>-scores.npz`
(every score beside its label; `stored.py`) next to it, so that a report can be made again without the detector.
AUC, AP and EER are shares, 0..1. What is undefined is None.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypedDict

from oddframe.errors import MissingPathError, RunError
from oddframe.evaluation.stored import JudgedVideo, read_scores, write_scores
from oddframe.files import write_text

FORMAT = 1
_MOST_BYTES = 64_000_000
"""A result of a thousand videos has about half a megabyte."""


class Auc(TypedDict):
    """Figures of one fusion or component over all judged frames."""

    micro: float | None
    """All frames of all videos together."""
    macro: float | None
    """Mean over the videos that have frames of both classes."""
    interval: list[float] | None
    """95 % of draws of other videos have their micro AUC in here."""
    ap: float | None
    eer: float | None


class Threshold(TypedDict):
    """What the 99 % quantile of held-out normal video lets through on the test. 1 % is the promise."""

    quantile: float
    heldout_frames: int
    normal_above: float | None
    recall: float | None


class Row(TypedDict):
    """One test video. `online` and `paper` are its own AUCs; `highest` is the largest online score."""

    name: str
    scene: str
    frames: int
    abnormal: int
    online: float | None
    paper: float | None
    highest: float
    events_found: int
    events_missed: int
    false_events: int


class SceneRow(TypedDict):
    """All test videos of one scene. `online` is the micro AUC over their frames."""

    videos: int
    frames: int
    abnormal: int
    online: float | None


class Events(TypedDict):
    """Alarms beside labelled stretches (`events.py` says how they are matched)."""

    labelled: int
    found: int
    missed: int
    recall: float | None
    """Found of labelled, 0..1; None without a labelled stretch."""
    delay_frames: float | None
    """Median, over the stretches found, of the frames from a stretch's first one to the first that an alarm covers;
    0 where the alarm was on already, None where none was found."""
    delay_s: float | None
    """The same in seconds; None where the times of a found stretch are unknown."""
    alarms: int
    false: int
    precision: float | None
    """Alarms that found something, of all; None without an alarm."""
    normal_frames: int
    normal_hours: float | None
    false_per_hour: float | None
    """False alarms per hour of normal test video; None where times are unknown or there is none."""


class PlaceFigures(TypedDict):
    """Figures of one kind of map, 0..1, higher is better."""

    rbdc: float | None
    tbdc: float | None
    """Region-based and track-based detection criterion, see `regions.py`."""
    pixel_auc: float | None
    covered_auc: float | None
    """AUC over pixels, and over frames of which 40 % of the odd pixels must be found, see `pixels.py`."""


class Places(TypedDict):
    """Whether the odd places are found, where masks say which they are.

    `figures`: "online" (heat) or local component → figures. `left_out`: abnormal frames without a mask.
    """

    frames: int
    left_out: int
    regions: int
    tracks: int
    figures: dict[str, PlaceFigures]


@dataclass(frozen=True, repr=False)
class Result:
    """Figures of one run on its test videos.

    Attributes:
        auc: fusion ("online", "paper", "learned") or component → `Auc`.
        undefined_videos: "macro" → videos of one class, left out of every macro AUC; "paper" → videos on which
            Eq. 12 is undefined, left out of every figure of `paper`.
        threshold: name → `Threshold`, for names that have held-out normal video.
        classes: {} where no kind of anomaly is named, else "known" and "unknown" → {"online", "paper", "distance"
            (AUCs against all normal frames), "recall" (share of its frames above the 99 % quantile of `online`; None
            where no line is known), "frames", "kinds"}, and "each" → kind → {"auc", "recall", "frames", "known"}.
        scenes: scene → `SceneRow`; {} where there is only one scene.
        table: one row a video. events: alarms beside labelled stretches.
        places: whether the odd places are found; None where nobody asked, or no frame has a mask.
        frames: {"videos", "judged", "abnormal"}.
        trained_on: {"normal": [...], "known": [...]}: video names.
        detector, protocol, fold, folds, data, run, settings, command, versions, host, parameters,
            seconds_training, peak_memory_mb: where the figures come from; `run` is the folder.
        notes: what the reader must know.
        scored: the scores beside their labels; in the `.npz`, not in `to_dict`. Empty where only the JSON is there.
    """

    auc: Mapping[str, Auc]
    undefined_videos: Mapping[str, list[str]]
    threshold: Mapping[str, Threshold]
    classes: Mapping[str, Any]
    table: list[Row]
    events: Events
    frames: Mapping[str, int]
    places: Places | None = None
    detector: str = ""
    protocol: str = "standard"
    fold: int | None = None
    folds: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""
    trained_on: Mapping[str, list[str]] = field(default_factory=dict)
    scenes: Mapping[str, SceneRow] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    versions: Mapping[str, Any] = field(default_factory=dict)
    host: Any = None
    parameters: Any = None
    seconds_training: float | None = None
    peak_memory_mb: float | None = None
    notes: list[str] = field(default_factory=list)
    scored: tuple[JudgedVideo, ...] = field(default=(), compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; `from_dict` reads them."""
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "scored"}
        plain: dict[str, Any] = json.loads(json.dumps({"format": FORMAT} | own))
        return plain

    @classmethod
    def from_dict(
        cls, values: Mapping[str, Any], *, scored: Sequence[JudgedVideo] = (), path: Path | None = None
    ) -> Result:
        """Read what `to_dict` gave.

        Raises:
            RunError: not a result, or one of a newer version.
        """
        version = values.get("format")
        if not isinstance(version, int) or version > FORMAT:
            raise RunError(
                "not a result that this version can read",
                path=path,
                seen=f"format {version}",
                wanted=f"format {FORMAT} or older",
                hint="judge the run again: oddframe eval RUN",
            )
        known = {item.name for item in fields(cls)} - {"scored"}
        lacking = [item for item in ("auc", "table", "events", "frames") if item not in values]
        if lacking:
            raise RunError("a result lacks figures", path=path, seen=f"no {', '.join(lacking)}", hint="judge again")
        return cls(**{name: value for name, value in values.items() if name in known}, scored=tuple(scored))

    def save(self, folder: Path | str) -> Path:
        """Write `eval-<protocol>.json` and its scores into a folder; return the JSON's path.

        With data that have several ground truths it is `eval-<protocol>-<ground truth>.json`: each keeps its own.

        Raises:
            StorageError: the folder cannot be written.
        """
        words = ("eval", self.protocol, self.data.get("ground_truth"))
        path = Path(folder) / f"{'-'.join(word for word in words if word)}.json"
        if self.scored:
            write_scores(_scores_path(path), self.scored)
        return write_text(path, json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path | str) -> Result:
        """Read a result back: its JSON, or the newest one in a run folder. Needs no torch.

        Raises:
            MissingPathError: there is none. RunError: it is damaged or of a newer version.
        """
        path = Path(path)
        if path.is_dir():
            found = sorted(path.glob("eval-*.json"), key=lambda file: file.stat().st_mtime)
            if not found:
                raise MissingPathError("a run that has not been judged", path=path, hint=f"oddframe eval {path}")
            path = found[-1]
        if not path.is_file():
            raise MissingPathError(
                "there is no result", path=path, wanted="eval-<protocol>.json", hint="oddframe eval RUN"
            )
        if path.stat().st_size > _MOST_BYTES:
            raise RunError("too large for a result", path=path, seen=f"{path.stat().st_size} bytes", wanted=_MOST_BYTES)
        try:
            values = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise RunError("a result is damaged", path=path, seen=str(error), hint="oddframe eval RUN") from None
        if not isinstance(values, dict):
            raise RunError("not a result", path=path, seen=type(values).__name__, wanted="an object")
        if (path.parent / "run.json").is_file():
            values["run"] = str(path.parent)  # the run may have been moved since it was judged
        scores = _scores_path(path)
        return cls.from_dict(values, scored=read_scores(scores) if scores.is_file() else (), path=path)

    def __repr__(self) -> str:
        online = percent(self.auc["online"]["micro"]) if "online" in self.auc else "-"
        return f"<Result of {self.run or self.detector or 'scores'}: {self.protocol}, online AUC {online} %>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{percent(figures['micro'])}</td><td>{percent(figures['macro'])}</td>"
            f"<td>{percent(figures['ap'])}</td><td>{percent(figures['eer'])}</td></tr>"
            for name, figures in self.auc.items()
        )
        fold = "" if self.fold is None else f", fold {self.fold}"
        head = f"<b>{html.escape(self.detector)}</b> on {html.escape(str(self.data.get('name', '')))}"
        return (
            f"<div>{head} ({html.escape(self.protocol)}{fold}): {self.frames['judged']} frames of "
            f"{self.frames['videos']} videos, {self.frames['abnormal']} abnormal; alarms found "
            f"{self.events['found']} of {self.events['labelled']} labelled stretches, {self.events['false']} false"
            "<table><tr><th></th><th>AUC micro %</th><th>AUC macro %</th><th>AP %</th><th>EER %</th></tr>"
            f"{rows}</table></div>"
        )


def percent(value: float | None) -> str:
    """A share as per cent with one digit; a dash where it is undefined.

    >>> percent(0.9345), percent(None)
    ('93.4', '-')
    """
    return "-" if value is None else f"{100 * value:.1f}"


def _scores_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}-scores.npz")
