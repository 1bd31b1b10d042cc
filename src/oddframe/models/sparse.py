"""TSC and the stacked RNN (Luo et al., "A Revisit of Sparse Coding Based Anomaly Detection in Stacked RNN Framework",
ICCV 2017).

The features of 21 patches of each frame are rebuilt from sparse states that are carried over the video. What is rebuilt
badly is odd. Follows the published code: its recurrence, its loss, which is reconstruction alone, and TensorFlow's
RMSProp. Differs in three points: the features are those of EfficientNet-Lite0, learned on ImageNet, 1,280 a patch,
since the published ResNet-50, learned on UCF101, is in no package; with the stacked RNN gamma and the lambdas are not
learned unless `learn_lambdas` says so; and the last weights are judged, where the published code takes the checkpoint
that is best on the test set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from oddframe.detectors.sparse import SrnnSettings, TscSettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, RMSProp, Window, nothing_carried
from oddframe.models.framediff import squared_error
from oddframe.nn.efficientnet import CHANNELS, pretrained
from oddframe.nn.evidence import Evidence
from oddframe.nn.sparse import PATCHES, Coding, next_state, patches_of, spread, states

CLIP = 10
"""Frames of a training clip."""


class Tsc(Detector):
    """TSC: states rebuild the features by the dictionary that they are found with. 1,638,400 parameters.

    Args:
        settings: see `TscSettings`.
        generator: where the dictionary is drawn from; torch's own without one.

    Attributes:
        network: the features, 3,371,008 weights that are never trained and that no run holds.

    Raises:
        MissingExtraError: the features are not installed. WeightsError: they are damaged.
    """

    window = Window(1, 0)
    has_distance = True
    settings: TscSettings

    def __init__(self, settings: TscSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        bound = math.sqrt(6 / (CHANNELS + settings.hidden)) / 2
        drawn = (2 * torch.rand(CHANNELS, settings.hidden, generator=generator) - 1) * bound
        self.dictionary = nn.Parameter(drawn)
        self.network = pretrained(f"the features of '{type(self).__name__.lower()}'")

    @property
    def clip_frames(self) -> int:
        """Ten, as published."""
        return CLIP

    @property
    def decoder(self) -> Tensor:
        """(1280, hidden): what states rebuild features by."""
        return self.dictionary

    @property
    def coding(self) -> Coding:
        """Gamma and the lambdas."""
        settings = self.settings
        return Coding(1.0, settings.sparsity, settings.coherence, settings.layers, settings.coherence_scale)

    # Judging ------------------------------------------------------------------------------------------------

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 2, 3, H, W) in [-1, 1], each as the beginning of a video; see `Detector.forward`."""
        return self.carry(clip, nothing_carried(self, clip))[0]

    def carried(self) -> dict[str, tuple[int, ...]]:
        """The states, and whether there are any."""
        return {"state": (PATCHES, self.settings.hidden), "begun": (1,)}

    def carry(self, clip: Tensor, carried: Mapping[str, Tensor]) -> tuple[Evidence, dict[str, Tensor]]:
        """Judge the next clip of each video; at its start, the frame before the judged one is its first."""
        before, judged = clip[:, 0], clip[:, 1]
        patches = self._patches(clip)  # (B, 2, 21, 1280)
        first = next_state(
            patches[:, 0], torch.zeros_like(patches[:, 0]), 0 * carried["state"], self.dictionary, self.coding
        )
        begun = carried["begun"][:, :, None]
        state = next_state(
            patches[:, 1],
            patches[:, 0],
            begun * carried["state"] + (1 - begun) * first,
            self.dictionary,
            self.coding,
        )
        errors = (state @ self.decoder.T - patches[:, 1]).square().mean(dim=2)
        evidence = Evidence(squared_error(before, judged), spread(errors), before)
        return evidence, {"state": state, "begun": torch.ones_like(carried["begun"])}

    def _patches(self, clip: Tensor) -> Tensor:
        """(B, T, 3, H, W) → (B, T, 21, 1280)."""
        with torch.no_grad():
            patches = patches_of(self.network(clip.flatten(0, 1)))
        return patches.reshape(*clip.shape[:2], PATCHES, CHANNELS)

    # Training -----------------------------------------------------------------------------------------------

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all", by RMSProp."""
        return {"all": ParameterGroup(list(self.parameters()), optimizer=RMSProp())}

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Half the squared error of the rebuilt features; the frame before a clip counts as nothing, as published."""
        patches = self._patches(batch.normal.pixels)
        features = patches.transpose(0, 1).flatten(1, 2)  # (T, B * 21, 1280)
        yield Objective("all", {"reconstruction": self.reconstruction(features)}, {"reconstruction": 1.0})

    def reconstruction(self, features: Tensor) -> Tensor:
        """Half the squared error, summed over features: a mean over frames and patches, (T, N, 1280) → ()."""
        rebuilt = states(features, self.dictionary, self.coding) @ self.decoder.T
        return (rebuilt - features).square().sum(dim=2).mean() / 2


class Srnn(Tsc):
    """The stacked RNN: states rebuild the features by weights of their own. 3,276,803 parameters."""

    settings: SrnnSettings

    def __init__(self, settings: SrnnSettings, generator: torch.Generator | None = None) -> None:
        super().__init__(settings, generator)
        self.rebuilding = nn.Parameter(self.dictionary.detach().clone())  # both begin alike, as published
        self.gamma = nn.Parameter(torch.tensor(1.0))
        self.lambda1 = nn.Parameter(torch.tensor(settings.sparsity))
        self.lambda2 = nn.Parameter(torch.tensor(settings.coherence))

    @property
    def decoder(self) -> Tensor:
        """(1280, hidden): what states rebuild features by."""
        return self.rebuilding

    @property
    def coding(self) -> Coding:
        """Gamma and the lambdas, which are parameters here."""
        settings = self.settings
        return Coding(self.gamma, self.lambda1, self.lambda2, settings.layers, settings.coherence_scale)

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all", by RMSProp; gamma and the lambdas are in it where they are learned."""
        if self.settings.learn_lambdas:
            return super().parameter_groups()
        return {"all": ParameterGroup([self.dictionary, self.rebuilding], optimizer=RMSProp())}
