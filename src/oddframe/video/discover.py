"""Which videos lie in a folder, whatever it is laid out by: the one search of `train`, `score` and `data check`.

A folder with pictures in it is one video. Sub-folders tell cameras apart, but those that are called by dates and times
do not (`2026-11-28/06/gate/58.50.mp4`, as recorders write it): what one camera recorded is one scene, in order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from oddframe.storage.remote import Remote
from oddframe.video.source import VIDEO_SUFFIXES, list_pictures, natural_key

_DEEPEST = 8
"""Folders below the one that is named. A link may lead back to where it lies."""

_SCORED = ("scores.json", "scores.csv")
"""A folder with one of these holds what `score` has written: heat.mp4 is no video, and the curve is no frame."""

_RECORDINGS = "recordings"
"""Frigate's folder of recordings; snapshots and exports lie beside it."""

_NO_SCENES = frozenset({_RECORDINGS, "normal", "abnormal", "test"})

_DATE = re.compile(r"(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d([-_T. ]?[0-2]\d([-_.:h]?[0-5]\d){0,2})?")
_YEAR, _NUMBER = re.compile(r"(19|20)\d\d"), re.compile(r"[0-5]?\d")
_TIME = re.compile(r"[0-2]?\d([-_.:h][0-5]\d){1,2}|[0-2]?\dh")


@dataclass(frozen=True)
class FoundVideo:
    """A video in a folder.

    Attributes:
        path: the file, or the folder of its frames.
        name: its way from the folder, without its ending; may be shared by two that differ in their ending.
        scene: the sub-folders that it lies in, without dates and times; "" for none.
    """

    path: Path
    name: str
    scene: str


@dataclass(frozen=True)
class FoundRemote:
    """A video file on object storage; see `FoundVideo`."""

    path: Remote
    name: str


@dataclass(frozen=True)
class Found:
    """What lies in a folder.

    Attributes:
        videos: in natural order, which is the order of time where folders and files are called by it.
        passed_over: folder ("" for the one that was searched) → names of what is no video.
        dated: names of folders that were taken for dates and times, each once, in natural order.
    """

    videos: tuple[FoundVideo, ...] = ()
    passed_over: Mapping[str, list[str]] = field(default_factory=dict)
    dated: tuple[str, ...] = ()


def find_videos(folder: Path) -> Found:
    """Search a folder and what is below it for videos.

    Masks (`Test001_gt`, `masks`), what `score` has written, and hidden folders are no videos.
    """
    passed_over: dict[str, list[str]] = {}
    found = tuple(_inside(folder, (), passed_over))
    dated = {part for within, _ in found for part, time in zip(within, _times(within), strict=True) if time}
    videos = tuple(
        FoundVideo(path, printable("/".join((*within, path.name if path.is_dir() else path.stem))), scene_of(within))
        for within, path in found
    )
    return Found(videos, passed_over, tuple(sorted(map(printable, dated), key=natural_key)))


def find_remote(folder: Remote) -> tuple[FoundRemote, ...]:
    """Video files in a folder of object storage and below it, by the same rules; of pictures it knows nothing.

    Raises:
        StorageError: it cannot be listed.
    """
    files = {tuple(way.split("/")): facts for way, facts in folder.files().items()}
    scored = {parts[:-1] for parts in files if parts[-1] in _SCORED}
    found = [
        FoundRemote(Remote(f"{folder}/{'/'.join(parts)}", facts), printable("/".join(parts).removesuffix(suffix)))
        for parts, facts in files.items()
        if (suffix := PurePosixPath(parts[-1]).suffix).lower() in VIDEO_SUFFIXES
        and not any(part.startswith(".") for part in parts)
        and not any(parts[:depth] in scored for depth in range(1, len(parts)))
    ]
    return tuple(sorted(found, key=lambda one: [natural_key(part) for part in one.name.split("/")]))


def scene_of(within: Sequence[str]) -> str:
    """The scene of a video by the sub-folders that it lies in, outermost first.

    >>> scene_of(["2026-11-28", "06", "gate"]), scene_of(["gate", "2026", "11", "28"]), scene_of(["01"]), scene_of([])
    ('gate', 'gate', '01', '')
    """
    return printable("/".join(_cameras(within)))


def printable(name: str) -> str:
    """A file's name as text that can be printed and written: bytes that are not UTF-8 become escapes.

    >>> import os
    >>> print(printable(os.fsdecode(bytes([83, 252, 100]))))
    S\\xfcd
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _cameras(within: Sequence[str]) -> list[str]:
    """The folders that are not called by dates and times."""
    return [
        part
        for place, (part, time) in enumerate(zip(within, _times(within), strict=True))
        if not time and not (place == 0 and part in _NO_SCENES)
    ]


def _times(within: Sequence[str]) -> list[bool]:
    """Which folders are called by a date, or by a number or time of day below one."""
    times: list[bool] = []
    for place, part in enumerate(within):
        follows = within[place + 1] if place + 1 < len(within) else ""
        date = _DATE.fullmatch(part) or (_YEAR.fullmatch(part) and _NUMBER.fullmatch(follows))
        times.append(bool(date or (any(times) and (_NUMBER.fullmatch(part) or _TIME.fullmatch(part)))))
    return times


def _inside(
    folder: Path, within: tuple[str, ...], passed_over: dict[str, list[str]]
) -> Iterator[tuple[tuple[str, ...], Path]]:
    entries = sorted((one for one in folder.iterdir() if not one.name.startswith(".")), key=_order)
    if any(one.name == _RECORDINGS and _is_dated(one) for one in entries):
        entries = [one for one in entries if one.name == _RECORDINGS]
    for entry in entries:
        if not entry.is_dir():
            if entry.suffix.lower() in VIDEO_SUFFIXES:
                yield within, entry
            else:
                passed_over.setdefault("/".join(within), []).append(printable(entry.name))
        elif _holds_none(entry):
            passed_over.setdefault("/".join(within), []).append(f"{printable(entry.name)}/")
        elif list_pictures(entry):
            yield within, entry
        elif len(within) < _DEEPEST:
            yield from _inside(entry, (*within, entry.name), passed_over)


def _order(entry: Path) -> tuple[tuple[int, int, str], ...]:
    return natural_key(entry.name)


def _is_dated(folder: Path) -> bool:
    return folder.is_dir() and any(_DATE.fullmatch(one.name) for one in folder.iterdir())


def _holds_none(folder: Path) -> bool:
    """Whether a folder holds masks, or what `score` has written."""
    name = folder.name.lower()
    return name == "masks" or name.endswith("_gt") or any((folder / file).is_file() for file in _SCORED)
