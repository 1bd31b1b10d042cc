"""Verbs about a site: check, status, deliver, regions, password, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options, teaching
from oddframe.cli.screen import print_json, print_table, say
from oddframe.plain import Json

if TYPE_CHECKING:
    from oddframe.site.store.records import Outgoing

app = typer.Typer(
    no_args_is_help=True,
    help="Check a site's file, say how it is, teach its cameras, send messages again, save it all, set passwords.",
)
for _verb in (teaching.teach, teaching.lessons, teaching.forget):
    app.command()(_verb)

SiteFile = Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site's file.")]
Site = Annotated[Path, typer.Argument(metavar="SITE", help="The site's file, or its folder.")]


@app.command()
def check(
    site: SiteFile,
    send: Annotated[
        bool, typer.Option("--send", help="Send a test message to each sink, of a camera that is called 'test'.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Try all that a site's file names: each camera, detector and sink, and the site's folder.

    All is tried at the same time, within 15 seconds. Nothing is written and, without --send, nothing is sent. Exit code
    is 1 where something does not work.

    \b
    Examples:
      oddframe site check site.yaml
      oddframe site check site.yaml --send
    """
    from oddframe.site.check import check_site
    from oddframe.site.planning.read import read_plan

    checks = check_site(read_plan(site), send=send)
    well = all(one.well for one in checks)
    if json:
        print_json({"well": well, "checks": [one.to_dict() for one in checks]})
    else:
        rows = [
            (f"{one.kind} {one.name}", "well" if one.well else "WRONG", f"{one.took_s:.1f} s", one.found)
            for one in checks
        ]
        print_table(("", "", "after", "found"), rows)
        for one in checks:
            if one.problem:
                say(f"{one.kind} {one.name}: {one.problem}")
    raise typer.Exit(0 if well else 1)


@app.command()
def status(site: Site, json: options.Json = False) -> None:
    """Say how a site is: its cameras, events of the last seven days, messages that wait, room on the disk, machines.

    It reads the site's database, beside the process that runs the site or without one.

    \b
    Example:
      oddframe site status site.yaml
    """
    from oddframe.site.overview import join_site, overview

    with join_site(site) as store:
        found = overview(store)
    if json:
        print_json(found.to_dict())
        return
    columns = ("camera", "state", "since", "lasting", "7 days", "unreviewed")
    print_table(
        columns,
        [
            (
                one.name,
                one.state,
                "" if one.since is None else f"{one.since.astimezone():%Y-%m-%d %H:%M}",
                str(one.lasting),
                str(one.events),
                str(one.unreviewed),
            )
            for one in found.cameras
        ],
    )
    for one in found.cameras:
        if one.reason:
            say(f"{one.name}: {one.reason}")
    if found.machines:
        say()
        print_table(
            ("machine", "oddframe", "", "watches"),
            [
                (one.name, one.version, "sees to the site" if one.sees_to_site else "", ", ".join(one.cameras))
                for one in found.machines
            ],
        )
        for machine in found.machines:
            if not machine.watches:
                say(f"{machine.name}: its engine does not run")
            for what, why in machine.problems.items():
                say(f"{machine.name}: {what}: {why}")
    if found.sinks:
        say()
        rows = [(sink.sink, str(sink.waiting), str(sink.sent), str(sink.dead)) for sink in found.sinks]
        print_table(("sink", "waiting", "sent", "given up"), rows)
    say(f"Evidence takes {found.evidence_bytes / 1e9:.2f} GB in {found.folder}.")


@app.command()
def password(
    site: Site,
    user: Annotated[str, typer.Option("--user", help="Who is to log in.")] = "admin",
    json: options.Json = False,
) -> None:
    """Give a user of a site another password for one login, where the old one is lost.

    It is printed this once, and has to be changed after the login; whoever is logged in as this user is logged out. A
    site that has no users yet gets its first one. It works beside the process that runs the site or without one.

    \b
    Examples:
      oddframe site password site.yaml
      oddframe site password /srv/depot/site --user ann
    """
    from oddframe.console.open import access_to
    from oddframe.site.overview import join_site

    with join_site(site) as store:
        access = access_to(store)
        given = access.first_password() if user == "admin" else None
        given = given or access.new_password(user, author="terminal")
    if json:
        print_json({"user": user, "password": given})
    else:
        say(f"'{user}' can log in once with {given} , and is asked for another password then.")


