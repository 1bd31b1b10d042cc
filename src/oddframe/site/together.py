"""Windows of several cameras are judged in one call of the runtime: a batch of 8 takes half the time of 8 batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from oddframe.scoring.evidence import judge_windows
from oddframe.scoring.runtimes.runtime import Runtime
from oddframe.scoring.scores import Raw
from oddframe.site.watch import Clip, Watch

Waiting = Sequence[tuple[Watch, Sequence[Clip]]]
"""Cameras, and the windows of each that wait, in order."""


def judge_together(waiting: Waiting, most: int) -> Iterator[tuple[Watch, Clip, Raw | Exception]]:
    """Judge all windows; those of cameras that share a runtime in batches, of each camera in order. A camera whose
    detector carries something over its video has a runtime of its own, anew after each gap.

    A camera whose windows cannot be judged harms no other: its batch is judged again one by one, and what is wrong
    comes in place of its `Raw`.

    Args:
        most: windows in a batch.
    """
    groups: dict[int, list[tuple[Watch, Sequence[Clip]]]] = {}
    for watch, clips in waiting:
        if not watch.shared:
            yield from _judged_apart(watch, clips, most)
            continue
        groups.setdefault(id(watch.runtime), []).append((watch, clips))
    for group in groups.values():
        runtime = group[0][0].runtime
        turns = zip_longest(*([(watch, clip) for clip in clips] for watch, clips in group))
        queue = [one for turn in turns for one in turn if one is not None]
        for first in range(0, len(queue), most):
            yield from _judged(runtime, queue[first : first + most])


def _judged_apart(watch: Watch, clips: Sequence[Clip], most: int) -> Iterator[tuple[Watch, Clip, Raw | Exception]]:
    stretch: list[tuple[Watch, Clip]] = []
    for clip in clips:
        if stretch and (clip.anew or len(stretch) == most):
            yield from _judged(watch.runtime, stretch)
            stretch = []
        if clip.anew:
            watch.begin_video()
        stretch.append((watch, clip))
    if stretch:
        yield from _judged(watch.runtime, stretch)


def _judged(runtime: Runtime, batch: Sequence[tuple[Watch, Clip]]) -> Iterator[tuple[Watch, Clip, Raw | Exception]]:
    try:
        raws = judge_windows(runtime, [(watch.how, clip.window) for watch, clip in batch])
    except Exception as error:  # a runtime of another package raises what it likes
        if len(batch) == 1:
            yield (*batch[0], error)
            return
        for one in batch:
            yield from _judged(runtime, [one])
        return
    for (watch, clip), raw in zip(batch, raws, strict=True):
        yield watch, clip, raw
