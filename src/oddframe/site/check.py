"""Tries what a site's file names, before anybody relies on it: cameras, detectors, sinks, the site's folder."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.state import HealthState, now
from oddframe.errors import OddframeError
from oddframe.records import Record
from oddframe.scoring.scorer import Scorer
from oddframe.site.messages import health_message
from oddframe.site.planning.plan import CameraPlan, SitePlan
from oddframe.site.secrets import Vault
from oddframe.site.sinks.kinds import open_sink
from oddframe.site.store.store import KEY

PATIENCE_S = 15.0
"""All is tried at the same time, and within this."""

_CAMERA_S = 12.0
_RATE_S = 1.5
"""So long a camera is looked at, for its rate and its colours."""
_LOOK_EVERY_S = 0.05
_SLOWER = 0.9
"""A camera that sends less than this share of the rate at which its detector was trained is too slow for it."""
_TEST = "test"
"""The camera of a message that is sent to try a sink."""


class Checked(Record):
    """What came of trying one thing.

    Attributes:
        kind, name: of what. well: whether it can be relied on. took_s: until that was known.
        found: what it is, in words. problem: why it is not well, or what its owner should know; "" for nothing.
    """

    kind: Literal["folder", "camera", "detector", "sink"]
    name: str
    well: bool
    took_s: float
    found: str = ""
    problem: str = ""


@dataclass(frozen=True)
class _Seen:
    """What a camera sends."""

    size: tuple[int, int]
    fps: float | None


def check_site(plan: SitePlan, *, send: bool = False, patience_s: float = PATIENCE_S) -> list[Checked]:
    """Try all that a site's file names, at the same time.

    Nothing is written: neither into the site's folder nor, without `send`, to a sink.

    Args:
        send: send a test message to each sink, of a camera that is called "test".

    Returns:
        the folder, then cameras, detectors and sinks, each in the order of the file.
    """
    return _Checking(plan, send, patience_s).all()


class _Checking:
    def __init__(self, plan: SitePlan, send: bool, patience_s: float) -> None:
        self._plan, self._send, self._patience_s = plan, send, patience_s
        self._seen: dict[str, _Seen] = {}
        self._scorers: dict[tuple[str, str | None], Scorer] = {}

    def all(self) -> list[Checked]:
        plan = self._plan
        detectors = {
            (camera.detector, camera.fitting): None for camera in plan.cameras.values() if camera.detector is not None
        }
        jobs: list[_Job] = [_Job("folder", plan.folder, self._folder)]
        jobs += [_Job("camera", name, partial(self._camera, name)) for name in plan.cameras]
        jobs += [
            _Job("detector", fitting or detector, partial(self._detector, detector, fitting))
            for detector, fitting in detectors
        ]
        jobs += [_Job("sink", name, partial(self._sink, name)) for name in plan.sinks]
        done = _at_once(jobs, self._patience_s)
        return [self._beside_its_detector(one) for one in done]

    def _folder(self) -> tuple[str, str]:
        home, retention = self._plan.home, self._plan.retention
        there = next(one for one in (home, *home.absolute().parents) if one.exists())
        free_gb = shutil.disk_usage(there).free / 1e9
        found = f"{free_gb:.1f} GB free" + ("" if home.exists() else "; it will be made")
        if not there.is_dir():
            raise _NotWellError(found, f"{there} is no folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise _NotWellError(found, f"{there} cannot be written by this user")
        if (home / KEY).exists():
            Vault.open(home / KEY, make=False)
        if free_gb < retention.least_free_gb:
            raise _NotWellError(found, f"no evidence is made while less than {retention.least_free_gb:g} GB are free")
        room = retention.gigabytes + retention.least_free_gb
        lacks = free_gb < room and not home.exists()
        return found, f"evidence may take {retention.gigabytes:g} GB, which are not free" if lacks else ""

    def _camera(self, name: str) -> tuple[str, str]:
        plan = self._plan.cameras[name]
        address = Address.parse(plan.address.get_secret_value())
        with Camera(address, plan.reading, (64, 64), None) as camera:
            until = time.monotonic() + _CAMERA_S
            rated = 0.0
            while time.monotonic() < until:
                time.sleep(_LOOK_EVERY_S)
                camera.pictures()
                health, stream = camera.health, camera.stream
                if health.state is HealthState.OFFLINE:
                    raise _NotWellError("", health.reason or "it is offline")
                rated = rated or (time.monotonic() + _RATE_S if stream is not None else 0.0)
                if stream is not None and time.monotonic() >= rated:
                    break
            health, stream = camera.health, camera.stream
            if stream is None:
                if address.kind == "folder":
                    return "no picture has come", "a picture is waited for"
                raise _NotWellError("", f"no picture within {_CAMERA_S:g} s")
            height, width = stream.size
            self._seen[name] = _Seen(stream.size, stream.fps)
            rate = "rate unknown" if stream.fps is None else f"{stream.fps:.3g} fps"
            colour = "infrared" if camera.infrared else "colour"
            found = f"{width}x{height}, {rate}, {stream.codec}, {colour}{', interlaced' if stream.interlaced else ''}"
            if health.state not in (HealthState.ONLINE, HealthState.STARTING, HealthState.OFF):
                raise _NotWellError(found, f"{health.state}{f': {health.reason}' if health.reason else ''}")
            return found, ""

    def _detector(self, folder: str, fitting: str | None) -> tuple[str, str]:
        scorer = self._scorers[folder, fitting] = Scorer(Path(folder), fitting=fitting)
        height, width = scorer.runtime.size
        fps = scorer.rate().fps
        rate = "every picture" if fps is None else f"{fps:.3g} fps"
        return f"{scorer.run.settings.detector}, {width}x{height}, {rate}, {scorer.runtime.name}", ""

    def _sink(self, name: str) -> tuple[str, str]:
        record = self._plan.sinks[name].record(name)
        if not record.enabled:
            return f"{record.kind}, {record.masked}", "it is switched off"
        cameras = list(self._plan.cameras)
        sink = open_sink(
            record, site=self._plan.site, version=version("oddframe"), cameras=lambda: cameras, pictures=lambda _: None
        )
        with closing(sink):
            sink.check()
            if self._send:
                at = now()
                key = f"test.{at.timestamp():.6f}"
                words = "a test message of `oddframe site check`: nothing has happened"
                sink.send(health_message(self._plan.site, _TEST, "online", words, at, key=key))
                sink.tick()  # what keeps what it is told of a camera is told that there is no such one
        return f"{record.kind}, {record.masked}{', a test message was sent' if self._send else ''}", ""

    def _beside_its_detector(self, done: Checked) -> Checked:
        """What a camera sends, compared with what its detector was trained on."""
        if done.kind != "camera" or not done.well or (seen := self._seen.get(done.name)) is None:
            return done
        plan: CameraPlan = self._plan.cameras[done.name]
        scorer = self._scorers.get((plan.detector or "", plan.fitting))
        if scorer is None:
            return done if plan.detector else done.changed(problem="it has no detector yet")
        scenes = [one.profile(name).judged_as for name, one in plan.profiles.items()] or [plan.scene]
        fps = max((rate for scene in scenes if (rate := scorer.rate(scene).fps) is not None), default=None)
        height, width = scorer.runtime.size
        if fps is not None and seen.fps is not None and seen.fps < _SLOWER * fps:
            problem = f"its detector was trained on {fps:.3g} pictures a second, and it sends {seen.fps:.3g}"
            return done.changed(well=False, problem=problem)
        if seen.size[0] < height or seen.size[1] < width:
            return done.changed(problem=f"its pictures are smaller than the {width}x{height} of its detector")
        return done


class _NotWellError(Exception):
    """What was found, and why it is not well."""

    def __init__(self, found: str, problem: str) -> None:
        self.found, self.problem = found, problem
        super().__init__(problem)


@dataclass(frozen=True)
class _Job:
    """`work` returns what was found, and what its owner should know."""

    kind: Literal["folder", "camera", "detector", "sink"]
    name: str
    work: Callable[[], tuple[str, str]]


def _at_once(jobs: Sequence[_Job], patience_s: float) -> Iterator[Checked]:
    """Do all of them, each in a thread that nobody waits for longer than that."""
    began_s = time.monotonic()
    done: queue.SimpleQueue[tuple[int, Checked]] = queue.SimpleQueue()

    def work(number: int, job: _Job) -> None:
        done.put((number, _done(job, began_s)))

    for number, job in enumerate(jobs):
        threading.Thread(target=work, args=(number, job), name=f"checking {job.name}", daemon=True).start()
    found: dict[int, Checked] = {}
    while len(found) < len(jobs):
        try:
            number, one = done.get(timeout=max(0.0, began_s + patience_s - time.monotonic()))
        except queue.Empty:
            break
        found[number] = one
    late = f"no answer within {patience_s:g} s"
    for number, job in enumerate(jobs):
        yield found.get(number) or Checked(kind=job.kind, name=job.name, well=False, took_s=patience_s, problem=late)


def _done(job: _Job, began_s: float) -> Checked:
    found = problem = ""
    well = False
    try:
        found, problem = job.work()
        well = True
    except _NotWellError as error:
        found, problem = error.found, error.problem
    except OddframeError as error:
        problem = error.in_one_line()
    except Exception as error:  # a library's, of one thing: the others are told of all the same
        problem = f"an unexpected {type(error).__name__}"
    took_s = round(time.monotonic() - began_s, 2)
    return Checked(kind=job.kind, name=job.name, well=well, took_s=took_s, found=found, problem=problem)
