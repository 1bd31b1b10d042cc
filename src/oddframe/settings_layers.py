"""Settings from layers, of which later ones win: preset → YAML file → keyword → `--set model.width=32`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from oddframe.detectors import DetectorSettings, detector_entry
from oddframe.detectors.dream import DreamCommonSettings
from oddframe.errors import SettingsError, nearest
from oddframe.plain_yaml import NotPlainError, read_plain, read_settings_file
from oddframe.presets import PRESETS
from oddframe.settings import (
    BESIDE,
    DEFAULT_DETECTOR,
    LOCAL_COMPONENTS,
    Settings,
    as_used,
    given_components,
    refuse_missing_components,
)

_MOST_PARTS = 4
_LONGEST = 120
"""Letters of what somebody wrote that an error quotes."""


def load_settings(
    preset: str = "cpu",
    *,
    detector: str | None = None,
    file: Path | None = None,
    overrides: Iterable[str] = (),
    **rooms: Mapping[str, Any],
) -> Settings:
    """Build settings from a preset, a YAML file, keywords and `key=value` overrides.

    Args:
        preset: one of `PRESETS`.
        detector: a detector's name; the default is `dream-unet`.
        file: YAML with any part of the tree.
        overrides: "train.epochs=3"; values are read as YAML.
        rooms: `data={...}`, `train={...}` and so on.

    Raises:
        SettingsError: an unknown preset or key (the nearest right ones are named), or a value out of range.

    >>> load_settings("tiny", overrides=["train.epochs=3"]).train.epochs
    3
    """
    if preset not in PRESETS:
        raise SettingsError(
            f"there is no preset '{preset}'", seen=preset, wanted=" | ".join(PRESETS), hint=nearest(preset, PRESETS)
        )
    given: dict[str, Any] = {} if file is None else read_settings_file(file)
    if detector is not None:
        given["detector"] = detector
    _merge(given, rooms)
    for override in overrides:
        _merge(given, _parse_override(override))
    tree: dict[str, Any] = {"detector": given.get("detector", DEFAULT_DETECTOR)}
    kind = detector_entry(tree["detector"]).settings
    tree |= _preset_of(preset, kind)
    if "size" in tree["model"]:  # a size that was asked for, rather than the preset's, is not cut
        tree["model"]["size"] = kind.size_within(*tree["model"]["size"])
    _merge(tree, given)
    settings = settings_from_dict(tree)
    asked = given.get("score")
    for name in asked if isinstance(asked, dict) else ():
        if name in ("online", "per_place") and (there := given_components(settings)) is not None:
            fitting = there if name == "online" else [one for one in there if one in LOCAL_COMPONENTS]
            refuse_missing_components(name, getattr(settings.score, name), fitting, settings.detector)
    return as_used(settings)


def with_overrides(settings: Settings, overrides: Iterable[str]) -> Settings:
    """Settings with some of them changed by `key=value`, as in `load_settings`.

    Raises:
        SettingsError: as `load_settings`.
    """
    tree = settings.to_dict()
    for override in overrides:
        _merge(tree, _parse_override(override))
    return settings_from_dict(tree)


def _preset_of(preset: str, kind: type[DetectorSettings]) -> dict[str, dict[str, Any]]:
    """What a detector takes from a preset, room by room.

    Presets are made for DREAM: a loss's weight of the same name weighs something else in another detector, and its
    PSNR, that of a prediction, is worth more in Eq. 12. What stands beside DREAM's network is not added to others, so
    that what is compared is what they see themselves.
    """
    rooms = {room: dict(values) for room, values in PRESETS[preset].items()}
    network = set(kind.model_fields) - {*kind.kept}
    if not issubclass(kind, DreamCommonSettings):
        network &= {"size", "channels", "width"}
        score = rooms.get("score", {})
        score.pop("gamma", None)
        if "online" in score:
            score["online"] = [one for one in score["online"] if one not in BESIDE]
    rooms["score"] = {**rooms.get("score", {}), **kind.scored_by}
    rooms["model"] = {key: value for key, value in rooms.get("model", {}).items() if key in network}
    return rooms


def settings_from_dict(tree: Mapping[str, Any]) -> Settings:
    """Validate a whole tree, as it stands in a file.

    Raises:
        SettingsError: as `load_settings`.
    """
    try:
        return Settings.model_validate(dict(tree))
    except ValidationError as error:
        raise _as_settings_error(error, tree) from None


REMOVED_SETTINGS = {("model", "reseed"): False}
"""Settings that earlier versions had → the value with which each did nothing."""


def without_removed(tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Stored settings without those that this version has no more, and a note for each of them that was in use.

    What a detector of another package calls alike stays.
    """
    found, notes = dict(tree), []
    for (room, key), idle in REMOVED_SETTINGS.items():
        inner = found.get(room)
        if not isinstance(inner, Mapping) or key not in inner or (room == "model" and key in _own_settings(found)):
            continue
        found[room] = {name: value for name, value in inner.items() if name != key}
        if inner[key] != idle:
            notes.append(f"it was trained with {room}.{key}={inner[key]}, a setting that this version has no more")
    return found, notes


