"""How long it takes from a click on "normal" until the camera knows it, with a day of stored evidence.

    python benchmarks/teach_now.py --json benchmarks/results/teach_now.json
    python benchmarks/teach_now.py --presets live --hours 1 --repeats 1

For each preset a site is made with one camera: a fitting on so many hours of normal video, and as many hours of
remembered events, two minutes of every hour. Maps have the components and the sizes of the preset. What is in them is
drawn: noise, something that is often there, and something odd at one of a few places. No network is computed: teaching
computes none, either. Each preview, each carrying out and each forgetting opens the camera anew, as the console does
for each request; each repeat is in a process of its own, so that the first preview reads all that is stored.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from oddframe.artefact import Trained, open_trained
from oddframe.files import file_digest
from oddframe.instant import MODEL
from oddframe.records import write_record
from oddframe.runs import host, versions
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.calibration_file import WORDS, save_calibration
from oddframe.scoring.components import log_scale, placed_value
from oddframe.scoring.fitting import FILE, FittedVideo, FittingRecord, detector_of
from oddframe.scoring.judged import Judged, Stretch
from oddframe.scoring.judged_file import save_judged
from oddframe.scoring.kept import Keeping
from oddframe.scoring.places import PlaceNormal
from oddframe.scoring.pooling import pooled
from oddframe.scoring.rounded import rounded
from oddframe.scoring.scores import Raw
from oddframe.scoring.taught import promised
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.site.commands.line import line_for
from oddframe.site.events import CameraEvent, Change, event_id
from oddframe.site.remembered import REMEMBERED, Remembered, folder_of
from oddframe.site.store import Store
from oddframe.site.store.records import EventFilter
from oddframe.teaching.lesson_records import Preview, Scope
from oddframe.teaching.lessons import Teaching

FPS = 10.0
BLOCK = 300
USUAL: Mapping[str, float] = {"local_distance": 0.05, "motion": 0.001, "flow": 0.05, "direction": 0.02}
"""What a calm place has of each local component, about."""
EVENT_S = 20
SPOTS = 12
"""Places at which odd things come."""
DRAWN, DRAWN_EVENTS = 3_000, 24
"""Normal frames and events that are drawn; of a longer day the others are the same again, a little louder or later."""
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
ASKED_PER_DAY = 4.0


@dataclass
class Drawing:
    """Draws the evidence of a camera, and makes a site of it.

    Attributes:
        home: the folder. preset: whose maps they are. hours: of evidence. minutes: of events in each of them.
    """

    home: Path
    preset: str
    hours: float
    minutes: float
    chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def make(self) -> None:
        """Leave `home`/fitting and `home`/site."""
        self.home.mkdir(parents=True, exist_ok=True)
        trained, folder = open_trained(MODEL), self.home / "fitting"
        folder.mkdir()
        calibration = self._fit(trained, folder)
        with Store.open(self.home / "site") as store:
            cameras = store.cameras
            cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/…")
            cameras.put_detector("drawn", str(MODEL))
            cameras.fit("gate", "drawn", str(folder))
            cameras.set_line(line_for(MODEL, folder, ASKED_PER_DAY).record("gate", "", "ada"))
            drawn = [self._event(calibration, number) for number in range(DRAWN_EVENTS)]
            for number in range(round(self.hours * self.minutes * 60 / EVENT_S)):
                self._remember(store, drawn[number % len(drawn)], file_digest(folder / WORDS), number)

    @property
    def _settings(self) -> Settings:
        return load_settings(self.preset)

    @property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        score, size = self._settings.score, self._settings.model.size  # type: ignore[attr-defined]
        windows = tuple(1 + -(-(side - score.window) // score.stride) for side in size)
        shapes: dict[str, tuple[int, ...]] = {"local_distance": tuple(side // 8 for side in size), "motion": windows}
        if "flow" in score.online:
            shapes |= {"flow": windows, "direction": (*windows, 8)}
        return shapes

    def _maps(self, frames: int, *, spot: tuple[float, float] | None = None) -> Iterator[Raw]:
        """So many frames in a row; at a spot (0..1, 0..1) something odd comes to and fro."""
        chance, drifts = self.chance, {}
        shapes = self._shapes
        start, ways = chance.uniform(0, 6.3), chance.uniform(0, 1, 8)
        for row in range(frames):
            usual = 0.5 + 0.4 * np.sin(start + row / 40), 0.6
            maps = {}
            for name, shape in shapes.items():
                fresh = chance.normal(0, 1, shape)
                drifts[name] = drift = 0.9 * drifts.get(name, fresh) + 0.43 * fresh
                logs = np.log(USUAL[name]) + 0.5 * drift
                for at, much in ((usual, 1.5), (spot, 3.5 + np.sin(row / 3))):
                    if at is not None:
                        rows, columns = (np.arange(side) / side for side in shape[:2])
                        near = np.exp(-(((rows[:, None] - at[1]) / 0.12) ** 2) - ((columns - at[0]) / 0.08) ** 2)
                        logs = logs + much * (near if len(shape) == 2 else near[:, :, None] * ways)
                maps[name] = np.exp(logs).astype(np.float32)
            values = {"distance": float(maps["local_distance"].mean())}
            raw = Raw(row, row / FPS, values, maps, anew=row == 0)
            yield pooled(raw, {}, self._settings.score.local_share)

    def _fit(self, trained: Trained, folder: Path) -> Calibration:
        settings, share = self._settings.score, self._settings.score.local_share
        drawn = [list(self._maps(BLOCK)) for _ in range(DRAWN // BLOCK)]
        places = {
            name: place
            for name in self._shapes
            if (place := PlaceNormal.fit(log_scale(name, raw.maps[name]) for one in drawn for raw in one)) is not None
        }
        keeping, stretches = Keeping(), []
        blocks = [
            (
                {name: np.array([raw.values[name] for raw in one], np.float32) for name in one[0].values},
                {
                    name: np.array([placed_value(name, place, raw, share) for raw in one], np.float32)
                    for name, place in places.items()
                },
            )
            for one in drawn
        ]
        for number in range(max(2, round(self.hours * 3600 * FPS / BLOCK))):
            which = number % len(drawn)
            more = np.float32(self.chance.uniform(0.9, 1.1))
            values, placed = ({name: more * one for name, one in of.items()} for of in blocks[which])
            frame = np.arange(BLOCK) + number * BLOCK
            for row, raw in enumerate(drawn[which]):
                keeping.take(number, row, float(sum(one[row] for one in placed.values())), raw)
            stretches.append(Stretch("", "heldout", frame, frame / FPS, values, placed))
        judged = Judged(tuple(stretches), {"": places}, settings.window, settings.stride, share)
        score = settings.model_copy(update={"false_alarms_per_hour": ASKED_PER_DAY / 24})
        calibration, promise = promised(fit_calibration(judged, score), judged, ASKED_PER_DAY)
        save_calibration(calibration, folder)
        record = FittingRecord(
            detector=detector_of(trained),
            name=f"maps of {self.preset}",
            score=score,
            fps=FPS,
            videos=(FittedVideo(name="drawn", profile="", frames=sum(map(len, stretches))),),
            evidence=save_judged(judged, folder),
            promise=promise,
            when=BEGAN.isoformat(),
            versions=versions(),
            notes=(),
            maps=keeping.kept().save(folder),
        )
        write_record(folder / FILE, record, "the fitting cannot be written")
        return calibration

    def _event(self, calibration: Calibration, number: int) -> Remembered:
        """What is remembered of an event: of three, two are at one of the spots, one is anywhere."""
        spots = np.random.default_rng(1).uniform(0.1, 0.9, (SPOTS, 2))
        where = self.chance.uniform(0.1, 0.9, 2) if number % 3 == 2 else spots[number % SPOTS]
        raws = list(self._maps(round(EVENT_S * FPS), spot=(float(where[0]), float(where[1]))))
        measures = [calibration.pooled.components.measures(raw) for raw in raws]
        levels = [rounded(raw.maps) for raw in raws]
        frame = np.arange(len(raws))
        return Remembered(
            "",
            False,
            "",
            "",
            "",
            calibration.line.on,
            BEGAN,
            1,
            frame,
            frame,
            frame / FPS,
            frame == 0,
            {name: np.array([raw.values[name] for raw in raws]) for name in raws[0].values},
            {name: np.array([one[name] for one in measures]) for name in measures[0]},
            {name: np.stack([one[name] for one in levels]) for name in levels[0]},
        )

    def _remember(self, store: Store, drawn: Remembered, digest: str, number: int) -> None:
        """An event of this day."""
        at = BEGAN + timedelta(seconds=number * 60 / self.minutes * EVENT_S)
        event, count = event_id(at), len(drawn)
        at_us = (1e6 * (at.timestamp() + drawn.time_s)).astype(np.int64)
        folder = folder_of(store.folder / REMEMBERED, store.cameras.get("gate").id)
        folder.mkdir(parents=True, exist_ok=True)
        remembered = replace(drawn, event=event, calibration=digest, began_at=at, at_us=at_us)
        remembered.save(folder / f"{event}.npz")
        told = CameraEvent(
            id=event,
            camera="gate",
            profile="",
            started_at=at,
            peak_at=at,
            ended_at=at + timedelta(seconds=EVENT_S),
            start_s=0.0,
            peak_s=0.0,
            end_s=float(EVENT_S),
            start_frame=0,
            peak_frame=0,
            end_frame=count,
            score=4.0,
            line=drawn.line,
            ended_by="calm",
        )
        store.events.write([Change(kind="new", number=0, at=at, event=told)])


def measure(home: Path) -> dict[str, Any]:
    """Seconds of each step, and what they found, in a process that knows nothing yet."""
    taken: dict[str, tuple[float, float]] = {}
    told: dict[str, Preview] = {}

    def timed(name: str, do: Callable[[], Preview]) -> None:
        began, busy = time.perf_counter(), time.process_time()
        told[name] = do()
        taken[name] = time.perf_counter() - began, time.process_time() - busy

    with Store.open(home / "site") as store:
        stored = store.events.page(EventFilter(), limit=500).events
        first, other = stored[-1].event.id, stored[-2].event.id
        timed("preview", lambda: Teaching(store, "gate").preview(first, "normal"))
        review = store.reviews.add(first, "ada", "normal")
        timed("carry out", lambda: Teaching(store, "gate").carry_out(first))
        timed("another preview", lambda: Teaching(store, "gate").preview(other, "normal", Scope(reach="wide")))
        timed("forget", lambda: Teaching(store, "gate").forget(review.id))
        store.reviews.undo("ada")
        files = list((store.folder / REMEMBERED).glob("*/*.npz"))
    return {
        "taken": taken,
        "events": len(files),
        "megabytes": sum(one.stat().st_size for one in files) / 1e6,
        "evidence_megabytes": sum(one.stat().st_size for one in (home / "fitting").glob("*.npz")) / 1e6,
        "silenced": len(told["preview"].silenced),
        "line": list(told["preview"].line[""]),
    }


def figures_of(home: Path, repeats: int) -> dict[str, Any]:
    """Medians of several processes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as fresh:
        found = [fresh.submit(measure, home).result() for _ in range(repeats)]
    taken = [one.pop("taken") for one in found]
    steps = {name: list(zip(*(one[name] for one in taken), strict=True)) for name in taken[0]}
    kinds = {"seconds": 0, "processor_seconds": 1}
    return {
        kind: {name: _spread(both[place]) for name, both in steps.items()} for kind, place in kinds.items()
    } | found[0]


def _spread(several: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(several), "least": min(several), "most": max(several)}


def main() -> None:
    """Make the sites, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=["live", "cpu"], help="whose maps are remembered")
    parser.add_argument("--hours", type=float, default=24.0, help="of normal video, and of remembered events")
    parser.add_argument("--minutes", type=float, default=2.0, help="of events in an hour")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sites", type=Path, metavar="FOLDER", help="where they are kept, and used again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    found: dict[str, Any] = {"hours": given.hours, "event_minutes_an_hour": given.minutes, "fps": FPS, "presets": {}}
    with tempfile.TemporaryDirectory() as temporary:
        for preset in given.presets:
            home = (given.sites or Path(temporary)) / preset
            if not (home / "site").is_dir():
                Drawing(home, preset, given.hours, given.minutes).make()
            figures = found["presets"][preset] = figures_of(home, given.repeats)
            for name, one in figures["seconds"].items():
                busy = figures["processor_seconds"][name]["median"]
                between = f"({one['least']:.2f} to {one['most']:.2f}; the processor worked for {busy:.2f})"
                print(f"{preset:6} {name:16} {one['median']:6.2f} s   {between}")
    if given.json is not None:
        given.json.write_text(json.dumps(found | {"host": host().to_dict()}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
