"""Judging what was held out, and some of what was trained on: what a calibration is fitted on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from oddframe.origin import Rate
from oddframe.progress import Progress, Watcher
from oddframe.scoring.calibration import POOLED
from oddframe.scoring.components import ALWAYS_PER_PLACE, log_scale, placed_value
from oddframe.scoring.evidence import AS_IT_COMES, EvidenceStream
from oddframe.scoring.held import Held
from oddframe.scoring.judged import Judged, Kind, Stretch, home_of
from oddframe.scoring.kept import Keeping
from oddframe.scoring.places import PlaceNormal, PlaceSums
from oddframe.scoring.scores import Raw
from oddframe.settings import ScoreSettings
from oddframe.video.source import Frame

MOST_MAPS = 40000
"""Held-out frames whose maps tell what is normal at each place, at most: they are held in memory for that long."""

MOST_MAP_BYTES = 512 * 2**20
"""Bytes that these maps may take."""

LEAST_COUNTED = 5000
"""Normal frames of a scene from which on it is counted how often there is how much at each place. What crosses a place
is seen there for many frames: fewer frames are some dozens of crossings, and mean and spread tell more of them."""

SEEN_STEP = 3
"""Of video that only tells which way things move, one frame in so many is looked at: its neighbours show the same."""

BLOCK = 300
"""Frames of a stretch of normal video at most: how much stretches differ is known only where there are several."""

PlacesOf = Mapping[str, Mapping[str, PlaceNormal]]


@dataclass(frozen=True)
class Footage:
    """An unbroken stretch of video that is to be judged.

    Attributes:
        frames: gives its frames, anew with every call. length: how many.
        abnormal: number in the source → whether the frame is abnormal, which others are not; for known anomalies alone.
    """

    scene: str
    kind: Kind
    length: int
    frames: Callable[[], Iterable[Frame]]
    abnormal: Mapping[int, bool] | None = None


def judge(
    stream: EvidenceStream,
    footage: Sequence[Footage],
    settings: ScoreSettings,
    watch: Watcher,
    rate: Rate = AS_IT_COMES,
    keeping: Keeping | None = None,
    seen: Sequence[Footage] = (),
) -> Judged:
    """Judge stretches of video. Memory holds the maps of `MOST_MAPS` frames, and a few numbers of every frame.

    What is normal at each place is learned from held-out stretches spread over all of them. They are judged first; of
    all others, each frame's maps are compared with it as they come, and let go of.

    Args:
        settings: those that `stream` was set by. rate: that video is resampled to.
        keeping: gets the held-out frames, by the numbers of their stretches.
        seen: normal video besides, which the detector was trained on. It is not judged, but where directions are
            counted it tells, as all other normal video does, which way things move where: no training knows of that.
    """
    counted = settings.place_normal == "rarity" and stream.direction
    done, total = 0, sum(one.length for one in (*footage, *(seen if counted else ())))

    def raw_of(one: Footage) -> Iterator[Raw]:
        nonlocal done
        watch(Progress("calibrating", done, total))
        yield from stream.raw(one.frames(), rate)
        done += one.length

    heldout = [number for number, one in enumerate(footage) if one.kind == "heldout"]
    held: dict[int, Held] = {}
    most = MOST_MAPS
    for number in heldout[:1]:
        held[number] = Held.of(raw_of(footage[number]))
        most = min(most, MOST_MAP_BYTES // max(held[number].most_bytes, 1))
    trained = [number for number, one in enumerate(footage) if one.kind == "trained"] if counted else []
    for number in (*_sample(footage, heldout, most), *trained):
        if number not in held:
            held[number] = Held.of(raw_of(footage[number]))
    more: dict[str, PlaceSums] = {}
    for one in seen if counted else ():
        watch(Progress("calibrating", done, total))
        ways = (log_scale("direction", one_way) for one_way in stream.ways(one.frames(), SEEN_STEP))
        sums = PlaceSums.of(ways, counted=True)
        more[one.scene] = more[one.scene] + sums if one.scene in more else sums
        done += one.length
    learned = _Places(footage, held, more, counted=counted)
    places = learned.normal
    share = settings.local_share
    stretches = {}
    for number, one in enumerate(footage):
        known = learned.without(number) if number in held else places.get(home_of(one.scene, places), {})
        raw = held.pop(number) if number in held else raw_of(one)
        keep = partial(keeping.take, number) if keeping is not None and one.kind == "heldout" else None
        stretches[number] = _stretch(one, raw, known, share, keep)
    watch(Progress("calibrating", total, total))
    return Judged(
        tuple(stretches[number] for number in range(len(footage))), places, settings.window, settings.stride, share,
        place_normal=settings.place_normal,
    )  # fmt: skip


def spread(lengths: Sequence[int], most: int) -> list[int]:
    """Which of several stretches to take, evenly spread, until there are about `most` frames; all where they are fewer.

    >>> spread([300, 300, 300, 300], 600)
    [0, 2]
    """
    total = sum(lengths)
    if total <= most:
        return list(range(len(lengths)))
    keep = max(1, len(lengths) * most // total)
    return [number * len(lengths) // keep for number in range(keep)]


def _sample(footage: Sequence[Footage], heldout: Sequence[int], most: int) -> list[int]:
    """Held-out stretches of `most` frames at most, spread over each scene; what a small scene leaves, others have."""
    scenes: dict[str, list[int]] = {}
    for number in heldout:
        scenes.setdefault(footage[number].scene, []).append(number)

    def frames(numbers: Iterable[int]) -> int:
        return sum(footage[number].length for number in numbers)

    taken: list[int] = []
    ordered = sorted(scenes.values(), key=frames)
    for place, numbers in enumerate(ordered):
        share = (most - frames(taken)) // (len(ordered) - place)
        taken += [numbers[chosen] for chosen in spread([footage[number].length for number in numbers], share)]
    return sorted(taken)


class _Places:
    """What is normal at each place of each scene that has frames enough; of a run with one scene, as the pooled one.

    Args:
        footage: all of it. held: number in the footage → what it is learned from; of trained stretches nothing but
            which way things move. more: scene → what is known besides of that.
        counted: compare directions by how rare so much is, in scenes with `LEAST_COUNTED` frames.

    Attributes:
        normal: scene → local component → its normal.
    """

    def __init__(
        self, footage: Sequence[Footage], held: Mapping[int, Held], more: Mapping[str, PlaceSums], *, counted: bool
    ) -> None:
        scenes: dict[str, list[int]] = {}
        for number in held:
            scenes.setdefault(footage[number].scene, []).append(number)
        more = dict(more)
        if len(scenes) == 1:
            only, numbers = scenes.popitem()
            scenes, more = {POOLED: numbers}, {POOLED: more[only]} if only in more else {}
        else:
            scenes.pop(POOLED, None)
        self.normal: dict[str, dict[str, PlaceNormal]] = {}
        self._held = held
        self._home = {number: scene for scene, numbers in scenes.items() for number in numbers}
        self._whole: dict[tuple[str, str], _Whole] = {}
        for scene, numbers in scenes.items():
            heldout = [number for number in numbers if footage[number].kind == "heldout"]
            first = next((raw for number in heldout for raw in held[number]), None)
            for name in () if first is None else first.maps:
                watched = first.watched.get(name)  # type: ignore[union-attr]
                if name in ALWAYS_PER_PLACE:
                    whole = self._of_ways(name, numbers, more.get(scene), watched) if counted else None
                    whole = whole or _Whole(self._sums(name, heldout), watched, frozenset(heldout))
                    self._whole[scene, name], sums = whole, whole.sums
                else:
                    sums = self._sums(name, heldout)
                if (fitted := PlaceNormal.of(sums, watched)) is not None:
                    self.normal.setdefault(scene, {})[name] = fitted

    def _of_ways(
        self, name: str, numbers: Sequence[int], more: PlaceSums | None, watched: NDArray[np.bool_] | None
    ) -> _Whole | None:
        """How often there is how much, by all normal video; None of too little of it."""
        sums = self._sums(name, numbers, counted=True)
        sums = sums if more is None else sums + more
        return _Whole(sums, watched, frozenset(numbers)) if sums.count >= LEAST_COUNTED else None

    def _sums(self, name: str, numbers: Iterable[int], *, counted: bool = False) -> PlaceSums:
        maps = (log_scale(name, raw.maps[name]) for number in numbers for raw in self._held[number])
        return PlaceSums.of(maps, counted=counted)

    def without(self, number: int) -> dict[str, PlaceNormal]:
        """Local component → its normal in the scene of a stretch that it was learned from.

        Which way things move is learned from no other stretch than these: a stretch in which someone crosses the lawn
        would find that usual, and the line would be too low for the next one. So it is compared with the others alone,
        where they are enough.
        """
        scene = self._home.get(number, POOLED)
        known = dict(self.normal.get(scene, {}))
        for name in ALWAYS_PER_PLACE:
            whole = self._whole.get((scene, name))
            if whole is not None and number in whole.numbers:
                own = self._sums(name, [number], counted=whole.sums.above is not None)
                if (others := PlaceNormal.of(whole.sums - own, whole.watched)) is not None:
                    known[name] = others
        return known


@dataclass(frozen=True)
class _Whole:
    """What a scene's ways are learned from. watched: places that count. numbers: of the stretches that are in it."""

    sums: PlaceSums
    watched: NDArray[np.bool_] | None
    numbers: frozenset[int]


