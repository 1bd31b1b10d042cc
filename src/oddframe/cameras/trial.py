"""Whether an address works, with a picture of it, or why not: before a camera is added."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import Cause, HealthState, StreamInfo
from oddframe.errors import CameraError

_RATE_WITHIN_S = 3.0
"""After the first picture: so long it is waited for as many as tell how many a second there are."""
_LOOK_EVERY_S = 0.05
_SMALL = (48, 64)


@dataclass(frozen=True)
class Tried:
    """What a camera shows.

    Attributes:
        picture: (H, W, 1) where it has no colour, or (H, W, 3) RGB uint8. after_s: how long it took.
        stream: what it sends. infrared: whether it has no colour.
    """

    picture: NDArray[np.uint8] = field(repr=False)
    stream: StreamInfo
    infrared: bool
    after_s: float


def try_address(address: Address, settings: CameraSettings | None = None, *, within_s: float = 10.0) -> Tried:
    """Open a camera, take one picture, and close it again.

    Of a folder, the pictures that are there already count, too.

    Raises:
        CameraError: it gives no picture, with the reason and its `cause`. WorkerError: its process ended.
    """
    settings = (settings or CameraSettings()).model_copy(update={"backlog": True})
    began_s, tried = time.monotonic(), None
    with Camera(address, settings, _SMALL, None) as camera:
        while (after_s := time.monotonic() - began_s) < within_s:
            health, stream = camera.health, camera.stream
            if stream is not None and (picture := _seen(camera)) is not None:
                seen_s = after_s if tried is None else tried.after_s
                tried = Tried(picture, stream, bool(camera.infrared), seen_s)
                if stream.fps is not None or address.kind == "folder" or after_s - seen_s > _RATE_WITHIN_S:
                    return tried
            if health.state is HealthState.OFFLINE and tried is None:
                raise CameraError(health.reason, cause=health.cause or Cause.OTHER)
            time.sleep(_LOOK_EVERY_S)
    if tried is not None:
        return tried
    raise CameraError(
        f"no picture came within {within_s:g} s",
        cause=Cause.SILENT,
        hint="it may not have put a picture there yet"
        if address.kind == "folder"
        else "it may only be slow, or this computer busy: try it again",
    )


def _seen(camera: Camera) -> NDArray[np.uint8] | None:
    """What the camera shows; None while its process begins again, as it does where a short video has ended."""
    try:
        return camera.snapshot()
    except CameraError as error:
        if error.cause is Cause.PROCESS:
            return None
        raise
