"""Verbs that teach the cameras of a site by reviews: teach, lessons, forget."""

from __future__ import annotations

import getpass
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say

if TYPE_CHECKING:
    from oddframe.teaching.lesson_records import Preview

Site = Annotated[Path, typer.Argument(metavar="SITE", help="The site's file, or its folder.")]
CameraName = Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would come of it, and change nothing.")]


def teach(
    site: Site,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="What it was: normal, alarm or unsure.")],
    reach: Annotated[
        str, typer.Option("--reach", help="How far 'normal' goes, in looks and place: narrow, middle or wide.")
    ] = "middle",
    hours: Annotated[
        str | None,
        typer.Option(
            "--hours",
            metavar="HH:MM-HH:MM",
            help="Time of day at which it is normal, at the camera.",
            show_default="any",
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What else is to be said of it.")] = "",
    author: Annotated[
        str | None, typer.Option("--author", help="Who says it.", show_default="the name of the user")
    ] = None,
    dry_run: DryRun = False,
    json: options.Json = False,
) -> None:
    """Review an event, and teach its camera by that, within seconds.

    'normal' silences its like at its place; 'alarm' makes it one of the known anomalies by which `learned` weighs
    components. Before that, it is tried on the events that are remembered. What was said can be said anew.

    \b
    Examples:
      oddframe site teach site.yaml 019a3c1e-7f4b-7cc2-9d7e-31b5f4f0a001 normal --dry-run
      oddframe site teach site.yaml 019a3c1e-7f4b-7cc2-9d7e-31b5f4f0a001 normal --reach narrow --hours 06:00-09:30
      oddframe site teach site.yaml 019a3c1e-7f4b-7cc2-9d7e-31b5f4f0a001 alarm --note "over the fence"
    """
    from oddframe.site.overview import join_site
    from oddframe.teaching.lesson_records import Scope
    from oddframe.teaching.lessons import Teaching

    if verdict not in ("normal", "alarm", "unsure"):
        raise typer.BadParameter(f"{verdict} is none of normal, alarm, unsure", param_hint="VERDICT")
    begin, end = _hours(hours)
    plain = {"reach": reach} | ({"begin": begin, "end": end} if begin else {})
    scope = Scope.of(plain)
    with join_site(site) as store:
        teaching = Teaching(store, store.events.get(event).event.camera)
        told = teaching.preview(event, verdict, scope)  # type: ignore[arg-type]
        if not dry_run:
            store.reviews.add(event, author or getpass.getuser(), verdict, scope=plain, note=note)  # type: ignore[arg-type]
            told = teaching.carry_out(event)
    _show(told, as_json=json)


def lessons(site: Site, camera: CameraName, json: options.Json = False) -> None:
    """List what reviews have taught a camera.

    \b
    Example:
      oddframe site lessons site.yaml gate
    """
    from oddframe.site.overview import join_site
    from oddframe.teaching.lessons import lessons_of

    with join_site(site) as store:
        found = lessons_of(store, camera)
    if json:
        print_json({"lessons": [one.to_dict() for one in found]})
        return
    if not found:
        say(f"Nobody has taught {camera} anything yet.")
        return
    rows = [
        (
            str(one.number),
            f"{one.at.astimezone():%Y-%m-%d %H:%M}",
            one.author,
            f"normal, {one.reach}" if one.does == "lesson" else "alarm",
            f"{one.begin:%H:%M}-{one.end:%H:%M}" if one.begin and one.end else "",
            "" if one.silenced is None else str(one.silenced),
            one.event,
        )
        for one in found
    ]
    print_table(("review", "at", "by", "says", "hours", "silenced", "event"), rows)


def forget(
    site: Site,
    camera: CameraName,
    review: Annotated[int, typer.Argument(metavar="REVIEW", help="Its number, as `oddframe site lessons` has it.")],
    dry_run: DryRun = False,
    json: options.Json = False,
) -> None:
    """Take back what a review taught a camera, without a trace; the review itself stays.

    \b
    Examples:
      oddframe site forget site.yaml gate 17 --dry-run
      oddframe site forget site.yaml gate 17
    """
    from oddframe.site.overview import join_site
    from oddframe.teaching.lessons import Teaching

    with join_site(site) as store:
        teaching = Teaching(store, camera)
        told = teaching.preview_forgetting(review) if dry_run else teaching.forget(review)
    _show(told, as_json=json)


def _hours(text: str | None) -> tuple[str, str] | tuple[None, None]:
    if text is None:
        return None, None
    try:
        begin, end = (time.fromisoformat(one).isoformat() for one in text.split("-"))
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not as 06:00-09:30", param_hint="--hours") from None
    return begin, end


def _show(told: Preview, *, as_json: bool) -> None:
    if as_json:
        print_json(told.to_dict())
        return
    say(told.in_words())
    for one in told.silenced:
        say(f"  {one.event}  {one.began_at.astimezone():%Y-%m-%d %H:%M:%S}  {one.verdict or ''}".rstrip())
    if told.promise:
        say(told.promise)
