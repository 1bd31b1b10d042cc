"""Live pictures of cameras that another machine watches, by way of the folder that all machines of a site see.

Who wants a picture writes a note, and again while somebody looks; who watches the camera puts the picture beside it, at
most once a second, while the notes change. Clocks of machines are not compared: what counts is that a file is another
one than before.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from oddframe.errors import NoPictureError, OddframeError
from oddframe.files import read_bytes, write_bytes
from oddframe.records import Record
from oddframe.site.picture_maker import Asked, LivePicture

_LOG = logging.getLogger(__name__)

FOLDER = "looking"
"""The folder of notes and pictures, in that of the site."""
_EVERY_S = 1.0
_LEAVE_S = 5.0
"""A picture whose note has not changed for so long is not made any more."""
_FORGET_S = 60.0
"""And after so long both files go."""
_MOST_NOTE, _MOST_ANSWER = 4096, 8 * 2**20


_R = TypeVar("_R", bound=Record)


class Note(Record):
    """That somebody looks. `number`: of the camera. turn: another one each time."""

    number: int
    asked: Asked
    turn: str


class Answer(Record):
    """What there is to see. `picture`: as it is sent; None where there is none, and why. turn: of the note."""

    picture: Mapping[str, object] | None
    why: str
    turn: str


@dataclass
class _Awaited:
    """What one who looks knows: when it asked, and what it saw last."""

    asked_s: float = float("-inf")
    seen: Answer | None = None
    seen_s: float = float("-inf")


class FarPictures:
    """Asks other machines for pictures of their cameras; for many threads.

    Args:
        home: the site's folder. clock: rising seconds, for tests.
    """

    def __init__(self, home: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = home / FOLDER, clock
        self._awaited: dict[str, _Awaited] = {}
        self._lock = threading.Lock()

    def ask(self, number: int, asked: Asked, fresh_s: float) -> tuple[LivePicture | None, str]:
        """The latest picture; returns at once. Where there is none that is fresh, it is asked for: ask again.

        Args:
            number: of the camera. fresh_s: a picture that came earlier is none; at least two seconds.

        Returns:
            the picture, or None and why there is none: "" where one may be on its way.

        Raises:
            StorageError: the folder cannot be written.
        """
        stem, now_s = _stem(number, asked), self._clock()
        with self._lock:
            awaited = self._awaited.setdefault(stem, _Awaited())
            asks = now_s - awaited.asked_s >= _EVERY_S
            if asks:
                began = now_s - awaited.asked_s > _LEAVE_S
                awaited.asked_s = now_s
        if asks:
            if began:  # what lies there is of another time
                awaited.seen = _read(self._folder / f"{stem}.answer", Answer, _MOST_ANSWER)
            self._folder.mkdir(exist_ok=True)
            note = Note(number=number, asked=asked, turn=secrets.token_hex(8))
            write_bytes(self._folder / f"{stem}.note", _plain(note), "a picture cannot be asked for")
        answer = _read(self._folder / f"{stem}.answer", Answer, _MOST_ANSWER)
        if answer is not None and (awaited.seen is None or answer.turn != awaited.seen.turn):
            awaited.seen, awaited.seen_s = answer, now_s
        if awaited.seen is None or now_s - awaited.seen_s > max(fresh_s, 2 * _EVERY_S):
            return None, ""
        if awaited.seen.picture is None:
            return None, awaited.seen.why
        try:
            return LivePicture.received(awaited.seen.picture), ""
        except (ValidationError, ValueError, TypeError, KeyError):
            return None, "what its machine has sent is no picture"


class PicturesForOthers:
    """Makes pictures of this machine's cameras for other machines, for as long as it is entered.

    Args:
        home: the site's folder. mine: whether this machine watches a camera, by its number.
        picture: the latest one of a camera. clock: rising seconds, for tests.
    """

    def __init__(
        self,
        home: Path,
        mine: Callable[[int], bool],
        picture: Callable[[Asked], LivePicture],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._mine, self._picture, self._clock = home / FOLDER, mine, picture, clock
        self._known: dict[Path, tuple[str, float]] = {}
        """Note → its turn, and when it was seen to be another one."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pictures for other machines", daemon=True)

    def __enter__(self) -> PicturesForOthers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def look(self) -> None:
        """Make the pictures that are asked for.

        Raises:
            StorageError: the folder cannot be written.
        """
        now_s, known = self._clock(), {}
        for path in self._folder.glob("*.note") if self._folder.is_dir() else ():
            note = _read(path, Note, _MOST_NOTE)
            if note is None:
                continue
            turn, since_s = self._known.get(path, ("", now_s))
            anew = note.turn != turn
            known[path] = note.turn, now_s if anew else since_s
            if not anew and now_s - since_s > _FORGET_S:
                path.unlink(missing_ok=True)
                path.with_suffix(".answer").unlink(missing_ok=True)
            elif anew and self._mine(note.number):
                self._answer(path, note)
        self._known = known

    def _answer(self, path: Path, note: Note) -> None:
        try:
            answer = Answer(picture=self._picture(note.asked).sent(), why="", turn=note.turn)
        except NoPictureError as error:
            answer = Answer(picture=None, why=str(error.seen or error.problem), turn=note.turn)
        except OddframeError as error:
            answer = Answer(picture=None, why=error.problem, turn=note.turn)
        write_bytes(path.with_suffix(".answer"), _plain(answer), "a picture cannot be given to another machine")

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S / 2):
            try:
                self.look()
            except OddframeError as error:
                _LOG.warning("%s: tried again", error.in_one_line())
            except Exception:  # a bug must not end it for good
                _LOG.exception("pictures for other machines failed: tried again")


def _stem(number: int, asked: Asked) -> str:
    return f"{number}-{asked.wide}{'-heat' if asked.heat else ''}"


def _plain(record: Record) -> bytes:
    return record.model_dump_json().encode()


def _read(path: Path, kind: type[_R], most: int) -> _R | None:
    """A record that another machine wrote; None where there is none, or it is none."""
    try:
        return kind.model_validate_json(read_bytes(path, most, "a file of another machine"))
    except (OddframeError, ValidationError):
        return None
