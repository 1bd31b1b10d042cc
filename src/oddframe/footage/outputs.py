"""Scoring one's own video: scores, and a folder of files that show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from oddframe.artefact import Trained, open_trained
from oddframe.errors import MissingExtraError, OddframeError, SettingsError, StorageError
from oddframe.footage.clips import drawn_frames, write_clips
from oddframe.footage.folder import FILES, PARTIAL, Asked, Means, made_from, made_of
from oddframe.footage.published import filled
from oddframe.footage.summary import Making, Summary, write_summary
from oddframe.footage.tables import write_events
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting.pages import report
from oddframe.reporting.pictures import VideoPictures
from oddframe.reporting.plot import plot
from oddframe.scoring.fitting import Fitting
from oddframe.scoring.pieces import JudgedPiece, put_together
from oddframe.scoring.scenes import Scenes, folders_of
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Scores
from oddframe.storage.place import Place, place_of
from oddframe.video.source import Frame, Video
from oddframe.video.write import write_video


def score(
    run: Trained | Path | str,
    video: Video | Place | str,
    *,
    out: Place | str | None = None,
    start: str | None = None,
    end: str | None = None,
    fps: float | None = None,
    scene: str = "",
    heat_video: bool = False,
    clips: int = 0,
    start_time: str | None = None,
    device: str = "auto",
    backend: str = "auto",
    fitting: Fitting | Path | str | None = None,
    watch: Watcher = unwatched,
) -> Scores:
    """Score one video. Needs neither labels nor the frame store.

    Args:
        run: a trained run or an artefact of it, or its folder.
        video: an open video, or a file or a folder of frames, or the URL of a file (s3://, gs://, file://).
        out: folder, or URL of one, for scores.csv, events.csv, scores.json, curve.png and report.html; nothing is
            written without it. The curve needs the extra `train`. Where a picture cannot be made, `watch` is told and
            the scores stay. While the video is scored, scores.partial.csv has the rows so far.
        start, end: range of a video that is named by its path, see `parse_position`; `end` is exclusive.
        fps: frame rate of a folder of frames.
        scene: which of the trained scenes it shows; without it, the one that its folder is called by.
        heat_video: write heat.mp4, too: the video with heat, boxes, times and scores drawn in.
        clips: of how many events, the highest, a picture and a short video are written, into clips/.
        start_time: the time of day of the video's first second, as "2026-11-28T14:31:52"; events then have theirs.
        device: "auto" | "cpu" | "cuda" | "cuda:1". backend: what computes the scores, as of `Scorer`.
        fitting: of the detector to the camera, or its folder. watch: told after each frame.

    Raises:
        RunError: no finished run. DataError: the video cannot be read, or is too short.
        SettingsError: a scene that the run does not know, or an argument that an open video makes void.
        StorageError: the folder cannot be written, or its disk is full.
    """
    asked = Asked(start, end, fps, scene, heat_video, clips, start_time)
    return score_one(open_trained(run), video, asked, Means(device, backend, fitting), out, watch)


def score_one(
    run: Trained, video: Video | Place | str, asked: Asked, means: Means, out: Place | str | None, watch: Watcher
) -> Scores:
    """`score`, with what it is asked as records."""
    if isinstance(video, Video) and (asked.start is not None or asked.end is not None or asked.fps is not None):
        raise SettingsError(
            "an open video has its range and its rate already",
            seen="start, end or fps beside an open video",
            wanted="the path of a video, or the open video alone",
            hint="open_video(path, start=..., end=..., fps=...)",
        )
    if out is None and (asked.heat_video or asked.clips):
        raise SettingsError(
            "without a folder nothing is written",
            seen="heat_video or clips, and no out",
            wanted="out=, the folder for the outputs",
        )
    source = video if isinstance(video, Video) else asked.open(video)
    scorer = Scorer(run, device=means.device, backend=means.backend, fitting=means.fitting)
    if out is None:
        return _scored(scorer, source, asked, watch)
    made = made_of(made_from(run, means.backend, scorer.fitting), source.path, asked) if source is not video else None
    with filled(place_of(out)) as folder:
        return score_into(folder, scorer, source, asked, made, watch)


def score_into(
    folder: Path,
    scorer: Scorer,
    video: Video,
    asked: Asked,
    made: Making | None,
    watch: Watcher,
    pieces: Iterable[JudgedPiece] | None = None,
) -> Scores:
    """Score a video and write all files: tables and `scores.json` first, so that no picture can lose them.

    Args:
        pieces: of a video that was judged in pieces, all of them in order.

    Raises:
        DataError: the video cannot be read, or is too short; or its pieces do not fit together.
        SettingsError: a scene that the run does not know.
        StorageError: the folder or a table cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILES["summary"]).unlink(missing_ok=True)  # what it stands for is about to change
        for name in ("curve", "report", "video"):  # else those of another scoring would stand beside these scores
            (folder / FILES[name]).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError.of(error, "the folder cannot be made", folder) from None
    scores = _scored(scorer, video, asked, watch, rows=folder / PARTIAL, pieces=pieces)
    scores.to_csv(folder / FILES["scores"])
    (folder / PARTIAL).unlink(missing_ok=True)
    summary = Summary.of(scores)
    write_events(folder / FILES["events"], [(scores.video, summary)])
    write_summary(folder, summary, made, {})
    if lacking := _draw(folder, scores, scorer, video, asked, watch):
        write_summary(folder, summary, made, lacking)
    return scores


