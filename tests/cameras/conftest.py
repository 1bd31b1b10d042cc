"""Packets of small files, for all that is cut from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from oddframe.cameras.address import Address
from oddframe.cameras.packets import Kept, PacketKeep
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.open import Opener


@pytest.fixture
def kept_of() -> Callable[..., list[Kept]]:
    """kept_of(path): all packets of a file, with the times of its pictures."""

    def keep(path: Path, start_s: float = 0.0, number: int = 0) -> list[Kept]:
        kept, stamps = PacketKeep(1e6, 10**9), {}
        with Opener(Address.parse(str(path)), CameraSettings()).open() as source:
            for coded in source.packets():
                number += 1
                stamps[number] = start_s + coded.stamp_s
                kept.add(coded, number, source.coding, stamps[number])
                for still in source.decode(coded, number):
                    kept.timed(still.number, stamps[still.number])
            for still in source.flush():
                kept.timed(still.number, stamps[still.number])
        return kept.packets()

    return keep


@pytest.fixture
def h264(tmp_path):
    """H.264 with a key frame every 10 pictures and pictures that are decoded out of order."""
    path = tmp_path / "gate.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=20, options={"g": "10", "sc_threshold": "0", "bf": "2", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(100):
            picture = np.full((48, 64, 3), 40 + number, np.uint8)
            picture[10:20, number % 50 : number % 50 + 10] = 220
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    return path
