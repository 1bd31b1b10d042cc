"""The file of a site becomes a plan, or an error that names the file, the line and the column, and no secret."""

from __future__ import annotations

import os
import re
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from oddframe.errors import SettingsError, nearest
from oddframe.files import read_bytes
from oddframe.plain_yaml import NotPlainError, Plain, Steps, read_placed
from oddframe.site.planning.plan import BASE, SitePlan
from oddframe.site.planning.secrets_file import NAME, read_secrets

_MOST_BYTES = 512 * 2**10
"""A hundred cameras with polygons have a tenth of it."""
_WHAT = "the site's file"
_EXAMPLE = "for example 'cameras: {gate: {address: rtsp://10.0.0.2/live, detector: runs/gate}}'"
_REFERENCE = re.compile(r"\$?\$\{([^}]*)(\}?)")
_LONGEST = 80


def read_plan(path: Path, environment: Mapping[str, str] | None = None) -> SitePlan:
    """Read a site's file.

    Relative paths in it go from its folder. ${NAME} in a value stands for a variable of the environment, or else for
    an entry of the `secrets_file`; $${NAME} is the text itself.

    Args:
        path: the file. environment: instead of this process's.

    Raises:
        SettingsError: it cannot be read, is no plain YAML, or an entry is unknown, missing or does not fit. Its `path`
            is file:line:column.
        SecretsError: the file of secrets cannot be read, or can be read by others.
    """
    content = read_bytes(path, _MOST_BYTES, _WHAT, error=SettingsError)
    try:
        plain = read_placed(content.decode("utf-8-sig"), _MOST_BYTES)
    except UnicodeDecodeError:
        raise SettingsError(f"{_WHAT} is no text", path=path, wanted="UTF-8") from None
    except NotPlainError as error:
        where = path if error.place is None else f"{path}:{error.place[0]}:{error.place[1]}"
        raise SettingsError(f"{_WHAT} is no plain YAML", path=where, seen=error.what) from None
    if not isinstance(plain.tree, dict):
        raise SettingsError(f"{_WHAT} has no entries", path=path, wanted=_EXAMPLE)
    return _Reader(path, plain, os.environ if environment is None else environment).plan()


