"""Every error that a user can mend, drawn once.

OddframeError
├── DataError             the user's files
│   ├── MissingPathError      nothing there, or an empty folder
│   ├── UnreadableVideoError  does not decode at all
│   ├── CutOffVideoError      decodes, but ends in the middle, or a folder with broken pictures
│   ├── FrameGapError         frames missing in the middle
│   ├── FrameSizeError        frames of differing size in one video
│   ├── TooShortError         fewer frames than the work needs
│   ├── IncompleteSetError    a public set of which parts are missing
│   ├── LabelError            labels that do not fit their video, or contradict each other
│   │   └── LabelCountError       labels for another number of frames
│   └── NothingToJudgeError   no test video, or no label to judge with
├── CameraError           a camera that gives no video
│   ├── AddressError          an address that is none, or that is not opened
│   └── NoPictureError        a camera of a site that has no picture to show just now
├── SettingsError         the user's settings: unknown key or preset, value out of range
├── DetectorError         a detector that breaks its contract, as one of another package may
├── RunError              a run or artefact: foreign, newer, damaged, other settings, in use
│   └── WeightsError          weights truncated or of the wrong shape
├── StorageError          a disk that is full, a folder that cannot be written, or storage that does not answer
├── WorkerError           a process of this package's own that died, or that hung and was ended
├── ClusterError          a cluster that does not answer, or whose machines do not fit together
├── TrainingError         training that cannot go on (a loss that is not a number)
├── StoreError            a site's database: newer, locked, damaged, in use, or out of reach
│   ├── UnknownNameError      a camera, an event, a sink, a user that the site does not have
│   ├── ConflictError         what is asked for contradicts what is there
│   └── LeaseLostError        what another machine of the site does now
├── AccessError           a person or a program that may not do what was asked for
│   ├── NotLoggedInError      nobody is logged in, or a session or token has ended
│   ├── NotAllowedError       the role, the scope or the origin of a request is not enough
│   └── TooOftenError         too many attempts, or too much at once
├── SecretsError          a key file that others can read, or that fits no secret of the site
├── SinkError             a place where events are sent that cannot be reached, or that refuses them
├── ExportError           a detector that cannot be exported, or that scores otherwise once it is
└── MissingExtraError     an optional part that is not installed

Whatever else escapes is a bug of this project and shows its traceback. All of these end the command
line with exit code 1.
"""

from __future__ import annotations

import difflib
import errno
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from oddframe.plain import Json


class OddframeError(Exception):
    """An error that its reader can mend: what is wrong, what was seen, what was wanted, what to do.

    Args:
        problem: one sentence, without a full stop, that names the thing that is wrong.
        path: the file or folder it is about.
        seen: the value met.
        wanted: the value that would have been fine.
        hint: what to do next, preferably a command.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: object = None,
        seen: object = None,
        wanted: object = None,
        hint: str | None = None,
    ) -> None:
        self.problem, self.path, self.seen, self.wanted, self.hint = problem, path, seen, wanted, hint
        lines = [problem]
        if path is not None:
            lines.append(f"  where:  {path}")
        if seen is not None:
            lines.append(f"  seen:   {seen}")
        if wanted is not None:
            lines.append(f"  wanted: {wanted}")
        if hint is not None:
            lines.append(f"  try:    {hint}")
        super().__init__("\n".join(lines))

    def in_one_line(self) -> str:
        """The error as one of many: without its path, which the line is about."""
        seen = "" if self.seen is None else f" ({self.seen})"
        hint = f"; {self.hint}" if self.hint else ""
        return " ".join(f"{self.problem}{seen}{hint}".split())

    def to_dict(self) -> Json:
        """The error as plain JSON values, with the name of its class; see `from_dict`."""
        told = {
            name: value if isinstance(value, str | int | float | None) else str(value)
            for name, value in vars(self).items()
        }
        return {"class": type(self).__name__, **told}

    @staticmethod
    def from_dict(told: Mapping[str, Any]) -> OddframeError:
        """The error that another process told by `to_dict`, of the same class where that is one of this tree.

        >>> OddframeError.from_dict(TooShortError("too short", seen="3 frames").to_dict())
        TooShortError('too short\\n  seen:   3 frames')
        """
        kind = next((one for one in _family(OddframeError) if one.__name__ == told["class"]), OddframeError)
        error = kind.__new__(kind)
        OddframeError.__init__(error, **{name: told[name] for name in ("problem", "path", "seen", "wanted", "hint")})
        vars(error).update({name: value for name, value in told.items() if name != "class"})
        return error


class DataError(OddframeError):
    """The user's files."""


class MissingPathError(DataError):
    """A file or folder that is not there, or a folder with nothing in it."""


class UnreadableVideoError(DataError):
    """A file that does not decode as video or picture."""


class CutOffVideoError(DataError):
    """A video that ends in the middle, or a folder with broken pictures. `frames_read` frames were fine."""

    def __init__(self, problem: str, *, frames_read: int, path: object = None, hint: str | None = None):
        self.frames_read = frames_read
        super().__init__(
            problem,
            path=path,
            seen=f"{frames_read} readable frames",
            wanted="a file that decodes to its end",
            hint=hint,
        )


