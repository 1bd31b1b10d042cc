"""Which pictures of a folder are one sequence of frames, and whether one of them is missing."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from oddframe.errors import DataError, FrameGapError

_LONGEST_NUMBER = 9
"""Digits of a frame number at most; longer ones are dates and times of day."""

_SHORTEST_SERIES = 3
_LEAST_SHARE = 0.1
"""Of a folder's pictures: names of any letters and digits are alike by chance."""

_FEW, _FEW_SHARE = 3, 0.02
"""Pictures, or their share, that may be left out. Are there more, the names tell nothing of the order."""

_NAMED = 8
"""Numbers or names that are listed at most."""

_CAMERA = re.compile(r"(?:^|[^a-z])(?:cam|camera|ch|channel|view|sensor)[^a-z0-9]*$", re.IGNORECASE)
"""What stands before the number of a camera in the name of a picture."""


def one_sequence(pictures: Sequence[Path]) -> tuple[list[Path], tuple[str, ...]]:
    """Leave out what is no frame of the sequence, such as a cover picture beside numbered frames.

    Args:
        pictures: of one folder, in natural order.

    Returns:
        The frames in order, and sentences about what was left out.

    Raises:
        DataError: pictures of two cameras, or two pictures of one number.
        FrameGapError: numbers are missing in the middle.
    """
    alike: dict[tuple[str, ...], list[Path]] = {}
    for picture in pictures:
        alike.setdefault(tuple(re.split(r"\d+", picture.stem.lower())), []).append(picture)
    least = max(_SHORTEST_SERIES, len(pictures) * _LEAST_SHARE)
    series = [of for words, of in alike.items() if len(words) > 1 and len(of) >= least]
    _refuse_two_series(series)
    for of in series:
        _refuse_gaps(of)
    belongs = {picture for of in series for picture in of}
    strangers = [picture for picture in pictures if picture not in belongs]
    few = max(min(_FEW, len(belongs) // 3), len(pictures) * _FEW_SHARE)
    if not series or not strangers or len(strangers) > few:
        return list(pictures), ()
    named = ", ".join(picture.name for picture in strangers[:_NAMED])
    more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
    frames = [picture for picture in pictures if picture in belongs]
    return frames, (f"left out, since they are not named as the other {len(frames)} pictures are: {named}{more}",)


def _refuse_two_series(series: Sequence[Sequence[Path]]) -> None:
    """Refuse pictures of one moment from two cameras: left_0001 beside right_0001, cam1_0001 beside cam2_0001."""
    streams = [stream for of in series for stream in _by_camera(of)]
    numbers = [set(_numbers_in(of)) for of in streams]
    for one, other in itertools.combinations(range(len(streams)), 2):
        if len(numbers[one] & numbers[other]) * 2 > min(len(numbers[one]), len(numbers[other])):
            raise DataError(
                "two series of pictures lie in this folder, as two cameras or two recordings give them",
                path=streams[one][0].parent,
                seen=" and ".join(f"{of[0].name} to {of[-1].name}" for of in (streams[one], streams[other])),
                wanted="the frames of one video",
                hint="put each series into a folder of its own",
            )


def _by_camera(of: Sequence[Path]) -> list[list[Path]]:
    """Divide a series by the number of the camera, where its names have one."""
    words = re.split(r"\d+", of[0].stem)
    columns = [column for column in range(len(words) - 1) if _CAMERA.search(words[column])]
    if len(columns) != 1 or len(words) < 3:
        return [list(of)]
    found: dict[int, list[Path]] = {}
    for picture in of:
        found.setdefault(int(re.findall(r"\d+", picture.stem)[columns[0]]), []).append(picture)
    return list(found.values())


def _numbers_in(of: Sequence[Path]) -> list[int]:
    """The frame number in each name: the one that varies, else the last one."""
    numbers = _frame_numbers([picture.stem for picture in of])
    return numbers if numbers is not None else [int(re.findall(r"\d+", picture.stem)[-1]) for picture in of]


def _refuse_gaps(pictures: Sequence[Path]) -> None:
    """Refuse a numbered sequence with holes: frames on both sides of a hole would pass for neighbours."""
    numbers = _frame_numbers([p.stem for p in pictures])
    if numbers is None or len(numbers) < _SHORTEST_SERIES:
        return
    folder = pictures[0].parent
    ordered = sorted(numbers)
    steps = [after - before for before, after in itertools.pairwise(ordered)]
    if 0 in steps:
        twice = ordered[steps.index(0)]
        names = [p.name for p, number in zip(pictures, numbers, strict=True) if number == twice]
        raise DataError(
            "two pictures claim the same frame number", path=folder, seen=", ".join(names), wanted="one each"
        )
    step = min(steps)
    if Counter(steps)[step] * 2 <= len(steps):
        return  # no even numbering: times, or names that happen to hold a number
    missing = [
        number
        for before, after in itertools.pairwise(ordered)
        for number in range(before + step, min(after, before + step * (_NAMED + 1)), step)
    ]
    if missing:
        named = ", ".join(str(number) for number in missing[:_NAMED])
        raise FrameGapError(
            "frames are missing in the middle of this folder",
            path=folder,
            seen=f"no frame {named}{' and more' if len(missing) > _NAMED else ''}",
            wanted=f"every {'' if step == 1 else f'{step}th '}number from {ordered[0]} to {ordered[-1]}",
            hint="copy the missing frames, or put the parts before and after the gap into folders of their own",
        )


def _frame_numbers(stems: Sequence[str]) -> list[int] | None:
    """Return the one number that varies in names which are otherwise alike, or None."""
    split = [re.split(r"(\d+)", stem) for stem in stems]
    texts, counts = split[0][::2], [word[1::2] for word in split]
    if any(words[::2] != texts for words in split):
        return None
    varying = [column for column in zip(*counts, strict=True) if len({int(word) for word in column}) > 1]
    if len(varying) != 1 or max(map(len, varying[0])) > _LONGEST_NUMBER:
        # Nothing varies in value where "1" stands beside "01".
        same = bool(counts[0]) and not varying and len(stems) > 1
        return [int(words[-1]) for words in counts] if same else None
    return [int(word) for word in varying[0]]