class _Reader:
    """Makes a plan of plain values, and errors that say where they stand."""

    def __init__(self, path: Path, plain: Plain, environment: Mapping[str, str]) -> None:
        self._path, self._plain, self._known = path, plain, dict(environment)
        self._base = path.resolve().parent

    def plan(self) -> SitePlan:
        named = self._plain.tree.get("secrets_file")
        if isinstance(named, str):
            place = self._base / Path(self._filled(named, ("secrets_file",))).expanduser()
            self._known = read_secrets(place) | self._known
        try:
            plan = SitePlan.model_validate(self._filled(self._plain.tree, ()), context={BASE: self._base})
        except ValidationError as failed:
            raise self._first(failed) from None
        self._refuse_likeness(plan)
        self._refuse_unknown_cameras(plan)
        return plan

    def _filled(self, value: Any, steps: Steps) -> Any:
        """With what ${NAME} stands for."""
        if isinstance(value, dict):
            return {key: self._filled(one, (*steps, key)) for key, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one, (*steps, number)) for number, one in enumerate(value)]
        return _REFERENCE.sub(lambda found: self._stands_for(found, steps), value) if isinstance(value, str) else value

    def _stands_for(self, found: re.Match[str], steps: Steps) -> str:
        if found[0].startswith("$$"):
            return found[0][1:]
        if not found[2] or not NAME.fullmatch(found[1]):
            raise SettingsError("this names no secret", path=self._where(steps), wanted="${NAME}; or $${ for the text")
        if found[1] not in self._known:
            raise SettingsError(
                f"nobody said what ${{{found[1]}}} is",
                path=self._where(steps),
                wanted="a variable of the environment, or an entry of secrets_file",
                hint=nearest(found[1], self._known),
            )
        return self._known[found[1]]

    def _first(self, failed: ValidationError) -> SettingsError:
        """What does not fit, first in the file."""
        errors = failed.errors(include_url=False, include_context=False, include_input=False)
        places = [one["loc"] for one in errors]
        innermost = [
            one for one in errors if not any(one["loc"] == loc[: len(one["loc"])] != loc for loc in places)
        ]  # a list lacks what one of its entries was refused for
        unknown = {one["loc"][:-1] for one in errors if one["type"] == "extra_forbidden"}
        innermost = [
            one for one in innermost if one["type"] != "missing" or one["loc"][:-1] not in unknown
        ]  # what is missing is likely what was misspelt beside it
        return min((self._error(one["type"], one["loc"], one["msg"]) for one in innermost), key=lambda one: one[0])[1]

    def _error(self, kind: str, steps: Steps, message: str) -> tuple[tuple[int, int], SettingsError]:
        if steps and steps[-1] == "[key]":
            steps, kind = steps[:-1], "key"
        at, where = self._place(steps, key=kind in ("extra_forbidden", "key")), ""
        where = f"{self._path}:{at[0]}:{at[1]}"
        name = ".".join(map(str, steps)) or "the file"
        message = message.removeprefix("Value error, ").replace("Input should", "it should")
        if kind == "extra_forbidden":
            known = _entries(steps[:-1])
            return at, SettingsError(
                f"there is no entry '{_shown(name)}'",
                path=where,
                wanted=" | ".join(known),
                hint=nearest(str(steps[-1]), known),
            )
        if kind == "missing":
            return at, SettingsError(f"the entry '{_shown(name)}' is missing", path=where)
        seen = None if kind == "key" or _is_secret(steps) else self._plain.texts.get(steps)
        return at, SettingsError(
            f"{'the name' if kind == 'key' else 'the entry'} '{_shown(name)}' does not fit",
            path=where,
            seen=None if seen is None else _shown(seen),
            wanted=message,
        )

    def _place(self, steps: Steps, *, key: bool = False) -> tuple[int, int]:
        """Where something stands; what is no single value, at its key."""
        while steps:
            if not key and steps in self._plain.texts:
                return self._plain.places[steps]
            if steps in self._plain.keys or steps in self._plain.places:
                return self._plain.keys.get(steps) or self._plain.places[steps]
            steps = steps[:-1]
        return 1, 1

    def _where(self, steps: Steps, *, key: bool = False) -> str:
        line, column = self._place(steps, key=key)
        return f"{self._path}:{line}:{column}"

    def _refuse_likeness(self, plan: SitePlan) -> None:
        """Two names that some disks and all people take for one."""
        for room, names in (("cameras", plan.cameras), ("sinks", plan.sinks)):
            alike: dict[str, str] = {}
            for name in names:
                first = alike.setdefault(name.casefold(), name)
                if first != name:
                    raise SettingsError(
                        f"two {room} are of one name but for capital letters",
                        path=self._where((room, name), key=True),
                        seen=f"{first} and {name}",
                        wanted="names that differ",
                    )

    def _refuse_unknown_cameras(self, plan: SitePlan) -> None:
        for sink, asked in plan.sinks.items():
            for number, camera in enumerate(asked.cameras or ()):
                if camera not in plan.cameras:
                    raise SettingsError(
                        f"there is no camera '{_shown(camera)}'",
                        path=self._where(("sinks", sink, "cameras", number)),
                        wanted=" | ".join(plan.cameras),
                        hint=nearest(camera, plan.cameras),
                    )


def _entries(steps: Steps) -> list[str]:
    """The entries that may stand there."""
    kinds = [one for one in _kinds_at(steps) if isinstance(one, type) and issubclass(one, BaseModel)]
    return [field.alias or name for name, field in kinds[0].model_fields.items()] if kinds else []


def _is_secret(steps: Steps) -> bool:
    return SecretStr in _kinds_at(steps)


def _kinds_at(steps: Steps) -> list[Any]:
    """The types of what those steps lead to."""
    kinds: list[Any] = [SitePlan]
    for step in steps:
        kinds = [inner for kind in kinds for inner in _within(kind, step)]
    return kinds


def _within(kind: Any, step: str | int) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        field = fields.get(str(step))
        inner = [] if field is None else [field.annotation]
    else:
        inner = [one for one in typing.get_args(kind) if one is not Ellipsis][-1:]
    for one in inner:
        yield from _plain_kinds(one)


def _plain_kinds(kind: Any) -> Iterator[Any]:
    """A type without what was noted to it; each of a union."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from _plain_kinds(typing.get_args(kind)[0])
    elif origin in (typing.Union, types.UnionType):
        for one in typing.get_args(kind):
            yield from _plain_kinds(one)
    else:
        yield kind


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
