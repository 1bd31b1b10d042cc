"""What the lab page of the floor says of optical flow at other sizes of picture, and of direction beside speed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pages import table

SIZES = """## At other sizes of picture

    python experiments/flow_sizes.py PED2

Pictures of every size are brought to 240 rows before they are compared, so that preset `live` with its 128 rows sees
nearly what preset `cpu` sees with its 240. Pairs of frames of normal training video; no label is looked at. In each
column: the rank correlation of the largest window with `flow` of the same pairs at 240 rows; the median of their ratio;
the time of the quickest of a dozen pairs on one core of a busy machine. Beside `flow` stand pictures compared as they
come, over cells of a thirtieth of their height, at half their resolution (as the method's preset does) and at the full
one.
"""

SIZES_FOUND = """At 240 rows the first two are one. Enlarging small pictures agrees best with what is seen there, and
takes about as long at every size. Full resolution sees more, and so something else than at 240 rows; from 160 rows on
it is dear. Test labels of Ped2 had been looked at before: they said that small pictures compared as they come, at half
resolution, lose several points of AUC. They decided nothing else.
"""

KINDS = """## Speed and direction, by kind of anomaly

    oddframe data synth SYNTHETIC
    python experiments/flow_kinds.py SYNTHETIC --name demo
    oddframe data synth DAY --scale day --which develop
    python experiments/flow_kinds.py DAY --name day-develop --scenes gate avenue --videos 3 --heldout 0.25

`flow` asks how fast the fastest window is. `direction` takes movement apart into eight directions and compares each
with what is normal at its place. Both need no network. Alarms at lines of so many false alarms an hour, chosen on the
test itself, and at the line that held-out normal video gave. The demo's test has 87 s of normal video: there, any line
with a false alarm is too low. The day set is one to choose settings on, and here a part of it.
"""

KINDS_FOUND = """`direction` ranks frames better than speed does, and both together better than either. As alarms that
is worth little yet. In the demo it finds the one who walks the wrong way, whom speed does not find. In the day set it
finds none of eleven at 24 false alarms an hour; what of normal video is odder than they are was not looked into. At
its own line there `direction` gave one false alarm in 20 minutes of normal video, and both together gave five. Presets
`cpu` and `tiny` have it beside others, because of [real video](evidence.md). What stands still (`loiterer`,
`person-down`, `abandoned-object`, `gathering`) neither finds.

What counts as nothing in a window, the share of places, a ceiling for speed, and a ratio of energies instead of
deviations of their logarithms were looked at in trials with every third frame of ten videos of the day set, whose
code was not kept: nothing was better. Avenue's three public videos are too short for alarms (145 frames to learn
from).
"""

PLACES = """## What is normal at a place

    python experiments/place_normals.py PED2 --name ped2
    python experiments/place_normals.py DAY --name day-develop --scenes gate --videos 12

`direction` compares each place with what is normal there: by the mean and the spread of the logarithm of what moved
there. What moves now and then, as cars do on a road, has a mean of nearly nothing and a spread of little, so that each
car is as odd as somebody who walks against a one-way flow, or odder. The other way is to count how often so much moved
there, and close by, in so many frames of normal video: a car on the road is then one in twenty, and the walker was
never seen. Places lend each other what they have seen (blurred, in cells), and the whole picture counts for 100 frames.

Nothing is learned besides. A frame's score is the mean over the oddest places. Alarms are counted at lines of so many
false alarms an hour, chosen on the test itself; Ped2's frames state no times, so that it has an AUC alone. All normal
video says what is normal.
"""

PLACES_FOUND = """On the day set counting finds much of what moves the wrong way, and more of all else, where mean and
spread find next to nothing. On real video, where nothing was chosen, it ranks frames better as well. So runs can have
it (`--set score.place_normal=rarity`), with the blur that mean and spread have there, 1.75 cells of these; the figures
of Ped2 had been seen by then. The presets for one's own video count in scenes with five thousand normal frames and more
([decision 51](../decisions/0051-directions-may-be-counted.md)); what it does beside a network is on the page of
[what alarms are made of](evidence.md).

Tried by hand, without figures that are kept, on the same twelve videos: where the whole picture has a fifth in each
place, in place of 100 frames, a third of that is found; levels from a tenth of a squared pixel on find as much as
these; counting `local_distance` in the same way finds no more than its mean and spread do.
"""

_MEASURES = {
    "flow": "`flow`: at 240 rows",
    "as_they_come": "as they come, half resolution",
    "full_resolution": "as they come, full resolution",
}
_RATES = ("24", "6", "1")
_WAYS = {"flow": "`flow`", "direction": "`direction`", "both": "both"}


def sections(results: Path) -> list[str]:
    """Words and tables, from `flow-sizes/`, `flow-kinds/` and `place-normals/`."""
    sizes, kinds = (_read(results / name) for name in ("flow-sizes", "flow-kinds"))
    found = [
        part for name, one in kinds.items() for part in (f"`{name}`, {len(one['videos'])} videos:\n", *_kinds(one))
    ]
    places = _places(_read(results / "place-normals"))
    return [SIZES, _sizes(sizes), SIZES_FOUND, KINDS, *found, KINDS_FOUND, PLACES, places, PLACES_FOUND]


def _read(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def _sizes(sets: dict[str, Any]) -> str:
    rows = [["video", "rows of the picture", *_MEASURES.values()]]
    for name, found in sets.items():
        for height, of in found["heights"].items():
            rows.append([f"`{name}`, {found['pairs']} pairs", height, *(_agrees(of[way]) for way in _MEASURES)])
    return table(rows)


def _agrees(of: dict[str, float]) -> str:
    return f"{of['rank_correlation']:.2f}, x{of['ratio']:.2f}, {of['milliseconds']:.0f} ms"


def _kinds(found: dict[str, Any]) -> list[str]:
    """Labelled stretches that are found at each rate of false alarms, and kind by kind at the first of them."""
    of_ways, first = found["ways"], _RATES[0]
    rows = [["found by", "AUC of frames", *(f"at {rate} an hour" for rate in _RATES), "at its own line", "false there"]]
    for way, name in _WAYS.items():
        at = of_ways[way]["at"]
        recall = [f"{at[rate]['found']} of {at[rate]['labelled']}" for rate in (*_RATES, "own")]
        rows.append([name, f"{100 * of_ways[way]['auc']:.1f}", *recall, f"{at['own']['false_per_hour']:.1f} an hour"])
    kinds = [["kind", *(f"{name}, at {first} an hour" for name in _WAYS.values())]]
    for kind in of_ways["flow"]["at"][first]["kinds"]:
        each = [of_ways[way]["at"][first]["kinds"][kind] for way in _WAYS]
        kinds.append([f"`{kind}`", *(f"{some} of {all_of_them}" for some, all_of_them in each)])
    return [table(rows), table(kinds)]


def _places(sets: dict[str, Any]) -> str:
    """What each way finds, on each set."""
    rows = [["video", "what is normal there", "AUC of frames", *(f"found at {rate} an hour" for rate in _RATES)]]
    for name, found in sets.items():
        for number, (way, one) in enumerate(found["ways"].items()):
            recall = [f"{at['found']} of {at['labelled']}" if (at := one["at"].get(rate)) else "-" for rate in _RATES]
            about = f"`{name}`, {len(found['videos'])} videos"
            rows.append(["" if number else about, way, f"{100 * one['auc']:.1f}", *recall])
    return table(rows)
