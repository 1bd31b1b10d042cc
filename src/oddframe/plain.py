"""Plain values: what JSON can hold, as it stands at a border of the house.

Inside, what has known entries is a record or a dataclass. Here is what is about to be printed or written, and what was
read and has not been checked yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""A value of JSON."""

Json: TypeAlias = "dict[str, JsonValue]"
"""An object of JSON."""
