"""Kills a process that writes events and sends them, at random moments, and says what became of them.

    python benchmarks/kill_the_site.py --times 50 --json kills.json

Each time a process opens the site, ends what the one before has left open, writes events as fast as it can, sends them
to a file of JSON lines, and is killed. It says which changes it has stored. In the end the rest is sent, and counted.
Ends with 1 if anything was lost, doubled, out of order, left open or torn.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from killing import event_ids, main
from oddframe.site.events import CameraEvent, Change, event_id
from oddframe.site.outbox import Courier, Delivery, Patience
from oddframe.site.sinks.jsonl import JsonlSink
from oddframe.site.sinks.kinds import sink_record
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now

CAMERAS = ("gate", "yard")


@dataclass(frozen=True)
class Killed:
    """What became of the changes.

    Attributes:
        times: so often a process was killed. stored: changes that a process said it had stored.
        lost: of those, not in the store, or never sent. doubled: keys that are in the store or its outbox twice.
        sent_again: keys that came more than once; their receiver knows them by that. out_of_order: of an event.
        open: events that nobody ended. torn: lines that were not written whole.
    """

    times: int
    stored: int
    lost: int
    doubled: int
    sent_again: int
    out_of_order: int
    open: int
    torn: int

    @property
    def bad(self) -> int:
        """How many things are as they should not be."""
        return self.lost + self.doubled + self.out_of_order + self.open + self.torn


def write(folder: Path) -> None:
    """Write events, tell of each change that is stored, and send them, until somebody kills us."""
    with Store.open(folder) as store:
        for name in CAMERAS:
            store.cameras.put(name, "0", "USB 0")
        store.sinks.put(sink_record("lines", "jsonl", str(folder / "sent.jsonl")))
        with Delivery(store, {"lines": JsonlSink("lines", folder / "sent.jsonl")}, patience=Patience(look_s=0.01)):
            for camera in itertools.cycle(CAMERAS):
                for change in _life(camera):
                    store.events.write([change])
                    print(change.key, flush=True)


def _life(camera: str) -> list[Change]:
    at = utc_now()
    event = CameraEvent(
        id=event_id(at),
        camera=camera,
        profile="",
        started_at=at,
        peak_at=at,
        ended_at=None,
        start_s=0.0,
        peak_s=0.0,
        end_s=1.0,
        start_frame=0,
        peak_frame=0,
        end_frame=10,
        score=4.0,
        line=3.0,
    )
    ended = event.changed(ended_at=at + timedelta(seconds=1), ended_by="calm")
    return [
        Change(kind="new", number=0, at=at, event=event),
        Change(kind="update", number=1, at=at, event=event),
        Change(kind="end", number=2, at=at, event=ended),
    ]


def kill(folder: Path, times: int, *, seed: int = 0, longest_s: float = 0.4) -> Killed:
    """Have processes write into a site's folder, and kill each, up to `longest_s` after its first change."""
    chance, told = random.Random(seed), []
    for _ in range(times):
        command = [sys.executable, str(Path(__file__).resolve()), "--write", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told.append(process.stdout.readline())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, longest_s))
            process.kill()
            told += process.stdout.readlines()
    keys = [one.strip() for one in told if one.endswith("\n")]
    with Store.open(folder) as store:
        courier = Courier(store, JsonlSink("lines", folder / "sent.jsonl"), Patience(), utc_now, lambda: 1.0)
        while courier.step() == 0.0:
            pass
        events = list(event_ids(store))
        history = Counter(change.key for event in events for change in store.events.history(event))
        left_open = len(store.events.open())
        waiting = sum(one.waiting + one.dead for one in store.outbox.counts())
    lines = (folder / "sent.jsonl").read_text().splitlines()
    sent = [found for line in lines if (found := _key(line)) is not None]
    first = list(dict.fromkeys(sent))
    numbers: dict[str, list[int]] = {}
    for key in first:
        event, _, number = key.rpartition(".")
        numbers.setdefault(event, []).append(int(number))
    return Killed(
        times=times,
        stored=len(keys),
        lost=len({*keys} - {*history} | {*history} - {*sent}) + waiting,
        doubled=sum(many > 1 for many in history.values()),
        sent_again=len(sent) - len(first),
        out_of_order=sum(of != sorted(of) for of in numbers.values()),
        open=left_open,
        torn=len(lines) - len(sent),
    )


def _key(line: str) -> str | None:
    with contextlib.suppress(ValueError):
        return str(json.loads(line)["key"])
    return None


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]))
    else:
        main(kill, __doc__)
