"""Write docs/reference/settings.md, cameras.md and command-line.md from the code.

    python docs/make_reference.py

A test compares the pages with what this makes, so they cannot grow old.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from oddframe.cameras.settings import CameraSettings, HealthSettings
from oddframe.cli.main import app
from oddframe.detectors import detectors
from oddframe.models.catalogue import settings_schema
from oddframe.presets import PRESETS
from oddframe.settings import DataSettings, ScoreSettings, TrainSettings
from oddframe.settings_layers import load_settings

FOLDER = Path(__file__).parent / "reference"

_ROOMS = {
    "data": (DataSettings, "How videos become training and test clips."),
    "train": (TrainSettings, "The training loop. Defaults are the paper's (Sec. IV-B)."),
    "score": (ScoreSettings, "From evidence to alarms."),
}


def main() -> None:
    """Write all pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


def pages() -> dict[str, str]:
    """File name → text."""
    return {"settings.md": _settings(), "cameras.md": _cameras(), "command-line.md": _command_line()}


# Settings -------------------------------------------------------------------------------------------------------


def _settings() -> str:
    lines = [
        "# Settings",
        "",
        "<!-- made by docs/make_reference.py: change the descriptions in the code -->",
        "",
        "A run has four rooms of settings. They come from a preset, then a YAML file (`--settings FILE`), then",
        "`--set train.epochs=3`; later ones win, and `run.json` keeps all of them. An unknown key is refused, with the",
        "nearest right ones.",
        "",
        "```yaml",
        "# a file for --settings",
        "detector: dream-unet",
        "model: {width: 32}",
        "train: {epochs: 12, pseudo_anomalies: [skip]}",
        "score: {false_alarms_per_hour: 0.5}",
        "```",
    ]
    for room, (kind, words) in _ROOMS.items():
        lines += ["", f"## {room}", "", words, "", *_table(room, settings_schema(kind))]
    for entry in detectors().values():
        if entry.class_path.startswith("oddframe."):
            lines += ["", f"## model, for {entry.name}", "", f"{entry.summary[:1].upper()}{entry.summary[1:]}.", ""]
            lines += _table("model", settings_schema(entry.settings))
    lines += ["", "## Presets", "", "What each preset changes of these defaults; the rest stays.", ""]
    changed = {preset: dict(_changes(PRESETS[preset])) for preset in PRESETS}
    keys = sorted({key for changes in changed.values() for key in changes}, key=_place)
    lines += ["| setting | default | " + " | ".join(PRESETS) + " |", "| --- " * (len(PRESETS) + 2) + "|"]
    defaults = dict(_changes(load_settings("paper").to_dict())) | {"data.resize": "area"}
    for key in keys:
        cells = [_value(changed[preset][key]) if key in changed[preset] else "" for preset in PRESETS]
        lines.append(f"| `{key}` | {_value(defaults[key])} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _place(key: str) -> tuple[int, str]:
    return ["data", "model", "train", "score"].index(key.partition(".")[0]), key


def _changes(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _changes(value, f"{path}{key}.")
        else:
            yield path + key, value


def _table(room: str, schema: Mapping[str, Any]) -> list[str]:
    rows = ["| setting | values | default | |", "| --- | --- | --- | --- |"]
    for name, one in schema.items():
        words = one.get("description", "").replace("|", "\\|")
        path = f"{room}.{name}" if room else name
        rows.append(f"| `{path}` | {_values(one)} | {_value(one.get('default'))} | {words} |")
    return rows


def _values(one: Mapping[str, Any]) -> str:
    """What a setting may be, from its JSON schema."""
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "anyOf" in one:
        return " or ".join("none" if part.get("type") == "null" else _values(part) for part in one["anyOf"])
    if one.get("type") == "array":
        if "prefixItems" in one:
            return ", ".join(_values(part) for part in one["prefixItems"])
        return f"any of {_values(one['items'])}" if "enum" in one["items"] else "names"
    words = {"integer": "whole number", "number": "number", "boolean": "true, false", "string": "word"}[one["type"]]
    bounds = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}", "exclusiveMaximum": "below {}"}
    told = [text.format(f"{one[key]:g}") for key, text in bounds.items() if key in one]
    return " ".join([words, *told])


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cameras() -> str:
    schema = settings_schema(CameraSettings)
    own = {name: one for name, one in schema.items() if name != "health"}
    return "\n".join(
        [
            "# Settings of a camera",
            "",
            "<!-- made by docs/make_reference.py: change the descriptions in the code -->",
            "",
            "How a camera is read, and where its health changes ([what that means](../how-to/cameras.md)). They are no",
            "part of a run.",
            "",
            *_table("", own),
            "",
            "## health",
            "",
            *_table("health", settings_schema(HealthSettings)),
            "",
        ]
    )


# Command line ---------------------------------------------------------------------------------------------------


def _command_line() -> str:
    command = typer.main.get_command(app)
    lines = [
        "# Command line",
        "",
        "<!-- made by docs/make_reference.py: change the help texts in the code -->",
        "",
        "Results go to standard output, progress and warnings to standard error. With `--json`, standard output is one",
        "JSON object and nothing else.",
        "",
        "| exit code | |",
        "| --- | --- |",
        "| 0 | fine |",
        "| 1 | something that you can mend: one message says what is wrong, what was seen, and what to do |",
        "| 2 | wrong usage |",
        "| 130 | interrupted; `train`, `demo` and `reproduce` go on when the same command is given again |",
    ]
    for path, one in _verbs(command, ()):
        words, _, examples = one.help.partition("\b\n")
        lines += ["", f"## oddframe {' '.join(path)}", "", *words.strip().splitlines()]
        shown = [line.strip() for line in examples.splitlines() if line.strip().startswith("oddframe")]
        lines += ["", "```sh", *shown, "```", "", "| | default | |", "| --- | --- | --- |"]
        lines += [_option(option) for option in one.params if option.name != "help"]
    return "\n".join(lines) + "\n"


def _verbs(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in command.commands.items():
        if hasattr(one, "commands"):
            yield from _verbs(one, (*path, name))
        else:
            yield (*path, name), one


def _option(option: Any) -> str:
    argument = option.param_type_name == "argument"
    name = f"`{(option.metavar or option.name.upper()) if argument else option.opts[0]}`"
    if isinstance(option.show_default, str):
        default = option.show_default
    elif option.required:
        default = "needed"
    else:
        default = "" if option.default is False or option.multiple else _value(option.default)
    return re.sub(r"\|  \|", "| |", f"| {name} | {default} | {option.help or ''} |")


if __name__ == "__main__":
    main()
