"""Pages and plots that explain what was found."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from oddframe.report.pages import report
from oddframe.report.pictures import PictureSource, VideoPictures
from oddframe.report.plot import plot

__all__ = ["PictureSource", "VideoPictures", "plot", "report"]


class _CallableRoom(ModuleType):
    """Importing a room sets it as an attribute of the package, over the public function `oddframe.report`: so the
    room is that function, too."""

    def __call__(self, *args: Any, **options: Any) -> Path:
        return report(*args, **options)


sys.modules[__name__].__class__ = _CallableRoom
