"""Kills a machine of a site that two run, at random moments, and says what became of its cameras and events.

    python benchmarks/kill_machines.py --times 20 --json kills.json

Two `oddframe serve` share one PostgreSQL, one folder and six cameras (a drawn file in a loop, which is odd for two
seconds of every eight). Each time all processes of one of them are killed at once; the other has to watch all cameras
within a minute. Then the one that was killed starts again, and gets its share back. Ends with 1 if a change was lost or
told twice under two keys, if an event is left open, or if it took longer than a minute. Linux only: it looks for
processes in /proc.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import yaml

from children import children_of
from kill_the_engine import FPS, drawn
from killing import event_ids, main
from oddframe.errors import OddframeError, StoreError
from oddframe.instant import MODEL
from oddframe.site import DATABASE_VARIABLE
from oddframe.site.outbox import Courier, Patience
from oddframe.site.sinks.jsonl import JsonlSink
from oddframe.site.store import Store
from oddframe.site.store.leases import Machines
from oddframe.site.store.shelf import utc_now
from oddframe.video.source import Frame
from oddframe.video.write import write_video
from postgresql import initdb, postgresql, url_of

_LATE_S = 60.0
_PATIENCE_S = 900.0


@dataclass(frozen=True)
class Killed:
    """What became of cameras and events.

    Attributes:
        times: so often a machine was killed. cameras: of the site. events: in the store. changes: of them.
        gaps: events whose changes are not numbered without a gap, from new to end. open: that nobody ended.
        lost: changes that never arrived at the sink. at_once: events of a camera that began before its last one ended:
            two machines told of them. sent_again: keys that came more than once; their receiver knows them by that.
        taken_over_s: from each kill until the other machine had the leases of all cameras.
        watched_again_s: until it had them all online, too. late: how many of these took longer than a minute.
        shared_again_s: from each start until both machines had their shares, the longest.
    """

    times: int
    cameras: int
    events: int
    changes: int
    gaps: int
    open: int
    lost: int
    at_once: int
    sent_again: int
    taken_over_s: tuple[float, ...]
    watched_again_s: tuple[float, ...]
    late: int
    shared_again_s: float

    @property
    def bad(self) -> int:
        """How many things are as they should not be."""
        return self.gaps + self.open + self.lost + self.at_once + self.late


class Machine:
    """A process that serves, and what it says of its cameras.

    Attributes:
        online: camera → when it was said to be, by this process's clock; only those that are.
    """

    def __init__(self, site: Path, url: str) -> None:
        command = [sys.executable, "-m", "oddframe", "serve", str(site), "--no-console", "--json"]
        with (site.parent / "said.txt").open("ab") as said:
            self._process = subprocess.Popen(
                [*command, "--backend", "onnxruntime"],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=os.environ | {DATABASE_VARIABLE: url},
            )
        self.online: dict[str, float] = {}
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """As if its plug was pulled: all of its processes at once."""
        everyone = [self._process.pid]
        for one in everyone:
            os.kill(one, signal.SIGSTOP)  # who stands still starts nobody
            everyone += children_of(one)
        for one in everyone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait()
        self._reading.join()

    def end(self) -> None:
        """End it as a service manager does."""
        self._process.terminate()
        self._process.wait(_PATIENCE_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if told["kind"] == "camera":
                if told["state"] == "online":
                    self.online[told["name"]] = time.monotonic()
                else:
                    self.online.pop(told["name"], None)


def kill(folder: Path, times: int, *, seed: int = 0, cameras: int = 6, url: str | None = None) -> Killed:
    """Have two machines watch, and kill one of them again and again.

    Args:
        url: of an empty database; without it a server is started.
    """
    if url is None:
        program = initdb()
        if program is None:
            raise OddframeError("there is no PostgreSQL", hint="apt install postgresql")
        with postgresql(program) as socket:
            return kill(folder, times, seed=seed, cameras=cameras, url=url_of(socket))
    chance, taken_s, again_s, shared_s = random.Random(seed), list[float](), list[float](), [0.0]
    folder.mkdir(parents=True, exist_ok=True)
    site = _written(folder, cameras)
    machines = [Machine(site, url)]
    try:
        _until(folder, url, lambda seen: _watches(seen, machines, 1, cameras))
        machines.append(Machine(site, url))
        _until(folder, url, lambda seen: _watches(seen, machines, 2, cameras))
        for _ in range(times):
            time.sleep(chance.uniform(0.0, 6.0))
            chance.shuffle(machines)
            _forget_let_go(machines)
            killed_s = time.monotonic()
            machines.pop().kill()
            taken_s.append(_until(folder, url, lambda seen: _holds(seen, 1, cameras)) - killed_s)
            again_s.append(_until(folder, url, lambda seen: _watches(seen, machines, 1, cameras)) - killed_s)
            began_s = time.monotonic()
            machines.append(Machine(site, url))
            shared_s.append(_until(folder, url, lambda seen: _watches(seen, machines, 2, cameras)) - began_s)
        for one in machines:
            one.end()
    finally:
        for one in machines:
            with contextlib.suppress(ProcessLookupError):
                one.kill()
    with Store.open(folder / "site", url) as store:
        return _seen(store, folder / "sent.jsonl", cameras, taken_s, again_s, max(shared_s))


def _written(folder: Path, cameras: int) -> Path:
    """The site's file."""
    video = folder / "odd.mp4"
    write_video(
        video, (Frame(number, number / FPS, drawn(0 if number % 100 < 75 else number)) for number in range(200))
    )
    camera = {"address": str(video), "detector": str(MODEL), "scene": "square"}
    plan = {
        "folder": "site",
        "cameras": {f"camera{number}": dict(camera) for number in range(cameras)},
        "sinks": {"lines": {"kind": "jsonl", "url": "sent.jsonl", "sends": ["new", "update", "end"]}},
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(plan), "utf-8")
    return path


