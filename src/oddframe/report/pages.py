"""One page that works offline: figures of a run, or scores of one video.

Everything stands in the file: style, script, curves, pictures. It asks for nothing from outside. Where pictures
cannot be had (the videos are gone, nothing to score with), the page is made without them and says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from oddframe.errors import MissingExtraError, MissingPathError, OddframeError
from oddframe.evaluation.judge import FUSIONS
from oddframe.evaluation.result import Result, percent
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.report import words
from oddframe.report.curves import curve, losses, points_each
from oddframe.report.moments import Moment, oddest, worst_false_alarms, worst_misses
from oddframe.report.pictures import Album, PictureSource, VideoPictures, album
from oddframe.scoring.scores import Scores, write_beside

_OPEN_CARDS = 24
"""Curves that a page shows at once; the others unfold."""

_SHOWN_EVENTS = 12


def report(
    subject: Result | Scores | Path | str,
    out: Path | str | None = None,
    *,
    pictures: PictureSource | Literal["auto"] | None = "auto",
    watch: Watcher = unwatched,
) -> Path:
    """Write a page about a judged run, or about the scores of one video.

    Args:
        subject: a result; or the folder of a judged run, or its eval-<protocol>.json; or scores of one video.
        out: the file; by default `report.html` in the run's folder, or `<video>.html` here for scores.
        pictures: where frames and explanations come from. "auto" asks the run and its data for them (a result
            only); None makes a page without pictures.
        watch: told how far it is.

    Returns:
        The file.

    Raises:
        MissingPathError: there is no result. RunError: it is damaged. StorageError: the page cannot be written.
        MissingExtraError: jinja2 is not installed.
    """
    if isinstance(subject, Scores):
        source = None if pictures == "auto" else pictures
        page, path = _scores_page(subject, source), Path(out or f"{subject.video}.html")
    else:
        result = subject if isinstance(subject, Result) else Result.load(subject)
        notes: list[str] = []
        if pictures == "auto":
            watch(Progress("opening the videos", 0, 0))
            source = _pictures_of(result, notes)
        else:
            source = pictures
        watch(Progress("gathering pictures", 0, 0))
        page, path = _result_page(result, source, notes), Path(out) if out else _beside(subject, result)
    write_beside(path, page)
    watch(Progress("writing", 1, 1))
    return path


def _beside(subject: Result | Path | str, result: Result) -> Path:
    if isinstance(subject, Result):
        if not result.run:
            return Path("report.html")
        folder = Path(result.run)
    else:
        folder = Path(subject) if Path(subject).is_dir() else Path(subject).parent
    if not folder.is_dir():
        raise MissingPathError("the run's folder is not there", path=folder, hint="say where the page goes with out=")
    return folder / "report.html"


def _pictures_of(result: Result, notes: list[str]) -> PictureSource | None:
    """The videos that a result was judged on, and their detector; None, with a note, where they are gone."""
    from oddframe.data import as_before, open_videoset

    try:
        # a run keeps the way to its data relative to its own folder
        videos = open_videoset((Path(result.run) / result.data["root"]).resolve(), **as_before(result.data))
    except (OddframeError, KeyError, TypeError):
        notes.append("The videos are not where they were, so this page has no pictures.")
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


def _history(result: Result) -> list[dict[str, Any]]:
    from oddframe.runs import Run

    try:
        return Run.open(result.run, finished=False).history() if result.run else []
    except OddframeError:
        return []


def _result_page(result: Result, source: PictureSource | None, notes: list[str]) -> str:
    judged = result.scored
    misses, false = worst_misses(judged), worst_false_alarms(judged)
    made = album(source, [video.scores for video in judged], [*misses, *false]) if source and judged else Album()
    if not judged:
        notes.append("The scores of single frames are not beside the result, so this page has no curves.")
    history = _history(result)
    curves = [
        curve(video.scores, points=points_each(len(judged)), labels=video.labels, kinds=video.kinds)
        | {"name": video.name, "thumbs": made.thumbs.get(video.name)}
        for video in judged
    ]
    predicts = words.predicts_pictures(result)
    rows = [
        {"name": name, "words": words.explained(name, predicts), "threshold": result.threshold.get(name)}
        | dict(figures)
        for name, figures in result.auc.items()
    ]
    return _render(
        "result.html.jinja",
        result=result,
        title=words.title_of(result),
        summary=words.summary_of(result),
        rows=rows,
        fusions=FUSIONS,
        lowest=_lowest(result),
        curves=curves,
        open_cards=_OPEN_CARDS,
        misses=_shown(misses, made),
        false_alarms=_shown(false, made),
        compared="what was predicted" if predicts else "the frame before",
        losses=losses(history),
        ailments=list(dict.fromkeys(note for record in history for note in record.get("ailments", ()))),
        notes=[*notes, *made.notes, *result.notes],
        data=_embedded(curves),
    )


def _lowest(result: Result) -> float:
    """Where the scale of the AUC pictures begins: 0.5, which is guessing, or the lowest value."""
    values: list[float] = [0.5]
    for figures in result.auc.values():
        values += [value for value in (figures["micro"], *(figures["interval"] or ())) if value is not None]
    return min(values)


def _scores_page(scores: Scores, source: PictureSource | None) -> str:
    peaks = {
        event: Moment(scores.video, event.peak, event.peak_s, event.score, "odd")
        for event in sorted(scores.events, key=lambda event: -event.score)[:_SHOWN_EVENTS]
    }
    others = [] if peaks else oddest(scores)
    made = album(source, [scores], [*peaks.values(), *others]) if source else Album()
    drawn = curve(scores, points=points_each(1)) | {"thumbs": made.thumbs.get(scores.video)}
    events = [
        asdict(event) | {"pictures": made.panels.get(peaks[event]) if event in peaks else None}
        for event in scores.events
    ]
    notes = list(scores.notes) if source else [*scores.notes, "This page was made without pictures."]
    length = None if scores.time_s is None else float(scores.time_s[-1] - scores.time_s[0])
    return _render(
        "scores.html.jinja",
        scores=scores,
        title=scores.video,
        length=length,
        events=events,
        oddest=_shown(others, made),
        curves=[drawn],
        line=words.line_in_words(scores.line),
        notes=[*notes, *made.notes],
        data=_embedded([drawn]),
    )


def _shown(moments: Sequence[Moment], made: Album) -> list[dict[str, Any]]:
    return [asdict(moment) | {"pictures": made.panels.get(moment)} for moment in moments]


def _embedded(curves: Sequence[dict[str, Any]]) -> str:
    """JSON that may stand in a script element."""
    return json.dumps({"videos": list(curves)}, separators=(",", ":")).replace("<", "\\u003c")


def _render(template: str, **values: Any) -> str:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise MissingExtraError("making a report", "train") from None
    environment = Environment(
        loader=PackageLoader("oddframe.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"percent": percent, "clock": words.clock, "duration": words.duration, "count": words.count}
    folder = files("oddframe.report") / "templates"
    inline = {name: Markup((folder / name).read_text("utf-8")) for name in ("report.css", "report.js")}
    values["data"] = Markup(values["data"])
    return environment.get_template(template).render(
        css=inline["report.css"], js=inline["report.js"], words=words, **values
    )
