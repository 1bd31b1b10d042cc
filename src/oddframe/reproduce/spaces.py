"""Table IV and Fig. 6: what queries and memories of trained detectors look like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from oddframe.errors import RunError
from oddframe.progress import Watcher
from oddframe.reproduce.cells import Part, Work, set_key
from oddframe.reproduce.published import published_ratio
from oddframe.reproduce.table import Table
from oddframe.scoring.scores import write_beside

if TYPE_CHECKING:
    from oddframe.evaluation.analysis import Analysis

_CLIPS = 200
_NOTES = (
    "own, other: largest distance of a clip's queries to their nearest item of their own and of the other memory, mean "
    "over clips. Eqs. 15 and 18 are own/other, which is below 1 where a memory knows its own; the printed figures are "
    "above 1 and stand beside other/own.",
)


def analysed(out: Path, work: Sequence[Work], device: str, watch: Watcher) -> dict[tuple[str, Part], dict[str, Any]]:
    """(set, part) → the distances of its run, as JSON; what is beside the cells already is read from there.

    Raises:
        RunError: what is beside a cell is damaged.
    """
    found = {}
    for one in work:
        part = one.parts[0]
        if one.open_parts(out):
            continue
        path = one.spaces(out)
        if not path.is_file():
            write_beside(path, json.dumps(_analysis(out, one, device, watch).to_dict()) + "\n")
        try:
            kept = json.loads(path.read_text("utf-8"))
            kept["distances"]
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                "the distances beside a cell are damaged", path=path, seen=repr(error), hint="remove it and call again"
            ) from None
        found[set_key(one.videos), part] = kept
    return found


def ratios_table(keys: Sequence[str], found: dict[tuple[str, Part], dict[str, Any]]) -> Table:
    """Two lines a set, normal clips (Eqs. 13-15) and abnormal ones (Eqs. 16-18): mean ± deviation over folds done."""
    lines = []
    for key in keys:
        analyses = [one for (of_set, _), one in found.items() if of_set == key]
        for kind in ("normal", "abnormal"):
            distances = [one["distances"][kind] for one in analyses if kind in one["distances"]]
            figures = [_over([one[name] for one in distances]) for name in ("own", "other", "ratio", "inverse")]
            printed = published_ratio(kind, key)
            shown = "" if printed is None else f"{printed:.2f}"
            lines.append((key, f"r_{kind}", *figures, shown, str(len(distances))))
    heads = ("data", "ratio", "own", "other", "own/other", "other/own", "printed", "folds")
    return Table("Table IV: distances to own and other memory", heads, tuple(lines), _NOTES)


def draw_feature_spaces(path: Path, out: Path, work: Sequence[Work], device: str, watch: Watcher) -> tuple[Path, ...]:
    """Draw Fig. 6: t-SNE of one query of each clip, at an odd place of abnormal ones, of all branches of all runs."""
    from oddframe.report.spaces import draw_spaces

    shown = []
    for one in work:
        if not one.open_parts(out):
            found = _analysis(out, one, device, watch)
            places = tuple(space for space in found.spaces if space.of == "places")
            shown.append(replace(found, detector=one.row.label, spaces=places))
    if not shown:
        return ()
    draw_spaces(*shown, path=path)
    return (path,)


def _analysis(out: Path, work: Work, device: str, watch: Watcher) -> Analysis:
    from oddframe.evaluation.analysis import analyse  # torch is loaded here

    return analyse(work.run_folder(out), videos=work.videos, clips=_CLIPS, device=device, watch=watch)


def _over(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")
