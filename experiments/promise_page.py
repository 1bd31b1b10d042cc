"""Make `docs/lab/promise.md` from `experiments/results/promise.json`.

python experiments/promise_page.py            write it
python experiments/promise_page.py --check    only say whether it is fresh (exit code 1 if not)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oddframe.scoring.promise import HOURS, Promise
from pages import table, write_or_check

RESULT = Path(__file__).parent / "results" / "promise.json"

HEAD = """# Is the promise of a line kept?

    python experiments/promise.py judge --kept FOLDER
    python experiments/promise.py count --kept FOLDER

Normal video of one camera, by day, at dusk, by night, and by day in rain: {each:.1f} hours of each, {whole:.1f} in all,
{fps:g} frames a second. The place is `{place}` of the [day of drawn video](day-world.md), the videos are none of that
set; they are judged as they are drawn, without a codec between. The detector is the one that comes with the package
(preset `tiny`, fp32), which was trained on other places.

The detector is fitted to one half of the hours, as `oddframe calibrate` does with a folder for
each profile, and events are counted in the other half; then the other way round. So every hour is measured, by a line
that has not seen it. A line is one for all profiles, drawn on {fitted:.1f} hours; each profile has a normal of its own.
"""

SEEN = """## Asked and seen

False alarms a day, with the 95 % Poisson interval of what was seen.
"""

LINES = """## The lines

A line stands where held-out normal video is as lively as nineteen of twenty stretches of it (decision
[10](../decisions/0010-lines-hold-for-nineteen-of-twenty.md)). "Fair" is the lowest line that would have kept the
promise in the hours that were measured, had one known them: a score of one less is ten times as usual. "Vouched" is
what a line says of itself: at most so many a day.
"""

READING = """Alarms come in clusters, so that the intervals are rather too narrow. "Too little video" is said where the
rate that was asked for would not bring one alarm in the hours that were measured.
"""


def main() -> None:
    """Write the page, or check it."""
    write_or_check(__doc__, {"lab/promise.md": make_page(json.loads(RESULT.read_text("utf-8")))})


def make_page(found: Mapping[str, Any]) -> str:
    """The page."""
    counted: list[Mapping[str, Any]] = found["counted"]
    profiles = list(dict.fromkeys(one["profile"] for one in counted))
    asked_for = list(dict.fromkeys(one["asked_per_day"] for one in counted))
    whole = sum(one["hours"] for one in counted) / len(asked_for)
    head = HEAD.format(
        place=found["place"],
        each=whole / len(profiles),
        whole=whole,
        fps=found["frames_a_second"],
        fitted=min(one["hours"] for one in found["lines"]),
    )
    rows = [["asked", "profile", "hours", "alarms", "seen", ""]]
    for asked in asked_for:
        of_rate = [one for one in counted if one["asked_per_day"] == asked]
        rows.append([f"{asked:g}", "all", *_seen(asked, of_rate)])
        rows += [["", name, *_seen(asked, [one for one in of_rate if one["profile"] == name])] for name in profiles]
    lines = [["asked", "fitted to", "hours", "line", "fair", "vouched"]]
    for one in sorted(found["lines"], key=lambda one: -one["asked_per_day"]):
        figures = (f"{one['hours']:.1f}", f"{one['on']:.2f}", f"{one['fair']:.2f}", f"{one['vouched_per_day']:.1f}")
        lines.append([f"{one['asked_per_day']:g}", f"the {one['fitted_on']} half", *figures])
    return "\n".join([head, SEEN, table(rows), READING, LINES, table(lines)])


def _seen(asked: float, counted: Sequence[Mapping[str, Any]]) -> list[str]:
    alarms, hours = sum(one["alarms"] for one in counted), sum(one["hours"] for one in counted)
    seen = Promise.measured(asked, alarms, hours)
    assert seen.low is not None
    assert seen.high is not None
    rate = f"{alarms / hours * HOURS:.1f} [{seen.low:.1f}, {seen.high:.1f}]"
    return [f"{hours:.1f}", str(alarms), rate, _judged(asked, hours, seen.low, seen.high)]


def _judged(asked: float, hours: float, low: float, high: float) -> str:
    if low > asked:
        return "more than asked"
    if high < asked:
        return "fewer than asked"
    return "as asked" if asked * hours / HOURS >= 1 else "too little video to tell"


if __name__ == "__main__":
    main()
