"""Evidence by a graph that was exported: what onnxruntime and OpenVINO have in common."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import ERROR, INPUT, PREDICTED, Artefact, map_output, next_output
from oddframe.errors import SettingsError
from oddframe.scoring.runtimes.runtime import Judged, Seen

Outputs = Mapping[str, NDArray[np.generic]]

Compute = Callable[[Mapping[str, NDArray[np.generic]], Sequence[str]], Outputs]
"""Name of an input → what goes in, and names of outputs → these outputs."""


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
        self._shapes = about.carried
        self._carried = self._nothing_carried()
        self.before, self.after = about.before, about.after
        self.size, self.channels = about.size, int(about.channels)

    def for_video(self) -> GraphRuntime:
        if not self._shapes:
            return self
        other = copy.copy(self)
        other._carried = self._nothing_carried()
        return other

    def judge(self, clips: NDArray[np.uint8]) -> Judged:
        names = (*self._values, *self._maps.values())
        if self._shapes:  # of a video one after another: each has what the one before it left
            each = [self._next(clip[None], names) for clip in clips]
            found: Outputs = {name: np.concatenate([one[name] for one in each]) for name in names}
        else:
            found = self._compute({INPUT: clips}, names)
        return Judged(
            {name: np.asarray(found[name], np.float32) for name in self._values},
            {name: np.asarray(found[output], np.float32) for name, output in self._maps.items()},
        )

    def _next(self, clip: NDArray[np.uint8], names: Sequence[str]) -> Outputs:
        found = self._compute({INPUT: clip, **self._carried}, (*names, *map(next_output, self._shapes)))
        self._carried = {name: found[next_output(name)] for name in self._shapes}
        return found

    def _nothing_carried(self) -> Outputs:
        return {name: np.zeros((1, *shape), np.float32) for name, shape in self._shapes.items()}

    def see(self, clip: NDArray[np.uint8]) -> Seen:
        found = self._compute({INPUT: clip[None], **self._nothing_carried()}, (ERROR, PREDICTED))
        return Seen(np.asarray(found[ERROR][0], np.float32), np.asarray(found[PREDICTED][0], np.uint8))


def on_processor(device: str, backend: str) -> None:
    """Refuse what these runtimes do not compute on.

    Raises:
        SettingsError: another device than the processor.
    """
    if device not in ("auto", "cpu"):
        raise SettingsError(f"the backend {backend} computes on the processor only", seen=device, wanted="auto or cpu")
