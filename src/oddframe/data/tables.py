"""Tables that people write: text with a line a row, commas or semicolons between the cells."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from oddframe.errors import LabelError
from oddframe.files import read_bytes

QUOTED = 80
"""Characters of a line that an error shows."""

_FILE_LIMIT_BYTES = 8 << 20

_OTHER_WORDS: dict[str, frozenset[str]] = {
    "video": frozenset({"clip", "file", "filename", "name", "path", "recording"}),
    "start": frozenset({"begin", "beginning", "first", "from", "onset", "since"}),
    "end": frozenset({"finish", "last", "offset", "stop", "to", "until"}),
    "class": frozenset({"anomaly", "category", "kind", "label", "type"}),
}
"""What people call the columns that they were told to call otherwise."""


_ALIKE = 0.75
"""From where on a name is taken as a misspelt column: `clas` is alike by 0.89, `close` by 0.6."""


@dataclass(frozen=True)
class Line:
    """A line that is not empty: its cells without blanks around them, and where it stands, for errors."""

    words: tuple[str, ...]
    where: str

    @property
    def said(self) -> str:
        """As an error quotes it."""
        return ", ".join(self.words)[:QUOTED]


def read_lines(path: Path, what: str, wanted: str) -> list[Line]:
    """Read the lines of a table.

    Args:
        path: the file. what: what it is, as an error begins: "this label file". wanted: its columns, for errors.

    Raises:
        LabelError: it cannot be read, is too long, no UTF-8 text, or no table.
    """
    raw = read_bytes(path, _FILE_LIMIT_BYTES, what, error=LabelError)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{what} is no UTF-8 text", path=path, seen=str(error), wanted="UTF-8") from error
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",")
    lines = []
    try:
        for cells in reader:
            words = tuple(cell.strip() for cell in cells)
            if any(words):
                lines.append(Line(words, f"{path}, line {reader.line_num}"))
    except csv.Error as error:
        raise LabelError(f"{what} is no table", path=path, seen=str(error), wanted=wanted) from error
    return lines


def column_names(line: Line, needed: Sequence[str], optional: Sequence[str] = (), hint: str = "") -> tuple[str, ...]:
    """The names in a table's first line, in small letters. Empty ones behind the last are left away.

    Args:
        needed: columns that must be there. optional: others that mean something.
        hint: what else can be done where a column is missing.

    Raises:
        LabelError: one is missing, two are called alike, one has no name, or one that is there under another name
            (`kind` for `class`) was probably meant; what it should be called is said.
    """
    names = [word.lower() for word in line.words]
    while names and not names[-1]:
        names.pop()
    known = (*needed, *optional)
    unknown = [name for name in names if name not in known]
    for column in known:
        if column in names:
            continue
        meant = _meant_for(column, unknown)
        if column in needed or meant:
            raise LabelError(
                f"there is no column {column}" if column in needed else f"the column {meant} means nothing",
                path=line.where,
                seen=line.said,
                wanted=", ".join(known),
                hint=_either(f"call the column {column} instead of {meant}" if meant else "", hint),
            )
    if "" in names:
        raise LabelError("a column has no name", path=line.where, seen=line.said, wanted=", ".join(known))
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise LabelError(f"two columns are called {twice[0]}", path=line.where, seen=line.said, wanted="one")
    return tuple(names)


def _either(*hints: str) -> str | None:
    return ", or ".join(hint for hint in hints if hint) or None


def _meant_for(column: str, unknown: Collection[str]) -> str | None:
    """Which of the unknown names was probably meant for a column that is missing.

    >>> _meant_for("class", ["remark", "kind"]), _meant_for("start", ["start_frame"]), _meant_for("class", ["remark"])
    ('kind', 'start_frame', None)
    """
    others = _OTHER_WORDS.get(column, frozenset())
    for name in unknown:
        parts = set(name.replace("-", "_").replace(" ", "_").split("_"))
        if name in others or column in parts or difflib.get_close_matches(name, [column], 1, _ALIKE):
            return name
    return None
