"""The disk under the frame store: where it is by default, and sizes as people write them."""

from __future__ import annotations

import re
from pathlib import Path

import platformdirs

from oddframe.errors import SettingsError, StorageError
from oddframe.files import CACHE_VARIABLE

LIMIT_VARIABLE = "ODDFRAME_CACHE_LIMIT"

_UNITS = {"": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}


def users_folder() -> Path:
    """Where the store of this user is.

    Raises:
        StorageError: the user has no home, as one without an account in a container.
    """
    try:
        folder = platformdirs.user_cache_path("oddframe") / "frames"
    except (RuntimeError, KeyError):
        folder = Path()
    if not folder.is_absolute():
        raise StorageError(
            "there is no home folder in which decoded video could be kept",
            seen="neither HOME nor an account of this user",
            wanted=f"a folder in the environment variable {CACHE_VARIABLE}",
            hint=f"export {CACHE_VARIABLE}=/somewhere/frames",
        )
    return folder


def parse_bytes(text: str) -> float:
    """Read a size on disk.

    >>> parse_bytes("40GB"), parse_bytes("1.5 tb"), parse_bytes("500000")
    (40000000000.0, 1500000000000.0, 500000.0)

    Raises:
        SettingsError: it is none.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?b)?", text.strip().lower())
    if match is None:
        raise SettingsError("this is no size on disk", seen=repr(text), wanted='for example "40GB" or "500MB"')
    return float(match[1]) * _UNITS[match[2] or ""]


def in_bytes(count: float) -> str:
    """Write a size for people.

    >>> in_bytes(2.04e10), in_bytes(3_100_000)
    ('20.4 GB', '3.1 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