class FrameGapError(DataError):
    """A frame folder in which numbers are missing in the middle."""


class FrameSizeError(DataError):
    """Frames of differing size in one video, or a mask of another size than its frame."""


class TooShortError(DataError):
    """Fewer frames than the work needs."""


class IncompleteSetError(DataError):
    """A set of which parts are missing, and nobody said that this is fine."""


class LabelError(DataError):
    """Labels that do not fit their video, or two sources that contradict each other."""


class LabelCountError(LabelError):
    """Labels or masks for another number of frames than their video has."""


class NothingToJudgeError(DataError):
    """No test video, or no label to judge with."""


class CameraError(OddframeError):
    """A camera that gives no video. `cause` is one word for programs, see `cameras.health.Cause`."""

    def __init__(
        self,
        problem: str,
        *,
        cause: str = "address",
        path: object = None,
        seen: object = None,
        wanted: object = None,
        hint: str | None = None,
    ) -> None:
        self.cause = cause
        super().__init__(problem, path=path, seen=seen, wanted=wanted, hint=hint)


class AddressError(CameraError):
    """An address that is none, or of a kind that is not opened. It never shows what may be a password."""


class NoPictureError(CameraError):
    """A camera of a site that has no picture to show just now."""


class SettingsError(OddframeError):
    """An unknown key or preset, or a value out of range."""


class DetectorError(OddframeError):
    """A detector that cannot be loaded, or that breaks the contract of `models/detector.py`."""


class RunError(OddframeError):
    """A run or an artefact that is foreign, newer, damaged, made with other settings, unfinished or in use."""


class WeightsError(RunError):
    """Weights that are truncated or of the wrong shape."""


class StorageError(OddframeError):
    """A disk that is full, a folder that cannot be written, or object storage that does not answer."""

    @classmethod
    def of(cls, error: OSError, problem: str, path: Path) -> Self:
        """What the system said when it was to write `path`, in words; of a full disk also how much is free on it."""
        if isinstance(error, FileExistsError | NotADirectoryError):
            return cls(problem, path=path, seen="a file where a folder is to be", hint="name another folder")
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return cls(
                problem, path=path, seen=error.strerror or str(error), hint="make the folder writable, or name another"
            )
        there = next(folder for folder in path.resolve().parents if folder.is_dir())
        return cls(
            f"{problem}: the disk is full",
            path=path,
            seen=f"{error.strerror}; {shutil.disk_usage(there).free / 1e6:.1f} MB are free",
            hint="free some space, or name another folder; what was finished before is kept",
        )


class WorkerError(OddframeError):
    """A process of this package's own that died, or that made no progress and was ended."""


class ClusterError(OddframeError):
    """A cluster that cannot be reached, or whose machines do not fit together."""


class TrainingError(OddframeError):
    """Training that cannot go on."""


class StoreError(OddframeError):
    """A site's database: made by a newer version, locked, damaged, in use by another site, or out of reach."""


class UnknownNameError(StoreError):
    """A camera, an event, a sink, a user or the like that a site does not have."""


class ConflictError(StoreError):
    """What is asked for contradicts what is there: a name that is taken, the last admin, an entry of a site's file."""


class LeaseLostError(StoreError):
    """What a machine of a site would write of a camera that another machine watches now."""


class AccessError(OddframeError):
    """A person or a program that may not do what was asked for."""


class NotLoggedInError(AccessError):
    """Nobody is logged in, name or password are wrong, or a session or token has ended."""


class NotAllowedError(AccessError):
    """The role, the scope or the origin of a request is not enough for what was asked for."""


class TooOftenError(AccessError):
    """Too many attempts, or too much at once; to be tried again after `after_s` seconds."""

    def __init__(self, problem: str, *, after_s: float, **parts: Any) -> None:
        self.after_s = after_s
        super().__init__(problem, **parts)


class SecretsError(OddframeError):
    """A key file that others can read, or that is not the one with which a secret was locked."""


class SinkError(OddframeError):
    """A place where events are sent that cannot be reached, or that refuses them.

    Attributes:
        again: whether the same may go through later. reached: whether somebody answered.
        after_s: not before so many seconds, where the answer said so.
    """

    def __init__(
        self, problem: str, *, again: bool, reached: bool = True, after_s: float | None = None, **parts: Any
    ) -> None:
        self.again, self.reached, self.after_s = again, reached, after_s
        super().__init__(problem, **parts)


class ExportError(OddframeError):
    """A detector that cannot be exported, or an exported one that does not score like its run."""


class MissingExtraError(OddframeError):
    """An optional part that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra that is not installed", hint=f'pip install "oddframe[{extra}]"')


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Name the known words closest to a misspelt one, as "did you mean ...?", or None.

    >>> nearest("epoch", ["epochs", "batch"])
    'did you mean epochs?'
    """
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else None


def _family(kind: type[OddframeError]) -> Iterable[type[OddframeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
