"""Recordings of a camera, taken in place of what it sends now: in pieces, as if they had been collected."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from oddframe.cameras.address import Address
from oddframe.cameras.clip import blackened
from oddframe.cameras.packets import Kept
from oddframe.cameras.segment import LEAST_PICTURES, write_packets
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.open import Opener
from oddframe.errors import MissingPathError, StorageError
from oddframe.files import write_text
from oddframe.progress import Progress, Watcher
from oddframe.teaching.footage import made, pieces_of
from oddframe.teaching.record import Outcome
from oddframe.teaching.working.task import Task
from oddframe.video.discover import find_videos, printable
from oddframe.video.open import open_video
from oddframe.video.source import Frame, list_pictures
from oddframe.video.write import write_video

_DONE = ".recordings"
"""A file beside the pieces: all of the recordings are there."""
_FPS = 25.0


def take_recordings(task: Task, watch: Watcher) -> Outcome:
    """Cut all recordings into pieces. What was cut before is not cut again.

    Raises:
        MissingPathError: there is no video. DataError, CameraError: one cannot be read. StorageError: the disk is full,
            or they are larger than they may be.
    """
    done = made(task.footage) / _DONE
    if done.is_file():
        return Outcome()
    found = list(_found([Path(one) for one in task.videos]))
    for number, (path, scene, name) in enumerate(found):
        watch(Progress("taking recordings", number, len(found), name))
        folder = made(task.footage / scene)
        stem = f"{number + 1:04d}-{name}".replace("/", "_")
        there = {one.path.name for one in pieces_of(folder)}
        for piece, milliseconds, place in _pieces(task, path, folder / f".{stem}.mp4"):
            final = f"{stem}-{piece:05d}-{milliseconds}ms.mp4"
            if final not in there:
                place.rename(folder / final)
            _refuse_too_much(task)
            watch(Progress("taking recordings", number, len(found), name))
    write_text(done, "", "recordings cannot be taken")
    return Outcome()


def _found(named: list[Path]) -> Iterator[tuple[Path, str, str]]:
    """(video, scene, name)."""
    for path in named:
        if path.is_dir() and not list_pictures(path):
            inside = find_videos(path).videos
            if not inside:
                raise MissingPathError("there is no video in this folder", path=path, wanted="normal recordings")
            yield from ((one.path, one.scene, one.name) for one in inside)
        elif not path.exists():
            raise MissingPathError("there is no such recording", path=path, wanted="a video file, or a folder of them")
        else:
            yield path, "", printable(path.stem)


def _refuse_too_much(task: Task) -> None:
    taken = sum(one.bytes for one in pieces_of(task.footage))
    if taken > task.how.most_gb * 1e9:
        raise StorageError(
            "the recordings take up more than they may",
            path=task.footage,
            seen=f"more than {taken / 1e9:.1f} GB",
            wanted=f"up to {task.how.most_gb:g} GB",
            hint="fewer of them, or a larger most_gb",
        )


def _pieces(task: Task, path: Path, place: Path) -> Iterator[tuple[int, int, Path]]:
    """(number, milliseconds, file) of each piece; the file is to be taken away."""
    if path.is_dir():
        yield from _of_pictures(task, path, place)
        return
    for number, packets in enumerate(_groups(path, task.how.segment)):
        clip = write_packets(packets, place, task.private)
        if clip is not None:
            yield number, round(1000 * (clip.end_s - clip.begin_s)), place


def _groups(path: Path, seconds: float) -> Iterator[list[Kept]]:
    """Packets in whole groups of pictures, so many seconds together at least."""
    held: list[Kept] = []
    number, last_s = 0, 0.0
    with Opener(Address.parse(str(path.absolute())), CameraSettings()).open() as source:
        for coded in source.packets():
            if coded is None:
                continue
            number += 1
            last_s = last_s + 1 / _FPS if coded.stamp_s is None else coded.stamp_s
            if coded.key and held and last_s - held[0].about_s >= seconds:
                yield held
                held = []
            if coded.key or held:
                held.append(Kept(number, source.coding, coded.data, coded.key, last_s, True, last_s))
    if len(held) >= LEAST_PICTURES:
        yield held


def _of_pictures(task: Task, path: Path, place: Path) -> Iterator[tuple[int, int, Path]]:
    video = open_video(path)
    fps = video.fps or _FPS
    step = max(LEAST_PICTURES, round(task.how.segment * fps))
    frames = video.frames()
    for number in itertools.count():
        some = [
            Frame(index, index / fps, blackened(frame.pixels, task.private))
            for index, frame in enumerate(itertools.islice(frames, step))
        ]
        if len(some) < LEAST_PICTURES:
            return
        write_video(place, some, fps)
        yield number, round(1000 * len(some) / fps), place
