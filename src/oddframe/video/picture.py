"""Frames as the pictures that detectors see."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Resize = Literal["area", "linear"]


def as_picture(
    pixels: NDArray[np.uint8], size: tuple[int, int], channels: int, resize: Resize = "area"
) -> NDArray[np.uint8]:
    """Turn a frame into the picture that detectors see. The store and the scorer both use this one.

    Args:
        pixels: (H, W, C) uint8, C = 1 or 3 (RGB).
        size: (height, width) of the picture.
        channels: 1 or 3. Colour becomes grey by luma, grey becomes colour by repetition.
        resize: "area" averages when it shrinks and interpolates when it enlarges; "linear" always interpolates.

    Returns:
        (height, width, channels) uint8.
    """
    if channels == 1 and pixels.shape[2] == 3:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]
    if pixels.shape[:2] != size:
        shrinks = size[0] <= pixels.shape[0] and size[1] <= pixels.shape[1]
        method = cv2.INTER_AREA if resize == "area" and shrinks else cv2.INTER_LINEAR
        resized = cv2.resize(pixels, (size[1], size[0]), interpolation=method)
        pixels = np.asarray(resized, np.uint8).reshape(*size, pixels.shape[2])
    return pixels if pixels.shape[2] == channels else np.repeat(pixels, channels, axis=2)
