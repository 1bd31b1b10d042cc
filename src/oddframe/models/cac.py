"""CAC in our own reading of its abstract (Wang et al., "Cluster Attention Contrast for Video Anomaly Detection", ACM MM
2020).

Neither the paper beyond its abstract nor any code of it could be had. The abstract says: a contrastive task finds
sub-categories of what is normal as clusters; features of clips go through several projections, each a space of its
own; attention over the clusters makes one representation; two random views of a clip are brought together by
momentum contrast. Everything else is ours: the encoder, a small residual network over space and time that begins with
nothing learned; eight frames; eight spaces of 128; cosines to one centre in each as attention; the queue; the views;
and the score, the distance to the nearest centre. Figures of this detector say nothing about the published method.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.moving import CacSettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import ranks
from oddframe.nn.chance import Chance
from oddframe.nn.cluster_attention import Attended, ClusterAttention, contrast, moved_centres
from oddframe.nn.evidence import Evidence
from oddframe.nn.residual3d import Residual3D

CENTRE_MOMENTUM = 0.99
SMALLEST_CROP = 0.8
"""A view shows at least this part of the picture's sides."""
LIGHT = 0.2
"""A view is lighter or darker by at most this part."""
ALL_BUT = 0.95
"""A space with more than this share of the attention leaves nothing to the others."""


class Cac(Detector):
    """CAC as we read its abstract: 29,774,208 parameters in training, half of them the key's, for three channels.

    Args:
        settings: see `CacSettings`.
        generator: where the seed of views, the first centres and the first queue are drawn from; torch's own without
            one. Weights come from torch's own.
    """

    window = Window(7, 0)
    has_distance = True
    settings: CacSettings
    centres: Tensor
    queue: Tensor
    usage: Tensor

    def __init__(self, settings: CacSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Residual3D(settings.channels, settings.width)
        self.attention = ClusterAttention(self.encoder.features, settings.spaces, settings.length)
        self.key_encoder, self.key_attention = copy.deepcopy(self.encoder), copy.deepcopy(self.attention)
        for parameter in self._key():
            parameter.requires_grad_(False)
        self.chance = Chance(generator)

        def drawn(count: int) -> Tensor:
            return F.normalize(torch.randn(count, settings.length, generator=generator), dim=1)

        self.register_buffer("centres", drawn(settings.spaces))
        self.register_buffer("queue", drawn(settings.queue))
        self.register_buffer("usage", torch.full((settings.spaces,), 1 / settings.spaces))

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 8, C, H, W) in [-1, 1]; see `Detector.forward`."""
        before, judged = clip[:, -2], clip[:, -1]
        seen: Attended = self.attention(self.encoder(clip), self.centres)
        distance = (2 - 2 * seen.cosine.amax(dim=1)).clamp(min=0)
        return Evidence(squared_error(before, judged), distance.view(-1, 1, 1), before)

    # Training -----------------------------------------------------------------------------------------------

    def _query(self) -> list[nn.Parameter]:
        return [*self.encoder.parameters(), *self.attention.parameters()]

    def _key(self) -> list[nn.Parameter]:
        return [*self.key_encoder.parameters(), *self.key_attention.parameters()]

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """The query's. The key's follow them without a gradient."""
        return {"all": ParameterGroup(self._query())}

    def inference_parameters(self) -> list[nn.Parameter]:
        """The query's."""
        return self._query()

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """One view of each clip is to be told by the key of another one from those of other clips."""
        clip, random = batch.normal.pixels, self.chance.draw()
        seen: Attended = self.attention(self.encoder(view(clip, random)), self.centres)
        with torch.no_grad():
            key = self.key_attention(self.key_encoder(view(clip, random)), self.centres).representation
        terms = {"contrast": contrast(seen.representation, key, self.queue, self.settings.temperature)}
        kept = {name: value.detach() for name, value in seen._asdict().items()}
        yield Objective("all", terms, {"contrast": 1.0}, {"keys": key, **kept})

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Let the key follow the query, put the keys into the queue, and move the centres.

        Where several ranks train, the clips of all count, so that queue and centres of all stay equal.
        """
        self.chance.stepped()
        momentum = self.settings.momentum
        for key, query in zip(self._key(), self._query(), strict=True):
            key.lerp_(query, 1 - momentum)
        for trace in traces:
            seen = Attended(**{name: ranks.gathered(trace[name]) for name in Attended._fields})
            self.queue.copy_(torch.cat([self.queue, ranks.gathered(trace["keys"])])[-len(self.queue) :])
            self.centres.copy_(moved_centres(self.centres, seen, CENTRE_MOMENTUM))
            self.usage.lerp_(seen.attention.mean(dim=0), 1 - CENTRE_MOMENTUM)

    def ailments(self) -> list[str]:
        """Whether one space has become all there is."""
        most = float(self.usage.max())
        if self.settings.spaces > 1 and most > ALL_BUT:
            return [f"spaces: one of {self.settings.spaces} has {100 * most:.0f} % of the attention"]
        return []


def view(clip: Tensor, generator: torch.Generator) -> Tensor:
    """Clips (B, T, C, H, W) in [-1, 1] → each cropped, mirrored or not, and lit, all its frames alike."""
    count, frames, channels, height, width = clip.shape

    def drawn() -> Tensor:
        return torch.rand(count, generator=generator, device=clip.device)

    share = SMALLEST_CROP + (1 - SMALLEST_CROP) * drawn()
    across, down = ((1 - share) * (2 * drawn() - 1) for _ in range(2))
    mirrored = torch.where(drawn() < 0.5, -share, share)
    nothing = torch.zeros_like(share)
    places = torch.stack([mirrored, nothing, across, nothing, share, down], dim=1).reshape(-1, 2, 3)
    grid = F.affine_grid(places, [count, 1, height, width], align_corners=False)
    cropped = F.grid_sample(clip.flatten(1, 2), grid, mode="bilinear", padding_mode="border", align_corners=False)
    light = 1 + LIGHT * (2 * drawn() - 1).view(-1, 1, 1, 1)
    return ((cropped + 1) * light - 1).clamp(-1, 1).reshape(count, frames, channels, height, width)
