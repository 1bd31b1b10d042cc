"""A drawn street that a test's camera films: people to and fro, and two places where something odd may flicker."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

SIZE, _DRAWN = (96, 144), (160, 240)
FPS = 10
LOOP = 90
"""Pictures after which all is as it was: nothing jumps where a loop of them begins again."""

LAMP, DOOR = (slice(12, 56), slice(14, 66)), (slice(92, 146), slice(176, 230))
"""Rows and columns of what is drawn: at the left, and at the right."""
ODD = {20: LAMP, 62: DOOR}
"""The first of a dozen pictures of a loop → where something flickers."""
_LASTS = 12


def _ground() -> NDArray[np.uint8]:
    height, width = _DRAWN
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:] = (150, 178, 205)
    picture[64:] = np.linspace(122, 92, height - 64)[:, None, None]
    cv2.rectangle(picture, (76, 22), (160, 64), (176, 140, 112), -1)
    for left in (86, 110, 134):
        cv2.rectangle(picture, (left, 32), (left + 14, 52), (88, 100, 116), -1)
    cv2.line(picture, (40, 40), (40, 90), (70, 70, 74), 3)
    cv2.circle(picture, (40, 36), 9, (226, 214, 166), -1)
    cv2.rectangle(picture, (190, 100), (216, 142), (96, 74, 58), -1)
    return picture


GROUND = _ground()


def picture(number: int, *, odd: bool) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of a loop. odd: with what happens in `ODD`."""
    seen = GROUND.copy()
    for walker, (row, colour) in enumerate(((78, (170, 60, 52)), (90, (58, 88, 160)), (112, (72, 120, 74)))):
        at = 2 * np.pi * (number / LOOP + walker / 3)
        x, bob = int(112 + (30 + 8 * walker) * np.sin(at)), int(number % 4 < 2)
        cv2.ellipse(seen, (x, row + bob), (5, 11), 0, 0, 360, colour, -1)
        cv2.circle(seen, (x, row - 14 + bob), 4, (206, 166, 140), -1)
    for begin, place in ODD.items():
        if odd and begin <= number % LOOP < begin + _LASTS:
            seen[place] = 255 if number % 2 else 0
    return cv2.resize(seen, SIZE[::-1], interpolation=cv2.INTER_AREA)


def film(path: Path, seconds: float, *, odd: bool) -> Path:
    """A video of it, as cameras send it: H.264 with a key frame a second."""
    noise = np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        options = {"g": str(FPS), "sc_threshold": "0", "bf": "0", "crf": "20", "preset": "veryfast", "threads": "1"}
        stream = file.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(round(seconds * FPS)):
            grain = noise.integers(0, 5, (*SIZE, 1), dtype=np.int16) - 2
            pixels = np.clip(picture(number, odd=odd) + grain, 0, 255).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    return path
