"""The verb that makes artefacts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, say
from oddframe.cli.work import RunFolder, need_torch


class _Format(StrEnum):
    onnx = "onnx"
    openvino = "openvino"


class _Precision(StrEnum):
    fp32 = "fp32"
    int8 = "int8"


@options.spread
def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option("--out", help="The artefact's folder.")],
    opening: options.Opening,
    format: Annotated[_Format, typer.Option("--format", help="What the graph is written as.")] = _Format.onnx,
    precision: Annotated[_Precision, typer.Option("--precision", help="Of the convolutions.")] = _Precision.fp32,
    calibrate_on: Annotated[
        list[Path] | None,
        typer.Option(
            "--calibrate-on",
            metavar="NORMAL_VIDEO",
            help="Normal video to calibrate int8 on; may be repeated.",
            show_default="what the run held out",
        ),
    ] = None,
    check_on: Annotated[
        list[Path] | None,
        typer.Option(
            "--check-on",
            metavar="VIDEO",
            help="A video to compare scores and alarms on; may be repeated.",
            show_default="the first of the run's",
        ),
    ] = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Turn a run into an artefact that scores without torch, and hold it to the run's scores.

    With --data, the AUC on the run's test videos is compared, too.

    \b
    Examples:
      oddframe export runs/gate --out gate-model
      oddframe export runs/gate --out gate-int8 --format openvino --precision int8 --check-on gate.mp4
    """
    need_torch()
    from oddframe.evaluation.testset import trained_source
    from oddframe.exporting.make import export
    from oddframe.runs import Run

    said = opening.said()
    source = trained_source(Run.open(run), data or (), **said) if data or any(said.values()) else None
    with watching() as watch:
        artefact = export(
            run, out, format=format.value, precision=precision.value, calibrate_on=calibrate_on or (),
            check_on=check_on or (), data=source, watch=watch,
        )  # fmt: skip
    parity = artefact.parity()
    if json:
        print_json({"artefact": str(artefact.folder), "graph": artefact.about.graph, "parity": parity.as_given()})
        return
    size_mb = sum((artefact.folder / name).stat().st_size for name in artefact.about.files) / 1e6
    say(f"{artefact.folder}: {artefact.about.graph} in {artefact.about.precision}, {size_mb:.1f} MB.")
    for kind, one in parity.compared.items():
        say(
            f"{kind}: components differ by at most {one.largest:.1e} of their value, alarms on {one.differing} "
            f"of {one.frames} frames ({', '.join(one.videos)})."
        )
    if (auc := parity.auc) is not None and auc.run is not None and auc.artefact is not None:
        moved = 100 * (auc.artefact - auc.run)
        say(f"AUC: {100 * auc.run:.2f} % by the run, {100 * auc.artefact:.2f} % by the artefact ({moved:+.2f}).")
    say(f"Next: oddframe score VIDEO --run {artefact.folder}")