@app.command()
def deliver(
    site: Site,
    again: Annotated[
        list[int] | None, typer.Option("--again", metavar="ID", help="Send this message again; may be repeated.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Send all of them again.")] = False,
    sink: Annotated[str | None, typer.Option("--sink", help="Only those to this sink.")] = None,
    json: options.Json = False,
) -> None:
    """List messages that were given up, or send them again.

    They are sent by the process that runs the site, within seconds; or when it is started.

    \b
    Examples:
      oddframe site deliver site.yaml
      oddframe site deliver site.yaml --again 4711
      oddframe site deliver site.yaml --all --sink door
    """
    from oddframe.site.overview import join_site

    if again and every:
        raise typer.BadParameter("--again and --all exclude each other")
    with join_site(site) as store:
        if again or every:
            count = store.outbox.again(again or None, sink=sink)
            if json:
                print_json({"again": count})
            else:
                say(f"{count} message{'' if count == 1 else 's'} will be sent again.")
            return
        dead = store.outbox.dead(sink=sink)
    if json:
        print_json({"given_up": [_row(one) for one in dead]})
    elif dead:
        rows = [(str(one.id), one.sink, one.stream, f"{one.queued_at.astimezone():%Y-%m-%d %H:%M}") for one in dead]
        print_table(("message", "sink", "camera", "of"), rows)
        for one in dead:
            say(f"{one.id}: {one.problem}")
    else:
        say("No message was given up.")


@app.command()
def regions(
    site: SiteFile,
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's name.")],
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where they go.")],
    json: options.Json = False,
) -> None:
    """Write the regions of a camera into a file, as `--regions` of `oddframe calibrate RUN` takes them.

    \b
    Example:
      oddframe site regions site.yaml gate gate.json
    """
    from oddframe.errors import SettingsError, nearest
    from oddframe.records import write_record
    from oddframe.scoring.regions import RegionsRecord
    from oddframe.site.planning.read import read_plan

    plan = read_plan(site)
    if camera not in plan.cameras:
        raise SettingsError(f"there is no camera '{camera}'", path=site, hint=nearest(camera, plan.cameras))
    asked = plan.cameras[camera].regions
    write_record(out, RegionsRecord(watch=asked.watch, ignore=asked.ignore))
    if json:
        print_json({"file": str(out)})
    else:
        again = f"oddframe calibrate RUN NORMAL_VIDEO --regions {out} --out FITTING"
        say(f"The regions of {camera} are in {out}. Next: {again}")


@app.command()
def backup(
    site: Site,
    out: Annotated[Path, typer.Argument(metavar="FILE.tar", help="Where it goes; nothing may be there.")],
    evidence: Annotated[
        bool,
        typer.Option(
            "--evidence/--no-evidence",
            help="With pictures and clips of events, and the video that was learned from.",
        ),
    ] = True,
    json: options.Json = False,
) -> None:
    """Save all that a site keeps into one file, also while it runs.

    In it are the database as it was at one moment, the key, evidence, and what was learned in the site's folder; not
    the site's file, nor runs that lie elsewhere. It holds the key to all passwords: only its owner can read it.

    \b
    Examples:
      oddframe site backup site.yaml depot.tar
      oddframe site backup site.yaml depot-small.tar --no-evidence
    """
    from oddframe.site.backup import back_up

    with watching() as watch:
        saved = back_up(site, out, evidence=evidence, watch=watch)
    if json:
        print_json(saved.to_dict())
        return
    say(f"{saved.files} files, {saved.bytes / 1e9:.2f} GB, are saved in {out}. It holds the site's key: keep it safe.")
    if saved.without:
        say(f"Without {saved.without} pictures and clips.")
    for folder in saved.elsewhere:
        say(f"not in it: {folder}")
    say(f"Next, where it is needed: oddframe site restore {out} SITE.yaml")


@app.command()
def restore(
    saved_in: Annotated[Path, typer.Argument(metavar="FILE.tar", help="What `oddframe site backup` made.")],
    site: Site,
    json: options.Json = False,
) -> None:
    """Make a site again of a backup, in a folder that is empty or not there yet.

    All of it is compared with the digests that were kept; a backup that is not whole leaves nothing. One of an older
    version is brought to this one.

    \b
    Examples:
      oddframe site restore depot.tar site.yaml
      oddframe site restore depot.tar depot-again
    """
    from oddframe.site.backup import restore

    with watching() as watch:
        saved = restore(saved_in, site, watch=watch)
    if json:
        print_json(saved.to_dict())
        return
    when = f"{saved.made_at.astimezone():%Y-%m-%d %H:%M}"
    say(f"The site of {when} is in {saved.path}: {saved.files} files, {saved.bytes / 1e9:.2f} GB.")


def _row(one: Outgoing) -> Json:
    return {
        "id": one.id,
        "sink": one.sink,
        "camera": one.stream,
        "queued_at": one.queued_at.isoformat(),
        "tries": one.tries,
        "problem": one.problem,
    }
