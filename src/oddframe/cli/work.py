"""Verbs that do the work: demo, train, eval, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say
from oddframe.errors import MissingExtraError

RESUMABLE = frozenset({"demo", "train", "reproduce"})
"""Verbs that go on where they were interrupted."""

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained detector.")]


def demo(
    out: Annotated[Path, typer.Option("--out", help="Where data, run and report go.")] = Path("demo"),
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Make a small world, learn what is normal in it, judge that, and write a report: ten minutes, no download.

    \b
    Example:
      oddframe demo --out demo
    """
    need_torch()
    from oddframe.demo import demo
    from oddframe.reporting import words

    with watching() as watch:
        made = demo(out, device=device, watch=watch)
    if json:
        places = {"data": str(made.data), "run": str(made.run.folder), "report": str(made.report)}
        print_json({**places, "result": made.result.to_dict()})
        return
    say(words.headline(made.result))
    say(words.alarms_in_words(made.result))
    say(
        f"\nThe report: {made.report}   (open it in a browser)\n\n"
        f"Next, what each verb does by itself:\n"
        f"  oddframe data check {made.data}\n"
        f"  oddframe eval {made.run.folder}\n"
        f"and with a video of your own whose first 80 seconds are normal:\n"
        f"  oddframe train gate.mp4 --end 1:20 --out runs/gate\n"
        f"  oddframe score gate.mp4 --run runs/gate --start 1:20"
    )