def _own_settings(tree: Mapping[str, Any]) -> Iterable[str]:
    name = tree.get("detector", DEFAULT_DETECTOR)
    return detector_entry(name).settings.model_fields if isinstance(name, str) else ()


def _merge(tree: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = _copy(value)


def _copy(value: Any) -> Any:
    return {key: _copy(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _parse_override(text: str) -> dict[str, Any]:
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise SettingsError("an override is key=value", seen=_shown(text), wanted="for example train.epochs=3")
    try:
        tree: Any = read_plain(value)
    except NotPlainError as error:
        raise SettingsError(
            f"the value of the setting '{_shown(key)}' is no plain YAML",
            seen=f"{_shown(value)} ({error})",
            wanted="a word, a number, or a list of them; quotes around what is neither",
        ) from None
    path = key.strip().split(".")
    if len(path) == 1 and path[0] not in Settings.model_fields:
        owners = [room for room in ("data", "model", "train", "score") if path[0] in _keys(room)]
        raise SettingsError(
            f"the setting '{_shown(path[0])}' lacks its room",
            seen=_shown(text),
            wanted="room.key=value with one of data, model, train, score",
            hint=f"--set {owners[0]}.{text}" if owners else nearest(path[0], _all_keys()),
        )
    if len(path) > _MOST_PARTS:
        raise SettingsError("there is no setting that lies so deep", seen=_shown(key), wanted="room.key=value")
    for part in reversed(path):
        tree = {part: tree}
    return dict(tree)


def _keys(room: str) -> list[str]:
    if room == "model":
        return list(detector_entry(DEFAULT_DETECTOR).settings.model_fields)
    return list(Settings.model_fields[room].default.__class__.model_fields)


def _all_keys() -> list[str]:
    return [f"{room}.{key}" for room in ("data", "model", "train", "score") for key in _keys(room)]


def _as_settings_error(error: ValidationError, tree: Mapping[str, Any]) -> SettingsError:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        room = where[0] if len(where) > 1 else ""
        # The model's own validation reports its keys without the room's name.
        if not room and where[-1] not in tree:
            room = "model"
        if room == "model":
            known = list(detector_entry(tree.get("detector", DEFAULT_DETECTOR)).settings.model_fields)
        else:
            known = _keys(room) if room else list(Settings.model_fields)
        name = f"{room}.{where[-1]}" if room else where[-1]
        return SettingsError(
            f"there is no setting '{_shown(name)}'",
            seen=_shown(name),
            wanted=" | ".join(known),
            hint=nearest(where[-1], known),
        )
    # The model's own validation, again, lacks the room's name.
    name = ".".join(where if where and where[0] in Settings.model_fields else ["model", *where])
    return SettingsError(
        f"the setting '{_shown(name)}' does not fit",
        seen=_shown(repr(first.get("input"))),
        wanted=first["msg"].removeprefix("Value error, "),
    )


def _shown(text: str) -> str:
    """As much of what somebody wrote as an error quotes."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
