"""YAML as people write it for settings: names, numbers, words, lists. Nothing that YAML could do beyond that.

YAML has tags that build objects, anchors whose copies multiply, dates, and numbers to the base of sixty. None of them
says anything about a detector, and each is a way to stop a program. So they are refused, and so is text that is long
or deep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from oddframe.errors import SettingsError
from oddframe.files import read_bytes

MOST_BYTES = 64 * 2**10
"""All settings there are, with their descriptions, have a third of it."""

_MOST_DEPTH = 16
_MOST_DIGITS = 40
_TOO_DEEP = f"more than {_MOST_DEPTH} levels of lists and keys"
_EXAMPLE = "for example 'train: {epochs: 3}'"

_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **{form: True for word in ("true", "yes", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("false", "no", "off") for form in (word, word.title(), word.upper())},
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_ENDLESS = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}


Place = tuple[int, int]
"""Line and column, both counted from 1."""

Steps = tuple[str | int, ...]
"""Keys and numbers in lists that lead to a value."""


class NotPlainError(ValueError):
    """The text is no YAML, or is more than plain values; says what and where. `place`: None for all of it."""

    def __init__(self, what: str, place: Place | None = None, *, told: str | None = None) -> None:
        self.what, self.place = what, place
        super().__init__(told or (what if place is None else f"{what} (line {place[0]}, column {place[1]})"))


@dataclass(frozen=True)
class Plain:
    """Plain values, and where in the text they stand.

    Attributes:
        tree: the values. places: of each value, by what leads to it. keys: of each key. texts: each scalar as written.
    """

    tree: Any
    places: dict[Steps, Place] = field(default_factory=dict)
    keys: dict[Steps, Place] = field(default_factory=dict)
    texts: dict[Steps, str] = field(default_factory=dict)


class _Composer(yaml.SafeLoader):
    """Builds the tree of nodes, no deeper than settings are, and without anchors or tags."""

    _depth = 0

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Each bracket may begin a key, so that thousands of them would be looked at thousands of times."""
        if self.flow_level >= _MOST_DEPTH:
            raise _refused(_TOO_DEEP, self.get_mark())
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused("anchors and aliases are not read here: write the value out", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _refused(f"tags are not read here: write the value without '{_short(event.tag)}'", event.start_mark)
        if self._depth >= _MOST_DEPTH:
            raise _refused(_TOO_DEEP, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def read_settings_file(file: Path) -> dict[str, Any]:
    """Read a file of settings as plain values.

    Raises:
        SettingsError: it is not there, too large, no plain YAML, or has no keys.
    """
    content = read_bytes(file, MOST_BYTES, "the settings file", error=SettingsError)
    try:
        tree = read_plain(content.decode("utf-8-sig"))
    except (NotPlainError, UnicodeDecodeError) as error:
        raise SettingsError("the settings file is no plain YAML", path=file, seen=error, wanted=_EXAMPLE) from None
    if not isinstance(tree, dict):
        raise SettingsError("the settings file has no keys", path=file, wanted=_EXAMPLE)
    return tree


def read_plain(text: str) -> Any:
    """Read YAML that holds plain values alone: keys, lists, words, numbers, true and false, null.

    Raises:
        NotPlainError: it is no YAML, too long, too deep, or holds something else. Its text says what and where.

    >>> read_plain("train: {epochs: 3, lr: 1e-4}")
    {'train': {'epochs': 3, 'lr': 0.0001}}
    """
    return read_placed(text).tree


def read_placed(text: str, most_bytes: int = MOST_BYTES) -> Plain:
    """As `read_plain`, with where everything stands.

    Raises:
        NotPlainError: as of `read_plain`.

    >>> read_placed("train:\\n  epochs: 3").places["train", "epochs"]
    (2, 11)
    """
    if len(text.encode("utf-8", "surrogatepass")) > most_bytes:
        raise NotPlainError(f"longer than {most_bytes:,} bytes")
    try:
        loader = _Composer(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _no_yaml(error) from None
    plain = Plain(None)
    return plain if node is None else replace(plain, tree=_value(node, (), plain))


def _value(node: Any, steps: Steps, plain: Plain) -> Any:
    """The value of a node; where it stands is added to `plain`."""
    plain.places[steps] = _place(node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*steps, number), plain) for number, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key is one word", key.start_mark)
            if key.value in found:
                raise _refused(f"'{key.value[:40]}' stands there twice", key.start_mark)
            inner = (*steps, key.value)
            plain.keys[inner] = _place(key.start_mark)
            found[key.value] = _value(value, inner, plain)
        return found
    text: str = node.value
    plain.texts[steps] = text
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text.lower() in _ENDLESS:
        return _ENDLESS[text.lower()]
    for form, number in ((_INTEGER, int), (_FLOAT, float)):
        if form.fullmatch(text):
            if len(text) > _MOST_DIGITS:
                raise _refused(f"a number of more than {_MOST_DIGITS} digits", node.start_mark)
            return number(text)
    return text


def _refused(what: str, mark: Any) -> NotPlainError:
    return NotPlainError(what, _place(mark))


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


def _no_yaml(error: yaml.YAMLError) -> NotPlainError:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or " ".join(str(error).split())
    if "'\\t'" in what:
        what = "a tab: YAML is indented by spaces"
    return NotPlainError(what, None if mark is None else _place(mark), told=" ".join(str(error).split()))


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")[:_MOST_DIGITS]
