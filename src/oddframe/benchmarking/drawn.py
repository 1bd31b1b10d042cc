"""A video for who has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from oddframe.video.source import Frame
from oddframe.video.write import write_video

_FPS, _FRAMES = 25.0, 600


def made_frames(count: int, size: tuple[int, int]) -> Iterator[Frame]:
    """Frames (H, W, 3) of a textured ground with the noise of a camera, over which five squares move."""
    rng = np.random.default_rng(0)
    height, width = size
    ground = rng.integers(60, 140, (*size, 1)) + np.zeros((1, 1, 3), np.int64)
    side = max(8, height // 8)
    for index in range(count):
        picture = (ground + rng.integers(-4, 5, (*size, 1))).astype(np.uint8)
        for number in range(5):
            top = (height - side) * number // 4
            left = ((number + 1) * index + number * width // 5) % (width - side)
            picture[top : top + side, left : left + side] = (230, 200, 40 * number)
        yield Frame(index, index / _FPS, picture)


def draw_video(path: Path, size: tuple[int, int] = (360, 640)) -> Path:
    """Write a video of 25 frames (H, W) a second, which is 24 seconds long."""
    return write_video(path, made_frames(_FRAMES, size), _FPS)
