"""What each kind of evidence looks like on normal video that was not trained on.

A raw value becomes "how rare is this on normal video", so that components can be added, cameras compared, and a
line means a rate of false alarms. Scenes with enough held-out frames have a calibration of their own; others, and
scenes never seen, use the pooled one and say so.
"""

from __future__ import annotations

import io
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import RunError
from oddframe.files import beside, write_text
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.fusion import causal_mean, fit_weights, online_components, weighted
from oddframe.scoring.line import Timed, draw_line, times_of
from oddframe.scoring.places import PlaceNormal
from oddframe.scoring.scores import LOWER_IS_ODDER, AlarmLine, Raw, oddness
from oddframe.scoring.tail import TAIL_SHARE, Tail
from oddframe.settings import ScoreSettings
from oddframe.video.motion import oddest

FORMAT = 1

LEAST_FRAMES = 100
"""Held-out frames that a scene needs for a calibration of its own."""

KEPT_BY = 0.95
"""Share of stretches of normal video that are to keep the promise of a line."""

POOLED = ""
"""Name of the calibration of all scenes together."""

LEARNED_IS_ONLINE = "`learned` equals `online`"
"""Stands in the note of a calibration for which no weights were fitted."""


LEAST_VALUE = 1e-5
"""Smaller errors (less than a grey level) and distances count as this much, so that flicker is not called rare."""