def _scored(
    scorer: Scorer,
    video: Video,
    asked: Asked,
    watch: Watcher,
    rows: Path | None = None,
    pieces: Iterable[JudgedPiece] | None = None,
) -> Scores:
    scene, note = scene_of(scorer, video, asked)
    if note:
        watch(Progress("warning", 0, 0, note))
    if pieces is None:
        scores = scorer.score(video, scene, watch, rows=rows)
    else:
        scores = put_together(scorer, video, scene, pieces, watch)
    notes = [one for one in scores.notes if not (note and "names no scene" in one)]
    return replace(scores, began=asked.began() or video.began, notes=(*([note] if note else ()), *notes))


def scene_of(scorer: Scorer, video: Video, asked: Asked) -> tuple[str, str]:
    """As `Scenes.choose` of a video that is asked for."""
    return Scenes.of(scorer.calibration, scorer.backgrounds).choose(asked.scene, folders_of(video.name, video.path))


def _draw(folder: Path, scores: Scores, scorer: Scorer, video: Video, asked: Asked, watch: Watcher) -> dict[str, str]:
    """Make every picture that is asked for; return those that could not be made, and why."""
    pictures = VideoPictures({scores.video: video}, scorer, {scores.video: scores.scene})

    def heat_video() -> Iterator[Frame]:
        for number, frame in enumerate(drawn_frames(scores, scorer, video), 1):
            watch(Progress("drawing the heat video", number, video.frame_count))
            yield frame

    makers: dict[str, Callable[[], object]] = {
        "curve": lambda: plot(scores, folder / FILES["curve"]),
        "report": lambda: report(scores, folder / FILES["report"], pictures=pictures, watch=watch),
        "video": lambda: write_video(folder / FILES["video"], heat_video(), video.fps),
        "clips": lambda: write_clips(folder / FILES["clips"], scores, scorer, video, asked.clips, watch),
    }
    lacking = {}
    for name in asked.files():
        try:
            makers.get(name, lambda: None)()
        except MissingExtraError as error:  # an artefact is scored where there is nothing to draw with
            lacking[name] = f"{error.problem} ({error.hint})"
        except OddframeError as error:
            lacking[name] = error.in_one_line()
        except Exception as error:  # whatever ails a library that draws, the scores are written
            lacking[name] = f"{type(error).__name__}: {error}"
    for name, why in lacking.items():
        watch(Progress("warning", 0, 0, f"scores are written, {FILES[name]} is not: {why}"))
    return lacking
