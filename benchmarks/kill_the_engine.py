"""Kills the engine of a site and the readers of its cameras, at random moments, and says what became of the events.

    python benchmarks/kill_the_engine.py --times 50 --json kills.json

A site of two cameras (a drawn file in a loop, which is odd for two seconds of every four) is watched by the detector of
this package. Each time the engine's process or that of a reader is killed; the supervisor, and the engine, bring it
back. Ends with 1 if an event was lost, doubled or left open, if a picture is half written, or if a camera took longer
than a minute to come back. Linux only: it looks for processes in /proc.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from children import children_of
from killing import event_ids, main
from oddframe.cameras.state import HealthState
from oddframe.errors import OddframeError
from oddframe.instant import MODEL
from oddframe.site.engine_process import EVIDENCE
from oddframe.site.outbox import Delivery, Patience
from oddframe.site.sinks.jsonl import JsonlSink
from oddframe.site.sinks.kinds import sink_record
from oddframe.site.store import Store
from oddframe.site.supervisor import Supervisor
from oddframe.video.open import open_video
from oddframe.video.source import Frame
from oddframe.video.write import write_video

CAMERAS = ("gate", "yard")
FPS = 12.5
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Killed:
    """What became of the events.

    Attributes:
        times: so often a process was killed; engines: of these, so often the engine. events: in the store.
        gaps: events whose changes are not numbered without a gap, from new to end. open: that nobody ended.
        lost: changes that never arrived at the sink. doubled: keys that the store has twice.
        pictures, clips: of events. torn: of these, those that do not decode.
        longest_back_s: until all cameras were online again. late: so often that took longer than a minute.
    """

    times: int
    engines: int
    events: int
    gaps: int
    open: int
    lost: int
    doubled: int
    torn: int
    pictures: int
    clips: int
    longest_back_s: float
    late: int

    @property
    def bad(self) -> int:
        """How many things are as they should not be."""
        return self.gaps + self.open + self.lost + self.doubled + self.torn + self.late


def kill(folder: Path, times: int, *, seed: int = 0, longest_s: float = 6.0) -> Killed:
    """Watch two cameras, and kill a process of theirs again and again, up to `longest_s` after all were well."""
    chance, engines, backs = random.Random(seed), 0, []
    video = folder / "odd.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    write_video(video, (Frame(number, number / FPS, drawn(number)) for number in range(200)))
    sent = folder / "sent.jsonl"
    with Store.open(folder / "site") as store:
        store.cameras.put_detector("instant", str(MODEL))
        for name in CAMERAS:
            store.cameras.put(name, str(video), str(video))
            store.cameras.fit(name, "instant")
        store.sinks.put(sink_record("lines", "jsonl", str(sent)))
        with Delivery(store, {"lines": JsonlSink("lines", sent)}, patience=Patience(look_s=0.05)):
            supervisor = Supervisor(store, backend="onnxruntime", log=folder / "engine.log")
            supervisor.start()
            try:
                _until_well(supervisor)
                for number in range(times):
                    time.sleep(chance.uniform(0.0, longest_s))
                    engine = supervisor.process
                    if engine is None:
                        continue
                    readers = children_of(engine)
                    engines += (of_engine := number % 2 == 0 or not readers)
                    _kill(engine if of_engine else chance.choice(readers))
                    backs.append(_until_well(supervisor, other_than=engine if of_engine else None))
            finally:
                supervisor.stop()
            for _ in range(1200):
                if not sum(one.waiting for one in store.outbox.counts()):
                    break
                time.sleep(0.1)
        return _seen(store, sent, times, engines, backs)


def drawn(number: int) -> np.ndarray:
    picture = np.full((96, 144, 3), 90, np.uint8)
    picture[::12] = 120
    if number // 25 % 2:
        chance = np.random.default_rng(number)
        for _ in range(6):
            top, left = chance.integers(0, 80), chance.integers(0, 120)
            picture[top : top + 24, left : left + 30] = chance.integers(0, 255)
    return picture


def _until_well(supervisor: Supervisor, other_than: int | None = None) -> float:
    """Wait until all cameras are online and judged, by another engine than that; return the seconds."""
    began_s = time.monotonic()
    judged: dict[str, int] = {}
    while time.monotonic() - began_s < 3 * _PATIENCE_S:
        status = supervisor.status
        if status is not None and supervisor.process != other_than and len(status.cameras) == len(CAMERAS):
            well = all(one.health.state is HealthState.ONLINE for one in status.cameras)
            now = {one.name: one.judged for one in status.cameras}
            if well and judged and all(now[name] > judged.get(name, now[name]) for name in now):
                return time.monotonic() - began_s
            judged = judged or now
        else:
            judged = {}
        time.sleep(0.1)
    return time.monotonic() - began_s


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _seen(store: Store, sent: Path, times: int, engines: int, backs: list[float]) -> Killed:
    arrived = {json.loads(line)["key"] for line in sent.read_text("utf-8").splitlines()} if sent.exists() else set()
    events = list(event_ids(store))
    keys, gaps, lost = Counter[str](), 0, 0
    for event in events:
        history = store.events.history(event)
        keys.update(change.key for change in history)
        kinds = [change.kind for change in history if change.kind != "repeat"]
        whole = [change.number for change in history] == list(range(len(history)))
        gaps += not (whole and kinds[0] == "new" and kinds[-1] == "end" and kinds.count("end") == 1)
        lost += sum(change.key not in arrived for change in history if change.kind != "repeat")
    pictures = [path for path in (store.folder / EVIDENCE).glob("*/*/*.jpg") if not path.name.startswith(".")]
    clips = [path for path in (store.folder / EVIDENCE).glob("*/*/*.mp4") if not path.name.startswith(".")]
    torn = sum(cv2.imread(str(path)) is None for path in pictures) + sum(map(_is_torn, clips))
    return Killed(
        times=times,
        engines=engines,
        events=len(events),
        gaps=gaps,
        open=len(store.events.open()),
        lost=lost,
        doubled=sum(many > 1 for many in keys.values()),
        torn=torn,
        pictures=len(pictures),
        clips=len(clips),
        longest_back_s=round(max(backs, default=0.0), 1),
        late=sum(back > _PATIENCE_S for back in backs),
    )


def _is_torn(clip: Path) -> bool:
    try:
        return not sum(1 for _ in open_video(clip).frames())
    except OddframeError:
        return True


if __name__ == "__main__":
    main(kill, __doc__)
