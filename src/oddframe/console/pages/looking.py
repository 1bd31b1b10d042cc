"""Who looks at a page. Whoever has to change a password first is shown where."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.exceptions import HTTPException

from oddframe.console.access.door import Anybody
from oddframe.console.access.who import Who


def _looking(who: Anybody) -> Who:
    if who.one_time:
        raise HTTPException(303, "the password has to be changed first", {"Location": "/password"})
    who.need("viewer")
    return who


def _changing(who: Annotated[Who, Depends(_looking)]) -> Who:
    who.need("admin")
    return who


Looking = Annotated[Who, Depends(_looking)]
"""Who may look at the site."""

Changing = Annotated[Who, Depends(_changing)]
"""Who may change the site."""
