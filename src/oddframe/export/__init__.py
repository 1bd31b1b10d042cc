"""Trained detectors as artefacts that score without torch."""

import sys
from types import ModuleType
from typing import Any

from oddframe.export.make import export
from oddframe.scoring.artefact import Artefact

__all__ = ["Artefact", "export"]


class _CallableRoom(ModuleType):
    """Importing a room sets it as an attribute of the package, over the public function `oddframe.export`: so the
    room is that function, too."""

    def __call__(self, *args: Any, **options: Any) -> Artefact:
        return export(*args, **options)


sys.modules[__name__].__class__ = _CallableRoom
