"""Figures on alarms in words and tables, for the terminal and for pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from oddframe.evaluation.event_figures import OWN, AtLine, Condition, FalseRate, Found, Quartiles
from oddframe.evaluation.figures import Named
from oddframe.evaluation.result import Result, percent
from oddframe.reporting.words import count, duration

if TYPE_CHECKING:
    from oddframe.evaluation.compare import Comparison

_TABLED = (OWN, "6", "1")
"""Lines whose recall stands in tables of kinds and conditions."""


class Rows(NamedTuple):
    """A table: names of its columns, and rows of as many cells. The first column has names, the others figures."""

    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.rows)


def alarms_in_words(result: Result) -> str:
    """What the alarms did, in a sentence or two."""
    events = result.events
    words = f"{events.found} of {count(events.labelled, 'abnormal stretch', 'abnormal stretches')} raised an alarm"
    delay = events.delay_frames
    if delay is not None:
        seconds = events.delay_s
        late = count(round(delay), "frame") if seconds is None else f"{count(round(delay), 'frame')}, {seconds:.1f} s,"
        words += f" ({late} after its beginning, in the median)"
    if not events.false:
        return f"{words}; none was raised without cause."
    words += f"; {count(events.false, 'alarm was', 'alarms were')} raised without cause"
    if events.false_per_hour is not None:
        words += f" ({events.false_per_hour:.1f} an hour of normal video)"
    return words + "."


def promise_in_words(result: Result) -> str:
    """The rate asked beside the rate seen; "" where either is not known.

    An alarm line is drawn on normal video of the training. This says whether it holds on the test's.
    """
    events = result.events
    own = events.at.get(OWN)
    if events.promise is None or own is None or own.alarms.per_hour is None or own.alarms.hours is None:
        return ""
    asked, vouched, seen = events.promise.asked_per_hour, events.promise.vouched_per_hour, own.alarms
    words = f"Asked for: {count_of_rate(asked)} an hour. Seen: {seen.false} in {duration(3600 * own.alarms.hours)} of "
    words += f"normal video, {rate(seen.per_hour)} an hour"
    if seen.interval is not None:
        low, high = seen.interval
        words += f" (95 % interval {rate(low)} to {rate(high)})"
        if asked < low:
            words += ", more than asked"
        elif asked > high:
            words += ", fewer than asked"
        elif asked * own.alarms.hours < 1:
            words += ", too little video to tell"
        else:
            words += ", as asked"
    if vouched is not None and vouched > asked:
        words += f". The normal video kept apart in training is short: it vouches only for fewer than {rate(vouched)}"
    return words + "."


def events_in_words(result: Result) -> list[tuple[str, str, str]]:
    """(name, figure, what it counts) of each figure on alarms; results of older versions have fewer of them."""
    events = result.events
    stretches = count(events.labelled, "abnormal stretch", "abnormal stretches")
    recall = events.found / events.labelled if events.labelled else None
    rows = [("recall", f"{percent(recall)} %", f"{events.found} of {stretches} raised an alarm.")]
    if events.alarms is not None:
        caused = events.alarms - events.false
        words = f"{caused} of {count(events.alarms, 'alarm')} had a cause: an abnormal stretch during the alarm."
        rows.append(("precision", f"{percent(events.precision)} %", words))
    if (late := events.delay_frames) is not None:
        seconds = events.delay_s
        words = "From the beginning of a stretch to its alarm, in the median of those found."
        rows.append(("delay", count(round(late), "frame") if seconds is None else f"{seconds:.1f} s", words))
    if (rate := events.false_per_hour) is not None:
        words = f"{count(events.false, 'alarm')} without a cause, by the length of all normal frames."
        rows.append(("false an hour", f"{rate:.1f}", words))
    return rows


def lines_table(result: Result) -> Rows:
    """Alarms at the run's own line, and at 24, 6 and 1 false alarms an hour; no row for results of older versions."""
    events = result.events
    masked = any(at.stretches.masked for at in events.at.values())
    delay = "delay s" if _timed(events.at) else "delay frames"
    in_place = ("in place %",) if masked else ()
    heads = ("alarms", "line", "false an hour", "found %", "95 % interval", *in_place, delay, "alarm time %")
    rows = []
    for name, at in events.at.items():
        found, late = at.stretches, at.stretches.delay_s if _timed(events.at) else at.stretches.delay_frames
        rows.append(
            (
                "run's own line" if name == OWN else f"at most {name} false an hour",
                "-" if at.line is None else f"{at.line:.2f}",
                rate(at.alarms.per_hour),
                percent(found.recall),
                _interval(found),
                *((percent(found.recall_in_place),) if masked else ()),
                _quartiles(late),
                percent(at.normal_share),
            )
        )
    return Rows(heads, rows)


