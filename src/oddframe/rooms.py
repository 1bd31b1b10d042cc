"""Rooms that bear the name of a public function.

Importing `oddframe.report` sets the room as an attribute of the package, over the public function of that name: so the
room is that function, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(room: str, function: Callable[..., Any]) -> None:
    """Let a module, by its full name, be called as a function."""

    class CallableRoom(ModuleType):
        def __call__(self, *args: Any, **options: Any) -> Any:
            return function(*args, **options)

    sys.modules[room].__class__ = CallableRoom
