"""Verbs for those who study detectors: compare, analyse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say
from oddframe.cli.work import RunFolder, need_torch

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
    from oddframe.reporting.alarm_words import differences_table, false_in_words
    from oddframe.reporting.words import count

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
    names = _names(first, second)
    if found.events:
        alarms = differences_table(names, found)
        print_table(alarms.heads, alarms.rows)
        say(false_in_words(names, found))
        say()
    print_table(
        ("AUC in per cent", *names, "difference", "95 % interval"),
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


def _names(first: Path, second: Path) -> tuple[str, str]:
    """What two runs are called in a table: by their folders, or by their places where both are called alike.

    >>> _names(Path("runs/mnad"), Path("runs/dream/eval-standard.json"))
    ('mnad', 'dream')
    """
    one, other = ((path.parent if path.suffix == ".json" else path).resolve().name for path in (first, second))
    return (one, other) if one != other else ("first", "second")


@options.spread
def analyse(
    run: RunFolder,
    opening: options.Opening,
    data: options.Data = None,
    clips: Annotated[int, typer.Option("--clips", min=3, help="How many clips of either kind are looked at.")] = 200,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the pictures go.", show_default="RUN/analysis")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of t-SNE and of the places drawn.")] = 0,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Look into the memories of a run: distances to own and other items, dead items, t-SNE of the queries.

    What is found is left in the run's folder as analysis.json, too, for its report.

    \b
    Example:
      oddframe analyse runs/ped2 --clips 100
    """
    need_torch()
    from oddframe.evaluation.analysis import analyse
    from oddframe.evaluation.testset import judged_source
    from oddframe.reporting.spaces import draw_spaces
    from oddframe.reporting.words import count
    from oddframe.runs import Run

    opened = Run.open(run)
    source = judged_source(opened, data or (), **opening.said())
    with watching() as watch:
        found = analyse(opened, source, clips=clips, device=device, seed=seed, watch=watch)
    picture = None
    if found.spaces:
        picture = (out or run / "analysis") / "spaces.png"
        draw_spaces(found, path=picture)
    if json:
        print_json(found.to_dict() | {"picture": picture and str(picture)})
        return
    say(f"{found.detector}: {count(found.clips['normal'], 'normal clip')}, {found.clips['abnormal']} abnormal.")
    if found.distances:
        say("\nLargest distance of a clip's queries to their nearest item, mean over clips (Eqs. 13-18):")
        print_table(
            ("clips", "own memory", "other memory", "own/other", "other/own"),
            [
                (kind, *(f"{value:.2f}" for value in (one.own, one.other, one.ratio, one.inverse)))
                for kind, one in found.distances.items()
            ],
        )
        say("The equations print own/other, which is below 1 where a memory knows its own; Table IV prints other/own.")
    if found.memories:
        say()
        print_table(
            ("memory", "items", "dead", "most alike", "largest share of queries"),
            [
                (
                    name,
                    str(len(use.similarity)),
                    str(len(use.dead)),
                    "-" if use.largest_similarity is None else f"{use.largest_similarity:.3f}",
                    ", ".join(f"{kind} {100 * max(share):.0f} %" for kind, share in use.share.items()),
                )
                for name, use in found.memories.items()
            ],
        )
    for note in found.notes:
        say(f"note: {note}")
    if picture is not None:
        say(f"The spaces: {picture}")
    say(f"Next: oddframe report {run}   (the page shows all of this)")
