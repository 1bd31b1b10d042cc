"""Frame differences: a floor that every network has to clear. Nothing to train, nothing to set."""

from __future__ import annotations

import torch
from torch import Tensor

from oddframe.detectors.floors import FrameDiffSettings
from oddframe.models.detector import Detector, Window
from oddframe.nn.evidence import Evidence


class FrameDiff(Detector):
    """Compares the judged frame with the one before it.

    Args:
        settings: size and channels only.
        generator: taken as every detector takes it; nothing is drawn here.
    """

    window = Window(1, 0)
    settings: FrameDiffSettings

    def __init__(self, settings: FrameDiffSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 2, C, H, W) in [-1, 1]: the error is the squared difference of the two frames."""
        previous, judged = clip[:, 0], clip[:, 1]
        return Evidence(squared_error(previous, judged), None, previous)


def squared_error(predicted: Tensor, judged: Tensor) -> Tensor:
    """(B, C, H, W) in [-1, 1] each → (B, H, W), mean over channels, of pictures mapped to [0, 1]."""
    return ((predicted.float() - judged.float()) / 2).square().mean(dim=1)
