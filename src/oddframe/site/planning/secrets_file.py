"""A file of secrets, which stand in a site's file as ${NAME}: lines of NAME=value, or flat YAML."""

from __future__ import annotations

import re
from pathlib import Path

from oddframe.errors import SecretsError
from oddframe.files import read_bytes
from oddframe.plain_yaml import NotPlainError, read_placed

NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")

_MOST_BYTES = 64 * 2**10
_LINE = re.compile(rf"({NAME.pattern})\s*=\s*(.*)")
_WANTED = "NAME=value, a secret a line; or, in a file that ends in .yaml, NAME: value"


def read_secrets(path: Path) -> dict[str, str]:
    """The secrets of a file, by name. What is wrong with it is told without any of them.

    Args:
        path: of lines of NAME=value, empty ones and those with # in front left out; or of flat YAML, if it ends in
            .yaml or .yml. A value in quotes is what stands between them.

    Raises:
        SecretsError: it cannot be read, others than its owner can read it, or a line is none; the line is named.
    """
    content = read_bytes(path, _MOST_BYTES, "the secrets file", error=SecretsError)
    if (mode := path.stat().st_mode & 0o777) & 0o077:
        raise SecretsError(
            "the secrets file can be read by others",
            path=path,
            seen=f"mode {mode:04o}",
            wanted="mode 0600",
            hint=f"chmod 600 {path}; and change the passwords, if somebody may have read it",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SecretsError("the secrets file is no text", path=path, wanted="UTF-8") from None
    return _of_yaml(text, path) if path.suffix.lower() in (".yaml", ".yml") else _of_lines(text, path)


def _of_yaml(text: str, path: Path) -> dict[str, str]:
    try:
        plain = read_placed(text, _MOST_BYTES)
    except NotPlainError as error:
        raise _none(path, error.place) from None
    if plain.tree is None:
        return {}
    if not isinstance(plain.tree, dict):
        raise _none(path, (1, 1))
    for steps, place in plain.keys.items():
        if not NAME.fullmatch(str(steps[-1])) or steps not in plain.texts:
            raise _none(path, place)
    return {str(steps[0]): text for steps, text in plain.texts.items()}  # as written: a PIN of 0042 is no number


def _of_lines(text: str, path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        match = _LINE.fullmatch(bare)
        if match is None or match[1] in found:
            raise _none(path, (number, 1), "a name that stands there twice" if match else None)
        value = match[2]
        quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
        found[match[1]] = value[1:-1] if quoted else value
    return found


def _none(path: Path, place: tuple[int, int] | None, seen: str | None = None) -> SecretsError:
    where = path if place is None else f"{path}:{place[0]}:{place[1]}"
    return SecretsError("this is no line of a secrets file", path=where, seen=seen, wanted=_WANTED)
