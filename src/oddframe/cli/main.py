"""The command line: each verb reads its arguments, calls one public function, and prints what it returns.

Exit codes: 0 fine, 1 the user can mend it (one clear message, no traceback), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from oddframe.cli import about, data, site, study, work
from oddframe.cli.bench import bench
from oddframe.cli.calibrate import calibrate
from oddframe.cli.export import export
from oddframe.cli.improve import improve
from oddframe.cli.learn import learn
from oddframe.cli.live import live
from oddframe.cli.reproduce import reproduce
from oddframe.cli.score import score
from oddframe.cli.screen import let_printing_never_fail
from oddframe.cli.serve import serve
from oddframe.cli.table import table
from oddframe.errors import OddframeError


class _Verbs(TyperGroup):
    """Turns what a user can mend into a message and an exit code. Whatever else escapes is a bug and shows itself."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OddframeError as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(1) from None
        except KeyboardInterrupt as stopped:
            again = "the same command goes on where it stopped" if ctx.invoked_subcommand in work.RESUMABLE else ""
            said = str(stopped) or again
            print(f"\ninterrupted{': ' if said else ''}{said}", file=sys.stderr)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            _let_go_of_stdout()
            raise typer.Exit(0) from None


app = typer.Typer(
    cls=_Verbs,
    name="oddframe",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("oddframe"))
        raise typer.Exit


@app.callback()
def _oddframe(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Find what is out of the ordinary in video from fixed cameras.

    \b
    First:        oddframe demo --instant     (a minute, trains nothing)
                  oddframe demo               (ten minutes, trains a detector and judges it)
    Your video:   oddframe train gate.mp4 --end 5:00 --out runs/gate
                  oddframe score gate.mp4 --run runs/gate --start 5:00
    A camera:     oddframe live rtsp://USER:PASSWORD@10.0.0.2/live --run runs/gate
    """


app.command()(work.demo)
app.add_typer(data.app, name="data")
app.command()(work.train)
app.command("eval")(work.evaluate)
app.command()(score)
app.command()(table)
app.command()(live)
app.command()(serve)
site.app.command()(learn)
app.add_typer(site.app, name="site")
app.command()(improve)
app.command()(calibrate)
app.command()(work.report)
app.command()(export)
app.command()(reproduce)
app.command()(study.compare)
app.command()(study.analyse)
app.command()(bench)
app.command()(about.models)
app.command()(about.doctor)


def main() -> None:
    """Run the command line."""
    let_printing_never_fail()
    try:
        app()
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _let_go_of_stdout()


def _let_go_of_stdout() -> None:
    """Whoever read the output has gone: what is left of it, also at the interpreter's end, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
