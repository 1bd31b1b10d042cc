"""What each kind of evidence looks like on normal video that was not trained on.

A raw value becomes "how rare is this on normal video", so that components can be added, cameras compared, and a
line means a rate of false alarms. Scenes with enough held-out frames have a calibration of their own; others, and
scenes never seen, use the pooled one and say so.
"""

from __future__ import annotations

import io
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import RunError, StorageError
from oddframe.scoring.alarms import draw_line
from oddframe.scoring.fusion import causal_mean, fit_weights, weighted
from oddframe.scoring.places import PlaceNormal
from oddframe.scoring.scores import LOWER_IS_ODDER, AlarmLine, Raw, oddness, write_beside
from oddframe.scoring.tail import TAIL_SHARE, Tail
from oddframe.settings import ScoreSettings
from oddframe.video.motion import oddest

FORMAT = 1

LEAST_FRAMES = 100
"""Held-out frames that a scene needs for a calibration of its own."""

POOLED = ""
"""Name of the calibration of all scenes together."""


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
    fps: float | None
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
        return {name: float(tail.rarity(self.local_value(name, raw))) for name, tail in self.tails.items()}

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
        beside = folder / f".calibration.{os.getpid()}.tmp"
        try:
            beside.write_bytes(buffer.getvalue())
            beside.replace(folder / "calibration.npz")
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise StorageError("the calibration cannot be written", path=folder, seen=error.strerror) from None
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
        write_beside(folder / "calibration.json", json.dumps(stored, indent=1))

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
        trained: normal stretches that it was trained on. How odd they are tells nothing; how much they differ from
            each other tells what a few held-out ones cannot (`between`).
    """
    normal = [stretch for stretch in heldout if stretch.abnormal is None and len(stretch.raw)]
    odd = [stretch for stretch in heldout if stretch.abnormal is not None and len(stretch.raw)]
    names = list(normal[0].raw[0].values)
    online: dict[str, float] = {name: 1.0 for name in settings.online if name in names} or {"local_error": 1.0}
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
        notes.append("scenes differ or are short: statistics per place are not used by the pooled calibration")

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
        notes.append("no known anomaly was held out: `learned` equals `online`")

    familiar = [calibrated(stretch) for stretch in trained if len(stretch.raw)]

    def fused(weights: Mapping[str, float]) -> list[list[NDArray[np.float64]]]:
        """The score on each held-out stretch, in all the levels that a next one could have."""
        scores, seen = (
            [causal_mean(weighted(values, weights), settings.smoothing) for values in stretches]
            for stretches in (calm, familiar)
        )
        levels = next_levels(scores, seen)
        return [[score + level for level in levels] for score in scores]

    online_scores, learned_scores = fused(online), fused(learned)
    scenes = {}
    for scene, (places, tails) in bases.items():
        of_scene = [number for number, stretch in enumerate(normal) if scene in (POOLED, stretch.scene)]
        scenes[scene] = SceneCalibration(
            places,
            tails,
            Tail.fit(np.concatenate([scores for number in of_scene for scores in online_scores[number]])),
            Tail.fit(np.concatenate([scores for number in of_scene for scores in learned_scores[number]])),
            settings.local_share,
        )
    own = [scenes[stretch.scene if stretch.scene in scenes else POOLED] for stretch in normal]
    rarities = [
        [scene.online.rarity(scores) for scores in versions] for scene, versions in zip(own, online_scores, strict=True)
    ]
    learned_rarities = [
        [scene.learned.rarity(scores) for scores in versions]
        for scene, versions in zip(own, learned_scores, strict=True)
    ]
    line = draw_line(
        [(scores, stretch.fps) for versions, stretch in zip(rarities, normal, strict=True) for scores in versions],
        settings.false_alarms_per_hour,
        versions=len(rarities[0]),
    )
    values = {
        name: oddness(name, np.array([raw.values[name] for stretch in normal for raw in stretch.raw], np.float32))
        for name in names
    }
    values |= {"online": _thinned(rarities), "learned": _thinned(learned_rarities)}
    return Calibration(scenes, online, learned, settings.smoothing, line, values, tuple(notes))


def next_levels(
    heldout: Sequence[NDArray[np.floating]], trained: Sequence[NDArray[np.floating]] = ()
) -> NDArray[np.float64]:
    """By how much the next stretch of normal video may be odder or calmer than the held-out ones together.

    Two videos held out tell how frames of one video differ, not how videos differ, and a line drawn on them is
    crossed by every livelier one. The level of a stretch is the mean of its oddest tenth. The spread of levels between
    stretches is taken from held-out and trained ones, each kind about its own mean; a next stretch lies about the mean
    of n held-out ones with (1 + 1/n) of that variance, and what the held-out ones do not show of it is added.

    Args:
        heldout, trained: scores of each stretch, (N,) with N >= 1.

    Returns:
        Differences of equal chance, in the scores' unit: nine of them, or 0 alone where nothing is to be added.
    """
    kinds = [np.array([_level(scores) for scores in kind]) for kind in (heldout, trained) if len(kind)]
    freedom = sum(len(levels) - 1 for levels in kinds)
    if freedom == 0:
        return np.zeros(1)
    spread = sum(float(((levels - levels.mean()) ** 2).sum()) for levels in kinds) / freedom
    lacking = spread * (1 + 1 / len(heldout)) - float(kinds[0].var())
    return np.sqrt(lacking) * _NINE_LEVELS if lacking > 0 else np.zeros(1)


_NINE_LEVELS = np.array([NormalDist().inv_cdf((number + 0.5) / 9) for number in range(9)])


def _level(scores: NDArray[np.floating]) -> float:
    return float(scores[scores >= np.quantile(scores, 1 - TAIL_SHARE)].mean())


def _thinned(versions: Sequence[Sequence[NDArray[np.float64]]]) -> NDArray[np.float32]:
    """As many values as there are held-out frames, spread as those of all versions together."""
    count = len(versions[0])
    together = np.sort(np.concatenate([scores for stretch in versions for scores in stretch]))
    return together[count // 2 :: count].astype(np.float32)


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
