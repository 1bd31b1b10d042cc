"""One page that works offline: figures of a run, several runs side by side, or scores of one video.

Everything stands in the file: style, script, curves, pictures. It asks for nothing from outside. Where pictures
cannot be had (the videos are gone, nothing to score with), the page is made without them and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from oddframe.data.open import open_source
from oddframe.data.source import DataSource, source_in
from oddframe.errors import MissingPathError, OddframeError
from oddframe.evaluation.judge import FUSIONS
from oddframe.evaluation.result import Result
from oddframe.files import write_text
from oddframe.origin import HistoryRecord
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting import words
from oddframe.reporting.alarm_curve import alarm_curve
from oddframe.reporting.comparison import comparison_page
from oddframe.reporting.curves import curve, losses, points_each
from oddframe.reporting.detection import detection_curves
from oddframe.reporting.memories import DrawnAnalysis, drawn_analysis
from oddframe.reporting.moments import Moment, oddest, worst_false_alarms, worst_misses
from oddframe.reporting.pictures import Album, PictureSource, VideoPictures, album
from oddframe.reporting.render import render
from oddframe.scoring.scores import Scores

_OPEN_CARDS = 24
"""Curves that a page shows at once; the others unfold."""

_SHOWN_EVENTS = 12


def report(
    subject: Result | Scores | Path | str | Sequence[Result | Path | str],
    out: Path | str | None = None,
    *,
    pictures: PictureSource | Literal["auto"] | None = "auto",
    data: DataSource | None = None,
    watch: Watcher = unwatched,
) -> Path:
    """Write a page about a judged run, about several of them side by side, or about the scores of one video.

    Args:
        subject: a result; or the folder of a judged run, or its eval-<protocol>.json; or several of these, of which
            the others are compared with the first; or scores of one video.
        out: the file; by default `report.html` in the run's folder (`report.openvino.html` where the result is apart
            from the main one in that); here, `compare.html` for several runs and `<video>.html` for scores.
        pictures: where frames and explanations come from. "auto" asks the run and its data for them (a single result
            only); None makes a page without pictures. The page of several runs has none.
        data: how the judged videos are opened, if no longer as they were when they were judged.
        watch: told how far it is.

    Returns:
        The file.

    Raises:
        MissingPathError: there is no result. RunError: it is damaged. StorageError: the page cannot be written.
    """
    if isinstance(subject, Scores):
        source = None if pictures == "auto" else pictures
        page, path = _scores_page(subject, source), Path(out or f"{subject.video}.html")
    elif isinstance(subject, Result | Path | str):
        page, path = _run_page(subject, pictures, data, watch), Path(out) if out else _beside(subject)
    elif len(subject) == 1:
        return report(subject[0], out, pictures=pictures, data=data, watch=watch)
    else:
        page, path = comparison_page([_opened(one) for one in subject], watch), Path(out or "compare.html")
    write_text(path, page)
    watch(Progress("writing", 1, 1))
    return path


def judged_with(subject: Path | str, data: Sequence[Path | str] = (), **said: Any) -> DataSource:
    """How the videos that a result was judged on are opened, but for what is said otherwise: `data` of `report`.

    Args:
        subject: a judged run, or its eval-<protocol>.json. data: where the videos are now.
        said: attributes of `DataSource`; None, False and nothing are not said.

    Raises:
        MissingPathError: there is no result, or it does not say where its videos were. RunError: it is damaged.
    """
    result = _opened(subject)
    kept, paths = source_in(result.data, Path(result.run)), tuple(map(Path, data))
    if kept is None and not paths:
        raise MissingPathError(
            "this result does not say where its videos were", path=subject, hint="say where they are: --data PATH"
        )
    return (kept or DataSource(paths=paths, taken_as="test")).instead(paths, **said)


def _opened(subject: Result | Path | str) -> Result:
    return subject if isinstance(subject, Result) else Result.load(subject)


def _beside(subject: Result | Path | str) -> Path:
    if isinstance(subject, Result):
        if not subject.run:
            return Path("report.html")
        folder, apart = Path(subject.run), subject.apart
    else:
        folder = Path(subject) if Path(subject).is_dir() else Path(subject).parent
        apart = () if Path(subject).is_dir() else tuple(Path(subject).stem.split(".")[1:])
    if not folder.is_dir():
        raise MissingPathError("the run's folder is not there", path=folder, hint="say where the page goes with out=")
    return folder / ".".join(["report", *apart, "html"])


def _pictures_of(result: Result, data: DataSource | None, notes: list[str]) -> PictureSource | None:
    """The videos that a result was judged on, and their detector; None, with a note, where they are gone.

    Raises:
        DataError, SettingsError: `data` cannot be opened.
    """
    try:
        source = data or source_in(result.data, Path(result.run))
        videos = None if source is None else open_source(source)
    except OddframeError:
        if data is not None:
            raise
        videos = None
    if videos is None:
        notes.append(
            "The videos are not where they were, so this page has no pictures. Say where they are with --data."
        )
        return None
    by_name = {video.name: video for video in videos.test}
    scorer = None
    try:
        from oddframe.scoring.scorer import Scorer

        scorer = Scorer(result.run)
    except (OddframeError, ImportError):
        notes.append("The detector could not be opened, so pictures come without heat.")
    return VideoPictures(
        {name: video.video for name, video in by_name.items()},
        scorer,
        {name: video.scene for name, video in by_name.items()},
    )


def _history(result: Result) -> list[HistoryRecord]:
    from oddframe.runs import Run

    try:
        return Run.open(result.run, finished=False).history() if result.run else []
    except OddframeError:
        return []


def _analysis(result: Result, notes: list[str]) -> DrawnAnalysis | None:
    """What the run's folder holds of it; None, with a note where what is there cannot be shown."""
    try:
        return drawn_analysis(result.run) if result.run else None
    except OddframeError as error:
        notes.append(f"{error.problem[0].upper()}{error.problem[1:]}; `oddframe analyse {result.run}` makes it again.")
        return None


