"""Where a clip moves, where a known anomaly is, and whether two clips show the same view."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from oddframe.training.clip_sources import Pixels, Places

MOVES = 15.3
"""Grey levels by which a 5x5 neighbourhood changes from one frame of a clip to the next if something moves there."""

SAME_VIEW = 8.0
"""Grey levels by which two clips of the same view differ at most, at the median of the places where nothing moves."""


def moving_places(pixels: Pixels) -> Places:
    """Find where a clip (T, H, W, C) moves: (H, W) bool."""
    grey = pixels.mean(axis=3, dtype=np.float32) if pixels.shape[3] > 1 else pixels[..., 0].astype(np.float32)
    most = np.zeros(grey.shape[1:], np.float32)
    for before, after in itertools.pairwise(grey):
        cv2.max(most, cv2.blur(cv2.absdiff(before, after), (5, 5)), most)
    return most > MOVES


def same_view(one: Pixels, other: Pixels, still: Places) -> bool:
    """Whether two pictures (H, W, C) agree where nothing moves: every fourth row and column is enough."""
    difference = np.abs(one[::4, ::4].astype(np.int16) - other[::4, ::4])[still[::4, ::4]]
    return difference.size > 0 and float(np.median(difference)) <= SAME_VIEW


def known_places(pixels: Pixels, masks: Places | None) -> Places:
    """Where a known anomaly is: its masks in the frames shown, else where the whole clip moves, else everywhere."""
    if masks is not None and masks.any():
        return np.asarray(masks.any(axis=0))
    moving = moving_places(pixels)
    return moving if moving.any() else np.ones(pixels.shape[1:3], bool)
