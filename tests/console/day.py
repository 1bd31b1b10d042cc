"""A site after a day: three cameras, what they scored, their events with pictures and clips, and what was said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from oddframe.data.synthetic.plan import Clip, Event
from oddframe.data.synthetic.render import Stage
from oddframe.data.synthetic.world import FPS
from oddframe.data.synthetic.write import Encoder
from oddframe.scoring.scores import Box
from oddframe.site.engine_process import EVIDENCE, SCORES
from oddframe.site.events import CameraEvent, Change, event_id
from oddframe.site.evidence import place_of_evidence
from oddframe.site.score_history import Peak, ScoreHistory
from oddframe.site.store import Store
from oddframe.site.store.records import LineRecord, SinkRecord
from oddframe.video.draw import annotated, jpeg

LINE = 3.4
SCENES = {"gate": ("street", "cyclist"), "yard": ("square", "cart"), "back door": ("passage", "runner")}


@dataclass(frozen=True)
class Footage:
    """What one camera sees: a clip with something odd in it, the frame where it is oddest, and where."""

    clip: bytes
    snapshot: bytes
    heat: bytes
    box: Box
    size: tuple[int, int]


def film(folder: Path) -> dict[str, Footage]:
    """Film something odd with each camera."""
    filmed = {}
    for number, (camera, (scene, kind)) in enumerate(SCENES.items()):
        plan = Clip("test", scene, number + 1, 60, ((0, 0.5),), events=(Event(kind, 8, 0.3, pace=3.0),))
        path = folder / f"{number}.mp4"
        best, at = 0, (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.bool_))
        with Encoder(path, FPS) as encoder:
            for pixels, masks in Stage(scene, 7).frames(plan):
                encoder.add(pixels)
                mask = masks.get(kind)
                if mask is not None and int(mask.sum()) > best:
                    best, at = int(mask.sum()), (pixels, mask)
        picture, mask = at
        ys, xs = np.nonzero(mask) if mask.any() else (np.array([40, 60]), np.array([60, 90]))
        box = Box(int(xs.min()) - 4, int(ys.min()) - 4, int(np.ptp(xs)) + 8, int(np.ptp(ys)) + 8)
        heat = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 6)
        heat *= 1.6 / max(float(heat.max()), 1e-6)
        filmed[camera] = Footage(
            clip=path.read_bytes(),
            snapshot=jpeg(picture, 85),
            heat=jpeg(annotated(picture, heat, box, alarm=True), 85),
            box=box,
            size=(picture.shape[0], picture.shape[1]),
        )
    return filmed


def an_event(camera: str, at: datetime, *, score: float = 5.0, footage: Footage | None = None, **of) -> CameraEvent:
    """An event of some seconds that is over, or lasts (`ended_at=None`)."""
    facts = {
        "id": event_id(at),
        "camera": camera,
        "profile": "",
        "started_at": at,
        "peak_at": at + timedelta(seconds=2),
        "ended_at": at + timedelta(seconds=6),
        "start_s": 100.0,
        "peak_s": 102.0,
        "end_s": 106.0,
        "start_frame": 1000,
        "peak_frame": 1025,
        "end_frame": 1075,
        "score": score,
        "line": LINE,
        "box": Box(10, 20, 30, 40) if footage is None else footage.box,
        "picture": (158, 238) if footage is None else footage.size,
        "ended_by": "calm",
    }
    facts |= of
    if facts["ended_at"] is None:
        facts["ended_by"] = None
    return CameraEvent(**facts)


def happen(store: Store, event: CameraEvent, footage: Footage | None = None) -> CameraEvent:
    """Have an event happen, with evidence of it."""
    began = event.changed(ended_at=None, ended_by=None)
    store.events.write([Change(kind="new", number=0, at=event.started_at, event=began)])
    if not event.lasts:
        store.events.write([Change(kind="end", number=1, at=event.ended_at, event=event)])
    if footage is not None:
        for kind in ("snapshot", "heat", "clip"):
            path = place_of_evidence(store.folder / EVIDENCE, event, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(getattr(footage, kind))
            store.evidence.add(event.id, kind, str(path.relative_to(store.folder)), path.stat().st_size)
    return event


def scores(store: Store, camera: str, now: datetime, hours: float, odd: list[tuple[datetime, float]]) -> None:
    """What a camera scored: calm, with a slow swing, and high where something was odd; a gap of some minutes."""
    rng = np.random.default_rng(len(camera))
    number = store.cameras.get(camera).id
    peaks = []
    for step in range(int(hours * 360)):
        at = now - timedelta(seconds=10 * step)
        hour = at.timestamp() / 3600
        if math.floor(hour * 6) % 61 == 7:
            continue
        score = 0.9 + 0.4 * math.sin(hour / 3) + float(rng.gamma(1.2, 0.35))
        for when, high in odd:
            far = abs((at - when).total_seconds())
            if far < 25:
                score = max(score, high - far / 40)
        peaks.append(Peak(at, min(score, LINE - 0.1) if score < LINE + 0.3 and not odd else score, LINE))
    ScoreHistory(store.folder / SCORES).add(number, peaks)


def fill(
    store: Store, footage: dict[str, Footage] | None = None, now: datetime | None = None, *, scored_h: float = 26
) -> list[CameraEvent]:
    """Have a day go by, of which the last hours are scored; return its events, the latest first."""
    now = now or datetime.now(UTC)
    for name in SCENES:
        store.cameras.put(name, f"rtsp://me:s3cret@10.0.0.2/{name}", f"rtsp://10.0.0.2/{name.replace(' ', '%20')}")
        store.cameras.put_detector("street-dream", str(store.folder / "street-dream"))
        store.cameras.fit(name, "street-dream")
        store.cameras.set_line(
            LineRecord(
                camera=name,
                since=now - timedelta(days=3),
                on=LINE,
                off=LINE * 0.8,
                asked_per_day=1.0,
                vouched_per_day=1.9,
                hours=26.0,
                author="ann",
            )
        )
    said = {"gate": "online", "yard": "online", "back door": "frozen"}
    for name, state in said.items():
        store.health.changed(name, "starting", "", now - timedelta(hours=30))
        store.health.changed(name, "online", "", now - timedelta(hours=29, minutes=59))
        if state != "online":
            store.health.changed(name, "offline", "it sends nothing any more", now - timedelta(hours=9))
            store.health.changed(name, "online", "", now - timedelta(hours=8, minutes=40))
            store.health.changed(name, state, "the picture has not changed for 30 s", now - timedelta(minutes=12))
        for back in range(3):
            store.watched.add(name, "", 7.7 * 3600, 1.0, (now - timedelta(days=back)).date())
    events = _events(store, footage or {}, now)
    for name in SCENES:
        odd = [(one.peak_at, one.score) for one in events if one.camera == name]
        scores(store, name, now - timedelta(minutes=12 if said[name] != "online" else 0), scored_h, odd)
    store.sinks.put(
        SinkRecord(
            name="house",
            kind="webhook",
            url="https://me:s3cret@example.org/x",
            masked="https://example.org/…",
            sends=("new", "end", "health"),
        )
    )
    return events


def _events(store: Store, footage: dict[str, Footage], now: datetime) -> list[CameraEvent]:
    minutes = (2, 31, 55, 130, 190, 400, 480, 700, 905, 1100, 1290, 1400)
    found: list[CameraEvent] = []
    for number, back in enumerate(minutes):
        name = list(SCENES)[number % 3]
        at = now - timedelta(minutes=back)
        of: dict[str, object] = {"ended_at": None} if number == 0 else {}
        event = an_event(name, at, score=4.0 + (number * 7 % 5) / 2, footage=footage.get(name), **of)
        found.append(happen(store, event, footage.get(name)))
    for number, event in enumerate(found):
        if number in (4, 7):
            store.reviews.add(event.id, "ann", "normal", note="the postman, as every day")
        elif number in (5, 10):
            store.reviews.add(event.id, "ann", "alarm", scope={"class": "cyclist"})
        elif number == 8:
            store.reviews.add(event.id, "ann", "alarm")
            store.reviews.add(event.id, "bob", "normal", note="he has a key")
    return found
