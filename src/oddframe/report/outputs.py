"""Scoring one's own video: scores, and a folder of files that show them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from oddframe.errors import CutOffVideoError, MissingExtraError, StorageError
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.report.pages import report
from oddframe.report.pictures import VideoPictures
from oddframe.report.plot import plot
from oddframe.scoring.artefact import Trained, open_trained
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Scores, write_beside
from oddframe.video import draw
from oddframe.video.source import Frame, Video, open_video
from oddframe.video.write import write_video

FILES: Mapping[str, str] = {
    "scores": "scores.csv",
    "events": "events.csv",
    "curve": "curve.png",
    "report": "report.html",
    "video": "heat.mp4",
}
"""What `score` writes into its folder; the video only where it is asked for."""

_EVENT_COLUMNS = ("start", "end", "start_s", "end_s", "peak", "peak_s", "score", "x", "y", "width", "height")


def score(
    run: Trained | Path | str,
    video: Video | Path | str,
    *,
    out: Path | str | None = None,
    start: str | None = None,
    end: str | None = None,
    fps: float | None = None,
    scene: str = "",
    heat_video: bool = False,
    device: str = "auto",
    backend: str = "auto",
    watch: Watcher = unwatched,
) -> Scores:
    """Score one video. Needs neither labels nor the frame store.

    Args:
        run: a trained run or an artefact of it, or its folder.
        video: an open video, or a file or a folder of frames.
        out: folder for scores.csv, events.csv, curve.png and report.html; nothing is written without it. The last two
            need the extra `train`; without it they are left out, and `watch` is told.
        start, end: range of a video that is named by its path, see `parse_position`; `end` is exclusive.
        fps: frame rate of a folder of frames.
        scene: which of the trained scenes it shows.
        heat_video: write heat.mp4, too: the video with heat and boxes drawn in.
        device: "auto" | "cpu" | "cuda" | "cuda:1". backend: what computes the scores, as of `Scorer`.
        watch: told after each frame.

    Raises:
        RunError: no finished run. DataError: the video cannot be read, or is too short.
        StorageError: the folder cannot be written.
    """
    opened = open_trained(run)
    source = video if isinstance(video, Video) else open_video(video, fps=fps, start=start, end=end)
    scorer = Scorer(opened, device=device, backend=backend)
    scores = scorer.score(source, scene, watch)
    if out is not None:
        _write_files(Path(out), scores, scorer, source, scene, heat_video, watch)
    return scores


def write_events(scores: Scores, path: Path | str) -> Path:
    """Write one row an event: frames [start, end) and peak, their seconds where known, score, box.

    Raises:
        StorageError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_EVENT_COLUMNS)
    for event in scores.events:
        times = ("" if second is None else f"{second:.3f}" for second in (event.start_s, event.end_s, event.peak_s))
        start_s, end_s, peak_s = times
        box = event.box or ("", "", "", "")
        writer.writerow((event.start, event.end, start_s, end_s, event.peak, peak_s, f"{event.score:.4g}", *box))
    return write_beside(Path(path), text.getvalue())


def _write_files(
    folder: Path, scores: Scores, scorer: Scorer, video: Video, scene: str, heat_video: bool, watch: Watcher
) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError("the folder cannot be made", path=folder, seen=error.strerror) from None
    scores.to_csv(folder / FILES["scores"])
    write_events(scores, folder / FILES["events"])
    pictures = VideoPictures({scores.video: video}, scorer, {scores.video: scene})
    try:
        plot(scores, folder / FILES["curve"])
        report(scores, folder / FILES["report"], pictures=pictures, watch=watch)
    except MissingExtraError as error:  # an artefact is scored where there is nothing to draw with
        watch(Progress("warning", 0, 0, f"scores are written, curve and page are not: {error.problem}"))
    if heat_video:
        write_video(folder / FILES["video"], _drawn(scores, scorer, video, scene, watch), video.fps)


def _drawn(scores: Scores, scorer: Scorer, video: Video, scene: str, watch: Watcher) -> Iterator[Frame]:
    """Frames with heat, and the event's box while it lasts. A video that is cut off ends where it ends."""
    events = list(scores.events)
    try:
        for number, (frame, heat) in enumerate(scorer.heat_frames(video, scene)):
            pixels = draw.as_rgb(frame.pixels) if heat is None else draw.overlay(frame.pixels, heat)
            while events and frame.index >= events[0].end:
                events.pop(0)
            if events and frame.index >= events[0].start and events[0].box is not None:
                pixels = draw.with_box(pixels, events[0].box)
            watch(Progress("drawing the heat video", number + 1, video.frame_count))
            yield replace(frame, pixels=pixels)
    except CutOffVideoError:
        return
