"""The lab page about what reviews change at once."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

from pages import table

HEAD = """# What a review changes at once

Somebody says of an event that it was normal, or that it was an alarm; [teaching](../explanation/teaching.md) says what
comes of that. Here it is measured. Nothing odd was known to the trainings. Every frame of the test is judged once, then
judged again after lessons, by the code that a site runs.

    oddframe data synth SYNTHETIC
    python experiments/teaching_now.py runs/demo-2 SYNTHETIC --name demo-2
    python experiments/teaching_now.py runs/ped2-standard-cpu-2 PED2 --name ped2-2

A lesson silences what is within a radius of what was seen, in deviations of normal places, and in its place. The
radius "any" asks for no likeness at all: the place alone.
"""

NORMAL = """## An anomaly is called normal

All odd events of one kind are taken, in the order of the videos; the first 1, 3 or 10 of them are called normal, and
the other videos of the same camera are judged again. Frames above the run's own line that stay above it: of the
events themselves, of the same kind in other videos, of other kinds, and of normal frames.
"""

FALSE = """## A false alarm is called normal

At a low line, one that a twentieth of held-out frames are above, there are false events to review. The first 1, 3 or 10
of each camera are called normal. False events beside these, and labelled stretches found, before → after.
"""

ALARMS = """## An anomaly is called an alarm

The weights of `learned` are fitted on 1, 3 or 10 events in a row, from four beginnings. AUC of `learned` on all other
videos, in per cent, before → after.
"""


def sections(results: Path) -> list[str]:
    """Words and tables, from `teaching/`."""
    runs = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((results / "teaching").glob("*.json"))}
    return [
        *(HEAD, NORMAL, *_normal(runs), FALSE, *_false(runs), ALARMS, _alarms(runs), FOUND),
        VIDEO,
        videos_table(results),
        VIDEO_FOUND,
    ]


def _normal(runs: dict[str, Any]) -> list[str]:
    parts = []
    for name, run in runs.items():
        sums: dict[tuple[int, float], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        for row in run["called_normal"]:
            for part in ("own", "like", "other", "normal"):
                for moment in (0, 1):
                    sums[row["reviews"], row["radius"]][part][moment] += row[part][moment]
        rows = [["reviews", "radius", "the events", "same kind", "other kinds", "normal frames"]]
        for (reviews, radius), of_parts in sorted(sums.items()):
            shares = [_share(of_parts[part]) for part in ("own", "like", "other", "normal")]
            rows.append([str(reviews), _radius(radius), *shares])
        parts += [f"`{name}`:\n", table(rows)]
    return parts


def _false(runs: dict[str, Any]) -> list[str]:
    rows = [["run", "reviews", "radius", "other false events", "stretches found"]]
    for name, run in runs.items():
        sums: dict[tuple[int, float], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        for row in run["false"]:
            for part in ("false", "anomalies"):
                for moment in (0, 1):
                    sums[row["reviews"], row["radius"]][part][moment] += row[part][moment]
        for (reviews, radius), of_parts in sorted(sums.items()):
            both = [f"{of_parts[part][0]} → {of_parts[part][1]}" for part in ("false", "anomalies")]
            rows.append([f"`{name}`", str(reviews), _radius(radius), *both])
    return [table(rows)]


def _alarms(runs: dict[str, Any]) -> str:
    rows = [["run", "reviews", "of each beginning", "mean change"]]
    for name, run in runs.items():
        of_counts: dict[int, list[Any]] = defaultdict(list)
        for row in run["alarms"]:
            of_counts[row["reviews"]].append(row)
        for reviews, several in sorted(of_counts.items()):
            change = mean(100 * (row["after"] - row["before"]) for row in several)
            each = ", ".join(f"{100 * row['before']:.1f} → {100 * row['after']:.1f}" for row in several)
            rows.append([f"`{name}`", str(reviews), each, f"{change:+.1f}"])
    return table(rows)


def videos_table(results: Path) -> str:
    """What the reviews of one video change on others, from `teaching-video/`."""
    of_videos = sorted((results / "teaching-video").glob("*.json"))
    runs = {path.stem: json.loads(path.read_text("utf-8"))["turns"] for path in of_videos}
    rows = [
        [
            *("run", "line", "reviewed", "reviews", "stretches found", "odd frames above", "false events"),
            *("AUC `online`", "AUC `learned`", "line", "held-out frames above"),
        ]
    ]
    for name, turns in runs.items():
        for line in ("own", "low"):
            for way in ("by its labels", "all normal"):
                some = [row for row in turns if (row["line"], row["way"]) == (line, way)]
                said = [row for row in some if row["called_normal"] or row["called_alarm"]]
                if not said:
                    rows.append([f"`{name}`", line, way, "none", *["-"] * 7])
                    continue
                reviews = f"{mean(row['called_normal'] + row['called_alarm'] for row in said):.1f}"
                before, after = ([row[when] for row in said] for when in ("before", "after"))
                pair = [(mean(one[key] for one in before), mean(one[key] for one in after)) for key in _NUMBERS]
                found, above, false, online, learned, at, heldout = pair
                odd = mean(one["odd_frames"] for one in before)
                rows.append(
                    [
                        *(f"`{name}`", line, way, reviews),
                        f"{found[0]:.1f} → {found[1]:.1f}",
                        f"{100 * above[0] / odd:.1f} → {100 * above[1] / odd:.1f} %",
                        f"{false[0]:.2f} → {false[1]:.2f}",
                        *(f"{100 * one[0]:.1f} → {100 * one[1]:.1f}" for one in (online, learned)),
                        f"{at[0]:.2f} → {at[1]:.2f}",
                        f"{100 * heldout[0]:.2f} → {100 * heldout[1]:.2f} %",
                    ]
                )
    return table(rows)


_NUMBERS = ("stretches_found", "odd_above", "false_events", "online_auc", "learned_auc", "line", "heldout_above")


def _share(both: list[int]) -> str:
    before, after = both
    return f"{100 * after / before:.0f} % of {before}" if before else "-"


def _radius(radius: float) -> str:
    return "any" if radius >= 100 else f"{radius:g}"


VIDEO = """## The events of one video are reviewed

    python experiments/teaching_video.py PED2 runs/ped2-tiny-2020 --fps 10 --name ped2-tiny-2020
    python experiments/teaching_video.py SYNTHETIC src/oddframe/instant_model --name synthetic

