"""Evidence by torch: the network as it was trained."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from oddframe.models.contract import check_evidence
from oddframe.models.detector import Detector
from oddframe.nn.evidence import components
from oddframe.nn.pictures import to_pixels, to_unit_range
from oddframe.nn.precision import resolve_device, to_device
from oddframe.runs import Run
from oddframe.scoring.runtimes.runtime import Judged, Seen
from oddframe.settings import ScoreSettings

MAPS = {"local_error_map": "local_error", "distance_map": "local_distance"}
"""Name of a map in the network's evidence → the local component that it belongs to."""


class TorchRuntime:
    """A detector in inference mode.

    Args:
        detector: the network, with its weights.
        score: windows of the local error, and the share of places that local components are taken over.
        device: a torch device.
        bf16: compute what torch thinks fit in half the precision.
    """

    def __init__(self, detector: Detector, score: ScoreSettings, device: torch.device, *, bf16: bool = False) -> None:
        self._detector = to_device(detector, device).eval()
        self._judge = detector.for_video()
        self._device = device
        self._bf16 = bf16
        self.name = "torch-bf16" if bf16 else "torch"
        self._windows = (score.window, score.stride, score.local_share)
        self.before, self.after = detector.window
        self.size, self.channels = detector.settings.size, int(detector.settings.channels)

    def for_video(self) -> TorchRuntime:
        judge = self._detector.for_video()
        if judge is self._detector:
            return self
        of_video = copy.copy(self)
        of_video._judge = judge
        return of_video

    @torch.inference_mode()
    def judge(self, clips: NDArray[np.uint8]) -> Judged:
        pixels = to_unit_range(torch.from_numpy(np.array(clips, order="C")).to(self._device), self.channels)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            evidence = self._judge(pixels)
        check_evidence(self._detector, evidence, pixels)
        found = {name: value.float().cpu().numpy() for name, value in components(evidence, *self._windows).items()}
        maps = {component: found.pop(name) for name, component in MAPS.items() if name in found}
        return Judged(found, maps)

    @torch.inference_mode()
    def see(self, clip: NDArray[np.uint8]) -> Seen:
        evidence = self._detector(to_unit_range(torch.from_numpy(clip[None]).to(self._device), self.channels))
        return Seen(evidence.error[0].float().cpu().numpy(), to_pixels(evidence.predicted)[0].cpu().numpy())


def load_runtime(run: Run, device: str, *, bf16: bool = False) -> TorchRuntime:
    """Load a run's network.

    Raises:
        WeightsError: the weights are truncated or do not fit. SettingsError: no such device.
    """
    return TorchRuntime(run.detector(), run.settings.score, resolve_device(device), bf16=bf16)
