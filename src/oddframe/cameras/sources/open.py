"""An address, opened."""

from __future__ import annotations

from oddframe.cameras.address import Address
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.diagnosis import explained, look_up
from oddframe.cameras.sources.folder import FolderSource, Watched
from oddframe.cameras.sources.libav import LibavSource
from oddframe.cameras.sources.source import Source
from oddframe.errors import CameraError


class Opener:
    """Opens one address, again and again."""

    def __init__(self, address: Address, settings: CameraSettings) -> None:
        self.address, self._settings = address, settings
        path = address.open_parts.path
        self._watched = Watched(path, backlog=settings.backlog) if address.kind == "folder" and path else None

    def open(self) -> Source:
        """Open it.

        Raises:
            CameraError: it does not open, and why.
        """
        if self._watched is not None:
            return FolderSource(self._watched, self._settings)
        try:
            if self.address.open_parts.url:
                look_up(self.address)
            return LibavSource(self.address, self._settings)
        except CameraError as error:
            raise explained(self.address, error, verified=self._settings.verify_certificate) from None
