"""Make `docs/lab/day-alarms.md` from the JSON files in `experiments/results/day/`.

python experiments/day_page.py            write it
python experiments/day_page.py --check    only say whether it is fresh (exit code 1 if not)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from day_alarms import RESULTS, WAYS
from oddframe.data.synthetic.day.sets import KNOWN, ONLY_IN_JUDGE
from oddframe.evaluation.event_figures import OWN, RATES, AtLine, Events, FalseRate, Found, Quartiles
from oddframe.evaluation.result import Result
from pages import table, write_or_check

WANTED_RECALL, WANTED_SPREAD = 0.85, 0.04
AT_ONE = "1"

LABELS = {
    "framediff": "no network: frame differences",
    "flow": "no network: optical flow",
    "tiny": "preset `tiny`",
    "cpu": "preset `cpu`",
    "cpu-known": "preset `cpu`, with known anomalies",
}
FLOORS = ("framediff", "flow")
WITH_KNOWN = ("cpu-known",)

Ways = Mapping[str, Mapping[int, Events]]
"""Way → seed → figures."""

HEAD = """# Alarms on a day of drawn video

    oddframe data synth day/judge --scale day --which judge
    python experiments/day_alarms.py day/judge --ways {ways} --seeds {seeds}
    python experiments/day_page.py

How many anomalies raise an alarm, and how often is there one without a cause? Judged on `judge` of the
[day of drawn video](day-world.md): {labelled} labelled stretches, {hours:.2f} hours of normal test video, four cameras.
No setting was chosen on it. [How alarms are judged](../explanation/alarm-figures.md) says what is counted, and how.
{settings}

Where a way has several seeds, figures are means over them, and "seeds apart" is the highest less the lowest.
"""

WANTED = """## Is it what was wanted?

Wanted is a recall of {recall:.0%} or more at one false alarm an hour without known anomalies, and seeds no more than
{spread:.0f} points apart.
"""

FOUND = """## What is found at 24, 6 and 1 false alarms an hour

Recall in per cent at the lowest line that gives no more false alarms on the test itself; it compares ways, and promises
nothing. Brackets hold the 95 % interval from drawing whole videos, with several seeds the mean of both ends. "In
place" is of the same line as the recall before it.
"""

LINE = """## Is the promise of the run's own line kept?

The line was drawn on held-out normal video of the training, for {asked} an hour; "vouched" is the rate that this video
is long enough to vouch for. What was seen has its 95 % Poisson interval. Each training has a row.
"""

LIGHT = """## By day, at dusk, by night

False alarms at the run's own line, which is one for every light, and recall there and at one false alarm an hour, in
per cent.
"""

KINDS = """## Which kinds are found

Recall in per cent at one false alarm an hour. Of the kinds with a star `develop` has none.
{known}
"""

DELAY = """## How late is an alarm?