def log_scale(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a raw component into the scale on which it is calibrated: higher is odder, in logarithms.

    Errors and distances of odd frames are many times the normal ones, not so much larger: on a linear scale the
    tails would run to rarities of hundreds, and one component would drown the others when they are added. PSNR is a
    logarithm already.
    """
    if name in LOWER_IS_ODDER:
        return oddness(name, values)
    return np.log(np.maximum(values, np.float32(LEAST_VALUE)))


@dataclass(frozen=True)
class Stretch:
    """The evidence of one unbroken stretch of video, of a few hundred frames at most.

    Attributes:
        abnormal: (N,) bool for known anomalies kept apart for `learned`; None for normal video.
    """

    scene: str
    raw: Sequence[Raw]
    abnormal: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class SceneCalibration:
    """One scene's normal: places of local components, tails of components and of the two fused scores."""

    places: Mapping[str, PlaceNormal]
    tails: Mapping[str, Tail]
    online: Tail
    learned: Tail
    local_share: float

    def local_value(self, name: str, raw: Raw) -> float:
        """The component on its log scale, higher = odder; by its map standardised per place where that is known."""
        if name in self.places:
            return oddest(self.places[name].standardise(log_scale(name, raw.maps[name])), self.local_share)
        return float(log_scale(name, np.array([raw.values[name]], np.float32))[0])

    def calibrate(self, raw: Raw) -> dict[str, float]:
        """Component → -log10 of the share of normal frames at least as odd."""
        return {name: tail.rarity_of(self.local_value(name, raw)) for name, tail in self.tails.items()}

    def rarity_map(self, name: str, raw: Raw) -> NDArray[np.float32]:
        """(h, w) rarity of each place of a local component."""
        values = log_scale(name, raw.maps[name])
        if name in self.places:
            values = self.places[name].standardise(values)
        return self.tails[name].rarity(values).astype(np.float32)


@dataclass(frozen=True)
class Calibration:
    """Calibrations by scene, the weights of the fusions, and the alarm line.

    Attributes:
        scenes: scene → calibration; `POOLED` is always there.
        learned_weights: component → weight; equal to the online ones where no known anomaly was held out.
        line: where alarms begin.
        heldout: component or fusion → (N,) values (higher = odder) on held-out normal video.
        notes: what a reader must know.
    """

    scenes: Mapping[str, SceneCalibration]
    online_weights: Mapping[str, float]
    learned_weights: Mapping[str, float]
    smoothing: int
    line: AlarmLine
    heldout: Mapping[str, NDArray[np.float32]]
    notes: tuple[str, ...] = field(default=())

    def scene(self, name: str) -> tuple[SceneCalibration, str]:
        """Return the scene's calibration, or the pooled one with a sentence that says so."""
        known = [scene for scene in self.scenes if scene != POOLED]
        if name in known:
            return self.scenes[name], ""
        why = f"scene '{name}' has no calibration of its own" if name else "the video names no scene"
        return self.scenes[POOLED], f"{why}: the pooled one is used" if known else ""

    def save(self, folder: Path) -> None:
        """Write calibration.json and calibration.npz into a run's folder."""
        arrays: dict[str, NDArray[Any]] = {f"heldout/{name}": values for name, values in self.heldout.items()}
        scenes = {}
        for scene, normal in self.scenes.items():
            for name, place in normal.places.items():
                arrays[f"places/{scene}/{name}/mean"] = place.mean
                arrays[f"places/{scene}/{name}/spread"] = place.spread
            scenes[scene] = {
                "places": sorted(normal.places),
                "tails": {name: tail.to_dict() for name, tail in normal.tails.items()},
                "online": normal.online.to_dict(),
                "learned": normal.learned.to_dict(),
            }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        with beside(folder / "calibration.npz", "the calibration cannot be written") as begun:
            begun.write_bytes(buffer.getvalue())
        stored = {
            "format": FORMAT,
            "scenes": scenes,
            "online_weights": dict(self.online_weights),
            "learned_weights": dict(self.learned_weights),
            "smoothing": self.smoothing,
            "local_share": self.scenes[POOLED].local_share,
            "line": asdict(self.line),
            "notes": list(self.notes),
        }
        write_text(folder / "calibration.json", json.dumps(stored, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """Read what `save` wrote.

        Raises:
            RunError: files are missing, damaged, or of another format.
        """
        path = folder / "calibration.json"
        try:
            stored = json.loads(path.read_text("utf-8"))
            if stored.get("format") != FORMAT:
                raise RunError(
                    "the calibration has another format",
                    path=path,
                    seen=stored.get("format"),
                    wanted=FORMAT,
                    hint="train again with this version",
                )
            with np.load(folder / "calibration.npz", allow_pickle=False) as arrays:
                scenes = {}
                for scene, normal in stored["scenes"].items():
                    places = {
                        name: PlaceNormal(
                            arrays[f"places/{scene}/{name}/mean"], arrays[f"places/{scene}/{name}/spread"]
                        )
                        for name in normal["places"]
                    }
                    tails = {name: Tail.from_dict(tail) for name, tail in normal["tails"].items()}
                    online, learned = Tail.from_dict(normal["online"]), Tail.from_dict(normal["learned"])
                    scenes[scene] = SceneCalibration(places, tails, online, learned, stored["local_share"])
                heldout = {key.split("/", 1)[1]: arrays[key] for key in arrays.files if key.startswith("heldout/")}
            return cls(
                scenes,
                stored["online_weights"],
                stored["learned_weights"],
                stored["smoothing"],
                AlarmLine(**stored["line"]),
                heldout,
                tuple(stored["notes"]),
            )
        except FileNotFoundError as error:
            raise RunError(
                "the run has no calibration",
                path=error.filename or path,
                hint="its training has not finished: run the same `oddframe train` command again",
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error) as error:
            raise RunError(
                "the calibration is damaged",
                path=path,
                seen=f"{type(error).__name__}: {error}",
                hint="copy the run again, or train again with another --out",
            ) from None


def fit_calibration(
    heldout: Sequence[Stretch], settings: ScoreSettings, trained: Sequence[Stretch] = ()
) -> Calibration:
    """Fit on stretches of held-out video.

    Args:
        heldout: normal stretches that the network was not trained on (at least one, with at least one frame), and
            known anomalies kept apart.
        settings: which components make `online`, smoothing, places, the rate of false alarms.
        trained: normal stretches that it was trained on. They tell how much stretches differ (`as_lively`), which a
            few held-out ones cannot.
    """
    normal = [stretch for stretch in heldout if stretch.abnormal is None and len(stretch.raw)]
    odd = [stretch for stretch in heldout if stretch.abnormal is not None and len(stretch.raw)]
    names = list(normal[0].raw[0].values)
    online = dict.fromkeys(online_components(settings.online, names), 1.0)
    by_scene = _by_scene(normal)
    notes = []
    bases = {scene: _fit_components(stretches, names, settings) for scene, stretches in by_scene.items()}
    frames = sum(len(stretch.raw) for stretch in normal)
    if frames < LEAST_FRAMES:
        notes.append(
            f"only {frames} held-out normal frames, where calibration wants {LEAST_FRAMES}: every place counts as any "
            "other, and lines are rough. Hold out more: --set data.heldout=0.2"
        )
    elif set(settings.per_place) & set(names) and not bases[POOLED][0]:
        notes.append("scenes differ or are short: a video of any other scene is judged without statistics per place")

    def calibrated(stretch: Stretch) -> dict[str, NDArray[np.float64]]:
        places, tails = bases[stretch.scene if stretch.scene in bases else POOLED]
        scene = SceneCalibration(places, tails, _NO_TAIL, _NO_TAIL, settings.local_share)
        rows = [scene.calibrate(raw) for raw in stretch.raw]
        return {name: np.array([row[name] for row in rows]) for name in names}

    calm = [calibrated(stretch) for stretch in normal]
    learned = dict(online)
    if odd:
        strange = [calibrated(stretch) for stretch in odd]
        pooled_calm = {name: np.concatenate([values[name] for values in calm]) for name in names}
        pooled_odd = {
            name: np.concatenate([values[name][stretch.abnormal] for values, stretch in zip(strange, odd, strict=True)])
            for name in names
        }
        if len(pooled_odd[names[0]]):
            learned = fit_weights(pooled_calm, pooled_odd, online)
        else:
            notes.append(f"no abnormal frame of the known anomalies held out can be judged: {LEARNED_IS_ONLINE}")
    else:
        notes.append(f"no known anomaly was held out: {LEARNED_IS_ONLINE}")

    trained = [stretch for stretch in trained if len(stretch.raw)]
    familiar = [calibrated(stretch) for stretch in trained]
    scenes_of = [stretch.scene for stretch in (*normal, *trained)]

    def fused(weights: Mapping[str, float]) -> list[NDArray[np.float64]]:
        """The score on each stretch, held-out ones first."""
        return [causal_mean(weighted(values, weights), settings.smoothing) for values in (*calm, *familiar)]

    online_scores, learned_scores = fused(online), fused(learned)
    scenes, rarities, learned_rarities = {}, [], []
    for scene, (places, tails) in bases.items():
        of_scene = [number for number, name in enumerate(scenes_of) if scene in (POOLED, name)]
        heldout_here = sum(number < len(normal) for number in of_scene)
        lively, learned_lively = (
            as_lively([scores[number] for number in of_scene], heldout_here)
            for scores in (online_scores, learned_scores)
        )
        scenes[scene] = SceneCalibration(
            places,
            tails,
            Tail.fit(np.concatenate(lively)),
            Tail.fit(np.concatenate(learned_lively)),
            settings.local_share,
        )
        for number, scores, learned_here in zip(of_scene, lively, learned_lively, strict=True):
            used = scenes_of[number] if scenes_of[number] in bases else POOLED
            if number < len(normal) and used == scene:
                rarities.append(Timed(scenes[scene].online.rarity(scores), times_of(normal[number].raw)))
                learned_rarities.append(scenes[scene].learned.rarity(learned_here))
    line = draw_line(rarities, settings.false_alarms_per_hour, AlarmRule.of(settings))
    values = {
        name: oddness(name, np.array([raw.values[name] for stretch in normal for raw in stretch.raw], np.float32))
        for name in names
    }
    values |= {
        "online": np.concatenate([scores for scores, _ in rarities]).astype(np.float32),
        "learned": np.concatenate(learned_rarities).astype(np.float32),
    }
    return Calibration(scenes, online, learned, settings.smoothing, line, values, tuple(notes))


def as_lively(scores: Sequence[NDArray[np.float64]], heldout: int) -> list[NDArray[np.float64]]:
    """Bring every stretch to the level that nineteen of twenty stretches of normal video do not pass.

    Frames of one video are hundreds of neighbours: they tell how its frames differ, not how videos differ, and a line
    at their quantile is crossed by every livelier video. The level of a stretch is the mean of its oddest tenth. Levels
    of n stretches with spread s bound the level of the next one by their mean + t s sqrt(1 + 1/n), with t the 95 %
    quantile of Student's distribution: a one-sided prediction bound. Trained stretches count as well, for two or three
    held-out ones know nothing of s. On what it was trained on a network is too good, if anything: where trained
    stretches lie lower than held-out ones on the mean, they are lifted to them.

    Args:
        scores: of each stretch, (N,) with N >= 1; held-out ones first.
        heldout: how many are held out, at least one.

    Returns:
        The scores of each stretch, each moved by one number. One stretch alone stays where it is.
    """
    levels = np.array([_level(values) for values in scores])
    count = len(levels)
    if count == 1:
        return list(scores)
    lift = np.zeros(count)
    if count > heldout:
        lift[heldout:] = max(0.0, float(levels[:heldout].mean() - levels[heldout:].mean()))
    from scipy.special import stdtrit

    lifted = levels + lift
    bound = lifted.mean() + stdtrit(count - 1, KEPT_BY) * lifted.std(ddof=1) * math.sqrt(1 + 1 / count)
    return [values - level + bound for values, level in zip(scores, levels, strict=True)]


def _level(scores: NDArray[np.float64]) -> float:
    return float(scores[scores >= np.quantile(scores, 1 - TAIL_SHARE)].mean())


_NO_TAIL = Tail(np.zeros(1), np.zeros(1), 0.0, 1.0, 0)


def _by_scene(normal: Sequence[Stretch]) -> dict[str, list[Stretch]]:
    """Stretches of every scene that has enough frames, and of all together."""
    scenes: dict[str, list[Stretch]] = {}
    for stretch in normal:
        scenes.setdefault(stretch.scene, []).append(stretch)
    enough = {
        scene: stretches
        for scene, stretches in scenes.items()
        if scene != POOLED and sum(len(stretch.raw) for stretch in stretches) >= LEAST_FRAMES
    }
    return {POOLED: list(normal)} | (enough if len(scenes) > 1 else {})


def _fit_components(
    stretches: Sequence[Stretch], names: Sequence[str], settings: ScoreSettings
) -> tuple[dict[str, PlaceNormal], dict[str, Tail]]:
    one_scene = len({stretch.scene for stretch in stretches}) == 1
    places: dict[str, PlaceNormal] = {}
    for name in settings.per_place if one_scene else ():
        if name in names:
            fitted = PlaceNormal.fit(log_scale(name, raw.maps[name]) for stretch in stretches for raw in stretch.raw)
            if fitted is not None:
                places[name] = fitted
    scene = SceneCalibration(places, {}, _NO_TAIL, _NO_TAIL, settings.local_share)
    tails = {
        name: Tail.fit([scene.local_value(name, raw) for stretch in stretches for raw in stretch.raw]) for name in names
    }
    return places, tails
