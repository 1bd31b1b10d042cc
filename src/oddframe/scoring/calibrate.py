"""From judged video to a calibration: places → components → fusions → the line. No network, no pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.calibration import LEARNED_IS_ONLINE, POOLED, Calibration, SceneNormal
from oddframe.scoring.components import ALWAYS_PER_PLACE, LEAST_VALUE, UNTRAINED, ComponentNormal, log_scale
from oddframe.scoring.fusion import FusedNormal, Fusion, of_stretch
from oddframe.scoring.judged import Judged, Stretch, home_of
from oddframe.scoring.line import LEAST_LINE, Timed, draw_line
from oddframe.scoring.lively import ENOUGH, as_lively, reached
from oddframe.scoring.scores import oddness
from oddframe.scoring.tail import Tail
from oddframe.scoring.weights import fit_weights
from oddframe.settings import FusedBy, ScoreSettings, given_online

LEAST_FRAMES = 100
"""Held-out frames that a scene needs for a calibration of its own."""

Values = NDArray[np.float64]
Rarities = dict[str, Values]


def fit_calibration(judged: Judged, settings: ScoreSettings, learned: Mapping[str, float] | None = None) -> Calibration:
    """Fit what is normal, and draw the line.

    Components are fitted on held-out normal video, scene by scene and pooled; those that no training touches on trained
    video, too. So are the fusions, on the scores of held-out and of trained stretches (`as_lively`): those of a scene
    by its own components, the pooled ones by the pooled components, as a scene that was never seen will be judged.
    Held-out video draws the line and vouches for it; trained video can only raise it, where there is enough of both.

    Args:
        judged: at least one held-out normal frame.
        settings: which components make `online`, smoothing, places, the rate of false alarms.
        learned: weights of `learned`, component → weight; none where it is to be `online`. Without any they are fitted
            on known anomalies.

    Raises:
        MissingExtraError: scipy, which fits weights, is not installed.
    """
    names = judged.components
    heldout, trained, odd = judged.of_kind("heldout"), judged.of_kind("trained"), judged.of_kind("known")
    frames = sum(map(len, heldout))
    groups = by_scene(heldout)
    components = {
        scene: _fit_components(scene, stretches, trained, judged, settings) for scene, stretches in groups.items()
    }
    notes = _notes_on_places(components, names, frames, settings)
    if "motion" in names and max(float(stretch.values["motion"].max()) for stretch in heldout) <= LEAST_VALUE:
        notes.append("nothing changes in the held-out video: any change at all will be called odd")

    def rarities(stretch: Stretch, scene: str) -> Rarities:
        normal = components[scene]
        return {name: normal.tails[name].rarity(column(stretch, name, normal)) for name in names}

    def at_home(stretches: Sequence[Stretch]) -> list[Rarities]:
        return [rarities(stretch, home_of(stretch.scene, components)) for stretch in stretches]

    online = given_online(settings.online, names)
    if learned is None:
        learned, why = _learned(online, at_home(heldout), at_home(odd), odd)
        notes += [why] if why else []

    scenes, scored, raising = {}, {}, []
    for scene in groups:
        here, count = judged.normal_of(scene)
        rare = [rarities(stretch, scene) for stretch in here]

        def fused(
            weights: Mapping[str, float],
            by: FusedBy,
            rare: Sequence[Rarities] = rare,
            count: int = count,
        ) -> tuple[Fusion, list[Values]]:
            scores = [of_stretch(one, weights, settings.smoothing, by) for one in rare]
            lively = as_lively(scores, count)
            fusion = Fusion(weights, Tail.fit(np.concatenate(lively)), frames, by)
            return fusion, [fusion.rarity(one) for one in lively]

        even = _even(online, rare, count, settings)
        by_online, online_scores = fused(even, settings.fusion)
        by_learned, learned_scores = fused(learned, "sum") if learned else (by_online, online_scores)
        scenes[scene] = SceneNormal(components[scene], FusedNormal(by_online, by_learned, settings.smoothing))
        for stretch, *both in zip(here, online_scores, learned_scores, strict=True):
            if home_of(stretch.scene, groups) == scene:
                scored[id(stretch)] = both
                if stretch.kind == "trained" and len(here) >= ENOUGH:
                    raising.append(Timed(both[0], stretch.time_s))
    online_of, learned_of = zip(*(scored[id(stretch)] for stretch in heldout), strict=True)
    values = {
        name: oddness(name, np.concatenate([stretch.values[name] for stretch in heldout])).astype(np.float32)
        for name in names
    }
    values |= {
        "online": np.concatenate(online_of).astype(np.float32),
        "learned": np.concatenate(learned_of).astype(np.float32),
    }
    calm = [Timed(scores, stretch.time_s) for scores, stretch in zip(online_of, heldout, strict=True)]
    line = draw_line(calm, settings.false_alarms_per_hour, AlarmRule.of(settings), raising)
    filmed = tuple(dict.fromkeys(stretch.scene for stretch in heldout))
    return Calibration(scenes, line, values, filmed, tuple(notes), judged.flow)


def by_scene(heldout: Sequence[Stretch]) -> dict[str, list[Stretch]]:
    """Stretches of every scene that has enough frames for a normal of its own, and of all together."""
    scenes: dict[str, list[Stretch]] = {}
    for stretch in heldout:
        scenes.setdefault(stretch.scene, []).append(stretch)
    enough = {
        scene: stretches
        for scene, stretches in scenes.items()
        if scene != POOLED and sum(map(len, stretches)) >= LEAST_FRAMES
    }
    return {POOLED: list(heldout)} | (enough if len(scenes) > 1 else {})


def _fit_components(
    scene: str, heldout: Sequence[Stretch], trained: Sequence[Stretch], judged: Judged, settings: ScoreSettings
) -> ComponentNormal:
    """The normal of a scene. heldout: its stretches. trained: those of all scenes."""
    known = judged.places.get(scene, {})
    places = {name: known[name] for name in _per_place(settings) if name in known}
    normal = ComponentNormal(places, {}, judged.local_share)
    every = [*heldout, *(one for one in trained if scene in (POOLED, one.scene))]
    tails = {
        name: Tail.fit(np.concatenate([column(one, name, normal) for one in (every if name in UNTRAINED else heldout)]))
        for name in judged.components
    }
    return ComponentNormal(places, tails, judged.local_share)


def _per_place(settings: ScoreSettings) -> tuple[str, ...]:
    return (*settings.per_place, *ALWAYS_PER_PLACE)


def column(stretch: Stretch, name: str, normal: ComponentNormal) -> NDArray[np.float32]:
    """A component of every frame of a stretch, as `ComponentNormal` takes it of one frame."""
    return stretch.placed[name] if name in normal.places else log_scale(name, stretch.values[name])


def _even(names: Sequence[str], rare: Sequence[Rarities], heldout: int, settings: ScoreSettings) -> dict[str, float]:
    """The weights of `online`, component → weight.

    All that are added weigh the same. Where the highest counts alone, each is measured by what it reaches on normal
    video, see `reached`: the tails of some run to rarities that others never have, and would be the highest on any
    livelier day. The largest weight is 1.
    """
    if settings.fusion == "sum":
        return dict.fromkeys(names, 1.0)
    highest = {}
    for name in names:
        scores = [of_stretch(one, {name: 1.0}, settings.smoothing, "sum") for one in rare]
        highest[name] = max(LEAST_LINE, reached(scores, heldout))
    least = min(highest.values())
    return {name: least / one for name, one in highest.items()}


def _learned(
    online: Sequence[str], calm: Sequence[Rarities], strange: Sequence[Rarities], odd: Sequence[Stretch]
) -> tuple[Mapping[str, float], str]:
    """The weights of `learned`; none, and why, where it is `online`."""
    if not odd:
        return {}, f"no known anomaly was held out: {LEARNED_IS_ONLINE}"
    abnormal = {
        name: np.concatenate([one[name][stretch.abnormal] for one, stretch in zip(strange, odd, strict=True)])
        for name in calm[0]
    }
    if not len(next(iter(abnormal.values()))):
        return {}, f"no abnormal frame of the known anomalies held out can be judged: {LEARNED_IS_ONLINE}"
    normal = {name: np.concatenate([one[name] for one in calm]) for name in calm[0]}
    return fit_weights(normal, abnormal, dict.fromkeys(online, 1.0)), ""


def _notes_on_places(
    components: Mapping[str, ComponentNormal], names: Sequence[str], frames: int, settings: ScoreSettings
) -> list[str]:
    if frames < LEAST_FRAMES:
        return [
            f"only {frames} held-out normal frames, where calibration wants {LEAST_FRAMES}: every place counts as any "
            "other, and lines are rough"
        ]
    if set(_per_place(settings)) & set(names) and not components[POOLED].places:
        return ["scenes differ or are short: a video of any other scene is judged without statistics per place"]
    return []
