"""One curve as a matplotlib figure, for notebooks and papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.files import beside
from oddframe.outside import new_figure
from oddframe.scoring.scores import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(scores: Scores, path: Path | str | None = None) -> Figure:
    """Draw the online score of one video with its alarm line and events.

    Args:
        scores: of one video.
        path: where to write the figure as well (png, svg, pdf).

    Raises:
        MissingExtraError: matplotlib is not installed. StorageError: the figure cannot be written.
    """
    figure = new_figure("plotting", (9, 2.8))
    axes = figure.add_subplot()
    timed = scores.time_s is not None
    axes.plot(scores.frame if scores.time_s is None else scores.time_s, scores.online, color="#1f5f8b", linewidth=1.2)
    axes.axhline(scores.line.on, color="#b3261e", linewidth=0.9, linestyle="--")
    axes.annotate(
        "alarm line", (0, scores.line.on), (4, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
        color="#b3261e", fontsize="small",
    )  # fmt: skip
    for event in scores.events:
        begin, end = (event.start_s, event.end_s) if timed else (event.start, event.end)
        axes.axvspan(begin, end, color="#b3261e", alpha=0.15, linewidth=0)  # type: ignore[arg-type]
    axes.set(title=scores.video, xlabel="seconds" if timed else "frame", ylabel="how odd (online)")
    axes.margins(x=0)
    if scores.online.max() > 4 * scores.line.on > 0:
        # far above the line the score has no meaning but "far above"; what happens at the line must stay visible
        axes.set_yscale("asinh", linear_width=scores.line.on)
        ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100) if tick <= scores.online.max()]
        axes.set_yticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
    axes.set_ylim(bottom=min(0.0, float(scores.online.min())))
    axes.spines[["top", "right"]].set_visible(False)
    if path is not None:
        path = Path(path)
        with beside(path) as place:
            figure.savefig(place, dpi=150, format=path.suffix.removeprefix(".") or "png")
    return figure
