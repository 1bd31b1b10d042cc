"""Features alone, nothing learned: how far each patch is from the nearest that normal video had.

The floor of what judges by the features of a frozen network: TSC and the stacked RNN (`models/sparse.py`). Pictures,
features, patches, and how the errors of patches become distances of places, are theirs. In place of a dictionary that
is learned it keeps patches of normal video as they are, `items` of them, of which each is equally likely to be kept:

    d(x) = min over items m of |x / |x| - m|², with |m| = 1

Patches of all places are compared with all items, as theirs share one dictionary. It is the idea of PatchCore (Roth et
al., CVPR 2022), with a drawing in place of its choice of items.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.detectors.floors import FeaturesSettings
from oddframe.models.detector import Detector, Window
from oddframe.models.framediff import squared_error
from oddframe.nn.chance import Chance
from oddframe.nn.efficientnet import CHANNELS, pretrained
from oddframe.nn.evidence import Evidence
from oddframe.nn.sparse import patches_of, spread


class Features(Detector):
    """Compares patches of the judged frame with patches of normal video, by features that were learned on ImageNet.

    Args:
        settings: see `FeaturesSettings`.
        generator: where the seed of the drawing comes from; torch's own without one.

    Attributes:
        network: the features, 3,371,008 weights that are never trained and that no run holds.
        items: (items, 1280), unit length; zeros before normal video was seen.

    Raises:
        MissingExtraError: the features are not installed. WeightsError: they are damaged.
    """

    window = Window(1, 0)
    has_distance = True
    settings: FeaturesSettings
    items: Tensor

    def __init__(self, settings: FeaturesSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.chance = Chance(generator)
        self.register_buffer("items", torch.zeros(settings.items, CHANNELS))
        self.network = pretrained("the features of 'features'")

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 2, 3, H, W) in [-1, 1]: squared distances (B, 4, 4) to the nearest items, 0..4."""
        before, judged = clip[:, 0], clip[:, 1]
        alike = self._patches(judged) @ self.items.T  # (B, 21, items)
        distance = (2 - 2 * alike.amax(dim=2)).clamp(min=0)
        return Evidence(squared_error(before, judged), spread(distance), before)

    def remember(self, clips: Iterable[Tensor]) -> None:
        """Keep patches of the judged frames; where they are fewer than the items, some are kept several times."""
        generator = self.chance.draw()
        kept, lots = self.items[:0], torch.empty(0)
        for clip in clips:
            found = self._patches(clip[:, self.window.before]).flatten(0, 1)
            lots = torch.cat([lots, torch.rand(len(found), generator=generator, device=lots.device)])
            # those with the lowest lots are kept: at every moment a fair drawing from all that was seen
            lots, chosen = lots.topk(min(len(self.items), len(lots)), largest=False)
            kept = torch.cat([kept, found])[chosen]
        if len(kept):
            self.items.copy_(kept[torch.arange(len(self.items)) % len(kept)])

    def _patches(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, 21, 1280), unit length."""
        with torch.no_grad():
            return F.normalize(patches_of(self.network(pictures)), dim=2)
