"""The verb that measures speed and memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say
from oddframe.cli.work import need_torch

if TYPE_CHECKING:
    from oddframe.benchmarking.figures import Benched, Figure


def bench(
    trained: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN_OR_ARTEFACT...", help="What is measured; an untrained network of the preset without any."
        ),
    ] = None,
    preset: options.Preset = "cpu",
    detector: options.Detector = None,
    overrides: options.Overrides = None,
    video: Annotated[
        Path | None,
        typer.Option("--measure-on", help="What is decoded and scored.", show_default="a drawn one of 640x360"),
    ] = None,
    batch: Annotated[str, typer.Option("--batch", help="Frames judged at once, e.g. 1,8.")] = "1,8",
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="How often each figure is measured.")] = 5,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw it, too: png, svg or pdf.")] = None,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Measure how fast this machine scores and trains, and how much memory that takes.

    The preset, the detector and settings are those of the untrained network. All contenders take turns, each in a
    process of its own; a figure is the median, with the quartiles in brackets.

    \b
    Examples:
      oddframe bench
      oddframe bench runs/gate gate-model --measure-on gate.mp4 --batch 1,4 --plot speed.png
    """
    if not trained:
        need_torch()
    elif preset != "cpu" or detector is not None or overrides:
        raise typer.BadParameter("--preset, --detector and --set are of the untrained network", param_hint="--preset")
    from oddframe.benchmarking.bench import bench
    from oddframe.settings_layers import load_settings

    settings = None if trained else load_settings(preset, detector=detector, overrides=overrides or ())
    with watching() as watch:
        found = bench(
            trained or (), settings=settings, video=video, batches=_numbers(batch), repeats=repeats, device=device,
            watch=watch,
        )  # fmt: skip
    if plot is not None:
        from oddframe.benchmarking.plot import plot as draw

        draw(found, plot)
    if json:
        print_json(found.to_dict())
        return
    _print(found)
    if plot is not None:
        say(f"The picture: {plot}")


def _print(found: Benched) -> None:
    host, limits = found.host, found.limit
    say(f"{host.processor}, {found.threads} of {host.cores} cores; {found.repeats} repeats.")
    if limits:
        reached = ", ".join(f"{name} {_figure(limit, 0)} GFLOP/s" for name, limit in limits.items())
        say(f"Matrix products, the limit of any network: {reached}.")
    if (frames := found.frames) is not None:
        height, width = frames.source.size
        say(
            f"Video of {width}x{height}{', drawn' if frames.drawn else ''}: decoded and resized at "
            f"{_figure(frames.decoded, 0)} frames/s, read from the frame store at {_figure(frames.stored, 0)}."
        )
    say()
    print_table(
        ("frames a second", "backend", "batch", "network alone", "video to scores", "GFLOP a frame", "of limit", "MB"),
        [
            (
                one.of,
                f"{one.backend}{' int8' if one.precision == 'int8' else ''}",
                str(one.batch),
                _figure(one.network, 1),
                _figure(one.scored, 1),
                "-" if one.gflop is None else f"{one.gflop:.3g}",
                _percent(one.share),
                f"{one.peak_memory_mb:.0f}",
            )
            for one in found.scoring
        ],
    )
    if found.training:
        say()
        print_table(
            ("training", "precision", "clips", "seconds a step", "GFLOP a step", "of limit", "MB"),
            [
                (
                    step.of,
                    step.precision,
                    str(step.batch),
                    _figure(step.step, 3),
                    f"{step.gflop:.3g}",
                    _percent(step.share),
                    f"{step.peak_memory_mb:.0f}",
                )
                for step in found.training
            ],
        )
    for left in found.left_out:
        say(f"left out: {left}")


def _figure(figure: Figure, digits: int) -> str:
    """Median and quartiles.

    >>> from oddframe.benchmarking.figures import Figure
    >>> _figure(Figure(median=2.0, lower=1.52, upper=2.48), 1)
    '2.0 (1.5-2.5)'
    """
    return f"{figure.median:.{digits}f} ({figure.lower:.{digits}f}-{figure.upper:.{digits}f})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _numbers(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not 1 or 1,8", param_hint="--batch") from None
