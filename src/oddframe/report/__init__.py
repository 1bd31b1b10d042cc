"""Pages and plots that explain what was found."""

from oddframe.report.pages import report
from oddframe.report.pictures import PictureSource, VideoPictures
from oddframe.report.plot import plot
from oddframe.rooms import make_callable

__all__ = ["PictureSource", "VideoPictures", "plot", "report"]

make_callable(__name__, report)
