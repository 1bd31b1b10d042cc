"""Table IV and Fig. 6: what queries and memories of trained detectors look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from oddframe.evaluation.analysed import Analysis
from oddframe.progress import Watcher
from oddframe.records import write_record
from oddframe.reproduction.cells import Work, set_key
from oddframe.reproduction.layout import Table
from oddframe.reproduction.published import published_ratio

_CLIPS = 200
_NOTES = (
    "own, other: largest distance of a clip's queries to their nearest item of their own and of the other memory, mean "
    "over clips. Eqs. 15 and 18 are own/other, which is below 1 where a memory knows its own; the printed figures are "
    "above 1 and stand beside other/own.",
)


def analyses(
    out: Path, work: Sequence[Work], device: str, watch: Watcher, *, make: bool
) -> list[tuple[Work, Analysis]]:
    """Work that is done, with what its detector's queries look like; kept beside its first cell, and read from there.

    Args:
        make: whether what is not there yet is made; else it is left out.

    Raises:
        RunError: what is beside a cell is damaged.
    """
    from oddframe.evaluation.analysis import analyse  # torch is loaded here

    found = []
    for one in work:
        path = one.spaces(out)
        if one.open_parts(out) or not (make or path.is_file()):
            continue
        if not path.is_file():
            made = analyse(one.run_folder(out), one.videos, clips=_CLIPS, device=device, watch=watch)
            write_record(path, made)
        found.append((one, Analysis.load(path)))
    return found


def ratios_table(keys: Sequence[str], found: Sequence[tuple[Work, Analysis]]) -> Table:
    """Two lines a set, normal clips (Eqs. 13-15) and abnormal ones (Eqs. 16-18): mean ± deviation over folds done."""
    lines = []
    for key in keys:
        of_set = [one for work, one in found if set_key(work.videos) == key]
        for kind in ("normal", "abnormal"):
            distances = [one.distances[kind] for one in of_set if kind in one.distances]
            figures = [
                _over([getattr(one, name) for one in distances]) for name in ("own", "other", "ratio", "inverse")
            ]
            printed = published_ratio(kind, key)
            shown = "" if printed is None else f"{printed:.2f}"
            lines.append((key, f"r_{kind}", *figures, shown, str(len(distances))))
    heads = ("data", "ratio", "own", "other", "own/other", "other/own", "printed", "folds")
    return Table("Table IV: distances to own and other memory", heads, tuple(lines), _NOTES, label="table4")


def draw_feature_spaces(path: Path, found: Sequence[tuple[Work, Analysis]]) -> tuple[Path, ...]:
    """Draw Fig. 6: t-SNE of one query of each clip, at an odd place of abnormal ones, of all branches of all runs."""
    from oddframe.reporting.spaces import draw_spaces

    shown = [
        one.changed(detector=work.row.label, spaces=tuple(space for space in one.spaces if space.of == "places"))
        for work, one in found
    ]
    if not shown:
        return ()
    draw_spaces(*shown, path=path)
    return (path,)


def _over(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")
