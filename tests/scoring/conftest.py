"""Evidence made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from oddframe.scoring.scores import Raw


@pytest.fixture
def raw() -> Callable[..., Raw]:
    """raw(7, maps={"motion": [[0.1, 0.2]]}, psnr=30, motion=0.2) -> the evidence of frame 7, at ten frames a second."""

    def make(frame: int, maps: Mapping[str, Any] | None = None, **values: float) -> Raw:
        return Raw(frame, frame / 10, values, {name: np.array(one, np.float32) for name, one in (maps or {}).items()})

    return make
