"""A process that reads one camera for `Camera`.

The opening is an `Opening`, whose address comes through the pipe and so stands in no list of processes. Pictures and
the camera's status go through the ring. Orders: {"do": "snapshot", "at_s"}, which leaves a picture in the memory for
one, and {"do": "accept view"}, {"do": "clip", "begin_s", "end_s", "path", "private"},
{"do": "segment", "path", "after_s", "online_s", "back_s", "seconds", "private"}.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.logging
import cv2
from pydantic import Field

from oddframe.cameras.address import Address
from oddframe.cameras.clip import cut, picture_at
from oddframe.cameras.reader import Clocks, Reader, Wanted
from oddframe.cameras.ring import Ring
from oddframe.cameras.segment import write_segment
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.open import Opener
from oddframe.cameras.sources.source import DamagedError
from oddframe.cameras.watching.view import View
from oddframe.errors import CameraError
from oddframe.plain import Json
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.records import Record
from oddframe.video.picture import Resize

_LONG_AGO_S = 0.5
"""A picture that is not older than this is the last one: nothing is decoded for it."""
_FAREWELL_S = 1.0
"""How long the reading thread is waited for. One that hangs in libav ends with its process."""


class Opening(Record):
    """What a reader process begins with.

    Attributes:
        address: as it was typed. view: file in which is kept where it looks. ring, picture: file descriptors.
        began_s: of `time.monotonic`, when the camera was started. start_s, start_number: where its clock and its
            numbers go on.
    """

    address: str = Field(repr=False)
    settings: CameraSettings
    view: str | None
    size: tuple[int, int]
    channels: int
    resize: Resize
    fps: float | None
    ring: int
    picture: int
    began_s: float
    start_s: float
    start_number: int


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Start reading."""
    cv2.setNumThreads(1)  # a process a camera: several threads each would only wait for one another
    av.logging.set_level(None)  # what libav prints names the address
    told = Opening(**opening)
    address = Address.parse(told.address)
    ring = Ring(told.size, told.channels, told.settings.hold_pictures, told.ring)
    stopping = threading.Event()
    reader = Reader(
        Opener(address, told.settings).open,
        told.settings,
        Wanted(told.size, told.channels, told.resize, told.fps),
        ring,
        Clocks(lambda: time.monotonic() - told.began_s, wait=stopping.wait),
        view=View(None if told.view is None else Path(told.view)),
        start_s=told.start_s,
        start_number=told.start_number,
    )
    thread = threading.Thread(target=_run, args=(reader, address), name="reading", daemon=True)
    thread.start()

    def work(order: Order, _: Watcher) -> Json:
        if order["do"] == "accept view":
            reader.accept_view()
            return {}
        if order["do"] == "clip":
            kept = reader.keep.packets()
            return cut(kept, order["begin_s"], order["end_s"], Path(order["path"]), order["private"]).to_dict()
        if order["do"] == "segment":
            return _segment(reader, order)
        return _snapshot(reader, told.picture, order["at_s"])

    try:
        yield work
    finally:
        reader.stop()
        stopping.set()
        thread.join(_FAREWELL_S)


def _run(reader: Reader, address: Address) -> None:
    """Read; a bug ends the process with what is known of it, and without secrets."""
    try:
        reader.run()
    except BaseException:
        print(address.scrub(traceback.format_exc()), file=sys.stderr, flush=True)
        os._exit(1)


def _segment(reader: Reader, order: Order) -> Json:
    kept = reader.keep.packets()
    after_s = max(order["after_s"], kept[-1].about_s - order["online_s"]) if kept else order["after_s"]
    return write_segment(
        kept,
        Path(order["path"]),
        after_s=after_s,
        back_s=order["back_s"],
        seconds=order["seconds"],
        private=order["private"],
    ).to_dict()


def _snapshot(reader: Reader, handle: int, at_s: float | None) -> Json:
    if reader.latest is None:
        raise CameraError("there is no picture of this camera yet", cause="other", hint="ask again once it is online")
    still, latest_s = reader.latest
    pixels = None
    if at_s is not None and latest_s - at_s > _LONG_AGO_S:
        pixels = picture_at(reader.keep.packets(), at_s)
    if pixels is None:
        try:
            pixels = still.pixels
        except DamagedError:
            raise CameraError("the last picture of this camera cannot be shown", cause="undecodable") from None
    os.ftruncate(handle, pixels.nbytes)
    content = pixels.tobytes()
    done = 0
    while done < len(content):
        done += os.pwrite(handle, memoryview(content)[done:], done)
    return {"shape": pixels.shape}


if __name__ == "__main__":
    # Where all processes are told to end, whoever reads this camera still wants the clips of its last events.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve(begin)
    sys.stdout.flush()
    os._exit(0)  # nothing waits for a thread that hangs in libav