def _watches(seen: Machines, machines: list[Machine], many: int, cameras: int) -> bool:
    """Whether so many machines watch all cameras, in fair shares."""
    if any(one.ended for one in machines):
        raise OddframeError("a machine ended by itself", hint="its words are in said.txt")
    online = {name for one in machines for name in one.online}
    return _holds(seen, many, cameras) and len(online) == cameras


def _forget_let_go(machines: list[Machine]) -> None:
    """Who lets go of a camera says nothing of it: it is online where it came to be last."""
    for one in machines:
        for name, at_s in [*one.online.items()]:
            if any(other.online.get(name, at_s) > at_s for other in machines):
                one.online.pop(name, None)


def _holds(seen: Machines, many: int, cameras: int) -> bool:
    """Whether so many machines hold all cameras, in fair shares."""
    shares = [len(seen.of(name)) for name in seen.machines]
    return len(shares) == many and sum(shares) == cameras and max(shares) <= -(-cameras // many)


def _until(folder: Path, url: str, well: Callable[[Machines], bool]) -> float:
    """Wait until all is well, and return when that was."""
    until_s = time.monotonic() + _PATIENCE_S
    seen = Machines(machines={}, leases={})
    while time.monotonic() < until_s:
        with (
            contextlib.suppress(StoreError),
            Store.join(folder / "site", url) as store,
        ):  # it is made at the first start
            seen = store.leases.all()
        if well(seen):
            return time.monotonic()
        time.sleep(0.25)
    raise TimeoutError(f"cameras are not watched after {_PATIENCE_S:g} s; engine-*.log in {folder / 'site'} says more")


def _seen(
    store: Store, sent: Path, cameras: int, taken_s: list[float], again_s: list[float], shared_s: float
) -> Killed:
    for one in store.leases.all().machines:
        store.leases.leave(one)
    store.events.recover()
    courier = Courier(store, JsonlSink("lines", sent), Patience(), utc_now, lambda: 1.0)
    while courier.step() == 0.0:
        pass
    keys = [json.loads(line)["key"] for line in sent.read_text("utf-8").splitlines()]
    arrived, changes, gaps, lost = {*keys}, 0, 0, 0
    for event in event_ids(store):
        history = [change for change in store.events.history(event) if change.kind != "repeat"]
        kinds = [change.kind for change in history]
        changes += len(history)
        gaps += kinds[0] != "new" or kinds[-1] != "end" or kinds.count("end") != 1 or kinds.count("new") != 1
        lost += sum(change.key not in arrived for change in history)
    lived: dict[str, list[tuple[datetime, datetime]]] = {}
    for event in event_ids(store):
        one = store.events.get(event).event
        lived.setdefault(one.camera, []).append((one.started_at, one.ended_at or one.started_at))
    at_once = sum(later[0] < before[1] for of in lived.values() for before, later in pairwise(sorted(of)))
    return Killed(
        times=len(again_s),
        cameras=cameras,
        events=sum(map(len, lived.values())),
        changes=changes,
        gaps=gaps,
        open=len(store.events.open()),
        lost=lost,
        at_once=at_once,
        sent_again=len(keys) - len(arrived),
        taken_over_s=tuple(round(one, 1) for one in taken_s),
        watched_again_s=tuple(round(one, 1) for one in again_s),
        late=sum(one > _LATE_S for one in again_s),
        shared_again_s=round(shared_s, 1),
    )


if __name__ == "__main__":
    main(kill, __doc__)
