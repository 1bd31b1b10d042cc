"""MemAE (Gong et al., "Memorizing Normality to Detect Anomaly", ICCV 2019).

A 3-D convolutional auto-encoder rebuilds 16 frames from items of a memory alone, which are learnt by gradient. Follows
the published code, but judges as every detector here does: by the squared error of the judged frame, the ninth of the
16. `MemAE.published_score` is the publication's own score, a mean over all 16 frames.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.peers import MemAESettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import losses
from oddframe.nn.evidence import Evidence
from oddframe.nn.memory import exact

_EPSILON = 1e-12


class MemAE(Detector):
    """MemAE: 6,492,801 parameters for grey pictures, 6,503,171 for coloured ones.

    The first eight and the last seven frames of a video have no score; a live camera's come seven frames late.

    Args:
        settings: see `MemAESettings`.
        generator: where the first items are drawn from; torch's own without one. Weights come from torch's own.
    """

    window = Window(8, 7)
    settings: MemAESettings

    def __init__(self, settings: MemAESettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        width = settings.width
        self.settings = settings
        sizes = (settings.channels, 3 * width // 2, 2 * width, 4 * width, 4 * width)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for level, (fine, coarse) in enumerate(itertools.pairwise(sizes)):
            stride = (2 if level else 1, 2, 2)  # the first level keeps all frames
            down += [nn.Conv3d(fine, coarse, 3, stride, padding=1), *_activation(coarse)]
            turned = nn.ConvTranspose3d(coarse, fine, 3, stride, padding=1, output_padding=(stride[0] - 1, 1, 1))
            up = [turned, *(_activation(fine) if level else ()), *up]
        self.encoder, self.decoder = nn.Sequential(*down), nn.Sequential(*up)
        self.memory = LearnedMemory(settings.items, sizes[-1], settings.shrink, generator)

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 16, C, H, W) in [-1, 1]; see `Detector.forward`."""
        before = self.window.before
        predicted = self._rebuild(clip)[0][:, before]
        return Evidence(squared_error(predicted, clip[:, before]), None, predicted)

    def published_score(self, clip: Tensor) -> Tensor:
        """The publication's score of clips (B, 16, C, H, W), before its min-max over a video: (B,), higher is odder.

        Mean over all frames and places of the root of the squared error summed over channels, pictures in [-1, 1].
        """
        return (self._rebuild(clip)[0] - clip).square().sum(dim=2).sqrt().mean(dim=(1, 2, 3))

    def _rebuild(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Clips (B, 16, C, H, W) → the same from memory, and the attention (B, items, 2, H/16, W/16)."""
        read, attention = self.memory(self.encoder(clip.transpose(1, 2)))
        rebuilt: Tensor = self.decoder(read)
        return rebuilt.transpose(1, 2).float(), attention

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all", the items among them."""
        return {"all": ParameterGroup(list(self.parameters()))}

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Squared error of all 16 frames, and the entropy of the attention."""
        clip = batch.normal.pixels
        rebuilt, attention = self._rebuild(clip)
        terms = {"reconstruction": losses.reconstruction(rebuilt, clip), "entropy": entropy(attention)}
        yield Objective("all", terms, {"reconstruction": 1.0, "entropy": self.settings.entropy})


class LearnedMemory(nn.Module):
    """M items of C channels that are weights like any other. Neither they nor the queries have unit length.

    Args:
        items: M. channels: C.
        shrink: attention of at most this becomes none, and the rest is scaled to a sum of 1; 0 keeps all.
        generator: where the first items are drawn from.
    """

    def __init__(self, items: int, channels: int, shrink: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        bound = channels**-0.5
        self.items = nn.Parameter(torch.empty(items, channels).uniform_(-bound, bound, generator=generator))
        self.shrink = shrink

    def forward(self, queries: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, ...) → what is read, (B, C, ...), and the attention to each item, (B, M, ...)."""
        with exact(queries.device):
            attention = (queries.float().movedim(1, -1) @ self.items.T).softmax(dim=-1)
            if self.shrink > 0:
                attention = F.normalize(hard_shrink(attention, self.shrink), p=1, dim=-1)
            read = attention @ self.items
        return read.movedim(-1, 1), attention.movedim(-1, 1)


def hard_shrink(attention: Tensor, least: float) -> Tensor:
    """Keep what is above `least`, nothing of the rest: max(0, w - t) w / |w - t|, which has a gradient."""
    over = attention - least
    return over.relu() * attention / (over.abs() + _EPSILON)


def entropy(attention: Tensor) -> Tensor:
    """Entropy of the attention (B, M, ...) over the items, in nats; mean over places and clips."""
    return -(attention * (attention + _EPSILON).log()).sum(dim=1).mean()


def _activation(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm3d(channels), nn.LeakyReLU(0.2, inplace=True)]
