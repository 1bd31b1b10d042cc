"""What a camera says of itself: its health, what was counted, and what it sends."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import Field

from oddframe.records import Record


class HealthState(StrEnum):
    """Whether a camera's pictures can be judged. In any state but `ONLINE` they are not."""

    STARTING = "starting"
    """Not one picture so far."""
    LEARNING = "learning"
    """Online, and what is normal is not known yet. A site says so; no camera does by itself."""
    ONLINE = "online"
    FROZEN = "frozen"
    """Packets come, and the picture stays the same."""
    DARK = "dark"
    """Nothing to be seen: night without light, or a covered lens."""
    BLINDED = "blinded"
    """Most of the picture is saturated."""
    MOVED = "moved"
    """The still background lies elsewhere than it did."""
    OFFLINE = "offline"
    """No pictures; it is opened again and again."""
    OFF = "off"
    """Stopped, not started, or at the end of a file."""


class Cause(StrEnum):
    """Why a camera is offline, in one word for programs."""

    ADDRESS = "address"
    UNKNOWN_HOST = "unknown host"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    SILENT = "silent"
    WRONG_SERVICE = "wrong service"
    HTML = "html"
    NOT_FOUND = "not found"
    LOGIN = "login"
    NO_VIDEO = "no video"
    UNDECODABLE = "undecodable"
    CERTIFICATE = "certificate"
    LOST = "lost"
    ENDED = "ended"
    PROCESS = "process"
    OTHER = "other"


class Health(Record):
    """A state, since when, and why.

    Attributes:
        since: UTC. reason: a sentence without secrets; "" where the state says it all.
        cause: in state offline.
    """

    state: HealthState
    since: datetime
    reason: str = ""
    cause: Cause | None = None


class Counts(Record):
    """What has been counted since the camera was started.

    Attributes:
        received: packets, or pictures of a folder. decoded: pictures.
        given: pictures at the detector's rate that were put up to be taken.
        dropped: pictures or packets that are lost, by reason: "damaged" (does not decode), "before key frame" (cannot
            be decoded without one), "behind" (decoding was too slow), "late" (not taken in time), "torn" (a picture in
            a folder that was never finished).
        opened: how often the camera was opened. restarted: how often its process was.
    """

    received: int = 0
    decoded: int = 0
    given: int = 0
    dropped: dict[str, int] = Field(default_factory=dict)
    opened: int = 0
    restarted: int = 0


class StreamInfo(Record):
    """What a camera sends.

    Attributes:
        codec: libav's name. size: (height, width), upright. fps: as its stamps have it; None where it is not known.
        pixel_format: libav's name. interlaced: pictures are pairs of fields; they are read as they are.
    """

    codec: str
    size: tuple[int, int]
    fps: float | None = None
    pixel_format: str = ""
    interlaced: bool = False


class Status(Record):
    """All that a reader process tells of itself.

    Attributes:
        infrared: whether the last picture had no colour; None before the first.
    """

    health: Health
    counts: Counts = Counts()
    stream: StreamInfo | None = None
    infrared: bool | None = None


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)
