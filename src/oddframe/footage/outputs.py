"""Scoring one's own video: scores, and a folder of files that show them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from oddframe.artefact import Trained, open_trained
from oddframe.errors import CutOffVideoError, MissingExtraError, SettingsError, StorageError
from oddframe.files import write_text
from oddframe.footage.captions import Captions
from oddframe.footage.folder import FILES, PARTIAL, Asked, made_from, made_of, write_summary
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting.pages import report
from oddframe.reporting.pictures import VideoPictures
from oddframe.reporting.plot import plot
from oddframe.scoring.heat import BoxTrack
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Scores
from oddframe.video import draw
from oddframe.video.source import Frame, Video
from oddframe.video.write import write_video

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
        out: folder for scores.csv, events.csv, curve.png, report.html and scores.json; nothing is written without it.
            Curve and page need the extra `train`; without it they are left out, and `watch` is told. While the video is
            scored, scores.partial.csv has the rows so far.
        start, end: range of a video that is named by its path, see `parse_position`; `end` is exclusive.
        fps: frame rate of a folder of frames.
        scene: which of the trained scenes it shows.
        heat_video: write heat.mp4, too: the video with heat and boxes drawn in.
        device: "auto" | "cpu" | "cuda" | "cuda:1". backend: what computes the scores, as of `Scorer`.
        watch: told after each frame.

    Raises:
        RunError: no finished run. DataError: the video cannot be read, or is too short.
        StorageError: the folder cannot be written, or its disk is full.
    """
    if isinstance(video, Video) and (start is not None or end is not None or fps is not None):
        raise SettingsError(
            "an open video has its range and its rate already",
            seen="start, end or fps beside an open video",
            wanted="the path of a video, or the open video alone",
            hint="open_video(path, start=..., end=..., fps=...)",
        )
    opened = open_trained(run)
    asked = Asked(start, end, fps, scene, heat_video)
    source = video if isinstance(video, Video) else asked.open(video)
    scorer = Scorer(opened, device=device, backend=backend)
    if out is None:
        return scorer.score(source, scene, watch)
    made = made_of(made_from(opened, backend), source.path, asked) if source is not video else {}
    return score_into(Path(out), scorer, source, asked, made, watch)


def score_into(
    folder: Path, scorer: Scorer, video: Video, asked: Asked, made: Mapping[str, Any], watch: Watcher
) -> Scores:
    """Score a video and write all files; `scores.json`, which says what they were made from, comes last.

    Raises:
        DataError: the video cannot be read, or is too short. StorageError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILES["summary"]).unlink(missing_ok=True)  # what it stands for is about to change
    except OSError as error:
        raise StorageError.of(error, "the folder cannot be made", folder) from None
    scores = scorer.score(video, asked.scene, watch, rows=folder / PARTIAL)
    scores.to_csv(folder / FILES["scores"])
    (folder / PARTIAL).unlink(missing_ok=True)
    write_events(scores, folder / FILES["events"])
    pictures = VideoPictures({scores.video: video}, scorer, {scores.video: asked.scene})
    try:
        plot(scores, folder / FILES["curve"])
        report(scores, folder / FILES["report"], pictures=pictures, watch=watch)
    except MissingExtraError as error:  # an artefact is scored where there is nothing to draw with
        watch(Progress("warning", 0, 0, f"scores are written, curve and page are not: {error.problem}"))
    if asked.heat_video:
        write_video(folder / FILES["video"], _drawn(scores, scorer, video, asked.scene, watch), video.fps)
    write_summary(folder, scores, made)
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
    return write_text(Path(path), text.getvalue())


def _drawn(scores: Scores, scorer: Scorer, video: Video, scene: str, watch: Watcher) -> Iterator[Frame]:
    """Frames with heat and score, and in events with the box around what is odd now. A video that is cut off ends where
    it ends."""
    caption, track = Captions(scores), BoxTrack()
    try:
        for number, (frame, heat, box) in enumerate(scorer.heat_frames(video, scene)):
            words, alarm = caption.of(frame.index, frame.time_s)
            around = track.take(box if alarm else None)
            watch(Progress("drawing the heat video", number + 1, video.frame_count))
            yield replace(frame, pixels=draw.annotated(frame.pixels, heat, around, caption=words, alarm=alarm))
    except CutOffVideoError:
        return
