"""Profiles of a camera: kinds of time that have a normal of their own, such as day, night and infrared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from pydantic import model_validator

from oddframe.records import Record


class Profile(Record):
    """A kind of time.

    Attributes:
        name: "" for the only one. scene: of the detector's calibration by which it is judged; None is the one of its
            name.
        begin, end: time of day at the camera, [begin, end); `end` may be earlier than `begin`, for a night. None for
            any time; never one of them alone.
        infrared: whether the pictures have no colour; None where that does not matter.

    >>> night = Profile(name="night", scene="gate-night", begin=time(20), end=time(6))
    >>> night.holds(time(23, 30), infrared=False), night.holds(time(12), infrared=False)
    (True, False)
    """

    name: str = ""
    scene: str | None = None
    begin: time | None = None
    end: time | None = None
    infrared: bool | None = None

    @property
    def judged_as(self) -> str:
        """The scene by which it is judged."""
        return self.name if self.scene is None else self.scene

    @model_validator(mode="after")
    def _whole(self) -> Profile:
        if (self.begin is None) != (self.end is None):
            raise ValueError("a profile has both a begin and an end, or neither")
        return self

    def holds(self, at: time, *, infrared: bool) -> bool:
        """Whether a picture belongs to it, by the time of day at which it was taken and by its colour."""
        if self.infrared is not None and self.infrared != infrared:
            return False
        if self.begin is None or self.end is None:
            return True
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


def profile_at(profiles: Sequence[Profile], at: datetime, *, infrared: bool) -> Profile:
    """The first profile that holds; the first of all where none does, so that no picture goes unjudged.

    Args:
        profiles: at least one. at: with a time zone; profiles are in this computer's.
    """
    local = at.astimezone().time()
    return next((one for one in profiles if one.holds(local, infrared=infrared)), profiles[0])
