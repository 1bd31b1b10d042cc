"""Normal video is looked at before a detector is trained on it: is it enough, is it varied, what is the oddest in it?

What is odd is told by the stand-in: frame differences and flow, each place by its own normal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError, TooShortError
from oddframe.files import write_bytes
from oddframe.progress import Progress, Watcher
from oddframe.records import write_record
from oddframe.scoring.calibrate import LEAST_FRAMES
from oddframe.scoring.fit import calibrate
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Scores
from oddframe.teaching.footage import Piece, divide, laid_out, made, remove
from oddframe.teaching.record import CHECK, Check, OddPiece, Outcome
from oddframe.teaching.working.stand_in import chosen, stand_in_detector
from oddframe.teaching.working.task import Task
from oddframe.video.draw import annotated, fit, jpeg
from oddframe.video.open import open_video

_ODD = 12
"""So many of the oddest pieces are shown."""
_WIDTH = 640
_QUALITY = 85
_MOVES = 5e-4
"""Squared differences of frames, mean of a window, from which on something moves: some six levels of grey."""
_ACTIVE = 0.05
"""Share of a piece's frames in which something moves, from which on it is active."""
_FEW_ACTIVE = 0.1
_DARK_NIGHT = 60.0
"""A mean grey below this is a night."""
_DAY_HOURS = 24


@dataclass(frozen=True)
class _Seen:
    """What was seen in a piece."""

    piece: Piece
    peak: int
    at_s: float
    score: float
    grey: float
    infrared: bool
    active: bool


def check(task: Task, watch: Watcher) -> Outcome:
    """Look at all of the normal video, and leave `check.json` and pictures of what is the oddest.

    Raises:
        TooShortError: it is too little to train and to draw a line; says how much is wanted.
    """
    pieces = task.pieces()
    refuse_little(pieces)
    detector = stand_in_detector(task, pieces, watch)
    video, fitting = task.home / "stand-in" / "check-video", task.home / "stand-in" / "check-fitting"
    remove(video)
    remove(fitting)
    try:
        laid_out(chosen(pieces), video)
        calibrate(detector, [video], out=fitting, regions=task.watched, device="cpu", watch=watch)
        scorer = Scorer(detector, fitting=fitting, device="cpu")
        seen = [one for one in (_look(scorer, piece, *at, watch) for piece, at in _numbered(pieces)) if one is not None]
        if not seen:
            raise TooShortError("none of the normal video can be read", path=task.footage, hint="collect it again")
        odd = _shown(task, scorer, sorted(seen, key=lambda one: -one.score)[:_ODD])
    finally:
        remove(video)
        remove(fitting)
    write_record(task.home / CHECK, _told(pieces, seen, odd))
    return Outcome()


def refuse_little(pieces: Sequence[Piece], fps: float | None = None) -> None:
    """Refuse normal video that is too little to say what is rare.

    Args:
        fps: frames a second; found out where it is not given.

    Raises:
        TooShortError: says how many seconds are wanted.
    """
    training, apart = divide(pieces)
    if fps is None and pieces:
        fps = open_video(pieces[0].path).fps
    rate = fps or 10.0
    frames = sum(max(0.0, one.seconds * rate - 8) for one in apart)
    if training and frames >= LEAST_FRAMES:
        return
    seconds = sum(one.seconds for one in pieces)
    wanted = max(4.5 * LEAST_FRAMES / rate, 2.0 * seconds if not training else 0.0, 1.2 * seconds)
    raise TooShortError(
        "there is too little normal video to say what is rare",
        seen=f"{seconds:.0f} s in {len(pieces)} pieces",
        wanted=f"about {wanted:.0f} s",
        hint="let it collect longer, or give more recordings",
    )


def _numbered(pieces: Sequence[Piece]) -> list[tuple[Piece, tuple[int, int]]]:
    return [(piece, (number, len(pieces))) for number, piece in enumerate(pieces)]


