"""Frames and masks of a clip: shadows, painter's order, slow light, the sensor's noise."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.actors import Actor
from oddframe.data.synthetic.plan import Clip, cast
from oddframe.data.synthetic.scenes import SCENES, Scene
from oddframe.data.synthetic.world import FACTOR, FPS, SIZE, Canvas, Pixels

Mask = NDArray[np.bool_]

MASK_PIXELS = 30  # an anomaly of which fewer pixels are seen is not labelled
_LEVELS = 16
_PARTS = ("normal", "abnormal", "test")


class Stage:
    """A scene with everything that does not change from clip to clip worked out once."""

    def __init__(self, name: str, seed: int) -> None:
        index = list(SCENES).index(name)
        self.seed, self.index = seed, index
        self.scene: Scene = SCENES[name](np.random.default_rng([seed, index]))
        lit, shade = self.scene.lit.astype(np.uint16), self.scene.shade.astype(np.uint16)
        steps = [(lit * (_LEVELS - 1 - k) + shade * k + (_LEVELS - 1) // 2) // (_LEVELS - 1) for k in range(_LEVELS)]
        self.shades: list[Pixels] = [step.astype(np.uint8) for step in steps]
        # Scenery's shadows stand still: leaves move too little for their shadow to show it.
        self.still: Pixels = np.zeros(self.scene.lit.shape[:2], np.uint8)
        canvas = Canvas(self.scene.camera, self.still, light=self.scene.light)
        for prop in self.scene.props:
            prop.draw(canvas, 0)

    def frames(self, clip: Clip) -> Iterator[tuple[Pixels, dict[str, Mask]]]:
        """Yield each frame ((H, W, 3) uint8 RGB) and, for every kind of anomaly seen in it, its (H, W) mask."""
        rng = np.random.default_rng([self.seed, self.index, _PARTS.index(clip.part), clip.number])
        actors = cast(self.scene, clip, rng)
        noise = rng.integers(0, 4, (4, SIZE[0] + 48, SIZE[1] + 64)).sum(axis=0).astype(np.int16) - 6
        clock = int(rng.integers(4000))  # wind, water and screen are not at the same point in every video
        phases = [math.tau * float(v) for v in rng.random(3)]
        for t in range(clip.frames):
            # Clouds and the camera's exposure: half a minute and more for each swing.
            time = t / float(FPS)
            sun = 0.72 + 0.28 * math.sin(time / 5.5 + phases[0]) * math.sin(time / 9 + phases[1])
            gain = int(256 * (0.985 + 0.025 * math.sin(time / 6.5 + phases[2])) + 0.5)
            pixels, masks = self._draw(actors, t, clock, int(sun * (_LEVELS - 1) + 0.5))
            y, x = int(rng.integers(48)), int(rng.integers(64))
            grain = noise[y : y + SIZE[0], x : x + SIZE[1], None]
            exposed = ((pixels.astype(np.int32) * gain) >> 8) + grain
            yield np.clip(exposed, 0, 255).astype(np.uint8), masks

    def _draw(self, actors: list[Actor], t: int, clock: int, sun: int) -> tuple[Pixels, dict[str, Mask]]:
        camera = self.scene.camera
        shadow = self.still.copy()
        caster = Canvas(camera, shadow, light=self.scene.light)
        for actor in actors:
            actor.draw(caster, t)
        pixels = self.scene.lit.copy()
        cv2.copyTo(self.shades[sun], shadow, pixels)
        canvas = Canvas(camera, pixels)
        tags: Pixels = np.zeros(shadow.shape, np.uint8)
        kinds: list[str] = []
        all_there = [(prop, t + clock) for prop in self.scene.props] + [(actor, t) for actor in actors]
        for actor, now in sorted(all_there, key=lambda one: -one[0].depth(one[1])):
            canvas.tag = 0
            if actor.kind is not None and actor.odd(now):
                if actor.kind not in kinds:
                    kinds.append(actor.kind)
                # From the first anomaly on, all that is nearer is tagged too: it may hide it.
                canvas.tags, canvas.tag = tags, kinds.index(actor.kind) + 1
            actor.draw(canvas, now)
        masks = {}
        for tag, kind in enumerate(kinds, 1):
            mask = _shrink(np.where(tags == tag, np.uint8(255), np.uint8(0))) > 127
            if int(mask.sum()) >= MASK_PIXELS:
                masks[kind] = mask
        return _shrink(pixels), masks


def _shrink(pixels: Pixels) -> Pixels:
    size = (pixels.shape[1] // FACTOR, pixels.shape[0] // FACTOR)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
