"""Videos of more than 8 bits a value: the range of normal ones, and others read as a run was trained to see them."""

from __future__ import annotations

from collections.abc import Iterable

from oddframe.video.pixel_range import PixelRange, range_of
from oddframe.video.source import Video

_MOST_FRAMES = 240


def learn_pixel_range(videos: Iterable[Video]) -> PixelRange | None:
    """Find the range that fits normal video; None where no video has more than 8 bits.

    Some frames of each are read, spread over the whole of it; the same ones every time.

    Raises:
        UnreadableVideoError: a video of which no frame decodes.
    """
    deep = [video for video in videos if video.deep]
    each = max(3, _MOST_FRAMES // max(1, len(deep)))
    return range_of(pixels for video in deep for pixels in video.deep_samples(each))


def ranged(video: Video, pixel_range: tuple[int, int] | None) -> tuple[Video, str | None]:
    """Read a video as a run was trained to see it.

    Args:
        video: what is to be scored.
        pixel_range: the run's `data.pixel_range`; None where it was trained on 8-bit pictures.

    Returns:
        The video, and a sentence where the depth of its pictures is not what the run was trained on.
    """
    if pixel_range is not None and video.deep:
        return video.with_pixel_range(PixelRange(*pixel_range)), None
    if video.deep:
        return video, (
            f"{video.name} has pictures of 16 bits, and the run was trained on 8: its values are stretched from "
            f"{video.pixel_range}, which is not what the run has seen, so its scores may mean little"
        )
    if pixel_range is not None:
        return video, (
            f"{video.name} has pictures of 8 bits, and the run was trained on 16 (values from "
            f"{PixelRange(*pixel_range)}): its scores may mean little"
        )
    return video, None
