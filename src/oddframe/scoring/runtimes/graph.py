"""Evidence by a graph that was exported: what onnxruntime and OpenVINO have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import ERROR, PREDICTED, Artefact, map_output
from oddframe.errors import SettingsError
from oddframe.scoring.runtimes.runtime import Judged, Seen

Compute = Callable[[NDArray[np.uint8], Sequence[str]], Mapping[str, NDArray[np.generic]]]
"""Clips, and names of outputs → these outputs."""


class GraphRuntime:
    """An exported graph.

    Args:
        name: of the backend. artefact: where it came from. compute: what computes it.
    """

    def __init__(self, name: str, artefact: Artefact, compute: Compute) -> None:
        about = artefact.about
        self.name = name
        self._compute = compute
        self._values: tuple[str, ...] = about.values
        self._maps = {name: map_output(name) for name in about.maps}
        self.before, self.after = about.before, about.after
        self.size, self.channels = about.size, int(about.channels)

    def for_video(self) -> GraphRuntime:
        return self

    def judge(self, clips: NDArray[np.uint8]) -> Judged:
        found = self._compute(clips, (*self._values, *self._maps.values()))
        return Judged(
            {name: np.asarray(found[name], np.float32) for name in self._values},
            {name: np.asarray(found[output], np.float32) for name, output in self._maps.items()},
        )

    def see(self, clip: NDArray[np.uint8]) -> Seen:
        found = self._compute(clip[None], (ERROR, PREDICTED))
        return Seen(np.asarray(found[ERROR][0], np.float32), np.asarray(found[PREDICTED][0], np.uint8))


def on_processor(device: str, backend: str) -> None:
    """Refuse what these runtimes do not compute on.

    Raises:
        SettingsError: another device than the processor.
    """
    if device not in ("auto", "cpu"):
        raise SettingsError(f"the backend {backend} computes on the processor only", seen=device, wanted="auto or cpu")