Seconds from the beginning of a stretch to its alarm: a quarter, half and three quarters of those found are no later.
"""


def main() -> None:
    """Write the page, or check it."""
    write_or_check(__doc__, {"lab/day-alarms.md": make_page(RESULTS)})


def make_page(results: Path) -> str:
    """The page, of what is there: judge-WAY-SEED.json, each as `oddframe eval --json` prints it."""
    ways = {way: found for way in WAYS if (found := _read(results, way))}
    every = [events for seeds in ways.values() for events in seeds.values()]
    asked = sorted({events.promise.asked_per_hour for events in every if events.promise})
    seeds = sorted({seed for found in ways.values() for seed in found})
    has_known = [LABELS[way] for way in ways if way in WITH_KNOWN]
    parts = [
        HEAD.format(
            ways=" ".join(ways),
            seeds=" ".join(map(str, seeds)),
            labelled=every[0].labelled,
            hours=every[0].normal_hours,
            settings=_settings(ways),
        ),
        WANTED.format(recall=WANTED_RECALL, spread=100 * WANTED_SPREAD),
        table(_wanted(ways)),
        _verdict(ways),
        FOUND,
        table(_found(ways)),
        LINE.format(asked=" or ".join(f"{rate:g}" for rate in asked)),
        table(_line(ways)),
        LIGHT,
        table(_light(ways)),
        KINDS.format(known=_known_words(has_known)),
        table(_kinds(ways)),
        DELAY,
        table(_delay(ways)),
    ]
    return "\n".join(parts)


def _read(results: Path, way: str) -> dict[int, Events]:
    """Seed → figures on alarms."""
    paths = [
        path for path in results.glob(f"judge-{way}-*.json") if path.stem.removeprefix(f"judge-{way}-").isdecimal()
    ]
    return {int(path.stem.rpartition("-")[2]): Result.load(path).events for path in sorted(paths)}


def _settings(ways: Ways) -> str:
    changed = [f"- `{way}`: {', '.join(f'`{one}`' for one in WAYS[way][2])}" for way in ways if WAYS[way][2]]
    return "\n".join(["", "Settings that are not the preset's:", "", *changed])


def _wanted(ways: Ways) -> list[list[str]]:
    rows = [["without known anomalies", "recall", "wanted", "", "seeds apart, points", "wanted", ""]]
    for way, seeds in _none_known(ways).items():
        recalls = _recalls(seeds, AT_ONE)
        mean = fmean(recalls)
        row = [LABELS[way], _percent(mean), f"{100 * WANTED_RECALL:.0f}", _reached(mean >= WANTED_RECALL)]
        if way in FLOORS:
            rows.append([*row, "no seed", "", ""])
            continue
        close = _reached(_apart(recalls) <= WANTED_SPREAD) if len(recalls) > 1 else "one seed tells nothing"
        apart = f"{100 * _apart(recalls):.1f}" if len(recalls) > 1 else "-"
        rows.append([*row, apart, f"{100 * WANTED_SPREAD:.0f}", close])
    return rows


def _verdict(ways: Ways) -> str:
    """What the figures come to, in words."""
    means = {way: fmean(_recalls(seeds, AT_ONE)) for way, seeds in _none_known(ways).items()}
    best = max(means, key=lambda way: means[way])
    short = 100 * (WANTED_RECALL - means[best])
    said = f"Most is found by {_in_words(best)}: {_percent(means[best])} %. "
    said += f"That is {short:.1f} points short of what was wanted.\n" if short > 0 else "What was wanted is reached.\n"
    floors = [way for way in means if way in FLOORS]
    learned = [way for way in means if way not in FLOORS]
    if not learned:
        return said + "No network has been judged yet.\n"
    network = max(learned, key=lambda way: means[way])
    for floor in floors[-1:]:
        gain = 100 * (means[network] - means[floor])
        more = f"{gain:.1f} points more" if gain >= 0 else f"{-gain:.1f} points less"
        said += f"The best network, {_in_words(network)}, finds {more} than {_in_words(floor)} alone.\n"
    return said


def _found(ways: Ways) -> list[list[str]]:
    lines = [f"{rate:g}" for rate in RATES]
    rows = [["way", "seeds", *(f"at {line} an hour" for line in lines), "in place at 1", "seeds apart at 1"]]
    for way, seeds in ways.items():
        in_place = [events.at[AT_ONE].stretches.recall_in_place for events in seeds.values()]
        recalls = _recalls(seeds, AT_ONE)
        rows.append(
            [
                LABELS[way],
                "-" if way in FLOORS else str(len(seeds)),
                *(_with_interval([events.at[line].stretches for events in seeds.values()]) for line in lines),
                _mean_percent(in_place),
                f"{100 * _apart(recalls):.1f}" if len(recalls) > 1 else "-",
            ]
        )
    return rows


def _line(ways: Ways) -> list[list[str]]:
    rows = [["way", "recall", "vouched", "hours", "false", "an hour", "as asked"]]
    for name, events in _runs(ways):
        own, vouched = events.at[OWN], events.promise and events.promise.vouched_per_hour
        rows.append(
            [
                name,
                _with_interval([own.stretches]),
                "-" if vouched is None else f"{vouched:.1f}",
                *_false(own.alarms),
                _as_asked(own.alarms, events.promise and events.promise.asked_per_hour),
            ]
        )
    return rows


def _light(ways: Ways) -> list[list[str]]:
    rows = [["way", "light", "hours", "false", "an hour", "as asked", "recall, own line", "recall at 1 an hour"]]
    for name, events in _runs(ways):
        own, one = (events.at[line].conditions["light"] for line in (OWN, AT_ONE))
        asked = events.promise and events.promise.asked_per_hour
        for number, (light, found) in enumerate(own.items()):
            rows.append(
                [
                    "" if number else name,
                    light,
                    *_false(found.alarms),
                    _as_asked(found.alarms, asked),
                    _percent(found.stretches.recall),
                    _percent(one[light].stretches.recall),
                ]
            )
    return rows


def _kinds(ways: Ways) -> list[list[str]]:
    lines: dict[str, list[AtLine]] = {
        way: [events.at[AT_ONE] for events in seeds.values()] for way, seeds in ways.items()
    }
    counts = {kind: found.labelled for kind, found in next(iter(lines.values()))[0].kinds.items()}
    rows = [["kind", "stretches", *(LABELS[way] for way in ways)]]
    for kind, labelled in counts.items():
        marked = f"`{kind}`" + (" *" if kind in ONLY_IN_JUDGE else "")
        recalls = [_mean_percent([at.kinds[kind].recall for at in found]) for found in lines.values()]
        rows.append([marked, str(labelled), *recalls])
    return rows


def _known_words(has_known: Sequence[str]) -> str:
    if not has_known:
        return "No way here has been shown any kind."
    kinds = ", ".join(f"`{kind}`" for kind in KNOWN)
    return f"The known anomalies of the last column are {kinds}; the others have been shown none."


def _delay(ways: Ways) -> list[list[str]]:
    rows = [["way", "own line", *(f"at {rate:g} an hour" for rate in RATES)]]
    for way, seeds in ways.items():
        lines = (OWN, *(f"{rate:g}" for rate in RATES))
        rows.append(
            [
                LABELS[way],
                *(_quartiles(events.at[line].stretches.delay_s for events in seeds.values()) for line in lines),
            ]
        )
    return rows


def _none_known(ways: Ways) -> Ways:
    return {way: seeds for way, seeds in ways.items() if way not in WITH_KNOWN}


def _runs(ways: Ways) -> Iterable[tuple[str, Events]]:
    for way, seeds in ways.items():
        for seed, events in seeds.items():
            yield (LABELS[way] if len(seeds) == 1 else f"{LABELS[way]}, seed {seed}"), events


def _in_words(way: str) -> str:
    return LABELS[way].removeprefix("no network: ")


def _recalls(seeds: Mapping[int, Events], line: str) -> list[float]:
    found = [events.at[line].stretches.recall for events in seeds.values()]
    return [recall for recall in found if recall is not None]


def _apart(recalls: Sequence[float]) -> float:
    return max(recalls) - min(recalls)


def _reached(is_so: bool) -> str:
    return "reached" if is_so else "not reached"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _mean_percent(shares: Sequence[float | None]) -> str:
    known = [share for share in shares if share is not None]
    return _percent(fmean(known) if known else None)


def _with_interval(found: Sequence[Found]) -> str:
    """Mean recall in per cent, and the mean of both ends of the interval."""
    intervals = [one.interval for one in found if one.interval is not None]
    mean = _mean_percent([one.recall for one in found])
    if not intervals:
        return mean
    return f"{mean} [{', '.join(_percent(fmean(ends)) for ends in zip(*intervals, strict=True))}]"


def _false(alarms: FalseRate) -> list[str]:
    hours = "-" if alarms.hours is None else f"{alarms.hours:.2f}"
    seen = "-" if alarms.per_hour is None else f"{alarms.per_hour:.1f}"
    if alarms.interval is not None:
        seen += f" [{alarms.interval[0]:.1f}, {alarms.interval[1]:.1f}]"
    return [hours, str(alarms.false), seen]


def _as_asked(alarms: FalseRate, asked: float | None) -> str:
    """Whether the rate asked for lies in the interval of the rate seen."""
    if alarms.asked_within is None or alarms.interval is None or asked is None or alarms.hours is None:
        return "-"
    if not alarms.asked_within:
        return "more than asked" if asked < alarms.interval[0] else "fewer than asked"
    return "as asked" if asked * alarms.hours >= 1 else "too little video to tell"


def _quartiles(delays: Iterable[Quartiles | None]) -> str:
    known = [one for one in delays if one is not None]
    if not known:
        return "-"
    return " / ".join(
        f"{fmean(values):.1f}" for values in zip(*((q.low, q.median, q.high) for q in known), strict=True)
    )


if __name__ == "__main__":
    main()
