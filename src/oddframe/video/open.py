"""Opening a video: a file or a folder of frames, whichever the path is."""

from __future__ import annotations

import math

from oddframe.errors import MissingPathError, SettingsError, UnreadableVideoError
from oddframe.storage.place import Place, place_of
from oddframe.storage.remote import Remote
from oddframe.video._folder import FolderVideo
from oddframe.video.discover import printable
from oddframe.video.source import PICTURE_SUFFIXES, Video, parse_position


def open_video(
    path: Place | str,
    *,
    fps: float | None = None,
    start: str | None = None,
    end: str | None = None,
    name: str | None = None,
) -> Video:
    """Open a video file, a folder of frames, or a TIFF whose pages are frames.

    Pictures of 16 bits become 8 by the range that fits this video (`Video.pixel_range`), or by one that
    `Video.with_pixel_range` gives.

    Args:
        path: a file, or a folder with tif, bmp, jpg or png pictures in it; or the URL of a file (`s3://`, `gs://`,
            `file://`), which is read bit by bit and never held whole.
        fps: frame rate where the source states no times (a folder of frames, a bare stream). A file's own times
            are never overruled.
        start, end: range to read, see `parse_position`; `end` is exclusive.
        name: how to call it; without one, the name of the file without its ending, or of the folder.

    Raises:
        MissingPathError: nothing there, or no picture in the folder.
        UnreadableVideoError: not a video, or not one frame of it decodes.
        FrameGapError: numbered pictures with numbers missing between them.
        DataError: pictures of two cameras in one folder, or of a kind that has no fixed range.
        SettingsError: `fps`, `start` or `end` mean nothing, or the address does. StorageError: storage does not answer.
    """
    path = place_of(path)
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise SettingsError("a frame rate is a number above 0", seen=fps, wanted="frames per second, e.g. 12.5")
    for position in (start, end):
        if position is not None:
            parse_position(position)
    if isinstance(path, Remote):
        return _open_remote(path, name=name, fps=fps, start=start, end=end)
    if not path.exists():
        raise MissingPathError("there is no such video", path=path, wanted="a video file or a folder of frames")
    if path.is_dir():
        return FolderVideo(path, name=name or printable(path.resolve().name), fps=fps, start=start, end=end)
    if path.suffix.lower() in PICTURE_SUFFIXES:
        pages = FolderVideo(path, name=name or printable(path.stem), fps=fps, start=start, end=end)
        if pages.source_frame_count > 1:
            return pages
        raise UnreadableVideoError(
            "this is one picture, not a video", path=path, hint=f"name the folder that it lies in: {path.parent}"
        )
    from oddframe.video._file import FileVideo  # only here, so that folders of frames need no PyAV loaded

    return FileVideo(path, name=name or printable(path.stem), fps=fps, start=start, end=end)


def _open_remote(path: Remote, *, name: str | None, fps: float | None, start: str | None, end: str | None) -> Video:
    if path.suffix.lower() in PICTURE_SUFFIXES or path.facts() is None:
        raise MissingPathError(
            "there is no video file at this address",
            path=str(path),
            wanted="a video file: pictures are read from folders of this machine alone",
        )
    from oddframe.video._file import FileVideo

    return FileVideo(path, name=name or printable(path.stem), fps=fps, start=start, end=end)


def open_beginning(path: Place | str, frames: int) -> Video:
    """Open the first `frames` frames of a video, or all of a shorter one. Raises as `open_video`."""
    return open_video(path, end=str(min(frames, open_video(path).source_frame_count)))
