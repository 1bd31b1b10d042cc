"""Opens the console where what it needs is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddframe.console.settings import ConsoleSettings
from oddframe.errors import MissingExtraError

if TYPE_CHECKING:
    from oddframe.console.access.access import Access
    from oddframe.console.running import RunningSite
    from oddframe.console.server import Console
    from oddframe.site.store import Store

_NEEDS = ("fastapi", "starlette", "uvicorn", "argon2", "multipart", "python_multipart")


def open_console(site: RunningSite, settings: ConsoleSettings) -> Console:
    """The console of a running site; it serves from entering a `with` to leaving it.

    Raises:
        MissingExtraError: what it needs is not installed.
        SettingsError: the port is taken, or the address or certificate cannot be used.
    """
    try:
        from oddframe.console.server import Console
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    return Console(site, settings)


def access_to(store: Store) -> Access:
    """The door of a site, also of one that another process serves.

    Raises:
        MissingExtraError: what it needs is not installed.
    """
    try:
        from oddframe.console.access.access import Access
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    return Access(store)


def _missing(error: ModuleNotFoundError) -> ModuleNotFoundError | MissingExtraError:
    return MissingExtraError("the console", "console") if (error.name or "").partition(".")[0] in _NEEDS else error
