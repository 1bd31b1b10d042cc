"""Records: what this project keeps as JSON, as models, with one reader and one writer.

A file may have been cut off, edited, damaged by its disk, written by another version, or made by a stranger. So it is
read no further than it may be long, however deep it is nested, and every entry is checked before anyone looks at it:
the types, that numbers are finite, that nothing is missing and nothing is unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

from oddframe.errors import OddframeError, RunError
from oddframe.files import read_bytes, write_text
from oddframe.plain import Json

_MOST_BYTES = 4 * 2**20
_FOREIGN = re.compile("[\udc80-\udcff]")
"""Bytes of a name that are not UTF-8, as Python keeps them in text."""
_ESCAPED = re.compile("\0([89a-f][0-9a-f])")
_LONGEST = 200
"""Letters of what was found in a file that an error quotes."""


class Record(BaseModel):
    """Part of a record: it cannot be changed, its numbers are finite, and it has no entry that it does not know.

    >>> class Place(Record):
    ...     row: int
    >>> Place(row=3).row, Place(row=3)["row"]
    (3, 3)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __getitem__(self, name: str) -> Any:
        """An entry by its name in the file."""
        if name not in type(self).model_fields:
            raise KeyError(name)
        return getattr(self, name)

    def to_dict(self) -> Json:
        """As plain JSON values, as they stand in a file (see `as_json`)."""
        plain: Json = from_json(as_json(self))
        return plain

    def as_given(self) -> Json:
        """As plain JSON values, without entries that nobody gave: what is optional in a file is not there."""
        return self.model_dump(mode="json", exclude_unset=True)

    def changed(self, **changes: Any) -> Self:
        """The record with other values, checked as if it were made anew.

        Raises:
            ValidationError: they do not fit.
        """
        return type(self)(**(dict(self) | changes))


class FileRecord(Record):
    """A whole file. The default of `format` is the one format that this version reads and writes."""

    format: int = 1


R = TypeVar("R", bound=FileRecord)
M = TypeVar("M", bound=BaseModel)


def read_record(
    path: Path,
    kind: type[R],
    what: str,
    *,
    limit_bytes: int = _MOST_BYTES,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> R:
    """Read a record from its file.

    Args:
        path: the file.
        kind: what it must hold.
        what: what the file is, as an error begins: "the run's run.json".
        limit_bytes: a longer file is not read.
        error: class of the error.
        hint: what to do about a file that is missing or damaged.

    Raises:
        `error`: the file cannot be read, is too long, damaged, or of another format; the entry is named.
    """
    content = read_bytes(path, limit_bytes, what, error=error, hint=hint)
    return parse_record(content, kind, what, path=path, error=error, hint=hint)


def parse_record(
    content: bytes | str,
    kind: type[R],
    what: str,
    *,
    path: Path | None = None,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> R:
    """Read a record from JSON; arguments and errors are those of `read_record`."""
    plain = parse_json(content, what, path=path, error=error, hint=hint)
    if not isinstance(plain, dict) or "format" not in plain:
        raise damaged(what, "no format number", path=path, error=error, hint=hint)
    wanted = kind.model_fields["format"].default
    if plain["format"] != wanted:
        made_by = _made_by(plain)
        raise error(
            f"{what} has another format than this version reads",
            path=path,
            seen=_quoted(plain["format"]),
            wanted=wanted,
            hint=f"it was made by oddframe {made_by}: use that version{f', or {hint}' if hint else ''}",
        )
    return _validated(content, kind, what, path, error, hint)


def parse_as(
    content: bytes | str,
    kind: type[M],
    what: str,
    *,
    path: Path | None = None,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> M:
    """Read JSON that is part of another file and has no format of its own; otherwise as `parse_record`."""
    parse_json(content, what, path=path, error=error, hint=hint)
    return _validated(content, kind, what, path, error, hint)


def _validated(
    content: bytes | str, kind: type[M], what: str, path: Path | None, error: type[OddframeError], hint: str | None
) -> M:
    try:
        read = kind.model_validate_json(content, strict=True)
        if (b"\\u0000" if isinstance(content, bytes) else "\\u0000") not in content:  # type: ignore[operator]
            return read
        return kind.model_validate(unescaped(from_json(content)))  # its types are right: that was seen before
    except ValidationError as failed:
        raise damaged(what, in_words(failed), path=path, error=error, hint=hint) from None


def parse_json(
    content: bytes | str,
    what: str,
    *,
    path: Path | None = None,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> Any:
    """Read JSON as plain values, where no record says what must be there.

    Raises:
        `error`: it is no JSON, is nested too deep, or has a number that is not finite.
    """
    try:
        plain = from_json(content, allow_inf_nan=False)
    except ValueError as failed:
        raise damaged(what, str(failed), path=path, error=error, hint=hint) from None
    if not _finite(plain):
        raise damaged(what, "a number that is not finite", path=path, error=error, hint=hint)
    return plain


def write_record(path: Path, record: FileRecord, problem: str = "a file cannot be written") -> Path:
    """Write a record whole or not at all.

    Raises:
        StorageError: with this problem, where the file cannot be written.
    """
    return write_text(path, as_json(record, indent=1) + "\n", problem)


def as_json(model: BaseModel, *, indent: int | None = None) -> str:
    """A model as JSON; names in it that are not UTF-8, as those of files may be, are `escaped`."""
    return to_json(escaped(model.model_dump()), indent=indent, inf_nan_mode="null").decode()


def escaped(plain: Any) -> Any:
    r"""Values whose text JSON can hold: a byte that is not UTF-8 becomes a NUL, which no name has, and two digits.

    Nothing is lost: `unescaped` gives it back.

    >>> escaped({"kam\udce9ra": 1})
    {'kam\x00e9ra': 1}
    """
    if isinstance(plain, str | Path):
        return _FOREIGN.sub(lambda byte: f"\0{ord(byte[0]) - 0xDC00:02x}", str(plain))
    return _each(escaped, plain)


def unescaped(plain: Any) -> Any:
    """What `escaped` was given, with text for paths."""
    if isinstance(plain, str):
        return _ESCAPED.sub(lambda byte: chr(0xDC00 + int(byte[1], 16)), plain)
    return _each(unescaped, plain)


def _each(change: Callable[[Any], Any], plain: Any) -> Any:
    if isinstance(plain, Mapping):
        return {change(name): change(one) for name, one in plain.items()}
    return [change(one) for one in plain] if isinstance(plain, list | tuple) else plain


def damaged(
    what: str,
    seen: object,
    *,
    path: Path | None = None,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> OddframeError:
    """The error of a file that does not hold what it should."""
    return error(f"{what} is damaged", path=path, seen=_quoted(seen), hint=hint)


def in_words(failed: ValidationError) -> str:
    """What does not fit first, as "split.test: missing"."""
    first = failed.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    said = {"missing": "missing", "extra_forbidden": "this version knows no such entry"}
    return f"{where}: {said.get(first['type'], first['msg'].removeprefix('Value error, '))}"


def _finite(plain: Any) -> bool:
    """Whether all numbers are finite; the parser has bounded the depth."""
    if isinstance(plain, dict):
        return all(map(_finite, plain.values()))
    if isinstance(plain, list):
        return all(map(_finite, plain))
    return not isinstance(plain, float) or math.isfinite(plain)


def _made_by(plain: Mapping[str, Any]) -> str:
    versions = plain.get("versions")
    return _quoted(
        versions.get("oddframe", "of another version") if isinstance(versions, dict) else "of another version"
    )


def _quoted(seen: object) -> str:
    words = " ".join(str(seen).split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
