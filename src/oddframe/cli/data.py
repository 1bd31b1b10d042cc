"""Verbs about data: check, synth, cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="Check a set of videos, make the synthetic one, look after the cache.")


@app.command()
@options.spread
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="A set of videos, or video files.")],
    opening: options.Opening,
    json: options.Json = False,
) -> None:
    """Say what is in a set of videos, and whether its labels agree with each other.

    Ends with exit code 1 where label sources contradict each other, where parts of a public set are missing (unless
    --partial), or where nothing can be trained or judged.

    \b
    Example:
      oddframe data check demo/data
    """
    from oddframe.data.check import check
    from oddframe.data.source import DataSource

    found = check(DataSource(paths=tuple(paths)).instead(**opening.said()))
    if json:
        print_json(found.as_dict())
    else:
        say(found)
    raise typer.Exit(0 if found.ok else 1)


@app.command()
def synth(
    folder: Annotated[Path, typer.Argument(help="Where the set goes: a new or empty folder.")] = Path("demo/data"),
    seed: Annotated[int | None, typer.Option("--seed", help="Which world; 0 if not given. Not of day.")] = None,
    scale: Annotated[
        str,
        typer.Option(
            "--scale",
            help="demo (30 videos), slow (its test has cyclists at walking pace), tiny (6 short ones) or day (hours of "
            "video by day, dusk and night).",
        ),
    ] = "demo",
    name: Annotated[
        str | None,
        typer.Option("--which", help="Of day: develop, to choose by, or judge, to tell how good what was chosen is."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", min=1, help="How many are worked on at the same time, each with its share of the cores."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Make a synthetic set: places, people and anomalies drawn by arithmetic, with exact labels and masks.

    A set of the scale day can be interrupted: the same command goes on with what is missing.

    \b
    Examples:
      oddframe data synth demo/data
      oddframe data synth day/develop --scale day --which develop
    """
    from oddframe.data.synthetic import generate
    from oddframe.data.synthetic.day import generate_day
    from oddframe.errors import SettingsError
    from oddframe.progress import Progress

    day = scale == "day"
    for option, given, of_day in (("--which", name, True), ("--jobs", jobs, True), ("--seed", seed, False)):
        if given is not None and of_day != day:
            raise SettingsError(
                f"{option} is {'only for' if of_day else 'not for'} the scale day",
                seen=f"--scale {scale} {option} {given}",
                hint=f"leave out {option}"
                + (", or add --scale day" if of_day else "; --which chooses one of its sets"),
            )
    with watching() as watch:
        if day:
            made = generate_day(folder, name=name or "develop", jobs=jobs, watch=watch)
        else:
            made = generate(
                folder,
                seed=seed or 0,
                scale=scale,
                progress=lambda done, total: watch(Progress("drawing", done, total)),
            )
    if json:
        print_json(
            {"folder": str(made), "scale": scale, **({"set": name or "develop"} if day else {"seed": seed or 0})}
        )
    else:
        say(f"The synthetic set is in {made}.\nNext: oddframe data check {made}")


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it.")] = False,
    limit: Annotated[
        str | None,
        typer.Option("--limit", metavar="SIZE", help='What it may take up from now on, for example "40GB".'),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show what the store of decoded video holds, clear it, or say how large it may become.

    It can be cleared at any time. What was not used for longest makes room for new video.

    \b
    Examples:
      oddframe data cache
      oddframe data cache --limit 40GB
      oddframe data cache --clear
    """
    from oddframe.files import CACHE_VARIABLE
    from oddframe.reporting.words import count
    from oddframe.video.disk import LIMIT_VARIABLE, parse_bytes
    from oddframe.video.store import FrameStore

    store = FrameStore()
    freed = store.clear() if clear else 0
    if limit is not None:
        freed += store.set_limit(parse_bytes(limit))
    entries = store.entries()
    taken = sum(entry.size_bytes for entry in entries)
    if json:
        listed = [
            {"source": entry.source, "frames": entry.frames, "size": list(entry.size), "bytes": entry.size_bytes}
            for entry in entries
        ]
        print_json(
            {
                "folder": str(store.folder),
                "bytes": taken,
                "limit_bytes": store.limit_bytes,
                "freed_bytes": freed,
                "entries": listed,
            }
        )
        return
    if freed:
        say(f"{_size(freed)} cleared.")
    say(f"{store.folder}: {count(len(entries), 'video')}, {_size(taken)} (at most {_size(store.limit_bytes)})")
    say(f"The environment variable {CACHE_VARIABLE} names another folder, {LIMIT_VARIABLE} another limit.")
    if entries:
        say()
        rows = [
            (entry.source, str(entry.frames), f"{entry.size[1]}x{entry.size[0]}", _size(entry.size_bytes))
            for entry in entries[:20]
        ]
        print_table(("last used first", "frames", "picture", "size"), rows)


def _size(taken: float) -> str:
    return f"{taken / 1e9:.1f} GB" if taken >= 1e9 else f"{taken / 1e6:.1f} MB"
