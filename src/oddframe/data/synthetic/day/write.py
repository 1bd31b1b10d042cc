"""A drawn video as files: pictures, masks, and a record of its labels, which is written last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.arrays import write_arrays
from oddframe.data.synthetic.day.draw import Mask, Places, frames
from oddframe.data.synthetic.day.moves import RATE
from oddframe.data.synthetic.day.sets import Script
from oddframe.data.synthetic.world import SIZE, Pixels
from oddframe.data.synthetic.write import spans
from oddframe.errors import StorageError
from oddframe.files import atomic_write, write_text
from oddframe.progress import Progress, Watcher
from oddframe.records import FileRecord, Record, as_json

GAP_FRAMES = RATE
"""What is hidden for less than a second, behind a pole say, is one anomaly before and after."""

_PROBLEM = "a drawn video cannot be written"


class DrawnSpan(Record):
    """Frames start..end-1 show an anomaly of a kind."""

    start: int
    end: int
    kind: str


class DrawnVideo(FileRecord):
    """What came of a video: enough to write the labels of its set, and to know that it is finished."""

    video: str
    part: str
    frames: int
    light: str
    weather: str
    spans: tuple[DrawnSpan, ...]


def write_video(root: Path, script: Script, places: Places, watch: Watcher) -> DrawnVideo:
    """Draw a video of a set into its folder.

    Raises:
        StorageError: the folder cannot be written.
    """
    seen: list[tuple[str, ...]] = []
    numbers: list[int] = []
    packed: list[NDArray[np.uint8]] = []
    path = root / script.part / script.plan.name / f"{script.name}.mp4"
    for folder in (path.parent, root / "masks", root / ".drawn"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError.of(error, _PROBLEM, folder) from None
    with atomic_write(path, _PROBLEM) as place, _Encoder(place) as encoder:
        for index, (pixels, masks) in enumerate(frames(script, places)):
            encoder.add(pixels)
            seen.append(tuple(masks))
            if masks:
                numbers.append(index)
                packed.append(_packed(masks))
            if index % 50 == 0:
                watch(Progress("drawing", index, script.frames))
    found = tuple(DrawnSpan(start=a, end=b, kind=kind) for a, b, kind in joined(spans(seen)))
    if packed:
        write_arrays(
            root / "masks" / f"{script.name}.npz",
            {"frames": np.array(numbers, np.int32), "masks": np.stack(packed), "width": np.array(SIZE[1], np.int32)},
            _PROBLEM,
        )
    drawn = DrawnVideo(
        video=script.name,
        part=script.part,
        frames=script.frames,
        light=script.light,
        weather=script.weather,
        spans=found,
    )
    write_text(record_of(root, script.name), as_json(drawn) + "\n", _PROBLEM)
    return drawn


def record_of(root: Path, name: str) -> Path:
    """Where the record of a finished video lies while the set is drawn."""
    return root / ".drawn" / f"{name}.json"


def joined(found: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join spans of a kind with less than `GAP_FRAMES` between them.

    >>> joined([(10, 20, "cart"), (25, 40, "cart"), (80, 90, "cart")])
    [(10, 40, 'cart'), (80, 90, 'cart')]
    """
    last: dict[str, tuple[int, int, str]] = {}
    whole: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(found):
        before = last.get(kind)
        if before is not None and start - before[1] < GAP_FRAMES:
            last[kind] = (before[0], max(end, before[1]), kind)
            continue
        if before is not None:
            whole.append(before)
        last[kind] = (start, end, kind)
    return sorted([*whole, *last.values()])


def _packed(masks: Mapping[str, Mask]) -> NDArray[np.uint8]:
    return np.packbits(np.logical_or.reduce(list(masks.values())), axis=1)


class _Encoder:
    """Writes (H, W, 3) uint8 RGB frames as H.264, with one thread: the same file whatever the number of cores."""

    def __init__(self, path: Path) -> None:
        self._file = av.open(str(path), "w", format="mp4")
        options = {"crf": "23", "preset": "superfast", "threads": "1"}
        self._stream = self._file.add_stream("libx264", rate=Fraction(RATE), options=options)
        self._stream.height, self._stream.width = SIZE
        self._stream.pix_fmt = "yuv420p"

    def __enter__(self) -> _Encoder:
        return self

    def add(self, pixels: Pixels) -> None:
        """Append a frame."""
        planes = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
        self._file.mux(self._stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._file.mux(self._stream.encode(None))
        self._file.close()
