"""Verbs for those who study detectors: compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say

JudgedRun = Annotated[
    Path,
    typer.Argument(help="A judged run, its eval-<protocol>.json, or a folder with one judged run a fold."),
]


def compare(
    first: JudgedRun,
    second: JudgedRun,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws behind each interval.")] = 0,
    json: options.Json = False,
) -> None:
    """Say whether the second run is better than the first, on the same test videos, and how sure that is.

    \b
    Examples:
      oddframe compare runs/demo runs/gate
      oddframe compare runs/demo/eval-standard.json runs/gate --json
    """
    from oddframe.evaluation.compare import compare
    from oddframe.evaluation.result import percent
    from oddframe.report.words import count

    found = compare(first, second, seed=seed)
    if json:
        print_json(found.to_dict())
        return
    folds = f" in {count(len(found.folds), 'fold')}" if found.folds else ""
    say(
        f"{found.first['detector']} and {found.second['detector']}, {found.protocol}{folds}: "
        f"{count(found.frames, 'frame')} of {count(found.videos, 'video')} that both have judged."
    )
    say()
    print_table(
        ("AUC in per cent", "first", "second", "difference", "95 % interval"),
        [
            (
                name,
                percent(one["first"]),
                percent(one["second"]),
                f"{100 * one['difference']:+.1f}",
                "-" if one["interval"] is None else " to ".join(f"{100 * side:+.1f}" for side in one["interval"]),
            )
            for name, one in found.differences.items()
        ],
    )
    for name, one in found.differences.items():
        if one["left_out"]:
            say(f"note: {name} leaves out {', '.join(one['left_out'])}, where it is undefined.")
    say("An interval that holds 0 says: with other videos of this sort, either may be the better one.")
