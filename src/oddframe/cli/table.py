"""The verb that makes tables of a scored archive."""

from __future__ import annotations

from typing import Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, say


def table(
    folder: Annotated[
        str, typer.Argument(metavar="SCORES", help="The folder in which `oddframe score` has left outputs, or its URL.")
    ],
    out: Annotated[
        str | None,
        typer.Option("--out", help="Where the tables go, a folder or its URL.", show_default="into SCORES itself"),
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option("--camera", help="The camera of videos of which neither their scene nor a folder tells it."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Make one table of scores and one of events of a whole scored archive, as Parquet: scores.parquet, events.parquet.

    Each is a folder with a file for each video, in folders of its day and its camera. The same command takes in what
    was scored since, and takes out what is gone; the rest is not read again. It needs the extra `tables`.

    A video that is not finished is left out and named. So is one whose outputs are damaged; exit code 1 says that there
    are such.

    \b
    Examples:
      oddframe table scores
      oddframe table scores --camera gate --out tables
      oddframe table s3://archive/scores --out s3://archive/tables
    """
    from oddframe.footage.archive import table
    from oddframe.reporting.words import count

    with watching() as watch:
        made = table(folder, out=out, camera=camera, watch=watch)
    failed = {name: error.in_one_line() for name, error in made.failed.items()}
    if json:
        print_json(
            {
                "scores": str(made.scores),
                "events": str(made.events),
                "videos": made.videos,
                "added": list(made.added),
                "removed": list(made.removed),
                "unfinished": list(made.unfinished),
                "failed": failed,
            }
        )
    else:
        taken_out = f", {len(made.removed)} taken out" if made.removed else ""
        say(f"{count(made.videos, 'video')} in the tables, {len(made.added)} taken in now{taken_out}.")
        if made.unfinished:
            say(f"Not finished, and left out: {count(len(made.unfinished), 'video')}.")
        for name, why in failed.items():
            say(f"left out: {name}: {why}")
        say(f"The tables: {made.scores} and {made.events}")
    if failed:
        raise typer.Exit(1)
