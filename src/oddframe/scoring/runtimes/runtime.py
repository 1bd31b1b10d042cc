"""Who computes the evidence. One protocol, so that there is one scoring path whatever runs the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Judged:
    """Components of a batch of clips: name → (B,) float32, and their maps: local component → (B, h, w)."""

    values: Mapping[str, NDArray[np.float32]]
    maps: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Seen:
    """What there is to see of one judged frame: error (H, W) per pixel, and the prediction (H, W, C) uint8."""

    error: NDArray[np.float32]
    predicted: NDArray[np.uint8]


class Runtime(Protocol):
    """Turns clips (B, T, H, W, C) uint8 into components. `name` is the backend's, as it is asked for."""

    name: str
    before: int
    after: int
    size: tuple[int, int]
    channels: int

    def for_video(self) -> Runtime:
        """The runtime for one video: itself, unless the detector carries something over a video, or learns from it."""
        ...

    def judge(self, clips: NDArray[np.uint8]) -> Judged:
        """Judge the frame number `before` of each clip. Of one video, clips come in order.

        They may be a view in which neighbouring clips share their pictures: for reading only.
        """
        ...

    def see(self, clip: NDArray[np.uint8]) -> Seen:
        """Show what the judgement of one clip (T, H, W, C) rests on."""
        ...
