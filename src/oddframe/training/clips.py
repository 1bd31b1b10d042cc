"""Training clips: windows over stored videos, dealt into batches.

A batch is a pure function of (seed, epoch, step), so that a training that was stopped goes on with the very
clips that it would have seen. Clips are views into the frame store until they are stacked.

A training clip is abnormal if all its frames are, normal if none is; mixed ones are left out (Sec. IV-C leaves it
open). Pseudo-anomalies are normal clips made odd: `skip` plays them too fast, `paste` puts a moving patch of
another place and time into them, `transplant` puts a known anomaly into them, cut out by its masks.

What is odd in most clips is fast, too, and a network that looks at pace alone does well on them. So a share of clips
of every kind but `skip` is slowed down or stopped, normal ones as well: in these, looks alone tell what is odd. And a
share of all clips is crowded with what moves in a normal clip of the same view: full scenes are rarer than empty ones.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.errors import SettingsError, TooShortError
from oddframe.settings import TrainSettings
from oddframe.training.clip_batch import ClipBatch
from oddframe.training.clip_sources import ClipSource, Pixels, Places
from oddframe.training.drawn import Drawer
from oddframe.training.moving import known_places, moving_places, same_view

Pace = slice | NDArray[np.int64]
"""Which frames of a clip are shown, in which order."""

_TRIES = 4
"""Draws for a pseudo-anomaly in which something moves, before the clip is given up."""


class ClipSampler:
    """Deals clips into batches.

    Args:
        sources: normal sections first, then known anomalies, as `clip_sources` gives them.
        frames: frames of a clip.
        settings: batch sizes, variation, pseudo-anomalies.
        roles: which of "normal", "second", "abnormal" a batch needs.
        known_normal: whether normal clips of the known anomalies' videos count as normal clips.
        rate: share of abnormal clips among all clips. So many are drawn by the seed, once; None takes all there are.

    Raises:
        TooShortError: no video holds a single normal clip.
        SettingsError: fewer abnormal clips than `rate` asks for.
    """

    def __init__(
        self,
        sources: Sequence[ClipSource],
        frames: int,
        settings: TrainSettings,
        roles: Sequence[str],
        *,
        known: int = 0,
        known_normal: bool = True,
        rate: float | None = None,
    ) -> None:
        self.sources = list(sources)
        self.frames = frames
        self.settings = settings
        self.roles = tuple(roles)
        first_known = len(self.sources) - known
        normal_from = self.sources if known_normal else self.sources[:first_known]
        self._normal = _index(normal_from, frames, abnormal=False)
        self._abnormal = _index(self.sources, frames, abnormal=True)
        self._there = {} if rate is None else {"abnormal_there": len(self._abnormal)}
        if rate is not None:
            self._abnormal = _draw_share(self._abnormal, len(self._normal), rate, settings.seed)
        self._of_scene = {
            scene: self._normal[[self.sources[number].scene == scene for number in self._normal[:, 0]]]
            for scene in {source.scene for source in self.sources}
        }
        self._channels = max((source.pixels.shape[3] for source in self.sources), default=1)
        drawn = "draw" in settings.pseudo_anomalies or settings.drawn_walkers > 0
        self._drawer = Drawer.of(self.sources, self._normal, settings.seed) if drawn else None
        self._cut_out = np.array([row for row in self._abnormal if self._has_masks(*row)]).reshape(-1, 2)
        kinds = settings.pseudo_anomalies
        self._pseudo_kinds = kinds if len(self._cut_out) else tuple(kind for kind in kinds if kind != "transplant")
        if not len(self._normal):
            longest = max((source.stop - source.start for source in self.sources), default=0)
            raise TooShortError(
                "no normal video is long enough for one clip",
                seen=f"at most {longest} frames in a row",
                wanted=f"{frames} normal frames in a row",
                hint="add longer normal video",
            )

    @property
    def counts(self) -> dict[str, int]:
        """How many clips of each kind there are to draw from; with a rate, also how many abnormal ones there were."""
        return {"normal": len(self._normal), "abnormal": len(self._abnormal), **self._there}

    @property
    def notes(self) -> list[str]:
        """What a reader of the run should know of its clips."""
        short = [s.name for s in self.sources if s.stop - s.start < self.frames]
        notes = (
            [f"videos shorter than a clip of {self.frames} frames took no part: {', '.join(short)}"] if short else []
        )
        if "abnormal" in self.roles and not len(self._abnormal) and not self._pseudo_kinds:
            notes.append(
                f"nothing abnormal to learn from: no known anomaly lasts for a clip of {self.frames} frames, and "
                f"train.pseudo_anomalies is {', '.join(self.settings.pseudo_anomalies) or 'off'}"
            )
        empty = {
            source.name: f"{missing} of {source.labels.sum()}"
            for source in self.sources
            if source.places is not None
            if (missing := int((source.labels & ~source.places.any(axis=(1, 2))).sum()))
        }
        if empty:
            frames = ", ".join(f"{name} ({share} abnormal frames)" for name, share in empty.items())
            notes.append(f"masks that show nothing, where what moves counts as odd instead: {frames}")
        return notes

    @property
    def steps_per_epoch(self) -> int:
        """One pass over the normal clips; the last incomplete batch is dropped, as in the peers."""
        return max(1, len(self._normal) // self.settings.batch)

    def batch(self, epoch: int, step: int) -> ClipBatch:
        """Return the batch of this step of this epoch: always the same one."""
        order = np.random.default_rng((self.settings.seed, epoch)).permutation(len(self._normal))
        return self._batch(order, epoch, step)

    def batches(self, epoch: int, first_step: int = 0) -> Generator[ClipBatch, None, None]:
        """Yield the batches of an epoch from `first_step` on, prepared ahead in the background."""
        order = np.random.default_rng((self.settings.seed, epoch)).permutation(len(self._normal))
        ready: queue.Queue[ClipBatch | BaseException | None] = queue.Queue(maxsize=3)
        stop = threading.Event()

        def put(item: ClipBatch | BaseException | None) -> None:
            while not stop.is_set():
                try:
                    return ready.put(item, timeout=0.1)
                except queue.Full:
                    continue

        def prepare() -> None:
            try:
                for step in range(first_step, self.steps_per_epoch):
                    if stop.is_set():
                        return
                    put(self._batch(order, epoch, step))
                put(None)
            except BaseException as error:  # handed to the consumer, who raises it
                put(error)

        worker = threading.Thread(target=prepare, name="clips", daemon=True)
        worker.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            worker.join()

    def _batch(self, order: NDArray[np.int64], epoch: int, step: int) -> ClipBatch:
        rng = np.random.default_rng((self.settings.seed, epoch, step))
        size = min(self.settings.batch, len(order))
        anchors = self._normal[order[step * size : (step + 1) * size]]
        normal = self._draw_normal(rng, anchors)
        second = None
        if "second" in self.roles:
            second = self._draw_normal(rng, self._normal[rng.integers(len(self._normal), size=size)])
        drawn = self._draw_abnormal(rng) if "abnormal" in self.roles else []
        odd = [made for made in drawn if made is not None]
        return ClipBatch(
            normal,
            second,
            np.stack([pixels for pixels, _ in odd]) if odd else None,
            np.stack([places for _, places in odd]) if odd else None,
            still=len(drawn) - len(odd),
        )

    def _draw_normal(self, rng: np.random.Generator, clips: NDArray[np.int64]) -> Pixels:
        return np.stack([self._vary(rng, self._ground(rng, clip))[0] for clip in clips])

    def _ground(self, rng: np.random.Generator, clip: NDArray[np.int64], pace: Pace | None = None) -> Pixels:
        """A normal clip at some pace, perhaps crowded."""
        pace = self._pace(rng) if pace is None else pace
        source, start = clip
        pixels = self._crowd(rng, self._clip(source, start)[pace], source, pace)
        if self._drawer is None or rng.random() >= self.settings.drawn_walkers:
            return pixels
        return self._drawer.walker(rng, pixels, self.sources[source].scene, np.arange(self.frames)[pace])

    def _draw_abnormal(self, rng: np.random.Generator) -> list[tuple[Pixels, Places] | None]:
        """Known anomalies and pseudo-anomalies; None for one of these that could not be made, since nothing moved."""
        wanted, kinds = self.settings.abnormal_batch, self._pseudo_kinds
        pseudo = 0 if not kinds else wanted if not len(self._abnormal) else round(wanted * self.settings.pseudo_share)
        drawn: list[tuple[Pixels, Places] | None] = []
        if len(self._abnormal):
            for source, start in self._abnormal[rng.integers(len(self._abnormal), size=wanted - pseudo)]:
                pixels, pace = self._clip(source, start), self._pace(rng)
                masks = self.sources[source].places
                masks = None if masks is None else masks[start : start + self.frames][pace]
                marked = known_places(pixels, masks)
                drawn.append((self._crowd(rng, pixels[pace], source, pace, marked), marked))
        for number in range(pseudo):
            make = {"skip": self._skip, "paste": self._paste, "transplant": self._transplant, "draw": self._draw_thing}
            drawn.append(make[kinds[number % len(kinds)]](rng))
        return [None if one is None else self._vary(rng, *one) for one in drawn]

    def _has_masks(self, source: int, start: int) -> bool:
        """Whether every frame of a clip has a mask of what is odd in it."""
        places = self.sources[source].places
        return places is not None and bool(places[start : start + self.frames].any(axis=(1, 2)).all())

    def _clip(self, source: int, start: int, step: int = 1) -> Pixels:
        """Take every `step`-th frame; grey ones among coloured videos as three equal channels, without a copy."""
        pixels = self.sources[source].pixels[start : start + (self.frames - 1) * step + 1 : step]
        return np.broadcast_to(pixels, (*pixels.shape[:3], self._channels))

    def _pace(self, rng: np.random.Generator) -> Pace:
        """Which frames of a clip are shown: all in turn, or, in the share `slowed`, at half their pace or one alone."""
        if not self.settings.slowed or rng.random() >= self.settings.slowed:
            return slice(None)
        shown = np.zeros(self.frames, np.int64) if rng.random() < 0.5 else np.arange(self.frames) // 2
        return shown + int(rng.integers(self.frames - shown[-1]))

    def _crowd(
        self, rng: np.random.Generator, pixels: Pixels, source: int, pace: Pace, spared: Places | None = None
    ) -> Pixels:
        """In the share `crowd`, add what moves in a normal clip of the same view, where it moves, beside `spared`."""
        normal = self._of_scene[self.sources[source].scene]
        if not self.settings.crowd or rng.random() >= self.settings.crowd or not len(normal):
            return pixels
        for _ in range(_TRIES):
            other = self._clip(*normal[rng.integers(len(normal))])
            moving = moving_places(other)
            if not moving.any() or not same_view(pixels[0], other[0], ~moving):
                continue
            # Limbs that stand for a moment belong to what moves, and a soft edge leaves no outline to learn.
            soft = cv2.GaussianBlur(cv2.dilate(moving.astype(np.float32), np.ones((5, 5), np.uint8)), (0, 0), 1.5)
            if spared is not None:
                soft = soft * (1 - cv2.dilate(spared.astype(np.float32), np.ones((5, 5), np.uint8)))
            return np.rint(pixels + (other[pace].astype(np.float32) - pixels) * soft[:, :, None]).astype(np.uint8)
        return pixels

    def _draw_thing(self, rng: np.random.Generator) -> tuple[Pixels, Places] | None:
        """Draw something that nobody filmed into a normal clip."""
        assert self._drawer is not None
        pace = self._pace(rng)
        for _ in range(_TRIES):
            clip = self._normal[rng.integers(len(self._normal))]
            scene, ground = self.sources[clip[0]].scene, self._ground(rng, clip, pace)
            if (drawn := self._drawer.thing(rng, ground, scene, np.arange(self.frames)[pace])) is not None:
                return drawn
        return None

    def _skip(self, rng: np.random.Generator) -> tuple[Pixels, Places] | None:
        """Play a normal clip several times too fast. What moves in it is what is odd."""
        low, high = self.settings.skip_step
        for _ in range(_TRIES):
            source, start = self._normal[rng.integers(len(self._normal))]
            taken = self.sources[source]
            step = int(rng.integers(low, high + 1))
            step = min(step, (taken.stop - 1 - start) // (self.frames - 1))
            last = start + (self.frames - 1) * step
            if step < 2 or not taken.is_normal(start, last + 1):
                continue
            pixels = self._clip(source, start, step)
            places = moving_places(pixels)
            if places.any():
                return self._crowd(rng, pixels, source, slice(None), places), places
        return None

    def _paste(self, rng: np.random.Generator) -> tuple[Pixels, Places] | None:
        """Put a patch of another clip, in which something moves, somewhere else into a normal clip."""
        pace = self._pace(rng)
        into = self._ground(rng, self._normal[rng.integers(len(self._normal))], pace)
        height, width = into.shape[1:3]
        for _ in range(_TRIES):
            taken = self._clip(*self._normal[rng.integers(len(self._normal))])
            tall, wide = (int(side * rng.uniform(0.12, 0.35)) for side in (height, width))
            moving = moving_places(taken)[: height - tall + 1, : width - wide + 1]
            corners = np.argwhere(moving)
            if not len(corners):
                continue
            from_y, from_x = corners[rng.integers(len(corners))]
            to_y, to_x = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
            patch = taken[:, from_y : from_y + tall, from_x : from_x + wide].astype(np.float32)
            if rng.random() < 0.5:
                patch = patch[:, :, ::-1]
            # A soft oval edge: a rectangle's outline would be what the network learns to see.
            oval: NDArray[np.float32] = np.zeros((tall, wide), np.float32)
            cv2.ellipse(
                oval, (wide // 2, tall // 2), (max(1, int(wide * 0.4)), max(1, int(tall * 0.4))), 0, 0, 360, 1, -1
            )
            oval = np.asarray(cv2.GaussianBlur(oval, (0, 0), max(1.0, min(tall, wide) * 0.08)), np.float32)
            pixels, patch = into.copy(), patch[pace]
            inside = pixels[:, to_y : to_y + tall, to_x : to_x + wide]
            inside[:] = np.rint(inside + (patch - inside) * oval[None, :, :, None]).astype(np.uint8)
            places = np.zeros((height, width), bool)
            places[to_y : to_y + tall, to_x : to_x + wide] = oval > 0.5
            return pixels, places
        return None

    def _transplant(self, rng: np.random.Generator) -> tuple[Pixels, Places] | None:
        """Cut a known anomaly out by its masks and put it into a normal clip, perhaps mirrored and further along.

        It stays near its own height in the picture, where a fixed camera shows things of its size.
        """
        source, start = self._cut_out[rng.integers(len(self._cut_out))]
        pace = self._pace(rng)
        masks = self.sources[source].places[start : start + self.frames][pace]
        taken = self._clip(source, start)[pace].astype(np.float32)
        into = self._ground(rng, self._normal[rng.integers(len(self._normal))], pace)
        if rng.random() < 0.5:
            taken, masks = taken[:, :, ::-1], masks[:, :, ::-1]
        height, width = into.shape[1:3]
        rows, columns = np.flatnonzero(masks.any(axis=(0, 2))), np.flatnonzero(masks.any(axis=(0, 1)))
        across = int(rng.integers(-columns[0], width - columns[-1]))
        reach = height // 20
        down = int(rng.integers(max(-rows[0], -reach), min(height - 1 - rows[-1], reach) + 1))
        shift = np.array([[1, 0, across], [0, 1, down]], np.float32)
        pixels, places = into.copy(), np.zeros((height, width), bool)
        for number in range(self.frames):
            mask = cv2.dilate(masks[number].astype(np.float32), np.ones((3, 3), np.uint8))
            soft = cv2.warpAffine(cv2.GaussianBlur(mask, (0, 0), 1.0), shift, (width, height))[:, :, None]
            moved = cv2.warpAffine(taken[number], shift, (width, height)).reshape(into.shape[1:])
            pixels[number] = np.rint(into[number] + (moved - into[number]) * soft).astype(np.uint8)
            places |= soft[:, :, 0] > 0.5
        return pixels, places

    def _vary(self, rng: np.random.Generator, pixels: Pixels, places: Places | None = None) -> tuple[Pixels, Places]:
        """Mirror and relight a clip as the settings say; all frames alike."""
        marked = np.zeros(pixels.shape[1:3], bool) if places is None else places
        mirrored = self.settings.flips and rng.random() < 0.5
        if self.settings.light > 0:
            light = self.settings.light
            contrast, brightness = rng.uniform(1 - light, 1 + light), rng.uniform(-light, light) * 255
            table = np.clip(np.rint((np.arange(256) - 127.5) * contrast + 127.5 + brightness), 0, 255).astype(np.uint8)
            flat = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
            pixels = np.asarray(cv2.LUT(flat, table), np.uint8).reshape(pixels.shape)
        if mirrored:
            pixels, marked = pixels[:, :, ::-1], marked[:, ::-1]
        return pixels, marked


def _index(sources: Sequence[ClipSource], frames: int, *, abnormal: bool) -> NDArray[np.int64]:
    """All clips of one kind as rows (source, first frame)."""
    rows = [
        np.column_stack([np.full(len(starts), number), starts])
        for number, source in enumerate(sources)
        if len(starts := source.starts(frames, abnormal=abnormal))
    ]
    return np.concatenate(rows).astype(np.int64) if rows else np.empty((0, 2), np.int64)


def _draw_share(abnormal: NDArray[np.int64], normal: int, rate: float, seed: int) -> NDArray[np.int64]:
    """Draw so many abnormal clips that they make up a share `rate` of all clips."""
    wanted = max(1, round(normal * rate / (1 - rate)))
    if wanted > len(abnormal):
        raise SettingsError(
            "there are not so many abnormal clips",
            seen=f"{len(abnormal)} abnormal clips, {normal} normal ones",
            wanted=f"{wanted} abnormal ones, for a rate of {rate:g}",
            hint=f"a rate of up to {int(1000 * len(abnormal) / (len(abnormal) + normal)) / 1000:g}",
        )
    return abnormal[np.sort(np.random.default_rng(seed).permutation(len(abnormal))[:wanted])]
