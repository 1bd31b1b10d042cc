"""Frame-Pred (Liu et al., "Future Frame Prediction for Anomaly Detection - A New Baseline", CVPR 2018).

A U-Net predicts the next frame from four; a discriminator looks at patches and tells frames from predictions. Follows
the published code. Differs in two points: the optical flow from the last frame to the prediction, which shall be that
to the true frame, is FlowNet2's there, whose weights do not come with this package: here it is left out, or, with
`flow = lucas-kanade`, another one; and both objectives of a step share its clips, where the published ones each draw
their own. A port to PyTorch whose figures are quoted (feiyuhuahuo/Anomaly_Prediction) takes both flows without their
gradients: it learns as this detector does without a flow loss.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.peers import FramePredSettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import flow, losses
from oddframe.nn.evidence import Evidence
from oddframe.nn.unet import Decoder, Encoder

FLOW_HEIGHT, FLOW_WIDTH = 384, 512
"""The picture in whose pixels the published weight of the flow loss measures."""


class FramePred(Detector):
    """Frame-Pred: 7,704,195 parameters, and 6,831,489 of the discriminator in training.

    Args:
        settings: see `FramePredSettings`.
        generator: taken as every detector takes it; weights come from torch's own.
    """

    window = Window(4, 0)
    settings: FramePredSettings

    def __init__(self, settings: FramePredSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        width = settings.width
        self.settings = settings
        self.encoder = Encoder(self.window.before * settings.channels, width, norm=False)
        self.decoder = Decoder(4 * width, width, settings.channels, norm=False, kernel=2)
        self.discriminator = PatchDiscriminator(settings.channels, 2 * width) if settings.adversarial else None

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 5, C, H, W) in [-1, 1]; see `Detector.forward`."""
        predicted = self._predict(clip)
        return Evidence(squared_error(predicted, clip[:, self.window.before]), None, predicted)

    def _predict(self, clip: Tensor) -> Tensor:
        predicted: Tensor = self.decoder(*self.encoder(clip[:, : self.window.before].flatten(1, 2)))
        return predicted.float()

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """The generator, and the discriminator at a tenth of the learning rate."""
        groups = {"generator": ParameterGroup(self.inference_parameters())}
        if self.discriminator is not None:
            groups["discriminator"] = ParameterGroup(list(self.discriminator.parameters()), lr_factor=0.1)
        return groups

    def inference_parameters(self) -> list[nn.Parameter]:
        """Those of the generator."""
        return [*self.encoder.parameters(), *self.decoder.parameters()]

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """The discriminator's first, as in the published code; the generator's then meets what came of it."""
        clip, settings = batch.normal.pixels, self.settings
        judged, predicted = clip[:, self.window.before], self._predict(clip)
        terms = {
            "intensity": losses.reconstruction(predicted, judged),
            "gradient": gradient_difference(predicted, judged),
        }
        if settings.flow == "lucas-kanade":
            terms["flow"] = flow_difference(clip[:, self.window.before - 1], predicted, judged)
        if self.discriminator is not None:
            apart = told_apart(self.discriminator(judged), self.discriminator(predicted.detach()))
            yield Objective("discriminator", {"discriminator": apart}, {"discriminator": 1.0})
            terms["adversarial"] = taken_for_real(self.discriminator(predicted))
        weights = {name: settings.flow_weight if name == "flow" else getattr(settings, name) for name in terms}
        yield Objective("generator", terms, weights)


class PatchDiscriminator(nn.Module):
    """Says of each patch of a picture whether it is real: a sigmoid between 0, predicted, and 1, real.

    Five convolutions 4x4 after reflection padding of 2: w, 2w, 4w channels at stride 2, 4w and 1 at stride 1.
    No normalisation, LeakyReLU 0.2 between them.

    Args:
        channels: of a picture. width: w; 128 as published.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels_in = channels
        for channels_out, stride in ((width, 2), (2 * width, 2), (4 * width, 2), (4 * width, 1)):
            layers += [_convolution(channels_in, channels_out, stride), nn.LeakyReLU(0.2, inplace=True)]
            channels_in = channels_out
        self.layers = nn.Sequential(*layers, _convolution(channels_in, 1, 1), nn.Sigmoid())

    def forward(self, picture: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] → (B, 1, h, w) in 0..1, with h about H/8 and 3 more."""
        real: Tensor = self.layers(picture)
        return real.float()


def _convolution(channels_in: int, channels: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, 4, stride, padding=2, padding_mode="reflect")


def gradient_difference(predicted: Tensor, judged: Tensor) -> Tensor:
    """Mean of | |d judged| - |d predicted| |, across plus down; (B, C, H, W) each.

    d is the difference of neighbours. Outside the picture, right and below, is 0, as in the published code.
    """
    across, down = ((_steps(predicted, axis) - _steps(judged, axis)).abs().mean() for axis in (-1, -2))
    return across + down


def _steps(picture: Tensor, axis: int) -> Tensor:
    padding = (0, 1) if axis == -1 else (0, 0, 0, 1)
    return F.pad(picture, padding).diff(dim=axis).abs()


def flow_difference(last: Tensor, predicted: Tensor, judged: Tensor) -> Tensor:
    """Mean of |flow to the prediction - flow to the true frame|, both from the frame before it, (B, C, H, W) each.

    Of flows by Lucas and Kanade in place of FlowNet2, in pixels of a picture of 384x512. A perfect prediction has 0.
    """
    height, width = last.shape[2:]
    before, wanted = flow.grey(last), flow.grey(judged)
    with torch.no_grad():
        true = flow.lucas_kanade(before, wanted)
    apart = (flow.lucas_kanade(before, flow.grey(predicted)) - true).abs().mean(dim=(0, 2, 3))
    return (apart * apart.new_tensor([FLOW_WIDTH / width, FLOW_HEIGHT / height])).mean()


def taken_for_real(predicted: Tensor) -> Tensor:
    """The generator's side: half the mean squared distance from 1 of what the discriminator says of predictions."""
    return (predicted - 1).square().mean() / 2


def told_apart(real: Tensor, predicted: Tensor) -> Tensor:
    """The discriminator's side: half the mean squared distance of real frames from 1, and of predictions from 0."""
    return ((real - 1).square().mean() + predicted.square().mean()) / 2
