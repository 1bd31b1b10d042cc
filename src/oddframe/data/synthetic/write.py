"""The set as a folder: videos, labels, masks and a description, in the layout of people's own video."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from oddframe.data.synthetic import plan
from oddframe.data.synthetic.render import Mask, Stage
from oddframe.data.synthetic.world import FPS, SIZE, Pixels
from oddframe.errors import RunError, SettingsError, StorageError, nearest
from oddframe.files import atomic_folder, read_bytes
from oddframe.plain import Json
from oddframe.records import parse_json

VERSION = 1
SCALES = {"demo": plan.demo, "slow": plan.slow, "tiny": plan.tiny}
DESCRIPTION = "synthetic.json"
_MOST_BYTES = 2**16


def generate(
    folder: Path | str, *, seed: int = 0, scale: str = "demo", progress: Callable[[int, int], None] | None = None
) -> Path:
    """Write the synthetic set to `folder` and return it.

    The videos are 160x240 (height, width) at 12.5 frames a second. The same seed and scale give the same frames,
    labels and masks on every machine; how the frames are compressed depends on the encoder's version. The set
    appears whole or not at all, and one that is already there is left as it is.

    Args:
        folder: where the set goes; must not exist, be empty, or hold this very set.
        seed: which world.
        scale: "demo" (30 videos, 5,156 frames, about a minute), "slow" (the same to train on, and a test of cyclists
            at walking pace) or "tiny" (6 videos for tests).
        progress: called with frames done and frames in all.

    Raises:
        SettingsError: no such scale.
        StorageError: the folder holds something else, or cannot be written.
    """
    folder = Path(folder)
    if scale not in SCALES:
        known = (*SCALES, "day")
        raise SettingsError(
            "unknown scale of the synthetic set" if scale not in known else "this scale has a function of its own",
            seen=scale,
            wanted=" or ".join(known if scale not in known else SCALES),
            hint=nearest(scale, known) if scale not in known else "oddframe.generate_day draws it",
        )
    description = _describe(seed, scale)
    if _holds(folder, description):
        return folder
    with atomic_folder(folder, "the synthetic set cannot be written") as begun:
        _write(begun, seed, SCALES[scale](), progress)
        (begun / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return folder


def _describe(seed: int, scale: str) -> Json:
    return {
        "format": "oddframe-synthetic",
        "version": VERSION,
        "seed": seed,
        "scale": scale,
        "size": list(SIZE),
        "fps": float(FPS),
        "known": list(plan.KNOWN),
        "unknown": list(plan.UNKNOWN),
    }


def _holds(folder: Path, description: Json) -> bool:
    """Whether the folder holds this set already; raises where something else is in the way."""
    if not folder.exists():
        return False
    try:
        if folder.is_dir() and not any(folder.iterdir()):
            return False
        content = read_bytes(folder / DESCRIPTION, _MOST_BYTES, DESCRIPTION)
        found = parse_json(content, DESCRIPTION, path=folder / DESCRIPTION)
    except (OSError, RunError):
        found = None
    if found == description:
        return True
    raise StorageError(
        "the folder for the synthetic set is taken",
        path=folder,
        seen="another synthetic set" if isinstance(found, dict) else "files that are no synthetic set",
        wanted="a new or empty folder",
        hint="choose another folder, or remove this one",
    )


def _write(root: Path, seed: int, clips: tuple[plan.Clip, ...], progress: Callable[[int, int], None] | None) -> None:
    total, done = sum(clip.frames for clip in clips), 0
    stages = {scene: Stage(scene, seed) for scene in dict.fromkeys(clip.scene for clip in clips)}
    rows: list[tuple[str, int, int, str]] = []
    for clip in clips:
        seen: list[tuple[str, ...]] = []
        path = root / clip.part / clip.scene / f"{clip.name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Encoder(path, FPS) as encoder:
            for index, (pixels, masks) in enumerate(stages[clip.scene].frames(clip)):
                encoder.add(pixels)
                seen.append(tuple(masks))
                if masks:
                    _write_mask(root / "masks" / clip.name / f"{index:06}.png", masks)
                done += 1
                if progress is not None:
                    progress(done, total)
        rows += [(clip.name, start, end, kind) for start, end, kind in spans(seen)]
    with (root / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("video", "start", "end", "class"))
        writer.writerows(rows)


def spans(kinds: Iterable[Iterable[str]]) -> list[tuple[int, int, str]]:
    """Turn the kinds seen in each frame into (start, end, kind) with end exclusive, in order of start.

    >>> spans([[], ["cart"], ["cart", "runner"], ["runner"]])
    [(1, 3, 'cart'), (2, 4, 'runner')]
    """
    found: list[tuple[int, int, str]] = []
    since: dict[str, int] = {}
    count = 0
    for index, now in enumerate(map(set, kinds)):
        for kind in sorted(since.keys() - now):
            found.append((since.pop(kind), index, kind))
        for kind in now - since.keys():
            since[kind] = index
        count = index + 1
    found += [(start, count, kind) for kind, start in since.items()]
    return sorted(found)


def _write_mask(path: Path, masks: dict[str, Mask]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.logical_or.reduce(list(masks.values()))
    ok, data = cv2.imencode(".png", np.where(whole, np.uint8(255), np.uint8(0)))
    if not ok:
        raise OSError(f"no PNG encoder for {path.name}")
    path.write_bytes(data.tobytes())


class Encoder:
    """Writes (H, W, 3) uint8 RGB frames of the set's size as an H.264 file."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        self._file = av.open(str(path), "w")
        # One thread: with several, the result depends on how many cores there are.
        options = {"crf": "18", "preset": "veryfast", "threads": "1"}
        self._stream = self._file.add_stream("libx264", rate=fps, options=options)
        self._stream.height, self._stream.width = SIZE
        self._stream.pix_fmt = "yuv420p"

    def __enter__(self) -> Encoder:
        return self

    def add(self, pixels: Pixels) -> None:
        """Append a frame."""
        self._file.mux(self._stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._file.mux(self._stream.encode(None))
        self._file.close()
