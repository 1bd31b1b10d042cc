"""The options of all verbs. An option has one name, one meaning and one help text wherever it stands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from oddframe.site import DATABASE_VARIABLE

if TYPE_CHECKING:
    from oddframe.settings import Settings

_DATA, _SETTINGS, _VIDEO = "Data", "Settings", "Video"

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar=DATABASE_VARIABLE,
        metavar="URL",
        help="The site's database, where it is not in its folder: postgresql://USER:PASSWORD@HOST/NAME. Several "
        "machines may share it, and the folder. It counts before 'database' of the site's file.",
        show_default=False,
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        help="Where the data are, if no longer where they were at training, or what else to judge a run of plain video "
        "files on; may be repeated.",
        rich_help_panel=_DATA,
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        help="ucsd-ped1, ucsd-ped2, avenue, shanghaitech, folder or files; found out if not given.",
        rich_help_panel=_DATA,
    ),
]
Labels = Annotated[
    list[Path] | None,
    typer.Option(
        "--labels", help="A label file beside those below the data folder; may be repeated.", rich_help_panel=_DATA
    ),
]
Masks = Annotated[
    Path | None,
    typer.Option("--masks", help="Where pixel masks lie, if not below the data folder.", rich_help_panel=_DATA),
]
GroundTruth = Annotated[
    str | None,
    typer.Option(
        "--ground-truth", help="Which of Avenue's two: masks (the pixel masks) or frames (the community's list).",
        show_default="masks", rich_help_panel=_DATA,
    ),
]  # fmt: skip
Partial = Annotated[
    bool,
    typer.Option("--partial", help="Go on with the part of a public set that is there.", rich_help_panel=_DATA),
]
AllowCutOff = Annotated[
    bool,
    typer.Option(
        "--allow-cut-off",
        help="Train on what is readable of videos that end in the middle and of folders with broken pictures.",
        rich_help_panel=_DATA,
    ),
]
Fps = Annotated[
    float | None,
    typer.Option("--fps", help="Frames a second of folders of frames, which state none.", rich_help_panel=_VIDEO),
]
Start = Annotated[
    str | None,
    typer.Option("--start", help='First frame ("120") or time ("00:04.8", "80s").', rich_help_panel=_VIDEO),
]
End = Annotated[
    str | None,
    typer.Option("--end", help="Frame or time at which to stop; not read itself.", rich_help_panel=_VIDEO),
]
Scene = Annotated[
    str, typer.Option("--scene", help="Which of the trained scenes the video shows.", rich_help_panel=_VIDEO)
]
Fitting = Annotated[
    Path | None,
    typer.Option(
        "--fitting",
        help="The folder of the detector's fitting to this camera, as oddframe calibrate makes it.",
        rich_help_panel=_VIDEO,
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        "--preset", help="Where settings start from: paper, authors, cpu, live or tiny.", rich_help_panel=_SETTINGS
    ),
]
Detector = Annotated[
    str | None,
    typer.Option(
        "--detector", help="Which detector; `oddframe models` lists them.", show_default="dream-unet",
        rich_help_panel=_SETTINGS,
    ),
]  # fmt: skip
Protocol = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        help="standard; kfold: one of K blocks of the test videos becomes known anomalies; rate: known anomalies make "
        "up a share of the training; unseen: some classes of anomaly are known, others only in the test.",
        show_default="standard", rich_help_panel=_SETTINGS,
    ),
]  # fmt: skip
Fold = Annotated[
    int | None, typer.Option("--fold", help="With --protocol kfold: which fold, from 0.", rich_help_panel=_SETTINGS)
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        help="With --protocol rate: share of abnormal clips among the training clips.",
        rich_help_panel=_SETTINGS,
    ),
]
KnownClasses = Annotated[
    list[str] | None,
    typer.Option(
        "--known-class",
        help="With --protocol unseen: a class of anomaly that is known; may be repeated.",
        rich_help_panel=_SETTINGS,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one setting, e.g. train.epochs=3; may be repeated.",
        rich_help_panel=_SETTINGS,
    ),
]  # fmt: skip
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="YAML with any part of the settings.", rich_help_panel=_SETTINGS),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", help="Seed of everything that is drawn.", show_default="2020", rich_help_panel=_SETTINGS),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget", metavar="TIME",
        help="Train as many of the epochs as fit into this time, e.g. 20m or 1h30m, with a schedule made for them.",
        rich_help_panel=_SETTINGS,
    ),
]  # fmt: skip
Jobs = Annotated[
    int,
    typer.Option("--jobs", min=1, help="How many are worked on at the same time, each with its share of the cores."),
]
JobsAnywhere = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        help="How many are worked on at the same time, each with its share of the cores.",
        show_default="1 here, one for each core of a cluster",
    ),
]
Engine = Annotated[
    str,
    typer.Option("--engine", help="Whose processes work: local, this machine's; or ray, those of a Ray cluster."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="The head of the Ray cluster.",
        show_default="a Ray of this machine alone",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.")]
Backend = Annotated[
    str,
    typer.Option("--backend", help="What computes the scores: auto, torch, torch-bf16, onnxruntime or openvino."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True)
class Opening:
    """What a command says of how videos are opened; `spread` makes options of it."""

    kind: Kind = None
    labels: Labels = None
    masks: Masks = None
    ground_truth: GroundTruth = None
    partial: Partial = False
    fps: Fps = None
    start: Start = None
    end: End = None

    def said(self) -> dict[str, Any]:
        """As attributes of `DataSource`."""
        return asdict(self) | {"labels": tuple(self.labels or ())}


@dataclass(frozen=True)
class Making:
    """What a command says of the settings of a training; `spread` makes options of it."""

    preset: Preset = "cpu"
    detector: Detector = None
    overrides: Overrides = None
    settings_file: SettingsFile = None
    protocol: Protocol = None
    fold: Fold = None
    rate: Rate = None
    known_classes: KnownClasses = None
    seed: Seed = None
    time_budget: TimeBudget = None
    allow_cut_off: AllowCutOff = False
    device: Device = "auto"

    def settings(self) -> Settings:
        """The settings themselves.

        Raises:
            SettingsError: as `load_settings`.
        """
        from oddframe.settings_layers import load_settings

        data = {
            "protocol": self.protocol,
            "fold": self.fold,
            "rate": self.rate,
            "known_classes": self.known_classes or None,
            "allow_cut_off": self.allow_cut_off or None,
        }
        train = {"seed": self.seed, "device": None if self.device == "auto" else self.device}
        return load_settings(
            self.preset,
            detector=self.detector,
            file=self.settings_file,
            overrides=self.overrides or (),
            data={key: value for key, value in data.items() if value is not None},
            train={key: value for key, value in train.items() if value is not None},
        )


def spread(verb: Callable[..., None]) -> Callable[..., None]:
    """Turn the parameters of a verb that are records into one option for each field of theirs.

    Typer reads options from a function's parameters. So that a dozen of them are declared once and go through the code
    as one, a verb takes `opening: Opening`, and typer sees the fields of `Opening`.
    """
    hints = get_type_hints(verb, include_extras=True)
    records: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(verb).parameters.items():
        if name not in records:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        own = get_type_hints(records[name], include_extras=True)
        parameters += [
            inspect.Parameter(
                item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=own[item.name]
            )
            for item in fields(records[name])
        ]

    @functools.wraps(verb)
    def taken(**given: Any) -> None:
        made = {
            name: record(**{item.name: given.pop(item.name) for item in fields(record)})
            for name, record in records.items()
        }
        verb(**given, **made)

    taken.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    taken.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taken
