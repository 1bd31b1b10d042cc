"""Folders of detectors, as a database keeps them that several machines share.

A machine may have the site's folder, and this package, elsewhere than the others: what lies in one of them is kept
from there on.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


class Places:
    """Folders as they are kept, and as they are on this machine.

    Args:
        home: the site's folder; None keeps folders as they are, for a database of one machine.

    >>> places = Places(Path("/srv/depot"))
    >>> places.kept("/srv/depot/runs/gate"), places.kept("/opt/runs/gate")
    ('site:runs/gate', '/opt/runs/gate')
    >>> Places(Path("/mnt/depot")).here("site:runs/gate")
    '/mnt/depot/runs/gate'
    """

    def __init__(self, home: Path | None) -> None:
        self._roots: tuple[tuple[str, Path], ...] = ()
        if home is not None:
            self._roots = ("site:", home.absolute()), ("site:", home.resolve()), ("package:", _PACKAGE)

    def kept(self, folder: str) -> str:
        """A folder of this machine as it is kept."""
        for name, root in self._roots:
            if Path(folder).is_relative_to(root):
                return name + Path(folder).relative_to(root).as_posix()
        return folder

    def here(self, kept: str) -> str:
        """A folder that is kept, on this machine."""
        for name, root in self._roots:
            if kept.startswith(name):
                return str(root / kept.removeprefix(name))
        return kept
