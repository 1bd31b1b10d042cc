"""The verb that decides where alarms begin: of a finished run, or of a detector that is fitted to a camera."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say
from oddframe.cli.work import RunFolder

if TYPE_CHECKING:
    from oddframe.scoring.fitting import Fitting
    from oddframe.scoring.recalibrate import Recalibrated


def calibrate(
    run: RunFolder,
    videos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[VIDEO...]",
            help="Normal recordings of the camera to fit the detector to: video files, folders of frames, or folders "
            "with any of these in them. A sub-folder is a profile, such as day and night.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder of the fitting; the run stays as it is.")
    ] = None,
    regions: Annotated[
        Path | None, typer.Option("--regions", help="A JSON file of polygons to watch and to ignore, in shares 0..1.")
    ] = None,
    false_alarms_per_day: Annotated[
        float | None,
        typer.Option("--false-alarms-per-day", help="The rate that draws the line.", show_default="as in the run"),
    ] = None,
    overrides: options.Overrides = None,
    fps: options.Fps = None,
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    json: options.Json = False,
) -> None:
    """Change the alarms of a finished run, or fit a detector to a camera.

    With RUN alone, a finished run is calibrated again with other settings of score: rate of false alarms, smoothing,
    components, events. It takes seconds, and needs neither the videos nor a graphics card: the run keeps what its
    detector found on the video that was held out. What was changed and when is kept in RUN/calibrations.jsonl.

    With VIDEO and --out, the detector (a run, or an artefact without torch) is fitted to the camera that recorded them:
    what is normal there, where alarms begin, and what the footage can vouch for. Nothing odd may happen in the videos,
    and the detector must not have been trained on them. With --out alone, a fitting gets another line in seconds.

    \b
    Examples:
      oddframe calibrate runs/gate --set score.false_alarms_per_hour=0.1
      oddframe calibrate runs/gate --set score.smoothing=9 --set score.cool_down_s=30
      oddframe calibrate runs/gate monday.mp4 tuesday.mp4 --out gate-fitting --false-alarms-per-day 1
      oddframe calibrate runs/gate recordings --out gate-fitting --regions regions.json
      oddframe calibrate runs/gate --out gate-fitting --false-alarms-per-day 6
    """
    from oddframe.scoring.fit import calibrate, no_folder

    if out is None:
        if videos or regions is not None:
            raise no_folder()
        changed = calibrate(run, overrides=overrides or (), false_alarms_per_day=false_alarms_per_day)
        if json:
            print_json(changed.to_dict())
        else:
            _tell_changed(changed, run)
        return
    with watching() as watch:
        made = calibrate(
            run, videos or (), out=out, regions=regions, false_alarms_per_day=false_alarms_per_day,
            overrides=overrides or (), fps=fps, device=device, backend=backend, watch=watch,
        )  # fmt: skip
    if json:
        print_json({"folder": str(made.folder), **made.info.to_dict()})
    else:
        _tell_fitted(made, run)


def _tell_changed(made: Recalibrated, run: Path) -> None:
    from oddframe.reporting.words import line_in_words

    for name, (before, after) in made.changed.items():
        say(f"{name}: {before} before, {after} now")
    if not made.changed:
        say("No setting was changed: the same calibration was made again.")
    say(line_in_words(made.after))
    if made.before is not None:
        say(f"Before, they began at {made.before.on:.2f}.")
    for note in made.notes:
        say(f"note: {note}")
    stale = sorted(one.name for one in run.glob("eval-*.json"))
    if stale:
        say(f"{' and '.join(stale)} was made before that. Next: oddframe eval {run}")
    else:
        say(f"Next: oddframe score VIDEO --run {run}")


def _tell_fitted(made: Fitting, run: Path) -> None:
    print_table(
        ("video", "profile", "frames judged"),
        [(one.name, one.profile or "-", f"{one.frames:,}") for one in made.info.videos],
    )
    say(f"Alarms begin at a score of {made.line.on:.2f}.")
    say(f"{made.info.promise.in_words()}.")
    for note in made.info.notes:
        say(f"note: {note}")
    say(f"Next: oddframe score VIDEO --run {run} --fitting {made.folder}")
