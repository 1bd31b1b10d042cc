"""Draw docs/images/peer-*.jpg: what each system finds odd in the same three moments of a drawn street.

    python docs/images/make_peers.py peers
    python docs/images/make_peers.py peers --only tsc srnn

Each system is trained for a minute or so, small, on the same four drawn videos, in the folder that is named; called
again, it goes on. The seeds are fixed. Pictures show what a system looks at, not how well it does when it is given its
time.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.plan import Clip, Event
from oddframe.data.synthetic.render import Stage
from oddframe.scoring.components import of_places
from oddframe.scoring.explanation import Explanation
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Box
from oddframe.training.train import train
from oddframe.video import draw
from oddframe.video.open import open_video
from oddframe.video.source import Video

HERE = Path(__file__).parent
_SEED = 4
_FLOW = ((0, 0.3),)
_NORMAL = tuple(Clip("normal", "street", number, 90, _FLOW) for number in (1, 2, 3, 4))
_KNOWN = Clip("abnormal", "street", 1, 50, _FLOW, events=(Event("cart", 4, 0.5, pace=1.6),))
_TEST = Clip(
    "test", "street", 1, 130, _FLOW, events=(Event("cyclist", 34, 0.5, pace=2.6), Event("person-down", 84, 0.35))
)
_BEFORE, _AFTER = 23, 14
"""Frames at the ends of a video that not every system judges."""

_QUALITY, _GAP = 72, 4
_RED = (255, 70, 60)
_FULL = 1.5
"""Heat that is drawn fully: that of the oddest place of the three moments. Their median place is 0."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class System:
    """One system, small. judged: the local component that is drawn. known: whether it is given the known anomaly."""

    detector: str
    overrides: tuple[str, ...] = ()
    judged: str = "local_distance"
    known: bool = False


@dataclass(frozen=True)
class Moment:
    """A frame of the test video, and the box around what is odd in it."""

    frame: int
    box: Box | None


_DREAM = ("train.epochs=4", "train.batch=4", "train.abnormal_batch=4", "train.lr=0.001")
_SMALL = ("train.epochs=1", "train.batch=2", "train.abnormal_batch=2", "train.lr=0.001")
_LITTLE = (*_SMALL, "model.size=[64,96]")
_CODED = ("train.epochs=1", "train.batch=8", "train.lr=0.0003", "model.hidden=256")
_PATCHES = ("model.size=[90,135]", "model.width=16", "model.patches=8", "model.moving=0.01")
SYSTEMS = {
    "framediff": System("framediff", judged="motion"),
    "amc-flow": System("amc", ("model.network=false", "model.size=[96,144]")),
    "features": System("features", ("model.items=2048",)),
    "dream-unet": System("dream-unet", _DREAM, known=True),
    "dream-convlstm": System("dream-convlstm", _LITTLE, known=True),
    "mlep": System("mlep", _LITTLE, judged="local_error", known=True),
    "mnad": System("mnad", _SMALL),
    "framepred": System("framepred", _SMALL, judged="local_error"),
    "memae": System("memae", (*_LITTLE, "model.items=200"), judged="local_error"),
    "convae": System("convae", _SMALL, judged="local_error"),
    "unmasking": System("unmasking"),
    "tsc": System("tsc", _CODED),
    "srnn": System("srnn", _CODED),
    "ognet": System("ognet", (*_SMALL, *_PATCHES, "model.old_after=20", "model.tune_after=80")),
    "amc": System("amc", (*_SMALL, "model.width=16", "model.size=[96,144]")),
    "scene-aware": System("scene-aware", (*_SMALL, "model.hidden=64", "model.groups=4", "model.cluster_steps=40")),
    "cac": System("cac", (*_LITTLE, "model.width=12", "model.queue=128")),
}


