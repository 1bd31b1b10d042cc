"""The verb that has a camera of a site learn what is normal before it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say

if TYPE_CHECKING:
    from oddframe.site.store import Store
    from oddframe.teaching.asking import Standing

_AUTHOR = "command line"


def learn(
    site: Annotated[Path, typer.Argument(metavar="SITE", help="The site's file, or its folder.")],
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's name.")],
    start: Annotated[bool, typer.Option("--begin", help="Begin to learn, with what is usual.")] = False,
    recordings: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="VIDEO",
            help="A normal recording of the camera, or a folder of them, to learn from instead of what it sends now; "
            "may be repeated.",
        ),
    ] = None,
    collect_for: Annotated[
        str | None,
        typer.Option("--collect", metavar="TIME", help="How long normal video is collected.", show_default="24h"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Or until when, as '2026-12-01 18:00'.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", help="Where settings start from: paper, authors, cpu, live or tiny.", show_default="live"
        ),
    ] = None,
    most_gb: Annotated[
        float | None, typer.Option("--most-gb", help="Gigabytes that collected video may take.", show_default="10")
    ] = None,
    false_alarms_per_day: Annotated[
        float | None, typer.Option("--false-alarms-per-day", help="The rate that draws the line.", show_default="1")
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Collect no more: train on what is there.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Learn no more; what watches goes on.")] = False,
    leave_out: Annotated[
        list[int] | None,
        typer.Option(
            "--leave-out", metavar="NUMBER", help="An odd piece that is not normal, by its number; may be repeated."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--retry", help="Try again what failed.")] = False,
    json: options.Json = False,
) -> None:
    """Have a camera learn what is normal before it, or say how far it is.

    Normal video of the camera is collected, checked, and learned by a detector, which then watches; until then a
    stand-in does. All of it is done by the process that runs the site, in the background. Without an option it says how
    far it is, and which pieces of the video are the oddest: leave out what is not normal.

    \b
    Examples:
      oddframe site learn site.yaml gate --collect 24h
      oddframe site learn site.yaml gate --from recordings/ --preset cpu
      oddframe site learn site.yaml gate
      oddframe site learn site.yaml gate --leave-out 1 --leave-out 4
    """
    from oddframe.site.overview import join_site
    from oddframe.teaching import asking

    settings = {
        "for": collect_for,
        "until": None if until is None else _moment(until),
        "preset": preset,
        "most_gb": most_gb,
        "false_alarms_per_day": false_alarms_per_day,
    }
    said = {name: value for name, value in settings.items() if value is not None}
    begins = start or bool(recordings) or bool(said)
    wishes = [
        name
        for name, asked in (("--stop", stop), ("--now", now), ("--retry", again), ("--leave-out", bool(leave_out)))
        if asked
    ]
    if len(wishes) + begins > 1:
        raise typer.BadParameter(
            f"{' and '.join([*(['a new learning'] if begins else []), *wishes])} exclude each other"
        )
    with join_site(site) as store:
        if begins:
            asking.start(store, camera, said, _AUTHOR, videos=recordings or ())
        elif stop:
            asking.stop(store, camera, _AUTHOR)
        elif now:
            asking.collected(store, camera, _AUTHOR)
        elif again:
            asking.again(store, camera, _AUTHOR)
        elif leave_out:
            asking.leave_out(store, camera, leave_out, _AUTHOR)
        _show(store, camera, asking.standing(store, camera), as_json=json)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no moment; as 2026-12-01 18:00", param_hint="--until") from None


def _show(store: Store, camera: str, standing: Standing, *, as_json: bool) -> None:
    if as_json:
        print_json({"camera": camera, **standing.to_dict()})
        return
    say(": ".join(part for part in (camera, standing.state, standing.words) if part))
    learning, check = standing.learning, standing.check
    if learning is None:
        return
    if learning.problem and learning.state != "failed":
        say(f"  but: {learning.problem}{f'. Do: {learning.hint}' if learning.hint else ''}")
    if learning.skipped_s:
        passed = ", ".join(f"{why} {seconds / 60:.0f} min" for why, seconds in learning.skipped_s.items())
        say(f"Not collected: {passed}.")
    for note in learning.notes:
        say(f"note: {note}")
    if check is None:
        return
    for note in check.notes:
        say(f"note: {note}")
    say("The oddest pieces of the normal video. What is not normal is to be left out:")
    rows = [
        (
            str(one.number),
            one.name if one.began is None else f"{one.began.astimezone():%Y-%m-%d %H:%M:%S}",
            f"{one.at_s:.0f} s",
            f"{one.score:.2f}",
            str(standing.folder / one.heat),
            "left out" if one.name in learning.left_out else "",
        )
        for one in check.odd
    ]
    print_table(("", "piece", "at", "score", "picture", ""), rows)
