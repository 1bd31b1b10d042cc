"""The verb that makes a camera's detector better by what people said of its events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, say

_AUTHOR = "command line"


def improve(
    site: Annotated[Path, typer.Argument(metavar="SITE", help="The site's file, or its folder.")],
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's name.")],
    take: Annotated[
        bool, typer.Option("--take", help="Have the new detector watch, if it is better than the one that watches.")
    ] = False,
    back: Annotated[bool, typer.Option("--back", help="Have the detector watch that watched before.")] = False,
    json: options.Json = False,
) -> None:
    """Train a camera's detector on, with the events that people reviewed, and compare it with the one that watches.

    The camera must have learned by `oddframe site learn`. Of the confirmed alarms and of the events that were called
    normal one half is trained on; both detectors are compared on the other half, and on normal video that neither was
    trained on. Nothing is swapped without --take. It runs at the lowest priority, and goes on where it was interrupted.

    \b
    Examples:
      oddframe improve site.yaml gate
      oddframe improve site.yaml gate --take
      oddframe improve site.yaml gate --back
    """
    from oddframe.site.overview import join_site
    from oddframe.teaching import improving
    from oddframe.teaching.teacher import improved

    if take and back:
        raise typer.BadParameter("--take and --back exclude each other")
    with join_site(site) as store:
        if take or back:
            fitting = (improving.take if take else improving.back)(store, camera, _AUTHOR)
            if json:
                print_json({"camera": camera, "detector": fitting.detector.folder, "fitting": fitting.folder})
            else:
                say(f"{camera} is watched by '{fitting.detector.name}' now.")
                say(f"Back: oddframe improve {site} {camera} --back")
            return
        task = improving.gather(store, camera)
    with watching() as watch:
        made = improved(task, watch)
    if json:
        print_json({"camera": camera, **made.to_dict()})
        return
    say(made.in_words())
    say(f"The set of reviews is in {task.home / 'data'}.")
    if made.better:
        say(f"Next: oddframe improve {site} {camera} --take")