def main() -> None:
    """Draw the videos, train what is not trained, draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where videos and runs go")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="these systems alone")
    given = parser.parse_args()
    moments = write_videos(given.folder)
    for name in given.only:
        system = SYSTEMS[name]
        score = (f"score.online=[{system.judged}]", "score.per_place=[]", "data.heldout=0.34", "data.least_heldout=1")
        normal = given.folder / ("known" if system.known else "normal")
        run = train(
            normal, out=given.folder / "runs" / name, preset="tiny", detector=system.detector, seed=_SEED,
            overrides=(*system.overrides, *score), device="cpu",
        )  # fmt: skip
        scorer, video = Scorer(run, device="cpu"), open_video(given.folder / "moments")
        shown = scorer.explain(video, [moment.frame for moment in moments])
        before, after = run.detector().window
        first = -1 if run.detector().carried() else before  # what is carried comes from the video's start
        maps = [_map(scorer, video, system.judged, moment.frame, first, after) for moment in moments]
        low, high = float(np.median(maps)), float(np.max(maps))
        heat = [np.asarray(_FULL * (one - low) / max(high - low, 1e-9), np.float32) for one in maps]
        rows = [[draw.overlay(one.picture, odd) for one, odd in zip(shown, heat, strict=True)]]
        if run.settings.model.compared != "frame before":
            rows.append([_compared(one) for one in shown])
        _save(rows, f"peer-{name}.jpg")
    pictures = {frame.index: frame.pixels for frame in open_video(given.folder / "moments").frames()}
    _save([[_boxed(pictures[moment.frame], moment.box) for moment in moments]], "peer-moments.jpg")


def write_videos(folder: Path) -> list[Moment]:
    """Write the videos that are not there. Returns the three moments."""
    stage = Stage("street", _SEED)
    for top in ("normal", "known"):
        for clip in (*_NORMAL, *((_KNOWN,) if top == "known" else ())):
            _write(folder / top / clip.part / f"{clip.number}", [pixels for pixels, _ in stage.frames(clip)])
    frames = list(stage.frames(_TEST))
    _write(folder / "moments", [pixels for pixels, _ in frames])
    masks = {t: of_kinds for t, (_, of_kinds) in enumerate(frames) if _BEFORE <= t < len(frames) - _AFTER}
    cycling, lying = (
        {t: of_kinds[event.kind] for t, of_kinds in masks.items() if event.kind in of_kinds} for event in _TEST.events
    )
    nearest, last = max(cycling, key=lambda t: int(cycling[t].sum())), max(lying)
    calm = next(t for t in masks if t not in cycling and t not in lying)
    return [Moment(calm, None), Moment(nearest, _box(cycling[nearest])), Moment(last, _box(lying[last]))]


def _box(mask: NDArray[np.generic]) -> Box:
    return Box(*cv2.boundingRect(mask.astype(np.uint8)))


def _write(place: Path, frames: Sequence[Picture]) -> None:
    if place.is_dir():
        return
    place.mkdir(parents=True)
    for number, pixels in enumerate(frames):
        cv2.imwrite(str(place / f"{number:03}.png"), pixels[..., ::-1])


def _map(scorer: Scorer, video: Video, name: str, judged: int, before: int, after: int) -> NDArray[np.float32]:
    """A frame's evidence of each place. before: frames that it needs before it; -1 for all of the video."""
    start = 0 if before < 0 else judged - before
    frames = (frame for frame in video.frames() if start <= frame.index <= judged + after)
    return next(of_places(raw.maps[name]) for raw in scorer.evidence(batch=1).raw(frames) if raw.frame == judged)


def _boxed(picture: Picture, box: Box | None) -> Picture:
    drawn = np.ascontiguousarray(picture)
    if box is not None:
        corner = box.x + box.width + 2, box.y + box.height + 2
        cv2.rectangle(drawn, (box.x - 3, box.y - 3), corner, _RED, 1)
    return drawn


def _compared(one: Explanation) -> Picture:
    return draw.resize(draw.as_rgb(one.predicted), one.picture.shape[:2])


def _save(rows: Sequence[Sequence[Picture]], name: str) -> None:
    """Pictures side by side, rows below each other, on white."""
    height, width = rows[0][0].shape[:2]
    across, down = len(rows[0]) * (width + _GAP) - _GAP, len(rows) * (height + _GAP) - _GAP
    sheet = np.full((down, across, 3), 255, np.uint8)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            y, x = row * (height + _GAP), column * (width + _GAP)
            sheet[y : y + height, x : x + width] = picture
    (HERE / name).write_bytes(draw.jpeg(sheet, quality=_QUALITY))
    print(f"{name}: {(HERE / name).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