LINES_EXPLAINED = (
    "The run's own line has not seen the test. The others are the lowest that give no more false alarms on it: they "
    "compare detectors and promise nothing. found: abnormal stretches that an alarm meets in time; in place: of those "
    "with masks, at the right place, too; delay: from a stretch's beginning to its alarm, for a quarter, half and "
    "three quarters of those found; alarm time: share of the normal frames that alarms cover."
)


def too_short_in_words(result: Result) -> str:
    """Rates that the normal test video is too short for; "" where it is long enough."""
    own, asked = result.events.at.get(OWN), [at.asked_per_hour for at in result.events.at.values()]
    hours = None if own is None else own.alarms.hours
    short = [f"{rate:g}" for rate in asked if rate is not None and hours is not None and rate * hours < 1]
    if hours is None or not short:
        return ""
    length = duration(3600 * hours)
    return f"{length} of normal test video is too short for {', '.join(short)} an hour: here that means no false alarm."


def promises_table(result: Result) -> Rows:
    """Whether lines that were drawn for 24, 6 and 1 false alarms an hour keep to that; no row where none was drawn."""
    rows: list[tuple[str, ...]] = []
    for at in result.events.promised.values():
        interval = at.alarms.interval
        rows.append(
            (
                f"{at.asked_per_hour or 0:g} false an hour",
                rate(at.vouched_per_hour),
                "-" if at.line is None else f"{at.line:.2f}",
                rate(at.alarms.per_hour),
                "-" if interval is None else " to ".join(map(rate, interval)),
                _as_asked(at.alarms),
                percent(at.stretches.recall),
                percent(at.stretches.recall_in_place),
            )
        )
    heads = ("asked", "vouched for", "line", "false an hour", "95 % interval", "as asked", "found %", "in place %")
    return Rows(heads, rows)


PROMISES_EXPLAINED = (
    "Lines that normal video kept apart in training gives for each rate; they have not seen the test. vouched for: the "
    "rate that this video is long enough for; as asked: whether the rate asked lies in the interval of the rate seen."
)


def kinds_table(result: Result) -> Rows:
    """Recall of each kind of anomaly, of the known and of the unknown ones; no row where no kind is named."""
    at = _tabled(result)
    if not at or not at[0][1].kinds:
        return Rows((), [])
    own = at[0][1]
    masked = any(found.masked for found in own.kinds.values())
    delay, in_place = "delay s" if _timed(result.events.at) else "delay frames", ("in place %",) if masked else ()
    heads = ("kind", "stretches", *(f"found %, {name}" for name, _ in at), *in_place, delay)
    groups = [("all known kinds", "known"), ("all unknown kinds", "unknown")]
    rows = [(words, [getattr(one, name) for _, one in at]) for words, name in groups if getattr(own, name) is not None]
    rows += [(kind, [one.kinds[kind] for _, one in at]) for kind in own.kinds]
    return Rows(heads, [_kind_row(name, found, result, masked=masked) for name, found in rows])


def conditions_table(result: Result) -> Rows:
    """False alarms and recall in each condition of the test videos; no row where none is said."""
    at = _tabled(result)
    if not at or not at[0][1].conditions:
        return Rows((), [])
    alarms = ("videos", "normal hours", "false an hour", "95 % interval", "as asked", "stretches")
    heads = ("condition", *alarms, *(f"found %, {name}" for name, _ in at))
    rows = []
    for name, values in at[0][1].conditions.items():
        for value in values:
            each = [one.conditions[name][value] for _, one in at]
            rows.append((f"{name}: {value}", *_condition_cells(each)))
    return Rows(heads, rows)


