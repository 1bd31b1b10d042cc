"""A picture of what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.benchmarking.figures import Benched, Figure
from oddframe.errors import StorageError
from oddframe.outside import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

_BARS = {"network": ("network alone", "#9fc3dc"), "scored": ("video to scores", "#1f5f8b")}


def plot(found: Benched, path: Path | str) -> Picture:
    """Draw frames a second of every contender, with the quartiles as whiskers.

    Args:
        found: what `bench` returned. path: where to write the picture (png, svg, pdf).

    Raises:
        MissingExtraError: matplotlib is not installed. StorageError: the file cannot be written.
    """
    scoring = found.scoring
    figure = new_figure("plotting", (8, 1.6 + 0.5 * len(scoring)))
    axes = figure.add_subplot()
    for number, (name, (label, colour)) in enumerate(_BARS.items()):
        figures: list[Figure] = [one[name] for one in scoring]
        medians = [one.median for one in figures]
        whiskers = [[abs(one[side] - one.median) for one in figures] for side in ("lower", "upper")]
        places = [row + 0.36 * (number - 0.5) for row in range(len(scoring))]
        bars = axes.barh(places, medians, 0.34, xerr=whiskers, color=colour, label=label, error_kw={"linewidth": 0.9})
        axes.bar_label(bars, fmt="%.1f", padding=4, fontsize="small")
    names = [f"{one.of}, {one.backend}\nbatch {one.batch}" for one in scoring]
    axes.set_yticks(range(len(scoring)), names, fontsize="small")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(title=f"{found.host.processor}, {found.threads} threads", xlabel="frames a second")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize="small", loc="outside lower center", ncols=2)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise StorageError("the picture cannot be written", path=path, seen=error.strerror) from None
    return figure
