"""Is the promise of a line kept? False alarms asked and seen, on hours of drawn video that nobody calibrated on.

    python experiments/promise.py judge --kept /tmp/promise          # hours; goes on where it was stopped
    python experiments/promise.py count --kept /tmp/promise          # experiments/results/promise.json

The first command draws one camera by day, dusk, night and in rain, ten minutes at a time, has the detector of this
package judge it as it is drawn, and keeps what it found (`--hours` of each profile, twice: to calibrate on, and to
measure on). The second one fits the detector as `oddframe calibrate --false-alarms-per-day` does, to one half of the
hours, and counts the events that the other half raises; then the other way round. One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from oddframe.artefact import Trained, open_trained
from oddframe.data.synthetic.day.draw import Places, frames
from oddframe.data.synthetic.day.light import Light, Weather
from oddframe.data.synthetic.day.moves import RATE
from oddframe.data.synthetic.day.places import PLANS
from oddframe.data.synthetic.day.sets import Script
from oddframe.files import atomic_write
from oddframe.instant import MODEL
from oddframe.origin import Rate
from oddframe.progress import unwatched
from oddframe.scoring.alarms import AlarmRule, events
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.collect import BLOCK, Footage, judge
from oddframe.scoring.evidence import EvidenceStream
from oddframe.scoring.judged import Judged
from oddframe.scoring.line import Timed, draw_line, seconds_of
from oddframe.scoring.promise import Promise, per_hour
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.scoring.scorer import evidence_stream
from oddframe.scoring.scores import Raw
from oddframe.scoring.session import Fusing
from oddframe.settings import ScoreSettings
from oddframe.video.source import Frame

RESULT = Path(__file__).parent / "results" / "promise.json"

PROFILES: dict[str, tuple[Light, Weather]] = {
    "day": ("day", "clear"),
    "dusk": ("dusk", "clear"),
    "night": ("night", "clear"),
    "rain": ("day", "rain"),
}
ASKED_PER_DAY = (24.0, 6.0, 1.0)
PLAN = PLANS["develop"][0]
EVERY = 4
"""Of the world's frames: 2.5 a second are enough for a camera before which people walk."""
CHUNK_S = 600
HALVES = ("first", "second")
_SEED = 40_411
_BATCH = 8


@dataclass(frozen=True)
class Part:
    """Ten minutes of one profile, of the first or the second half of the hours."""

    half: str
    profile: str
    number: int

    @property
    def name(self) -> str:
        """Of its file, without extension."""
        return f"{self.half}-{self.profile}-{self.number:03}"

    def drawn(self, places: Places) -> Iterator[Frame]:
        """Its frames."""
        light, weather = PROFILES[self.profile]
        number = 100_000 * HALVES.index(self.half) + 10_000 * list(PROFILES).index(self.profile) + self.number
        script = Script(_SEED, PLAN, 0, "normal", number, CHUNK_S * RATE, light, weather)
        for index, (pixels, _) in enumerate(frames(script, places, every=EVERY)):
            yield Frame(index, index * EVERY / RATE, pixels)


def parts(hours: float) -> list[Part]:
    """All parts, such that what there is at any time has as much of each half and profile."""
    count = round(hours * 3600 / CHUNK_S)
    return [Part(half, name, number) for number in range(count) for half in HALVES for name in PROFILES]


def judge_parts(kept: Path, wanted: Sequence[Part], until_s: float) -> None:
    """Draw and judge what is not there yet; what the detector found stays in a file of each part."""
    trained = open_trained(MODEL)
    stream = evidence_stream(open_runtime(trained, "onnxruntime"), trained.settings, batch=_BATCH)
    kept.mkdir(parents=True, exist_ok=True)
    places = Places()
    for done, part in enumerate(wanted):
        path = kept / f"{part.name}.npz"
        if path.is_file():
            continue
        if time.time() > until_s:
            return
        begun, busy = time.monotonic(), time.process_time()
        _keep(path, list(stream.raw(part.drawn(places))), trained.settings.score)
        took, busy = time.monotonic() - begun, time.process_time() - busy
        print(f"{done + 1}/{len(wanted)} {part.name}: {took:.0f} s, {busy:.1f} s of a core", flush=True)


def _keep(path: Path, raws: Sequence[Raw], score: ScoreSettings) -> None:
    """Values of all frames, and those maps that a calibration looks at."""
    arrays = {"frame": np.array([raw.frame for raw in raws]), "time_s": np.array([raw.time_s for raw in raws])}
    for name in raws[0].values:
        arrays[f"values/{name}"] = np.array([raw.values[name] for raw in raws], np.float32)
    for name in score.per_place:
        arrays[f"maps/{name}"] = np.stack([raw.maps[name] for raw in raws])
    with atomic_write(path, "what was judged cannot be kept") as place, place.open("wb") as file:
        np.savez(file, **arrays)


def kept_raws(path: Path) -> list[Raw]:
    """What `judge_parts` kept of a part."""
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files}
    values, maps = (
        {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(kind)}
        for kind in ("values/", "maps/")
    )
    return [
        Raw(
            int(frame),
            float(time_s),
            {name: float(column[at]) for name, column in values.items()},
            {name: column[at] for name, column in maps.items()},
            anew=at == 0,
        )
        for at, (frame, time_s) in enumerate(zip(arrays["frame"], arrays["time_s"], strict=True))
    ]


