"""Verbs that do the work: demo, train, eval, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say, show_page
from oddframe.errors import MissingExtraError

RESUMABLE = frozenset({"demo", "train", "eval", "reproduce", "improve"})
"""Verbs that go on where they were interrupted."""

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained detector.")]


def demo(
    out: Annotated[Path, typer.Option("--out", help="Where data, run and report go.")] = Path("demo"),
    instant: Annotated[
        bool,
        typer.Option(
            "--instant",
            help="Train nothing: the detector that comes with the package scores a drawn video, in less than a minute. "
            "It needs the extra `runtime` alone.",
        ),
    ] = False,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Make a small world, learn what is normal in it, judge that, and write a report: ten minutes, no download.

    \b
    Examples:
      oddframe demo --instant
      oddframe demo --out demo
    """
    if instant:
        _first_minute(out / "instant", as_json=json)
        return
    need_torch()
    from oddframe.demo import demo
    from oddframe.reporting import alarm_words, words

    with watching() as watch:
        made = demo(out, device=device, watch=watch)
    if json:
        places = {"data": str(made.data), "run": str(made.run.folder), "report": str(made.report)}
        print_json({**places, "result": made.result.to_dict()})
        return
    say(alarm_words.alarms_in_words(made.result))
    say(words.headline(made.result))
    say(
        f"\nThe report: {made.report}   (open it in a browser)\n\n"
        f"Next, what each verb does by itself:\n"
        f"  oddframe data check {made.data}\n"
        f"  oddframe eval {made.run.folder}\n"
        f"and with a video of your own whose first five minutes are normal:\n"
        f"  oddframe train gate.mp4 --end 5:00 --out runs/gate\n"
        f"  oddframe score gate.mp4 --run runs/gate --start 5:00"
    )


def _first_minute(out: Path, *, as_json: bool) -> None:
    from oddframe.instant import instant
    from oddframe.reporting import words

    with watching() as watch:
        made = instant(out, watch=watch)
    page = str(made.page)
    if as_json:
        labelled = [{"kind": kind, "start": start, "end": end} for start, end, kind in made.labelled]
        print_json({"video": str(made.video), "labelled": labelled, "scores": made.scores.to_dict(), "report": page})
        return
    frames, events = words.count(len(made.scores), "frame"), words.count(len(made.scores.events), "event")
    say(f"{made.video}: {frames} judged, {events}.")
    for event in made.scores.events:
        say(f"  alarm from {words.clock(event.start_s)} to {words.clock(event.end_s)}, score {event.score:.1f}")
    kinds = ", ".join(f"{kind} in frames {start}-{end - 1}" for start, end, kind in made.labelled)
    say(f"What is odd in it, as it was drawn: {kinds}.")
    say(f"\nThe page: {page}   (open it in a browser)\nNext: oddframe demo   (trains such a detector, ten minutes)")
    show_page(made.page)


@options.spread
def train(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="A set of videos, or files of normal video.")],
    out: Annotated[Path, typer.Option("--out", help="The run's folder; a stopped training in it goes on.")],
    making: options.Making,
    opening: options.Opening,
    json: options.Json = False,
) -> None:
    """Learn what is normal, and leave the detector in a folder. Interrupted, the same command goes on.

    \b
    Examples:
      oddframe train demo/data --preset tiny --out runs/demo
      oddframe train gate.mp4 --end 5:00 --out runs/gate
      oddframe train demo/data --out runs/demo --time-budget 20m
      oddframe train ped2 --protocol kfold --fold 0 --out runs/ped2
    """
    need_torch()
    from oddframe.data.source import DataSource
    from oddframe.training.train import train

    with watching() as watch:
        run = train(
            DataSource(paths=tuple(data)).instead(**opening.said()), out=out, settings=making.settings(),
            time_budget=making.time_budget, watch=watch,
        )  # fmt: skip
    if json:
        print_json({"run": str(run.folder), **run.info.to_dict()})
        return
    from oddframe.reporting.words import count, duration

    info = run.info
    parameters = info.parameters or 0
    took = f"trained in {duration(info.seconds_training or 0)}" if parameters else "nothing to train"
    say(f"{run.folder}: {run.settings.detector}, {took}, {count(parameters, 'parameter')}, calibrated.")
    for note in info.notes:
        say(f"note: {note}")
    say(f"Next: oddframe eval {run.folder}" if info.split.test else f"Next: oddframe score VIDEO --run {run.folder}")


