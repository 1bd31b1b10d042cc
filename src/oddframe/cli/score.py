"""The verb that scores people's own video: one, or many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say

if TYPE_CHECKING:
    from oddframe.footage.folder import Asked, ScoredVideo
    from oddframe.footage.summary import Summary
    from oddframe.storage.place import Place


def score(
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO...",
            help="Video files, folders of frames, or folders with any of these in them; or their URLs, as s3://BUCKET/...",
        ),
    ],
    run: Annotated[Path, typer.Option("--run", help="The folder of a trained detector, or of an exported one.")],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="Where the outputs go, a folder or its URL; of several videos, the one in which each has its own.",
            show_default="RUN/scores/VIDEO",
        ),
    ] = None,
    heat_video: Annotated[
        bool, typer.Option("--video", help="Write the video with its heat map drawn in, too.")
    ] = False,
    clips: Annotated[
        int,
        typer.Option("--event-clips", min=0, help="Write a picture and a short video of so many events, the highest."),
    ] = 0,
    start_time: Annotated[
        str | None,
        typer.Option("--start-time", help='Time of day of the first second, e.g. "2026-11-28T14:31:52".'),
    ] = None,
    jobs: options.JobsAnywhere = None,
    engine: options.Engine = "local",
    address: options.Address = None,
    start: options.Start = None,
    end: options.End = None,
    fps: options.Fps = None,
    scene: options.Scene = "",
    fitting: options.Fitting = None,
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    json: options.Json = False,
) -> None:
    """Find what is out of the ordinary in video: a table of scores, events, a curve and a page of each.

    Of several videos there is one table of events and one page, too. A folder within the one that is named is a scene,
    as in training.

    With several jobs a long video is judged in pieces, by as many processes, with the same scores to the last digit.

    One video is scored whenever it is asked for. Of several, those that are finished are passed over, so that the same
    command goes on where it was interrupted: a video is finished when the scores.json in its folder says that it was
    made from the same run, options and version, and from a video of the same name, size and time of change. Remove its
    folder to have it scored again. A video that fails stops no other; exit code 1 says that some have.

    \b
    Examples:
      oddframe score gate.mp4 --run runs/gate --start 5:00
      oddframe score gate.mp4 --run runs/gate --video --out gate-scores
      oddframe score gate.mp4 --run runs/gate --fitting gate-fitting
      oddframe score gate.mp4 --run runs/gate --event-clips 10 --start-time 2026-11-28T14:31:52
      oddframe score gate.mp4 --run runs/gate --jobs 4
      oddframe score demo/data/test --run runs/demo --jobs 2 --out test-scores
      oddframe score archive --run runs/gate --out scores --engine ray --address 10.0.0.5:6379
      oddframe score s3://archive/may --run runs/gate --out s3://archive/scores --jobs 4
    """
    from oddframe.artefact import open_trained
    from oddframe.footage.folder import Asked, Means, ScoredVideo
    from oddframe.footage.many import are_several, score_all, score_together
    from oddframe.footage.outputs import score_one
    from oddframe.footage.summary import Summary
    from oddframe.processes.engines import Where
    from oddframe.storage.place import place_of

    asked = Asked(start, end, fps, scene, heat_video, clips, start_time)
    means, where = Means(device, backend, fitting), Where(engine, address, jobs)
    opened = open_trained(run)
    given, into = [place_of(one) for one in videos], None if out is None else place_of(out)
    if are_several(given):
        with watching() as watch:
            ended = score_all(opened, given, asked, means, into, where, watch)
        if json:
            _print(ended, asked)
        else:
            _tell_all(ended, into or opened.folder / "scores")
        if any(one.error is not None for one in ended):
            raise typer.Exit(1)
        return
    video = given[0]
    stem = video.name if isinstance(video, Path) and video.is_dir() else video.stem
    folder = into or opened.folder / "scores" / stem
    with watching() as watch:
        if (jobs or 1) > 1 or engine != "local" or address is not None:
            one = score_together(opened, video, asked, means, folder, where, watch)
        else:
            scores = score_one(opened, video, asked, means, folder, watch)
            one = ScoredVideo(scores.video, video, folder, Summary.of(scores))
    if json:
        _print([one], asked)
    else:
        _tell(one, asked)


def _print(ended: list[ScoredVideo], asked: Asked) -> None:
    """One shape of JSON, whether of one video or of many."""
    from oddframe.footage.folder import files_in

    print_json(
        {
            "videos": [
                {"path": str(one.video), "folder": str(one.folder)}
                | (
                    {"video": one.name, "error": str(one.error)}
                    if one.summary is None
                    else {**one.summary.to_dict(), "skipped": one.skipped, "files": files_in(one.folder, asked)}
                )
                for one in ended
            ],
            "failed": sum(one.error is not None for one in ended),
        }
    )


def _tell(one: ScoredVideo, asked: Asked) -> None:
    from oddframe.footage.folder import files_in
    from oddframe.reporting import words

    summary = one.summary
    assert summary is not None
    files = files_in(one.folder, asked)
    as_what = [f"scene {summary.scene}"] if summary.scene else []
    as_what += [f"from {summary.began[:19].replace('T', ' ')}"] if summary.began else []
    shown = f" ({', '.join(as_what)})" if as_what else ""
    found = words.count(len(summary.events), "event")
    say(f"{summary.video}{shown}: {words.count(summary.frames, 'frame')} judged, {found}.")
    say(words.line_in_words(summary.line.line()))
    if summary.events:
        say()
        print_table(
            ("from", "to", "peak", "score", "where (x, y, width, height)"),
            [
                (
                    _moment(summary, event.start_at, event.start_s, event.start),
                    _moment(summary, event.end_at, event.end_s, event.end - 1),
                    _moment(summary, event.peak_at, event.peak_s, event.peak),
                    words.shown_score(event.score),
                    "-" if event.box is None else ", ".join(str(side) for side in event.box.model_dump().values()),
                )
                for event in summary.events
            ],
        )
        say()
    for note in summary.notes:
        say(f"note: {note}")
    if "report" in files:
        say(f"The page: {files['report']}   (scores.csv, events.csv and curve.png are beside it)")
    else:
        say(f"The table: {files['scores']}   (events.csv is beside it)")


def _moment(summary: Summary, at: str | None, seconds: float | None, frame: int) -> str:
    """A moment by the time of day (and the date, where it is not the first one's), else by the video's clock, else by
    the number of the frame."""
    from oddframe.reporting.words import clock

    if at is None or summary.began is None:
        return clock(seconds) or f"frame {frame}"
    date, _, moment = at.partition("T")
    return moment[:8] if date == summary.began[:10] else f"{date} {moment[:8]}"


def _tell_all(ended: list[ScoredVideo], parent: Place) -> None:
    """Say what became of each video."""
    from oddframe.footage.overview import EVENTS, PAGE
    from oddframe.reporting.words import count, shown_score

    failed = [one for one in ended if one.error is not None]
    if there := [(one, one.summary) for one in ended if one.summary is not None]:
        print_table(
            ("video", "scene", "frames", "events", "highest", ""),
            [
                (
                    one.name,
                    summary.scene or "-",
                    f"{summary.frames:,}",
                    str(len(summary.events)),
                    max((shown_score(event.score) for event in summary.events), key=float, default="-"),
                    "finished before" if one.skipped else "",
                )
                for one, summary in there
            ],
        )
        events = sum(len(summary.events) for _, summary in there)
        say(f"{count(events, 'event')} in {count(len(there), 'video')}.")
        said: dict[str, list[str]] = {}
        for one, summary in there:
            for note in summary.notes:
                said.setdefault(note, []).append(one.name)
        for note, names in said.items():
            say(f"note: {note}" if len(names) == len(there) else f"note: {', '.join(names)}: {note}")
        say(f"The page of all: {parent / PAGE}   (the table of all events: {parent / EVENTS})")
    for one in failed:
        assert one.error is not None
        say(f"failed: {one.name}: {one.error.in_one_line()}")
    if failed:
        say("What is finished is kept; the same command tries the rest again.")