A detector is fitted to the normal videos that its training held out, as a camera is; so its line is drawn anew after
lessons. Each test video in turn is the one whose events are reviewed: as its labels have it, which makes most of them
alarms, or all as normal. All other videos of the same camera are judged before and after. The low line is one that a
twentieth of held-out frames are above. Means over the videos with an event, before → after. `ped2-tiny-2020` is preset
`tiny` on Ped2 without known anomalies, with two epochs (`--set train.epochs=2 --set train.seed=2020`): a weak detector;
`ped2-tiny-2` is one of another seed.
"""

FOUND = """The synthetic set chose the radii, and that no place around what is found is silenced with it. It is small:
three cameras of four test videos each, few of its kinds come twice before the same one, and so few false events stand
beside those that were reviewed that nothing can be said of what a lesson removes of others. Ped2 has no names of kinds:
all that is odd there counts as one, most of it cyclists, and its labels were in sight. One look at it changed the
default: at half a deviation the reviewed event itself stays, since its many looks are thinned to 256. So `middle`, one
deviation, is the default, and `narrow` is for those who see in the preview that it is enough.

What a lesson costs is another matter with false alarms than with anomalies. A false alarm is weakly odd: its looks lie
near what is usual, and anomalies are far from them, so that hardly one is lost, while the place alone loses some. An
anomaly that is called normal takes others at its place with it: by how odd, how fast and which way they are, two
anomalies differ less than they differ from what is usual. After three such reviews on Ped2 a third of all other odd
frames are gone, after ten nearly all. So a lesson is for what should never have been an alarm; whoever says of cyclists
that they are normal should see the preview first, and teach that by training.

Weights of `learned` are no better for a few reviews, and may be worse: events of one kind say little of others.
`online` stays as it was, and alarms with it.
"""

VIDEO_FOUND = """Reviewed as the labels have it, little changes. At its own line a fitting raises hardly a false
event: there is nothing to call normal, and `online` and its alarms stay as they are. An alarm moves `learned` alone, up
on one set and down on the other, by about half a point or less: nothing to count on. At the low line lessons of false
events remove a quarter of the other false events of the synthetic cameras and cost no stretch that was found; `online`
loses a point of AUC there. On Ped2 there was next to nothing false to learn from, and next to nothing is removed.

Where all is called normal, odd things too, half of what was found at the own line of the synthetic set is gone, and up
to a fifth on Ped2. The line falls with it, since lessons silence what had raised it: the share of held-out frames above
stays about what it was, and after one of two trainings on Ped2 a few false events come that had not. That is what the
preview is for.

The detectors here are weak, the sets are small, and there are two trainings on Ped2, not three.
"""