@options.spread
def evaluate(
    run: RunFolder,
    opening: options.Opening,
    data: options.Data = None,
    places: Annotated[
        bool | None,
        typer.Option(
            "--places/--no-places",
            help="Judge, too, whether the odd places are found; the videos need masks.",
            show_default="as in the result that is there",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws behind each interval.")] = 0,
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    json: options.Json = False,
) -> None:
    """Judge a run on the test videos of its split, and leave the result in its folder.

    With another seed, other data, or a backend that scores a little otherwise, the result has a file of its own
    (eval-standard.seed7.json), and the main one stays. The same command goes on where it was interrupted, but with
    --places, which begins anew.

    \b
    Examples:
      oddframe eval runs/demo
      oddframe eval runs/demo --places
      oddframe eval runs/demo --data demo/data --json
    """
    need_torch()
    from oddframe.artefact import open_trained
    from oddframe.evaluation.evaluate import evaluate
    from oddframe.evaluation.testset import judged_source

    opened = open_trained(run)
    with watching() as watch:
        result = evaluate(
            opened, judged_source(opened, data or (), **opening.said()), places=places, device=device,
            backend=backend, seed=seed, watch=watch,
        )  # fmt: skip
    if json:
        print_json(result.to_dict())
        return
    from oddframe.evaluation.result import percent
    from oddframe.reporting import alarm_words, words

    _say_each(words.how_trained(result), words.what_judged(result))
    say()
    _say_each(alarm_words.alarms_in_words(result), alarm_words.promise_in_words(result))
    say()
    lines = alarm_words.lines_table(result)
    print_table(lines.heads, lines.rows)
    _say_each(alarm_words.LINES_EXPLAINED, alarm_words.too_short_in_words(result))
    if promises := alarm_words.promises_table(result):
        say()
        print_table(promises.heads, promises.rows)
        say(alarm_words.PROMISES_EXPLAINED)
    for table in (alarm_words.kinds_table(result), alarm_words.conditions_table(result)):
        if table:
            say()
            print_table(table.heads, table.rows)
    say()
    _say_each(words.headline(result), words.against_floor(result))
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
    if of_some := words.macro(result):
        say(of_some)
    if result.scenes:
        say()
        print_table(
            ("scene", "videos", "frames", "abnormal", "AUC %"),
            [
                (scene or "-", str(row.videos), str(row.frames), str(row.abnormal), percent(row.online))
                for scene, row in result.scenes.items()
            ],
        )
    if result.places is not None:
        say()
        print_table(
            ("places, in per cent", "RBDC", "TBDC", "pixel AUC", "pixel AUC, 40 % covered"),
            [
                (name, *(percent(value) for value in (f.rbdc, f.tbdc, f.pixel_auc, f.covered_auc)))
                for name, f in result.places.figures.items()
            ],
        )
    for name, group in (("known", result.classes.known), ("unknown", result.classes.unknown)):
        if group is not None and group.kinds:
            say(f"{name} kinds of anomaly ({', '.join(group.kinds)}): AUC {percent(group.online)}")
    for note in result.notes:
        say(f"note: {note}")
    path = opened.folder / result.file_name
    if result.apart:
        say(
            f"The result: {path}. The run's main result is of its own data and backend with seed 0, and was left alone."
        )
    say(f"Next: oddframe report {path if result.apart else run}")


@options.spread
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="The folder of a judged run, or its eval-<protocol>.json; or several."),
    ],
    opening: options.Opening,
    data: options.Data = None,
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
    from oddframe.reporting.pages import judged_with, report

    said = opening.said()
    elsewhere = None
    if data or any(said.values()):
        if len(runs) > 1:
            raise typer.BadParameter("how videos are opened is said of one run at a time", param_hint="--data")
        elsewhere = judged_with(runs[0], data or (), **said)
    with watching() as watch:
        page = report(runs, out, data=elsewhere, watch=watch)
    if json:
        print_json({"report": str(page)})
    else:
        say(f"The report: {page}   (open it in a browser)")


def _say_each(*sentences: str) -> None:
    for sentence in sentences:
        if sentence:
            say(sentence)


def need_torch() -> None:
    """Say what to install before anything else is done."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise MissingExtraError("this verb", "train")
