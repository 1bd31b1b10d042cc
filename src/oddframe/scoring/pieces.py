"""A long video in pieces, which are judged side by side and put together: the scores of the uncut one, to the last bit.

What a frame is by itself is found in its piece, all that depends on the frames before it where pieces are put together.
Two things make a piece find the same as the whole would. It begins at a border of batches: how many clips a network
judges at once shows in the last bits. And the frames before it are passed by with their numbers and times alone, which
say where windows begin anew, and which frames the detector sees.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.arrays import ArraySpec, read_arrays, write_arrays
from oddframe.errors import DataError
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.backgrounds import SIZE, kept_every, small, still_of
from oddframe.scoring.calibration import SceneNormal
from oddframe.scoring.collector import Collector, Row, Rows
from oddframe.scoring.evidence import Intake
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Box, Scores
from oddframe.scoring.session import Fusing
from oddframe.video.depth import ranged
from oddframe.video.source import Frame, Video

LEAST_FRAMES = 500
"""Of a piece, judged ones. To begin one, a decoder goes on from the last key frame, which may be 300 frames ago."""

_TOLD_EVERY = 100_000
_MOST_BYTES = 1 << 30
_WHAT = "a judged piece of a video"


@dataclass(frozen=True)
class Piece:
    """Frames first..stop-1 of a source, as one of several that are judged apart.

    Attributes:
        shared_to: those before are read by the piece before it, too. shared_from: those from there on by the next one.
    """

    first: int
    stop: int
    shared_to: int
    shared_from: int


def cut(
    scorer: Scorer,
    video: Video,
    scene: str,
    most: int,
    watch: Watcher = unwatched,
    *,
    least: int = LEAST_FRAMES,
) -> list[Piece]:
    """Where a video is cut; none where it stays whole.

    It does where the detector carries something over a video or learns from it, and where it is too short to gain.

    Args:
        most: how many pieces there are to be. least: frames that the detector sees in each of them.
    """
    if scorer.runtime.for_video() is not scorer.runtime:
        return []
    how = scorer.evidence()
    intake, seen, begins = Intake(how, scorer.rate(scene)), array("q"), array("q")
    first, stop = video.first_index, video.first_index + video.frame_count
    for number, time_s in _stamps(video, first, stop, watch):
        stamp = intake.pass_by(number, time_s)
        if stamp.seen:
            if stamp.anew or not seen:
                begins.append(len(seen))
            seen.append(number)
    begins.append(len(seen))
    count = min(most, len(seen) // max(least, how.frames))
    targets = [number * len(seen) // count for number in range(1, count)]
    borders = sorted({_border(begins, target, how.batch, how.frames) for target in targets} - {len(seen)})
    if not borders:
        return []
    begin = [first, *(seen[place] for place in borders)]
    # where a window begins anew nothing is shared; else the last judged frame of a piece needs all of its window
    end = [seen[place] if place in begins else seen[place + how.frames - 2] + 1 for place in borders]
    return [Piece(*one) for one in zip(begin, [*end, stop], [first, *end], [*begin[1:], stop], strict=True)]


def _border(begins: Sequence[int], target: int, batch: int, frames: int) -> int:
    """The first place at or after `target` where a batch begins, among frames that are seen.

    Args:
        begins: where windows begin anew, and at last how many frames there are.

    >>> _border([0, 100], 33, 8, 5), _border([0, 50, 100], 49, 8, 5)
    (40, 50)
    """
    at = bisect_right(begins, target) - 1
    begin, end = begins[at], begins[at + 1]
    place = begin + math.ceil((target - begin) / batch) * batch
    return place if place == begin or place + frames <= end else end


@dataclass(frozen=True)
class JudgedPiece:
    """What was found in a piece: N judged frames.

    Attributes:
        frame: (N,). time_s: (N,), not a number where there is none. anew: (N,).
        values, rarities: (N, components), as of `Row`. names, rare: of these components.
        largest: (N,), or (0,) where nothing asks for it.
        boxes: frame → its box, of all frames of which an event could ask for it.
        stills: (K, 48, 72) pictures that the video's background is found from.
        before, after: digests of the frames that it shares with its neighbours.
    """

    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    anew: NDArray[np.bool_]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    rare: tuple[str, ...]
    rarities: NDArray[np.float64]
    largest: NDArray[np.float64]
    boxes: Mapping[int, Box]
    stills: NDArray[np.uint8]
    before: str
    after: str

    def rows(self) -> Iterator[Row]:
        """Its frames, in order."""
        columns = (self.frame, self.time_s, self.anew, self.values, self.rarities)
        for place, (frame, time_s, anew, values, rarities) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            yield Row(
                frame,
                None if math.isnan(time_s) else time_s,
                anew,
                dict(zip(self.names, values, strict=True)),
                dict(zip(self.rare, rarities, strict=True)),
                float(self.largest[place]) if len(self.largest) else None,
                partial(self.boxes.__getitem__, frame),
            )

    def save(self, path: Path) -> str:
        """Write it; return its digest.

        Raises:
            StorageError: it cannot be written.
        """
        arrays = {
            "frame": self.frame,
            "time_s": self.time_s,
            "anew": self.anew,
            "names": np.array(self.names, np.str_),
            "values": self.values,
            "rare": np.array(self.rare, np.str_),
            "rarities": self.rarities,
            "largest": self.largest,
            "boxed": np.array([*self.boxes], np.int64),
            "boxes": np.array([*self.boxes.values()], np.int64).reshape(-1, 4),
            "stills": self.stills,
            "shared": np.array([self.before, self.after], np.str_),
        }
        return write_arrays(path, arrays, "a judged piece cannot be written")

    @classmethod
    def load(cls, path: Path, digest: str) -> JudgedPiece:
        """Read what `save` wrote.

        Raises:
            DataError: it is not there, or is another one.
        """
        wanted = {
            "frame": ArraySpec("i", (None,)),
            "time_s": ArraySpec("f", (None,), finite=False),
            "anew": ArraySpec("b", (None,)),
            "names": ArraySpec("U", (None,)),
            "values": ArraySpec("f", (None, None)),
            "rare": ArraySpec("U", (None,)),
            "rarities": ArraySpec("f", (None, None)),
            "largest": ArraySpec("f", (None,)),
            "boxed": ArraySpec("i", (None,)),
            "boxes": ArraySpec("i", (None, 4)),
            "stills": ArraySpec("u", (None, *SIZE)),
            "shared": ArraySpec("U", (2,)),
        }
        found = read_arrays(path, wanted, _WHAT, limit_bytes=_MOST_BYTES, digest=digest, error=DataError)
        before, after = found["shared"].tolist()
        return cls(
            found["frame"],
            found["time_s"],
            found["anew"],
            tuple(found["names"].tolist()),
            found["values"],
            tuple(found["rare"].tolist()),
            found["rarities"],
            found["largest"],
            {frame: Box(*box) for frame, box in zip(found["boxed"].tolist(), found["boxes"].tolist(), strict=True)},
            found["stills"],
            before,
            after,
        )


class _Reading:
    """Reads the frames of a piece, and what their pixels are needed for beside evidence.

    Args:
        first: of the whole video. every: so many frames from there is one whose small picture is kept.
    """

    def __init__(self, piece: Piece, first: int, every: int) -> None:
        self._piece, self._first, self._every = piece, first, every
        self._stills: list[NDArray[np.uint8]] = []
        self._before, self._after = hashlib.sha256(), hashlib.sha256()
        self._read = 0

    def noting(self, frames: Iterator[Frame]) -> Generator[Frame, None, None]:
        for frame in frames:
            own = frame.index < self._piece.shared_from
            if own and (frame.index - self._first) % self._every == 0:
                self._stills.append(small(frame.pixels))
            for digest, shares in ((self._before, frame.index < self._piece.shared_to), (self._after, not own)):
                if shares:
                    digest.update(b"%d %d" % (frame.index, frame.pixels.size))
                    digest.update(frame.pixels.tobytes())
            self._read += 1
            yield frame

    @property
    def whole(self) -> bool:
        """Whether all frames have come."""
        return self._read == self._piece.stop - self._piece.first

    def found(self) -> tuple[NDArray[np.uint8], str, str]:
        """The small pictures, and the digests of what is shared."""
        stills = np.stack(self._stills) if self._stills else np.zeros((0, *SIZE), np.uint8)
        return stills, self._before.hexdigest(), self._after.hexdigest()


def judge_piece(scorer: Scorer, video: Video, scene: str, piece: Piece, watch: Watcher = unwatched) -> JudgedPiece:
    """Judge one piece of a video.

    Args:
        video: the whole one. watch: told how many frames of the piece are judged.

    Raises:
        DataError: not all of its frames can be read, so that only the uncut video tells what is to be said of that.
    """
    normal, _ = scorer.calibration.scene(scene)
    video = scorer.as_trained(video)
    part, first = video.between(piece.first, piece.stop), video.first_index
    notes, settings = part.notes, scorer.run.settings
    how = scorer.evidence()
    window = how.of_video(scorer.rate(scene))
    window.pass_by(_stamps(video, first, piece.first, watch))
    reading = _Reading(piece, first, kept_every(video.frame_count))
    made, wanted = Rows(scorer.calibration, normal, settings, video.size), _Wanted(scorer, normal, video.fps)
    boxes: dict[int, Box] = {}
    frames, times, anew, largest = array("q"), array("d"), array("b"), array("d")
    values, rarities = array("d"), array("d")
    names: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
    stage, count = f"scoring {video.name}", piece.stop - piece.first
    with closing(window.raw(reading.noting(part.frames()), read_ahead=True)) as judged:
        for number, raw in enumerate(judged):
            row = made.of(raw)
            names = tuple(row.values), tuple(row.rarities)
            frames.append(row.frame)
            times.append(math.nan if row.time_s is None else row.time_s)
            anew.append(row.anew)
            values.extend(row.values.values())
            rarities.extend(row.rarities.values())
            if row.largest is not None:
                largest.append(row.largest)
            if wanted.of(row):
                boxes[row.frame] = row.box()
            watch(Progress(stage, min(number + how.frames, count), count))
    if not reading.whole or part.notes != notes:
        raise DataError("frames of a piece do not decode", path=video.path, seen=f"{piece.first} to {piece.stop - 1}")
    return JudgedPiece(
        np.array(frames, np.int64),
        np.array(times, np.float64),
        np.array(anew, np.bool_),
        names[0],
        np.array(values, np.float64).reshape(len(frames), -1),
        names[1],
        np.array(rarities, np.float64).reshape(len(frames), -1),
        np.array(largest, np.float64),
        boxes,
        *reading.found(),
    )


class _Wanted:
    """Says of which frames of a piece an event may want the box: of all that it does want, and of few others.

    The first frames are smoothed over some of the piece before, so that their scores are not known yet. Afterwards what
    is odd here is odd in the whole video, too, where it belongs to an event that began here or before, and has reached
    at least as much.
    """

    def __init__(self, scorer: Scorer, normal: SceneNormal, fps: float | None) -> None:
        self._fusing, self._unknown = Fusing(normal), normal.fused.smoothing - 1
        self._tracker = EventTracker(scorer.calibration.line, AlarmRule.of(scorer.run.settings.score), fps)

    def of(self, row: Row) -> bool:
        online, _ = self._fusing.fuse(row.rarities, anew=row.anew)
        if self._unknown > 0:
            self._unknown -= 1
            return True
        wants = self._tracker.wants_box(row.frame, online, anew=row.anew)
        self._tracker.update(row.frame, row.time_s, online, anew=row.anew)
        return wants


def put_together(
    scorer: Scorer, video: Video, scene: str, pieces: Iterable[JudgedPiece], watch: Watcher = unwatched
) -> Scores:
    """The scores of a video from all of its pieces, in order: those of `Scorer.score`.

    Raises:
        DataError: two neighbours have not read the same where they overlap.
    """
    normal, note = scorer.calibration.scene(scene)
    video, depth = ranged(video, scorer.run.settings.data.pixel_range)
    collector = Collector(scorer.calibration, normal, scorer.run.settings, video, scene)
    stills: list[NDArray[np.uint8]] = []
    after = hashlib.sha256().hexdigest()  # of nothing
    for number, piece in enumerate(pieces):
        watch(Progress(f"putting {video.name} together", number, 0))
        if piece.before != after:
            raise DataError("two pieces of a video have read different frames", path=video.path)
        for row in piece.rows():
            collector.take(row)
        stills.append(piece.stills)
        after = piece.after
    intake, first = Intake(scorer.evidence(), scorer.rate(scene)), video.first_index
    for stamp in _stamps(video, first, first + video.frame_count, watch):
        intake.pass_by(*stamp)
    notes = [one for one in (note, depth, *video.notes) if one]
    still = still_of(np.concatenate(stills))
    return collector.finish([*notes, *intake.notes(), *scorer.backgrounds.notes(scene, still)])


def _stamps(video: Video, first: int, stop: int, watch: Watcher) -> Iterator[tuple[int, float | None]]:
    """Numbers and times of frames first..stop-1 of the source."""
    times = video.times_s()
    for begin in range(first, stop, _TOLD_EVERY):
        end = min(begin + _TOLD_EVERY, stop)
        watch(Progress(f"reading the times of {video.name}", begin - first, stop - first))
        known = [None] * (end - begin) if times is None else times[begin:end].tolist()
        yield from zip(range(begin, end), known, strict=True)
