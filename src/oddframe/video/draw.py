"""Pictures of what was found: heat over a frame, boxes, sheets, small files. OpenCV only.

Pictures are uint8 (H, W, 3) RGB here; grey ones (H, W, 1) are taken and become RGB. Heat is 0 where nothing is odd
and 1 at the alarm line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]

_LOW, _FULL = 0.4, 1.5
"""In alarm lines. Heat below the first is not drawn, from the second on it is drawn fully."""

_OPACITY = 0.75

_AMBER, _RED, _WHITE = (255, 190, 60), (255, 70, 60), (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX

_ERROR_FULL = 0.3
"""Absolute error (of a picture in [0, 1]) that is drawn brightest; fixed, so that pictures compare."""


def as_rgb(picture: Picture) -> Picture:
    """(H, W, 1 | 3) → (H, W, 3)."""
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """To (height, width), whatever the number of channels."""
    height, width = size
    method = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (width, height), interpolation=method)
    # OpenCV drops an axis of one channel
    return np.asarray(resized[..., None] if resized.ndim == 2 else resized, np.uint8)


def fit(picture: Picture, width: int) -> Picture:
    """Resize to a width, keeping the shape of the picture; never below one pixel."""
    return resize(picture, (max(1, round(picture.shape[0] * width / picture.shape[1])), width))


def heat_layer(heat: Map) -> Picture:
    """Heat as (h, w, 4) RGBA: transparent where low, from purple over orange to yellow ("inferno") where high."""
    strength = np.clip((heat - _LOW) / (_FULL - _LOW), 0, 1)
    # the darkest third of the palette would hide the picture
    colour = _inferno(0.35 + 0.65 * strength)
    alpha = np.clip(4 * strength, 0, 1) * _OPACITY * 255
    return np.dstack([colour, alpha.astype(np.uint8)])


def overlay(picture: Picture, heat: Map) -> Picture:
    """A frame with heat over it, (H, W, 3)."""
    height, width = picture.shape[:2]
    layer = heat_layer(cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32))
    alpha = layer[..., 3:].astype(np.float32) / 255
    mixed = as_rgb(picture) * (1 - alpha) + layer[..., :3] * alpha
    return np.rint(mixed).astype(np.uint8)


def annotated(
    picture: Picture,
    heat: Map | None = None,
    box: tuple[int, int, int, int] | None = None,
    *,
    caption: str = "",
    alarm: bool = False,
) -> Picture:
    """A frame as it is shown everywhere, (H, W, 3): heat over it, the box around what is odd, words at the top.

    Args:
        caption: of ASCII, left out where the picture is too narrow for it. alarm: the box is red, and "ALARM" is added.
    """
    drawn = as_rgb(picture) if heat is None else overlay(picture, heat)
    if box is not None:
        drawn = with_box(drawn, box, _RED if alarm else _AMBER)
    words = [(word, colour) for word, colour in ((caption, _WHITE), ("ALARM" if alarm else "", _RED)) if word]
    return _with_words(drawn, words) if caption else drawn


def _with_words(picture: Picture, words: Sequence[tuple[str, tuple[int, int, int]]]) -> Picture:
    scale = max(0.4, picture.shape[1] / 960)
    thick = max(1, round(1.5 * scale))
    sizes = [cv2.getTextSize(word, _FONT, scale, thick)[0] for word, _ in words]
    edge, tall = round(8 * scale), max(height for _, height in sizes)
    if sum(width + 2 * edge for width, _ in sizes) > picture.shape[1] or tall + 3 * edge > picture.shape[0]:
        return picture
    drawn = np.ascontiguousarray(picture).copy()
    left = 0
    for (word, colour), (width, _) in zip(words, sizes, strict=True):
        strip = drawn[: tall + 3 * edge, left : left + width + 2 * edge]
        strip[:] = strip // 4  # dark enough for light words, whatever is behind
        cv2.putText(drawn, word, (left + edge, tall + edge), _FONT, scale, colour, thick, cv2.LINE_AA)
        left += width + 2 * edge
    return drawn


def with_box(picture: Picture, box: tuple[int, int, int, int], colour: tuple[int, int, int] = _AMBER) -> Picture:
    """A copy of a frame with a box (x, y, width, height) on it, edged in black so that it is seen on any ground."""
    x, y, across, down = box
    drawn = np.ascontiguousarray(as_rgb(picture)).copy()
    thick = max(1, round(picture.shape[1] / 240))
    corners = (x, y), (x + across - 1, y + down - 1)
    cv2.rectangle(drawn, *corners, (0, 0, 0), 3 * thick)
    cv2.rectangle(drawn, *corners, colour, thick)
    return drawn


def error_picture(error: Map) -> Picture:
    """Squared error per pixel (h, w), 0..1, as (h, w, 3): black is none, yellow an absolute error of 0.3 or more."""
    return _inferno(np.clip(np.sqrt(np.maximum(error, 0)) / _ERROR_FULL, 0, 1))


def sheet(pictures: Sequence[Picture], columns: int) -> Picture:
    """Pictures of one size in rows of `columns`; empty places are 0."""
    height, width, channels = pictures[0].shape
    rows = -(-len(pictures) // columns)
    joined = np.zeros((rows * height, min(columns, len(pictures)) * width, channels), np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // columns * height, number % columns * width
        joined[top : top + height, left : left + width] = picture
    return joined


def jpeg(picture: Picture, quality: int = 75) -> bytes:
    """A small file of a picture without transparency."""
    return _encoded(".jpg", _bgr(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])


def png(picture: Picture) -> bytes:
    """A file of a picture, RGB, RGBA or grey, without loss."""
    return _encoded(".png", _bgr(picture), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _inferno(values: NDArray[np.floating[Any]]) -> Picture:
    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1], np.uint8)


def _bgr(picture: Picture) -> Picture:
    if picture.shape[2] == 1:
        return picture
    order = [2, 1, 0, *range(3, picture.shape[2])]
    return np.ascontiguousarray(picture[..., order])


def _encoded(suffix: str, picture: Picture, options: list[int]) -> bytes:
    fine, data = cv2.imencode(suffix, picture, options)
    if not fine:
        raise ValueError(f"a picture of shape {picture.shape} does not encode as {suffix}")
    return bytes(data)
