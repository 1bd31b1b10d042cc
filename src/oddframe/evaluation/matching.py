"""Which labelled stretches of a video its alarms meet, and which alarms meet none (`events.py` says when they do)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.data.videoset import spans_of
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.sweep import Places, Raised

ALL, KNOWN, UNKNOWN = "all", "known", "unknown"
LEAST_IN_PLACE = 0.5
"""Share of the masked frames that an alarm and a stretch have in common on which its box meets the mask. A box that is
anywhere at random meets the mask of one frame among a hundred soon, and of half of them hardly ever."""

Group = tuple[str, str]
"""("all" | "known" | "unknown", "") or ("kind", its name): what stretches are counted as."""


class Matched(NamedTuple):
    """Alarms of one line beside the stretches of a video, in all groups: (T,) each.

    Attributes:
        alarms, false: how many alarms, and how many that meet no stretch. covered: normal frames within alarms.
        found, in_place: which stretches are found, and which of those in place.
        first: the place at which the first alarm meets a stretch that is found.
    """

    alarms: int
    false: int
    covered: int
    found: NDArray[np.bool_]
    in_place: NDArray[np.bool_]
    first: Places


class Stretches:
    """The labelled stretches of a video, by group.

    Args:
        video: judged; its kinds are those whose stretches have groups of their own.
        groups: that there are in the set, in the order of their numbers; those of "kind" are judged by their names.
        known: kinds that the training has seen.
    """

    def __init__(self, video: JudgedVideo, groups: Sequence[Group], known: Collection[str]) -> None:
        shown = {span.kind for span in video.kinds if span.kind}
        runs = [_runs(video, group, shown, known) for group in groups]
        spans = [span for of_group in runs for span in of_group]
        self.begins, self.stops = np.array(spans, np.int64).reshape(-1, 2).T
        self.group = np.repeat(np.arange(len(groups)), [len(of_group) for of_group in runs])
        """(T,) number of each stretch's group."""
        every = self.group == [kind for kind, _ in groups].index(ALL)
        self._begins, self._stops = self.begins[every], self.stops[every]
        self._normal = np.append(0, np.cumsum(~video.labels))
        in_place = np.full(len(video.labels), -1, np.int8) if video.in_place is None else video.in_place
        # masked frames of each stretch one after another
        lengths = self.stops - self.begins
        of = np.repeat(np.arange(len(lengths)), lengths)
        places = np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths - self.begins, lengths)
        masked = in_place[places] >= 0
        self._of, self._places, self._hit = of[masked], places[masked], in_place[places[masked]] > 0
        self.masked = np.bincount(self._of, minlength=len(lengths)) > 0
        """(T,) whether a mask says where the stretch is."""

    def match(self, raised: Raised) -> Matched:
        """Match alarms, [start, stop) in places of the table, to the stretches."""
        starts, stops = raised
        first = np.searchsorted(stops, self.begins, side="right")  # the first alarm that ends after the beginning
        begins = np.append(starts, np.iinfo(np.int64).max)[first]
        found = begins < self.stops
        after = np.searchsorted(self._stops, starts, side="right")  # the first stretch that ends after the start
        false = np.append(self._begins, np.iinfo(np.int64).max)[after] >= stops
        covered = int((self._normal[stops] - self._normal[starts]).sum())
        in_place = np.zeros(len(found), bool)
        if len(self._places) and len(starts):
            of_alarm = np.searchsorted(starts, self._places, side="right") - 1
            shared = (of_alarm >= 0) & (self._places < stops[of_alarm])
            frames = np.bincount(self._of[shared], minlength=len(found))
            hits = np.bincount(self._of[shared & self._hit], minlength=len(found))
            in_place = (frames > 0) & (hits >= LEAST_IN_PLACE * frames)
        return Matched(len(starts), int(false.sum()), covered, found, in_place, np.maximum(begins, self.begins))


def groups_of(videos: Sequence[JudgedVideo], known: Collection[str]) -> list[Group]:
    """All stretches; the known and the unknown kinds, as far as there are any; and each kind."""
    kinds = sorted({span.kind for video in videos for span in video.kinds if span.kind})
    seen = [(KNOWN, "")] if set(kinds) & set(known) else []
    unseen = [(UNKNOWN, "")] if set(kinds) - set(known) else []
    return [(ALL, ""), *seen, *unseen, *(("kind", kind) for kind in kinds)]


def own_alarms(video: JudgedVideo) -> Raised:
    """The alarms that were raised, in places of the table."""
    raised = sorted((event.start, event.end) for event in video.scores.events)
    begins, ends = np.array(raised, np.int64).reshape(-1, 2).T
    frame = video.scores.frame
    return Raised(np.searchsorted(frame, begins), np.searchsorted(frame, ends))


def _runs(video: JudgedVideo, group: Group, shown: Collection[str], known: Collection[str]) -> list[tuple[int, int]]:
    what, name = group
    wanted: Mapping[str, set[str]] = {KNOWN: set(shown) & set(known), UNKNOWN: set(shown) - set(known)}
    if what == ALL:
        return spans_of(video.labels)
    odd = np.zeros(len(video.labels), bool)
    for kind in wanted.get(what, {name} & set(shown)):
        odd |= video.of_kind(kind)
    return spans_of(odd)