def _look(scorer: Scorer, piece: Piece, number: int, total: int, watch: Watcher) -> _Seen | None:
    """Judge a piece; None where it cannot be read. It is one of many."""
    watch(Progress("looking at normal video", number, total))
    try:
        scores = scorer.score(piece.path, piece.scene)
        middle = _middle(piece.path)
    except DataError as error:
        watch(Progress("warning", 0, 0, f"{piece.name} is passed over: {error.in_one_line()}"))
        return None
    # by each component alone: the fused score of a fitting says how odd a stretch is for a line to hold, and a single
    # odd stretch among a few has it think that all may be so
    rare = np.maximum.reduce([scores.calibrated[name] for name in ("local_error", "direction")])
    peak = int(np.argmax(rare))
    grey = float(middle.mean())
    colour = middle.shape[2] == 3 and float((middle.max(axis=2).astype(int) - middle.min(axis=2)).mean()) > 2
    at_s = 0.0 if scores.time_s is None else float(scores.time_s[peak])
    return _Seen(piece, int(scores.frame[peak]), at_s, float(rare[peak]), grey, not colour, _is_active(scores))


def _is_active(scores: Scores) -> bool:
    moves = scores.raw.get("motion")
    return moves is not None and float((moves > _MOVES).mean()) >= _ACTIVE


def _middle(path: Path) -> NDArray[np.uint8]:
    video = open_video(path)
    number = video.first_index + video.frame_count // 2
    return next(iter(video.between(number, number + 1).frames())).pixels


def _shown(task: Task, scorer: Scorer, oddest: Sequence[_Seen]) -> list[OddPiece]:
    """Pictures of the oddest pieces, the oddest first."""
    folder = made(task.home / "odd")
    for old in folder.glob("*.jpg"):
        old.unlink()
    found = []
    for number, one in enumerate(oddest, 1):
        names = f"odd/{number}.jpg", f"odd/{number}-heat.jpg"
        (shown, *_) = scorer.explain(one.piece.path, [one.peak], one.piece.scene)
        width = min(_WIDTH, shown.picture.shape[1])
        heat = annotated(shown.picture, shown.heat, shown.box)
        for name, picture in zip(names, (shown.picture, heat), strict=True):
            write_bytes(task.home / name, jpeg(fit(picture, width), _QUALITY), "a picture cannot be written")
        found.append(
            OddPiece(
                number=number,
                name=one.piece.name,
                scene=one.piece.scene,
                began=one.piece.began,
                at_s=round(one.at_s, 2),
                seconds=one.piece.seconds,
                score=round(one.score, 3),
                picture=names[0],
                heat=names[1],
            )
        )
    return found


def _told(pieces: Sequence[Piece], seen: Sequence[_Seen], odd: Sequence[OddPiece]) -> Check:
    hours = defaultdict[int, float](float)
    for piece in pieces:
        if piece.began is not None:
            hours[piece.began.astimezone().hour] += piece.seconds
    greys = sorted(one.grey for one in seen)
    active = sum(one.active for one in seen) / len(seen)
    light = (greys[0], greys[len(greys) // 2], greys[-1])
    return Check(
        pieces=len(pieces),
        seconds=sum(one.seconds for one in pieces),
        hours={hour: round(seconds, 1) for hour, seconds in sorted(hours.items())},
        light=(round(light[0], 1), round(light[1], 1), round(light[2], 1)),
        active=round(active, 3),
        infrared=round(sum(one.infrared for one in seen) / len(seen), 3),
        notes=tuple(_notes(hours, light, active)),
        odd=tuple(odd),
    )


def _notes(hours: Mapping[int, float], light: tuple[float, float, float], active: float) -> list[str]:
    notes = []
    if missing := hours_in_words([hour for hour in range(_DAY_HOURS) if hour not in hours]) if hours else "":
        notes.append(f"no normal video is from {missing}: what is usual then will look odd")
    if light[0] > _DARK_NIGHT and hours:
        notes.append("all of the normal video is by day or in good light: the first night will look odd")
    if active < _FEW_ACTIVE:
        share = f"{100 * active:.0f} % of it" if active else "it"
        notes.append(f"hardly anything moves in the normal video ({share}): whatever moves may look odd")
    return notes


def hours_in_words(hours: Sequence[int]) -> str:
    """Hours of a day as stretches; those around midnight are one.

    >>> hours_in_words([0, 1, 2, 9, 22, 23]), hours_in_words(range(24)), hours_in_words([])
    ('9:00 to 10:00 and 22:00 to 3:00', 'any hour', '')
    """
    if len(hours) == _DAY_HOURS:
        return "any hour"
    known = set(hours)
    found = []
    for begin in range(_DAY_HOURS):
        if begin in known and (begin - 1) % _DAY_HOURS not in known:
            end = begin
            while end % _DAY_HOURS in known:
                end += 1
            found.append(f"{begin}:00 to {end % _DAY_HOURS}:00")
    return " and ".join(found)