def train(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="A set of videos, or files of normal video.")],
    out: Annotated[Path, typer.Option("--out", help="The run's folder.")],
    preset: options.Preset = "cpu",
    detector: options.Detector = None,
    overrides: options.Overrides = None,
    settings_file: options.SettingsFile = None,
    protocol: options.Protocol = None,
    fold: options.Fold = None,
    rate: options.Rate = None,
    known_classes: options.KnownClasses = None,
    seed: options.Seed = None,
    time_budget: options.TimeBudget = None,
    kind: options.Kind = None,
    labels: options.Labels = None,
    masks: options.Masks = None,
    ground_truth: options.GroundTruth = None,
    partial: options.Partial = False,
    allow_cut_off: options.AllowCutOff = False,
    start: options.Start = None,
    end: options.End = None,
    fps: options.Fps = None,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Learn what is normal, and leave the detector in a folder. Interrupted, the same command goes on.

    \b
    Examples:
      oddframe train demo/data --preset tiny --out runs/demo
      oddframe train gate.mp4 --end 1:20 --out runs/gate
      oddframe train demo/data --out runs/demo --time-budget 20m
      oddframe train ped2 --protocol kfold --fold 0 --out runs/ped2
    """
    need_torch()
    from oddframe.data.open import open_videoset
    from oddframe.settings import load_settings
    from oddframe.training.train import train

    given: dict[str, dict[str, Any]] = {
        "data": {
            "protocol": protocol,
            "fold": fold,
            "rate": rate,
            "known_classes": known_classes or None,
            "allow_cut_off": allow_cut_off or None,
        },
        "train": {"seed": seed, "device": None if device == "auto" else device},
    }
    rooms = {room: {key: value for key, value in keys.items() if value is not None} for room, keys in given.items()}
    settings = load_settings(preset, detector=detector, file=settings_file, overrides=overrides or (), **rooms)
    paths: Path | list[Path] = data[0] if len(data) == 1 else data
    with watching() as watch:
        videos = open_videoset(
            paths, kind, fps=fps, start=start, end=end, labels=labels or (), masks=masks, partial=partial,
            ground_truth=ground_truth,
        )  # fmt: skip
        run = train(videos, out=out, settings=settings, time_budget=time_budget, watch=watch)
    if json:
        print_json({"run": str(run.folder), **run.info.to_dict()})
        return
    from oddframe.reporting.words import count, duration

    info = run.info
    parameters = info.parameters or 0
    took = f"trained in {duration(info.seconds_training or 0)}" if parameters else "nothing to train"
    say(f"{run.folder}: {settings.detector}, {took}, {count(parameters, 'parameter')}, calibrated.")
    for note in info.notes:
        say(f"note: {note}")
    say(f"Next: oddframe eval {run.folder}" if info.split.test else f"Next: oddframe score VIDEO --run {run.folder}")


def evaluate(
    run: RunFolder,
    data: options.Data = None,
    kind: options.Kind = None,
    labels: options.Labels = None,
    masks: options.Masks = None,
    ground_truth: options.GroundTruth = None,
    partial: options.Partial = False,
    fps: options.Fps = None,
    regions: Annotated[
        bool,
        typer.Option("--regions", help="Judge, too, whether the odd places are found; the videos need masks."),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws behind each interval.")] = 0,
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    json: options.Json = False,
) -> None:
    """Judge a run on the test videos of its split, and leave the result in its folder.

    \b
    Examples:
      oddframe eval runs/demo
      oddframe eval runs/demo --regions
      oddframe eval runs/demo --data demo/data --json
    """
    need_torch()
    from oddframe.artefact import open_trained
    from oddframe.evaluation.judge import evaluate
    from oddframe.evaluation.testset import open_data

    if data is None and (kind is not None or labels or masks is not None or fps is not None):
        raise typer.BadParameter("--kind, --labels, --masks and --fps need --data", param_hint="--data")
    opened = open_trained(run)
    videos = open_data(
        opened, data, kind=kind, fps=fps, labels=labels, masks=masks, ground_truth=ground_truth, partial=partial or None
    )
    with watching() as watch:
        result = evaluate(
            opened, videos=videos, regions=regions, device=device, backend=backend, seed=seed, watch=watch
        )
    if json:
        print_json(result.to_dict())
        return
    from oddframe.evaluation.result import percent
    from oddframe.reporting import words

    for sentence in (
        words.how_trained(result),
        words.what_judged(result),
        words.headline(result),
        words.against_floor(result),
        words.alarms_in_words(result),
    ):
        if sentence:
            say(sentence)
    say()
    print_table(
        ("in per cent", "AUC", "95 % interval", "macro AUC", "AP", "EER"),
        [
            (
                name,
                percent(figures.micro),
                "-" if figures.interval is None else " to ".join(map(percent, figures.interval)),
                *map(percent, (figures.macro, figures.ap, figures.eer)),
            )
            for name, figures in result.auc.items()
        ],
    )
    if result.scenes:
        say()
        print_table(
            ("scene", "videos", "frames", "abnormal", "AUC %"),
            [
                (scene or "-", str(row.videos), str(row.frames), str(row.abnormal), percent(row.online))
                for scene, row in result.scenes.items()
            ],
        )
    if (places := result.places) is not None:
        say()
        print_table(
            ("places, in per cent", "RBDC", "TBDC", "pixel AUC", "pixel AUC, 40 % covered"),
            [
                (name, *(percent(value) for value in (f.rbdc, f.tbdc, f.pixel_auc, f.covered_auc)))
                for name, f in places.figures.items()
            ],
        )
    for name, group in (("known", result.classes.known), ("unknown", result.classes.unknown)):
        if group is not None and group.kinds:
            say(f"{name} kinds of anomaly ({', '.join(group.kinds)}): AUC {percent(group.online)}")
    for note in result.notes:
        say(f"note: {note}")
    say(f"Next: oddframe report {run}")


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="The folder of a judged run, or its eval-<protocol>.json; or several."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file.", show_default="RUN/report.html; compare.html for several runs"),
    ] = None,
    json: options.Json = False,
) -> None:
    """Make the page of a judged run again, or of several side by side; it works offline and in any browser.

    Several runs are compared with the first: figures, paired differences, ROC curves, the same videos run by run.

    \b
    Examples:
      oddframe report runs/demo
      oddframe report runs/demo runs/gate --out compare.html
    """
    from oddframe.reporting.pages import report

    with watching() as watch:
        page = report(runs, out, watch=watch)
    if json:
        print_json({"report": str(page)})
    else:
        say(f"The report: {page}   (open it in a browser)")


def need_torch() -> None:
    """Say what to install before anything else is done."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise MissingExtraError("this verb", "train")
