"""MLEP: margin learning embedded prediction (Liu et al., IJCAI 2019), the peer that knows a few anomalies.

A ConvLSTM predicts the next frame; a margin between its states of normal and of abnormal clips is learned beside.
What is judged is the prediction alone. Follows the published code, also where that is unusual: the prediction's error
is L1, states are compared as they are, and the margin is asked of the means over a batch, not of each clip. Differs in
what the training loop gives to every detector: clips of five frames that are partly abnormal take no part (there
they count as normal), and no clip is played backwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from oddframe.detectors.peers import MlepSettings
from oddframe.models.detector import Batch, Clips, Detector, Objective, ParameterGroup, Role, Window
from oddframe.models.framediff import squared_error
from oddframe.nn.convlstm import ConvLSTMNet
from oddframe.nn.evidence import Evidence
from oddframe.nn.losses import matched


class Mlep(Detector):
    """A frame encoder, a ConvLSTM and a decoder.

    Without abnormal clips the margin loss is left out: what stays is the prediction.

    Args:
        settings: see `MlepSettings`.
        generator: taken as every detector takes it; nothing is drawn but weights, which come from torch's own.
    """

    window = Window(4, 0)
    settings: MlepSettings

    def __init__(self, settings: MlepSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        backbone = ConvLSTMNet(settings.channels, settings.width)
        self.encoder = backbone.encoder()
        self.recurrent = backbone.head(backbone.features)
        self.decoder = backbone.decoder(backbone.features)

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 5, C, H, W) in [-1, 1]; see `Detector.forward`."""
        predicted = self._predict(self._state(clip))
        return Evidence(squared_error(predicted, clip[:, self.window.before]), None, predicted)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Which roles a batch should have. What is missing takes its terms with it."""
        return ("normal", "second", "abnormal") if self.settings.triplet > 0 else ("normal",)

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all"."""
        return {"all": ParameterGroup(list(self.parameters()))}

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """One objective. Prediction errors of the two normal roles are added; abnormal clips are not predicted."""
        settings = self.settings
        anchor, error = self._learn(batch.normal)
        terms = {"reconstruction": error}
        if batch.second is not None:
            positive, error = self._learn(batch.second)
            terms["reconstruction"] = terms["reconstruction"] + error
            if batch.abnormal is not None:
                negative = self._state(batch.abnormal.pixels)
                terms["triplet"] = margin_loss(anchor, positive, negative, settings.triplet_margin)
        weights = {"reconstruction": settings.reconstruction, "triplet": settings.triplet}
        yield Objective("all", terms, {name: weights[name] for name in terms})

    def _learn(self, clips: Clips) -> tuple[Tensor, Tensor]:
        """State of normal clips, and the mean absolute error of what is predicted from it."""
        state = self._state(clips.pixels)
        return state, (self._predict(state) - clips.pixels[:, self.window.before]).abs().mean()

    def _state(self, clip: Tensor) -> Tensor:
        """Clips → hidden state after the frame before the judged one, (B, 4w, H/4, W/4)."""
        features, _ = self.encoder(clip[:, : self.window.before])
        state: Tensor = self.recurrent(features)
        return state.float()

    def _predict(self, state: Tensor) -> Tensor:
        predicted: Tensor = self.decoder(state, [])
        return predicted.float()


def margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """max(0, margin + mean (a - p)^2 - mean (a - n)^2) of states (B, C, h, w), a scalar.

    The means run over clips, channels and places, so that clips far apart make up for others that are not.
    """
    a, p, n = matched(anchor, positive, negative)
    return ((a - p).square().mean() - (a - n).square().mean() + margin).clamp(min=0)
