"""The verb that watches one camera in a terminal."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from oddframe.cli import options


def live(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A camera: rtsp://, rtsps://, http:// or https:// and its address, the number of a USB camera, a "
            "folder of pictures that grows, or a video file, which plays in a loop.",
        ),
    ],
    run: Annotated[Path, typer.Option("--run", help="The folder of a trained detector, or of an exported one.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Where pictures and clips of events go; without it none are kept.", show_default=False
        ),
    ] = None,
    for_s: Annotated[
        float | None,
        typer.Option("--for", metavar="SECONDS", min=0, help="End after so many seconds; without it, on Ctrl-C."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What the camera is called.", show_default="its host or file")
    ] = None,
    scene: options.Scene = "",
    fitting: options.Fitting = None,
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for all that happens, and nothing else.")
    ] = False,
) -> None:
    """Watch one camera: how it is, the score, and events as they come.

    It goes on until Ctrl-C, through whatever happens to the camera: one that was lost is opened again and again, and
    no gap is an alarm. Only where it gives no picture at first, it says why, and exit code is 1.

    \b
    Examples:
      oddframe live rtsp://USER:PASSWORD@10.0.0.2/live --run runs/gate
      oddframe live gate.mp4 --run runs/gate --out alarms --for 60
      oddframe live rtsp://USER:PASSWORD@10.0.0.2/live --run runs/gate --fitting gate-fitting
      oddframe live 0 --run runs/desk --json
    """
    from oddframe.cameras.address import Address
    from oddframe.cli.live_screen import JsonLines, LinesScreen, TerminalScreen
    from oddframe.scoring.scenes import Scenes
    from oddframe.scoring.scorer import Scorer
    from oddframe.site.evidence import EvidenceMaker
    from oddframe.site.live import Live, name_of

    address = Address.parse(source)
    scorer = Scorer(run, device=device, backend=backend, fitting=fitting)
    scene, said = Scenes.of(scorer.calibration, scorer.backgrounds).choose(scene, [])
    called = name or name_of(address)
    evidence = None if out is None else EvidenceMaker(out, lambda *_: None)
    screen = (
        JsonLines(called, evidence) if json
        else (TerminalScreen if sys.stdout.isatty() else LinesScreen)(called, evidence)
    )  # fmt: skip
    interrupted = False
    with screen, _asked_to_end():
        watched = Live(address, scorer, screen, name=called, scene=scene)
        screen.opening(address.masked, watched.line, [said] if said else [])
        if evidence is not None:
            evidence.start()
        began_s = time.monotonic()
        with watched:
            try:
                watched.follow(lambda status: screen.at(status, watched.notes), for_s)
            except KeyboardInterrupt:
                interrupted = True
    screen.closing(watched.status, time.monotonic() - began_s)
    if interrupted:
        raise typer.Exit(130)


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """Have SIGTERM, which services are ended with, do what Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
