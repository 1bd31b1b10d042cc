"""Masks of all frames of a video in one file.

    .mat  Avenue's `volLabel`: a MATLAB 5 cell with one (H, W) array a frame
    .npy  ShanghaiTech's pixel masks: one (T, H, W) array
    .npz  one bit a pixel, of those frames alone in which it is odd: `frames` (N,), `masks` (N, H, ceil(W / 8)), `width`

Whatever is not 0 is odd. One mask is read at a time: the .mat files hold two hundred times what they take on disk
(docs/decisions/0011-avenues-masks-are-read-frame-by-frame.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.arrays import Arrays, ArraySpec, read_arrays
from oddframe.data.label_files import COPY, load_array
from oddframe.data.matlab import open_cell
from oddframe.data.videoset import Masks
from oddframe.errors import FrameSizeError, LabelCountError, LabelError

_CELL = "volLabel"
_MOST_BYTES = 64 << 20
"""Of one mask: eight million pixels of the largest numbers."""
_MOST_PACKED = 512 << 20
"""Of all masks of a packed file, unpacked to one bit a pixel."""
_PACKED = {
    "frames": ArraySpec("iu", (None,)),
    "masks": ArraySpec("u", (None, None, None)),
    "width": ArraySpec("iu", ()),
}


@dataclass(frozen=True)
class VolumeMasks(Masks):
    """See `Masks`; those of all frames lie in one file."""

    @classmethod
    def of(cls, path: Path, frame_count: int, size: tuple[int, int]) -> VolumeMasks:
        """Take a file for the masks of a video. Only its beginning is read.

        Args:
            path: a .mat or .npy file.
            frame_count, size: of the video, size as (height, width).

        Raises:
            LabelError: no file of masks, or one for another number of frames.
            FrameSizeError: masks of another size than the frames.
        """
        if path.suffix == ".npy":
            masks = _array(path)
            count, seen = len(masks), masks.shape[1:]
        else:
            count, cells = open_cell(path, _CELL, _MOST_BYTES)
            seen = next((cell.shape for cell in cells), size)
        if count != frame_count:
            raise LabelCountError(
                "this video has another number of masks than of frames",
                path=path,
                seen=f"{count} masks",
                wanted=f"{frame_count}, one a frame",
                hint="frames are missing from the video, or the masks are of another one",
            )
        if tuple(seen) != size:
            raise FrameSizeError(
                "masks have another size than their frames",
                path=path,
                seen=f"{seen[1]}x{seen[0]} (width x height)",
                wanted=f"{size[1]}x{size[0]}",
                hint="masks are drawn on the video's own pixels; take the video as it was published",
            )
        return cls(dict.fromkeys(range(frame_count), path), size)

    def _decode(self, path: Path, frame_index: int) -> NDArray[np.bool_]:
        if path.suffix == ".npy":
            return _odd(_array(path)[frame_index], path, frame_index)
        packed = _packed(path, path.stat().st_mtime_ns, self.size)
        return np.unpackbits(packed[frame_index], axis=1, count=self.size[1]).astype(bool)


@dataclass(frozen=True)
class PackedMasks(Masks):
    """See `Masks`; those of the frames that have one lie in one .npz, one bit a pixel."""

    @classmethod
    def of(cls, path: Path, frame_count: int, size: tuple[int, int], first_index: int = 0) -> PackedMasks:
        """Take a packed file for the masks of a video.

        Args:
            path: an .npz file, whose frames are counted from the source's first one.
            frame_count: of the source. size: as (height, width).
            first_index: the source's frame that labels begin with.

        Raises:
            LabelError: no file of masks, or one for frames that are not there.
            FrameSizeError: masks of another size than the frames.
        """
        said = _packed_arrays(path, path.stat().st_mtime_ns)
        frames, masks, width = said["frames"], said["masks"], int(said["width"])
        if len(frames) and not (int(frames.min()) >= 0 and int(frames.max()) < frame_count):
            raise LabelError(
                "these masks are for frames that are not there",
                path=path,
                seen=f"frames {int(frames.min())} to {int(frames.max())}",
                wanted=f"0 to {frame_count - 1}",
            )
        if (masks.shape[1], width) != size:
            raise FrameSizeError(
                "masks have another size than their frames",
                path=path,
                seen=f"{width}x{masks.shape[1]} (width x height)",
                wanted=f"{size[1]}x{size[0]}",
                hint="masks are drawn on the video's own pixels",
            )
        places = [frame - first_index for frame in frames.tolist() if frame >= first_index]
        return cls(dict.fromkeys(places, path), size, first_index)

    first_index: int = 0

    def _decode(self, path: Path, frame_index: int) -> NDArray[np.bool_]:
        said = _packed_arrays(path, path.stat().st_mtime_ns)
        row = int(np.searchsorted(said["frames"], frame_index + self.first_index))
        return np.unpackbits(said["masks"][row], axis=1, count=self.size[1]).astype(bool)


@lru_cache(maxsize=2)
def _packed_arrays(path: Path, _changed_ns: int) -> Arrays:
    said = read_arrays(path, _PACKED, "the file of masks", limit_bytes=_MOST_PACKED, error=LabelError, hint=COPY)
    frames, masks, width = said["frames"], said["masks"], int(said["width"])
    fits = len(frames) == len(masks) and masks.dtype == np.uint8 and masks.shape[2] == -(-width // 8)
    if not fits or (np.diff(frames) <= 0).any():
        raise LabelError(
            "this file holds no masks",
            path=path,
            seen=f"frames {frames.shape}, masks {masks.dtype} {masks.shape}, width {width}",
            wanted="frames (N,) in order, masks uint8 (N, H, ceil(W / 8)), width W",
        )
    return said


def _array(path: Path) -> NDArray[np.generic]:
    masks = load_array(path)
    if masks.ndim != 3 or masks.dtype.kind not in "biuf":
        raise LabelError(
            "this file holds no masks",
            path=path,
            seen=f"{masks.dtype} {masks.shape}",
            wanted="numbers of (frames, height, width)",
        )
    return masks


def _odd(mask: NDArray[np.generic], path: Path, number: int) -> NDArray[np.bool_]:
    if not np.isfinite(mask).all():
        raise LabelError(f"mask {number} has values that are not finite", path=path, wanted="0 and 1", hint=COPY)
    return np.asarray(mask != 0)


@lru_cache(maxsize=1)  # videos are gone through one after another, and a .mat can be read from its beginning only
def _packed(path: Path, _changed_ns: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Read all masks of a .mat as (T, H, ceil(W / 8)), one bit a pixel."""
    _, cells = open_cell(path, _CELL, _MOST_BYTES)
    packed = []
    for number, cell in enumerate(cells):
        if cell.shape != size:
            raise FrameSizeError(
                f"mask {number} has another size than its frame", path=path, seen=cell.shape, wanted=size
            )
        packed.append(np.packbits(_odd(cell, path, number), axis=1))
    return np.stack(packed)
