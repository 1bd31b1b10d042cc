"""One curve as a matplotlib figure, for notebooks and papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.errors import NothingToJudgeError, SettingsError
from oddframe.evaluation.event_figures import OWN
from oddframe.evaluation.result import Result
from oddframe.files import atomic_write
from oddframe.outside import new_figure
from oddframe.scoring.scores import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVE, _ALARM, _IN_PLACE = "#1f5f8b", "#b3261e", "#c77f3a"


def plot(subject: Scores | Result, path: Path | str | None = None) -> Figure:
    """Draw the online score of one video with its alarm line and events; or, of a result, the anomalies found by false
    alarms an hour.

    Args:
        subject: scores of one video, or a result.
        path: where to write the figure as well (png, svg, pdf).

    Raises:
        MissingExtraError: matplotlib is not installed. StorageError: the figure cannot be written.
        SettingsError: no figure is written in files of this ending.
        NothingToJudgeError: the result has no such curve: nothing is labelled, or times are not known.
    """
    figure = _of_scores(subject) if isinstance(subject, Scores) else _of_alarms(subject)
    if path is not None:
        path = Path(path)
        _refuse_format(path, figure)
        with atomic_write(path) as place:
            figure.savefig(place, dpi=150, format=path.suffix.removeprefix(".") or "png")
    return figure


def _refuse_format(path: Path, figure: Figure) -> None:
    known = figure.canvas.get_supported_filetypes()
    if path.suffix and path.suffix[1:].lower() not in known:
        raise SettingsError(
            "no figure is written in files of this ending",
            path=path,
            seen=path.suffix,
            wanted="for example .png, .svg or .pdf",
        )


def _of_scores(scores: Scores) -> Figure:
    figure = new_figure("plotting", (9, 2.8))
    axes = figure.add_subplot()
    timed = scores.time_s is not None
    axes.plot(scores.frame if scores.time_s is None else scores.time_s, scores.online, color=_CURVE, linewidth=1.2)
    axes.axhline(scores.line.on, color=_ALARM, linewidth=0.9, linestyle="--")
    axes.annotate(
        "alarm line", (0, scores.line.on), (4, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
        color=_ALARM, fontsize="small",
    )  # fmt: skip
    for event in scores.events:
        begin, end = (event.start_s, event.end_s) if timed else (event.start, event.end)
        axes.axvspan(begin, end, color=_ALARM, alpha=0.15, linewidth=0)  # type: ignore[arg-type]
    axes.set(title=scores.video, xlabel="seconds" if timed else "frame", ylabel="how odd (online)")
    axes.margins(x=0)
    if scores.online.max() > 4 * scores.line.on > 0:
        # far above the line the score has no meaning but "far above"; what happens at the line must stay visible
        axes.set_yscale("asinh", linear_width=scores.line.on)
        ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100) if tick <= scores.online.max()]
        axes.set_yticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
    axes.set_ylim(bottom=min(0.0, float(scores.online.min())))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _of_alarms(result: Result) -> Figure:
    curve, own = result.events.curve, result.events.at.get(OWN)
    if curve is None:
        raise NothingToJudgeError(
            "this result has no curve of alarms",
            path=result.run or None,
            wanted="labelled anomalies, normal video, and times",
            hint="judge the run with this version: oddframe eval RUN; frames without times need --fps",
        )
    figure = new_figure("plotting", (4.6, 3.6))
    axes = figure.add_subplot()

    def steps(shares: tuple[float, ...]) -> tuple[float, ...]:
        return (*(100 * share for share in shares), 100 * shares[-1])

    rates = (*curve.per_hour, max(100.0, curve.per_hour[-1]))  # the last recall holds for every higher rate
    if curve.low is not None and curve.high is not None:
        low, high = steps(curve.low), steps(curve.high)
        axes.fill_between(rates, low, high, step="post", color=_CURVE, alpha=0.15, linewidth=0)
    if curve.in_place is not None:
        axes.step(rates, steps(curve.in_place), where="post", color=_IN_PLACE, linewidth=1.0, label="in place, too")
    axes.step(rates, steps(curve.recall), where="post", color=_CURVE, linewidth=1.6, label="found in time")
    if own is not None and own.alarms.per_hour is not None and own.stretches.recall is not None:
        axes.plot([own.alarms.per_hour], [100 * own.stretches.recall], "o", color=_CURVE, label="the run's own line")
    axes.set_xscale("asinh", linear_width=1.0)
    axes.set_xticks([0, 1, 6, 24, 100], ["0", "1", "6", "24", "100"])
    axes.minorticks_off()
    axes.set(xlim=(0, 100), ylim=(0, 103), xlabel="false alarms an hour", ylabel="anomalies found, %")
    axes.legend(loc="lower right", frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
