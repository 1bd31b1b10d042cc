"""The spaces of an analysis as a matplotlib figure (Fig. 6 of the paper)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.errors import StorageError
from oddframe.outside import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from oddframe.evaluation.analysed import Analysis


def draw_spaces(*analyses: Analysis, path: Path | str | None = None) -> Figure:
    """Draw spaces side by side, normal points blue, abnormal ones red.

    One DREAM gives four panels. Fig. 6 itself shows three runs: `memory=single`, `memory=none`, and DREAM.

    Args:
        path: where to write the figure as well (png, svg, pdf).

    Raises:
        MissingExtraError: matplotlib is not installed. StorageError: the file cannot be written.
    """
    panels = [(analysis, space) for analysis in analyses for space in analysis.spaces]
    rows = max(1, -(-len(panels) // 2))
    figure = new_figure("plotting", (9, 4.2 * rows))
    for number, (analysis, space) in enumerate(panels):
        axes = figure.add_subplot(rows, 2, number + 1)
        for kind, shown, colour in (("normal", ~space.abnormal, "#1f5f8b"), ("abnormal", space.abnormal, "#b3261e")):
            x, y = space.points[shown].T
            axes.scatter(x, y, s=7, color=colour, alpha=0.7, linewidths=0, label=kind)
        axes.set_title(f"{analysis.detector}: {space.branch} space, {space.of}", fontsize="medium")
        axes.set(xticks=[], yticks=[])
        axes.legend(frameon=False, fontsize="small")
    if path is not None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=150)
        except OSError as error:
            raise StorageError("a picture cannot be written", path=path, seen=error.strerror) from None
    return figure