def _run_page(
    subject: Result | Path | str,
    pictures: PictureSource | Literal["auto"] | None,
    data: DataSource | None,
    watch: Watcher,
) -> str:
    result = _opened(subject)
    notes: list[str] = []
    if pictures == "auto":
        watch(Progress("opening the videos", 0, 0))
        source = _pictures_of(result, data, notes)
    else:
        source = pictures
    watch(Progress("gathering pictures", 0, 0))
    judged = result.scored
    misses, false = worst_misses(judged), worst_false_alarms(judged)
    made = album(source, [video.scores for video in judged], [*misses, *false]) if source and judged else Album()
    if not judged:
        notes.append("The scores of single frames are not beside the result, so this page has no curves.")
    history = _history(result)
    curves = [
        replace(
            curve(video.scores, points=points_each(len(judged)), labels=video.labels, kinds=video.kinds),
            name=video.name,
            thumbs=made.thumbs.get(video.name),
        )
        for video in judged
    ]
    rows = [
        {"name": name, "words": words.explained(name, result), "threshold": result.threshold.get(name)} | dict(figures)
        for name, figures in result.auc.items()
    ]
    return render(
        "result.html.jinja",
        result=result,
        title=words.title_of(result),
        summary=words.summary_of(result),
        rows=rows,
        fusions=FUSIONS,
        lowest=_lowest(result),
        alarms=alarm_curve(result),
        detection=detection_curves(result),
        analysis=_analysis(result, notes),
        curves=curves,
        open_cards=_OPEN_CARDS,
        misses=_shown(misses, made),
        false_alarms=_shown(false, made),
        compared=words.compared_with(result),
        losses=losses(history),
        ailments=list(dict.fromkeys(note for record in history for note in record.ailments)),
        notes=[*notes, *made.notes, *result.notes],
    )


def _lowest(result: Result) -> float:
    """Where the scale of the AUC pictures begins: 0.5, which is guessing, or the lowest value."""
    values: list[float] = [0.5]
    for figures in result.auc.values():
        values += [value for value in (figures.micro, *(figures.interval or ())) if value is not None]
    return min(values)


def _scores_page(scores: Scores, source: PictureSource | None) -> str:
    peaks = {
        event: Moment(scores.video, event.peak, event.peak_s, event.score, "odd")
        for event in sorted(scores.events, key=lambda event: -event.score)[:_SHOWN_EVENTS]
    }
    others = [] if peaks else oddest(scores)
    made = album(source, [scores], [*peaks.values(), *others]) if source else Album()
    drawn = replace(curve(scores, points=points_each(1)), thumbs=made.thumbs.get(scores.video))
    events = [
        asdict(event) | {"pictures": made.panels.get(peaks[event]) if event in peaks else None}
        for event in scores.events
    ]
    notes = list(scores.notes) if source else [*scores.notes, "This page was made without pictures."]
    length = None if scores.time_s is None else float(scores.time_s[-1] - scores.time_s[0])
    return render(
        "scores.html.jinja",
        scores=scores,
        title=scores.video,
        length=length,
        events=events,
        oddest=_shown(others, made),
        curves=[drawn],
        line=words.line_in_words(scores.line),
        notes=[*notes, *made.notes],
    )


@dataclass(frozen=True)
class _Shown(Moment):
    """A moment with its score as people read it, and its pictures as data addresses."""

    shown_score: str
    pictures: dict[str, str] | None


def _shown(moments: Sequence[Moment], made: Album) -> list[_Shown]:
    return [
        _Shown(**asdict(one), shown_score=words.shown_score(one.score), pictures=made.panels.get(one))
        for one in moments
    ]
