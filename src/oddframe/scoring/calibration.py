"""What normal video looks like to a detector, in two steps: raw values → rarities → `online` and `learned`.

A raw value becomes "how rare is this on normal video", so that components can be added, cameras compared, and a
line means a rate of false alarms. Scenes with enough held-out frames have a normal of their own; others, and scenes
never seen, use the pooled one and say so. `calibrate.py` fits, `calibration_file.py` keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.components import ComponentNormal
from oddframe.scoring.fusion import FusedNormal
from oddframe.scoring.scores import AlarmLine
from oddframe.video.flow import MEASURE

POOLED = ""
"""Name of the normal of all scenes together."""

LEARNED_IS_ONLINE = "`learned` equals `online`"
"""Stands in the note of a calibration for which no weights were fitted."""


@dataclass(frozen=True)
class SceneNormal:
    """One scene's normal: that of components, and that of their fusions."""

    components: ComponentNormal
    fused: FusedNormal


@dataclass(frozen=True)
class Calibration:
    """The normal of each scene, and the alarm line.

    Attributes:
        scenes: scene → normal; `POOLED` is always there.
        line: where alarms begin.
        heldout: component or fusion → (N,) values (higher = odder) on held-out normal video.
        filmed: names of the scenes that were held out; None in runs of older versions.
        notes: what a reader must know.
        flow: the way of measuring optical flow by which it was fitted (`video.flow.MEASURE`).
    """

    scenes: Mapping[str, SceneNormal]
    line: AlarmLine
    heldout: Mapping[str, NDArray[np.float32]]
    filmed: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    flow: int = MEASURE

    @property
    def pooled(self) -> SceneNormal:
        """The normal of all scenes together."""
        return self.scenes[POOLED]

    def scene(self, name: str) -> tuple[SceneNormal, str]:
        """Return the scene's normal, or the pooled one with a sentence that says so, if it has to be said."""
        known = [scene for scene in self.scenes if scene != POOLED]
        if name in known:
            return self.scenes[name], ""
        if known:
            why = f"scene '{name}' has no calibration of its own" if name else "the video names no scene"
            return self.pooled, f"{why}: the pooled one is used"
        filmed = self.filmed or ()
        if name and name not in filmed and any(filmed):
            there = ", ".join(f"'{scene}'" for scene in filmed if scene)
            return self.pooled, f"scene '{name}' is judged by what is normal in {there}: no other scene was trained on"
        return self.pooled, ""