class KeptStream:
    """Stands where `judge` wants a stream that judges frames: these are judged already."""

    def raw(self, frames: Iterable[Raw], rate: Rate) -> Iterator[Raw]:
        """Give them on."""
        yield from frames


class Shelf:
    """Parts that are there, the last of which is in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[Part | None, list[Raw]] = (None, [])

    def raws(self, part: Part) -> list[Raw]:
        """What was found in a part."""
        if self._last[0] != part:
            self._last = (part, kept_raws(self._folder / f"{part.name}.npz"))
        return self._last[1]

    def block(self, part: Part, begin: int) -> list[Raw]:
        """A block of it, as `oddframe calibrate` takes recordings apart."""
        return self.raws(part)[begin : begin + BLOCK]


def evidence_of(shelf: Shelf, there: Sequence[Part], score: ScoreSettings) -> Judged:
    """What a calibration is fitted on, as `oddframe calibrate` gathers it from recordings in a folder a profile."""
    footage = []
    for part in there:
        count = len(shelf.raws(part))
        for begin in range(0, count, BLOCK):
            length = min(BLOCK, count - begin)
            footage.append(Footage(part.profile, "heldout", length, partial(shelf.block, part, begin)))
    stream: EvidenceStream = KeptStream()  # type: ignore[assignment]
    return judge(stream, footage, score, unwatched)


@dataclass(frozen=True)
class Line:
    """Where alarms of a fitting begin.

    Attributes:
        fitted_on: which half of the hours. hours: that it was drawn on. vouched_per_day: what it says of itself
            (`Promise.at_most`). on: the line. fair: the lowest one that would have kept the promise in the other half.
    """

    fitted_on: str
    asked_per_day: float
    hours: float
    vouched_per_day: float | None
    on: float
    fair: float


@dataclass(frozen=True)
class Counted:
    """False alarms that a line raised in hours of a profile that it was not drawn on."""

    fitted_on: str
    asked_per_day: float
    profile: str
    hours: float
    alarms: int


def count(shelf: Shelf, there: Sequence[Part], trained: Trained) -> tuple[list[Line], list[Counted]]:
    """Fit to one half of the hours, and count in the other; both ways."""
    lines, counted = [], []
    score = trained.settings.score
    rule = AlarmRule.of(score)
    for fitted_on in HALVES:
        judged = evidence_of(shelf, [part for part in there if part.half == fitted_on], score)
        measured = [part for part in there if part.half != fitted_on]
        scores: dict[Part, Timed] = {}
        for asked in ASKED_PER_DAY:
            changed = score.model_copy(update={"false_alarms_per_hour": per_hour(asked)})
            calibration = fit_calibration(judged, changed, dict.fromkeys(score.online, 1.0))
            # another rate changes nothing but the line
            scores = scores or {part: scores_of(shelf.raws(part), calibration, part.profile) for part in measured}
            promise = Promise.of(calibration, judged, asked)
            fair = draw_line(list(scores.values()), per_hour(asked), rule).on
            lines.append(Line(fitted_on, asked, promise.hours or 0.0, promise.at_most, calibration.line.on, fair))
            for profile in PROFILES:
                here = [one for part, one in scores.items() if part.profile == profile]
                alarms = sum(
                    len(list(events(range(len(one.scores)), one.scores, calibration.line, rule, one.times_s)))
                    for one in here
                )
                hours = sum(seconds_of(one.times_s) for one in here if one.times_s is not None) / 3600
                counted.append(Counted(fitted_on, asked, profile, hours, alarms))
    return lines, counted


def scores_of(raws: Sequence[Raw], calibration: Calibration, profile: str) -> Timed:
    """`online` of the frames of a part."""
    fusing = Fusing(calibration.scene(profile)[0])
    online = np.array([fusing.take(raw)[1] for raw in raws])
    return Timed(online, np.array([raw.time_s for raw in raws], np.float64))


def main() -> None:
    """Judge, or count."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["judge", "count"])
    parser.add_argument("--kept", type=Path, required=True, help="folder for what was judged")
    parser.add_argument("--hours", type=float, default=3.0, help="of each profile, in each half")
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so long; the same command goes on")
    given = parser.parse_args()
    wanted = parts(given.hours)
    if given.do == "judge":
        judge_parts(given.kept, wanted, time.time() + 60 * given.minutes)
        return
    there = [part for part in wanted if (given.kept / f"{part.name}.npz").is_file()]
    each = Counter((part.half, part.profile) for part in there)
    whole = min(each[half, profile] for half in HALVES for profile in PROFILES)
    there = [part for part in there if part.number < whole]
    trained = open_trained(MODEL)
    lines, counted = count(Shelf(given.kept), there, trained)
    found = {
        "frames_a_second": RATE / EVERY,
        "place": PLAN.name,
        "lines": [asdict(one) for one in lines],
        "counted": [asdict(one) for one in counted],
    }
    RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