def _stretch(
    footage: Footage,
    raws: Iterable[Raw],
    places: Mapping[str, PlaceNormal],
    share: float,
    keep: Callable[[int, float, Raw], None] | None,
) -> Stretch:
    """Keep the numbers of a stretch, frame by frame, and none of its maps; `keep` is told how odd each frame is."""
    frames: list[int] = []
    times: list[float | None] = []
    values: dict[str, list[float]] = {}
    placed: dict[str, list[float]] = {name: [] for name in places}
    for row, raw in enumerate(raws):
        frames.append(raw.frame)
        times.append(raw.time_s)
        for name, value in raw.values.items():
            values.setdefault(name, []).append(value)
        for name, place in places.items():
            placed[name].append(placed_value(name, place, raw, share))
        if keep is not None:
            odd = [column[-1] for column in placed.values()] or [
                float(log_scale(name, np.array([raw.values[name]], np.float32))[0]) for name in raw.maps
            ]
            keep(row, sum(odd), raw)
    known = footage.abnormal
    return Stretch(
        footage.scene,
        footage.kind,
        np.array(frames, np.int64),
        None if None in times else np.array(times, np.float64),
        _columns(values),
        _columns(placed),
        None if known is None else np.array([known.get(frame, False) for frame in frames], bool),
    )


def _columns(rows: Mapping[str, Sequence[float]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.array(column, np.float32) for name, column in rows.items()}
