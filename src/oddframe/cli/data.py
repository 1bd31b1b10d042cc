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
    seed: Annotated[int, typer.Option("--seed", help="Which world.")] = 0,
    scale: Annotated[
        str,
        typer.Option(
            "--scale", help="demo (30 videos), slow (its test has cyclists at walking pace) or tiny (6 short ones)."
        ),
    ] = "demo",
    json: options.Json = False,
) -> None:
    """Make the synthetic set: three places, people, seven kinds of anomaly, exact labels and masks.

    \b
    Example:
      oddframe data synth demo/data
    """
    from oddframe.data.synthetic import generate
    from oddframe.progress import Progress

    with watching() as watch:
        made = generate(
            folder, seed=seed, scale=scale, progress=lambda done, total: watch(Progress("drawing", done, total))
        )
    if json:
        print_json({"folder": str(made), "seed": seed, "scale": scale})
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
    say(f"{store.folder}: {len(entries)} videos, {_size(taken)} (at most {_size(store.limit_bytes)})")
    say(f"The environment variable {CACHE_VARIABLE} names another folder, {LIMIT_VARIABLE} another limit.")
    if entries:
        say()
        rows = [
            (entry.source, str(entry.frames), f"{entry.size[1]}x{entry.size[0]}", _size(entry.size_bytes))
            for entry in entries[:20]
        ]
        print_table(("last used first", "frames", "picture", "size"), rows)


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
