"""The verb that scores people's own video: one, or many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say

if TYPE_CHECKING:
    from oddframe.footage.many import ScoredVideo
    from oddframe.scoring.scores import Scores


def score(
    videos: Annotated[
        list[Path],
        typer.Argument(
            metavar="VIDEO...", help="Video files, folders of frames, or folders with any of these in them."
        ),
    ],
    run: Annotated[Path, typer.Option("--run", help="The folder of a trained detector, or of an exported one.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Where the outputs go; of several videos, the folder in which each has one of its own.",
            show_default="RUN/scores/VIDEO",
        ),
    ] = None,
    heat_video: Annotated[
        bool, typer.Option("--video", help="Write the video with its heat map drawn in, too.")
    ] = False,
    jobs: options.Jobs = 1,
    start: options.Start = None,
    end: options.End = None,
    fps: options.Fps = None,
    scene: options.Scene = "",
    device: options.Device = "auto",
    backend: options.Backend = "auto",
    json: options.Json = False,
) -> None:
    """Find what is out of the ordinary in video: a table of scores, events, a curve and a page of each.

    One video is scored whenever it is asked for. Of several, those that are finished are passed over, so that the same
    command goes on where it was interrupted: a video is finished when the scores.json in its folder says that it was
    made from the same run, options and version, and from a video of the same name, size and time of change. Remove its
    folder to have it scored again. A video that fails stops no other; exit code 1 says that some have.

    \b
    Examples:
      oddframe score gate.mp4 --run runs/gate --start 1:20
      oddframe score gate.mp4 --run runs/gate --video --out gate-scores
      oddframe score demo/data/test --run runs/demo --jobs 2 --out test-scores
    """
    from oddframe.artefact import open_trained
    from oddframe.footage.many import are_several, score_videos
    from oddframe.footage.outputs import score

    if are_several(videos):
        with watching() as watch:
            ended = score_videos(
                run, videos, out=out, jobs=jobs, start=start, end=end, fps=fps, scene=scene, heat_video=heat_video,
                device=device, backend=backend, watch=watch,
            )  # fmt: skip
        _tell_all(ended, heat_video, as_json=json)
        return
    opened, video = open_trained(run), videos[0]
    folder = out or run / "scores" / (video.stem if video.is_file() else video.name)
    with watching() as watch:
        scores = score(
            opened, video, out=folder, start=start, end=end, fps=fps, scene=scene, heat_video=heat_video,
            device=device, backend=backend, watch=watch,
        )  # fmt: skip
    _tell(scores, folder, heat_video, as_json=json)


def _tell(scores: Scores, folder: Path, heat_video: bool, *, as_json: bool) -> None:
    from oddframe.footage.folder import files_in
    from oddframe.reporting import words

    files = files_in(folder, heat_video)
    if as_json:
        print_json(scores.to_dict() | {"files": files})
        return
    say(f"{scores.video}: {words.count(len(scores), 'frame')} judged, {words.count(len(scores.events), 'event')}.")
    say(words.line_in_words(scores.line))
    if scores.events:
        say()
        print_table(
            ("from", "to", "peak", "score", "where (x, y, width, height)"),
            [
                (
                    words.clock(event.start_s) or f"frame {event.start}",
                    words.clock(event.end_s) or f"frame {event.end - 1}",
                    words.clock(event.peak_s) or f"frame {event.peak}",
                    f"{event.score:.2f}",
                    "-" if event.box is None else ", ".join(str(side) for side in event.box),
                )
                for event in scores.events
            ],
        )
        say()
    for note in scores.notes:
        say(f"note: {note}")
    if "report" in files:
        say(f"The page: {files['report']}   (scores.csv, events.csv and curve.png are beside it)")
    else:
        say(f"The table: {files['scores']}   (events.csv is beside it)")


def _tell_all(ended: list[ScoredVideo], heat_video: bool, *, as_json: bool) -> None:
    """Say what became of each video.

    Raises:
        Exit: with code 1, where one has failed.
    """
    from oddframe.footage.folder import files_in

    failed = [one for one in ended if one.error is not None]
    if as_json:
        print_json(
            {
                "videos": [
                    {"path": str(one.video), "folder": str(one.folder)}
                    | (
                        {"video": one.name, "error": str(one.error)}
                        if one.summary is None
                        else {**one.summary, "skipped": one.skipped, "files": files_in(one.folder, heat_video)}
                    )
                    for one in ended
                ],
                "failed": len(failed),
            }
        )
    else:
        if there := [(one, one.summary) for one in ended if one.summary is not None]:
            print_table(
                ("video", "frames", "events", "highest", "", "folder"),
                [
                    (
                        one.name,
                        f"{summary['frames']:,}",
                        str(len(summary["events"])),
                        max((f"{event['score']:.2f}" for event in summary["events"]), key=float, default="-"),
                        "finished before" if one.skipped else "",
                        str(one.folder),
                    )
                    for one, summary in there
                ],
            )
        for one in failed:
            assert one.error is not None
            say(f"failed: {one.name}: {one.error.in_one_line()}")
        if failed:
            say("What is finished is kept; the same command tries the rest again.")
    if failed:
        raise typer.Exit(1)