def differences_table(names: tuple[str, str], found: Comparison) -> Rows:
    """Recall of two runs, and by how much the second one's is higher; no row where nothing is labelled."""
    rows: list[tuple[str, ...]] = []
    for name, one in found.events.items():
        interval = one["interval"]
        rows.append(
            (
                "at their own lines" if name == OWN else f"at most {name} false an hour",
                percent(one["first"]),
                percent(one["second"]),
                f"{100 * one['difference']:+.1f}",
                "-" if interval is None else " to ".join(f"{100 * side:+.1f}" for side in interval),
            )
        )
    return Rows(("anomalies found, per cent", *names, "difference", "95 % interval"), rows)


def false_in_words(names: tuple[str, str], found: Comparison) -> str:
    """The false alarms of two runs at their own lines; "" where no rate is known."""
    both = found.events[OWN]["false_per_hour"] if OWN in found.events else None
    if both is None:
        return ""
    return f"False alarms an hour at their own lines: {rate(both[0])} ({names[0]}), {rate(both[1])} ({names[1]})."


def found_more_in_words(first: str, second: str, found: Comparison) -> str:
    """Whether the second run finds more at one false alarm an hour, and how sure that is; "" where no rate is known."""
    one = found.events.get("1")
    if one is None:
        return ""
    points, interval = 100 * one["difference"], one["interval"]
    if not points:
        return f"At one false alarm an hour {second} finds as many anomalies as {first}: {percent(one['first'])} %."
    words = f"At one false alarm an hour {second} finds {percent(one['second'])} % of the anomalies, {first} "
    words += f"{percent(one['first'])} %"
    if interval is None:
        return words + "; so few videos do not say how sure that is."
    words += f" (difference {points:+.1f} points, 95 % interval {100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})"
    sure = not interval[0] <= 0 <= interval[1]
    return words + (": more than the luck of the draw of videos." if sure else ": either may be the better one.")


def rate(per_hour: float | None) -> str:
    """A rate an hour in as many digits as say something; a dash where it is unknown.

    >>> rate(0.0), rate(0.527), rate(23.97), rate(None)
    ('0', '0.53', '24', '-')
    """
    if per_hour is None:
        return "-"
    return f"{per_hour:.0f}" if per_hour >= 10 or not per_hour else f"{per_hour:.2g}"


def count_of_rate(asked: float) -> str:
    """False alarms, of which so many are asked for.

    >>> count_of_rate(1.0), count_of_rate(0.5)
    ('1 false alarm', '0.5 false alarms')
    """
    return f"{asked:g} false alarm{'' if asked == 1 else 's'}"


def _tabled(result: Result) -> list[tuple[str, AtLine]]:
    names = {OWN: "own line", "6": "6 an hour", "1": "1 an hour"}
    return [(names[name], at) for name in _TABLED if (at := result.events.at.get(name)) is not None]


def _timed(at: Mapping[str, AtLine] | Named[AtLine]) -> bool:
    """Whether delays are known in seconds wherever there are any."""
    return all((one.stretches.delay_s is None) == (one.stretches.delay_frames is None) for one in at.values())


def _kind_row(name: str, found: list[Found], result: Result, *, masked: bool) -> tuple[str, ...]:
    own = found[0]
    late = own.delay_s if _timed(result.events.at) else own.delay_frames
    in_place = (percent(own.recall_in_place),) if masked else ()
    return name, str(own.labelled), *(percent(one.recall) for one in found), *in_place, _quartiles(late)


def _condition_cells(each: list[Condition]) -> tuple[str, ...]:
    alarms = each[0].alarms
    return (
        str(each[0].videos),
        "-" if alarms.hours is None else f"{alarms.hours:.2f}",
        rate(alarms.per_hour),
        "-" if alarms.interval is None else " to ".join(map(rate, alarms.interval)),
        _as_asked(alarms),
        str(each[0].stretches.labelled),
        *(percent(one.stretches.recall) for one in each),
    )


def _as_asked(alarms: FalseRate) -> str:
    return "-" if alarms.asked_within is None else "yes" if alarms.asked_within else "no"


def _interval(found: Found) -> str:
    return "-" if found.interval is None else " to ".join(map(percent, found.interval))


def _quartiles(late: Quartiles | None) -> str:
    """A quarter, half and three quarters: "0.2 / 0.5 / 1.3"."""
    return "-" if late is None else " / ".join(f"{value:.3g}" for value in (late.low, late.median, late.high))
