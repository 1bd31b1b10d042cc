"""A small drawn street, for cameras that learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

SIZE = (96, 144)


def pictures(frames: int, odd: range = range(0)) -> Iterator[np.ndarray]:
    """(H, W, 3): three walkers on their ways; in the frames `odd` something large flickers above them."""
    height, width = SIZE
    ground = np.add.outer(np.linspace(40, 110, height), np.linspace(0, 60, width)).astype(np.uint8)
    ground = np.repeat(ground[:, :, None], 3, axis=2)
    noise = np.random.default_rng(0)
    for number in range(frames):
        picture = ground + noise.integers(0, 4, ground.shape, dtype=np.uint8)
        for walker in range(3):
            left = int(number * (1 + 0.3 * walker) + 50 * walker) % (width + 20) - 10
            top = 48 + 14 * walker
            picture[top : top + 12, max(0, left) : max(0, left + 7)] = (220 - 40 * walker, 60 * walker, 90)
        if number in odd:
            picture[12:36, 40:90] = 250 if number % 4 < 2 else 10
        yield picture


@pytest.fixture(scope="session")
def street(tmp_path_factory) -> Callable[..., Path]:
    """street(frames, odd=range): a video of it, ten pictures a second, a key frame a second."""
    made: dict[tuple[int, range], Path] = {}
    folder = tmp_path_factory.mktemp("street")

    def make(frames: int = 300, odd: range = range(0)) -> Path:
        if (frames, odd) not in made:
            path = made[frames, odd] = folder / f"street{len(made)}.mp4"
            with av.open(str(path), "w") as file:
                options = {"g": "10", "sc_threshold": "0", "bf": "0", "crf": "18"}
                stream = file.add_stream("libx264", rate=10, options=options)
                stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
                for picture in pictures(frames, odd):
                    file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                file.mux(stream.encode(None))
        return made[frames, odd]

    return make
