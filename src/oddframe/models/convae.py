"""Conv-AE (Hasan et al., "Learning Temporal Regularity in Video Sequences", CVPR 2016).

A convolutional auto-encoder rebuilds ten stacked frames; what it rebuilds badly is irregular. Follows the layers of
the publication, with batch norm as later ports have it. Differs in three points: padding keeps sizes in step, so that
any multiple of 16 will do instead of 227; the way up repeats pixels instead of putting them back where the maximum was;
the last of the ten frames is judged, so that nothing looks ahead. All ten are input channels alike: none has more
frames around it than another.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from oddframe.detectors.peers import ConvAESettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import losses
from oddframe.nn.evidence import Evidence


class ConvAE(Detector):
    """Conv-AE: 512, 256, 128 channels and back, w being 64.

    Args:
        settings: see `ConvAESettings`.
        generator: taken as every detector takes it; weights come from torch's own.
    """

    window = Window(9, 0)
    settings: ConvAESettings

    def __init__(self, settings: ConvAESettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        w, stacked = settings.width, self.window.frames * settings.channels
        self.settings = settings
        self.encoder = nn.Sequential(
            nn.Conv2d(stacked, 8 * w, 11, stride=4, padding=4),
            *_activation(8 * w),
            nn.MaxPool2d(2),
            nn.Conv2d(8 * w, 4 * w, 5, padding=2),
            *_activation(4 * w),
            nn.MaxPool2d(2),
            nn.Conv2d(4 * w, 2 * w, 3, padding=1),
            *_activation(2 * w),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(2 * w, 4 * w, 3, padding=1),
            *_activation(4 * w),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(4 * w, 8 * w, 5, padding=2),
            *_activation(8 * w),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(8 * w, stacked, 11, stride=4, padding=4, output_padding=1),
            nn.Tanh(),
        )

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 10, C, H, W) in [-1, 1]; see `Detector.forward`."""
        predicted, judged = self._rebuild(clip)[:, -1], clip[:, -1]
        return Evidence(squared_error(predicted, judged), None, predicted)

    def _rebuild(self, clip: Tensor) -> Tensor:
        """Clips (B, 10, C, H, W) → the same as they come back."""
        rebuilt: Tensor = self.decoder(self.encoder(clip.flatten(1, 2)))
        return rebuilt.float().reshape(clip.shape)

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all"."""
        return {"all": ParameterGroup(list(self.parameters()))}

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Squared error of all ten frames."""
        clip = batch.normal.pixels
        yield Objective(
            "all", {"reconstruction": losses.reconstruction(self._rebuild(clip), clip)}, {"reconstruction": 1.0}
        )


def _activation(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
