"""AMC (Nguyen and Meunier, "Anomaly Detection in Video Sequence with Appearance-Motion Correspondence", ICCV 2019).

One frame goes into a network that rebuilds it and says how it should move; a discriminator sees the true frame beside
the true flow or the predicted one. Follows the published code. Differs in four points: the flow is Lucas and Kanade's
(`nn/flow.py`), in place of FlowNet2's, whose weights do not come with this package; it is the motion since the frame
before, where theirs is that to the next, so that nothing looks ahead; patches are looked at up to the picture's last
edges, where theirs stop a step before; and the discriminator's batch norms do not see the true frame a second time in
a step, which changes nothing that judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.moving import AmcSettings
from oddframe.models.detector import Adam, Batch, Detector, Objective, ParameterGroup, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import flow, losses
from oddframe.nn.appearance_motion import AppearanceMotion, PairJudge
from oddframe.nn.chance import Chance
from oddframe.nn.evidence import Evidence

STEP = 4
"""Pixels from one patch to the next."""
LEAST = 1e-10
"""A smaller squared error counts as this much before its logarithm is taken."""


class Amc(Detector):
    """AMC: 17,390,406 parameters, and 2,761,408 of the discriminator in training, for frames of three channels.

    Args:
        settings: see `AmcSettings`.
        generator: where the seed of dropout is drawn from; torch's own without one. Weights come from torch's own.
    """

    window = Window(1, 0)
    has_distance = True
    settings: AmcSettings

    def __init__(self, settings: AmcSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        channels, width = settings.channels, settings.width
        self.generator = AppearanceMotion(channels, width) if settings.network else None
        adversarial = settings.network and settings.adversarial > 0
        self.discriminator = PairJudge(channels + 3, width) if adversarial else None
        self.chance = Chance(generator)

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 2, C, H, W) in [-1, 1]; see `Detector.forward`."""
        flow_error, predicted = self._judged(clip)
        patches = patch_means(flow_error, self.settings.patch)
        return Evidence(squared_error(predicted, clip[:, 1]), patches, predicted)

    def published_score(self, clip: Tensor) -> Tensor:
        """The publication's score of clips (B, 2, C, H, W), up to a constant: (B,), higher is odder (Eq. 8).

        ln S_F + 0.2 ln S_I of the patch with the largest mean squared error of the flow, S_F; S_I is that of the
        rebuilt frame in [0, 1] there, both summed over channels. The publication divides each by its mean over training
        frames.
        """
        flow_error, predicted = self._judged(clip)
        frame_error = ((predicted - clip[:, 1]) / 2).square().sum(dim=1)
        motion, appearance = oddest_patch(flow_error, frame_error, self.settings.patch)
        return motion.clamp(min=LEAST).log() + 0.2 * appearance.clamp(min=LEAST).log()

    def _judged(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Squared error of the flow, (B, H, W), summed over channels; the frame that was compared, (B, C, H, W)."""
        true = self.motion(clip)
        if self.generator is None:
            return true.square().sum(dim=1), clip[:, 0]
        rebuilt, predicted = self.generator(clip[:, 1])
        return (predicted - true).square().sum(dim=1), rebuilt.clamp(-1, 1)

    def motion(self, clip: Tensor) -> Tensor:
        """How everything has moved since the frame before: clips (B, 2, C, H, W) → (B, 3, H, W).

        Right, down and length, in parts of a pixel (`flow_scale`).
        """
        before, judged = flow.grey(clip[:, 0]), flow.grey(clip[:, 1])
        back = flow.believed(flow.lucas_kanade(judged, before), judged, before)
        moved = -self.settings.flow_scale * back
        return torch.cat([moved, moved.square().sum(dim=1, keepdim=True).sqrt()], dim=1)

    # Training -----------------------------------------------------------------------------------------------

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """The generator, and the discriminator at a tenth of the learning rate; none without a network."""
        groups, betas = {}, Adam(betas=(0.5, 0.9))
        if self.generator is not None:
            groups["generator"] = ParameterGroup(list(self.generator.parameters()), optimizer=betas)
        if self.discriminator is not None:
            groups["discriminator"] = ParameterGroup(list(self.discriminator.parameters()), 0.1, betas)
        return groups

    def inference_parameters(self) -> list[nn.Parameter]:
        """Those of the generator."""
        return [] if self.generator is None else list(self.generator.parameters())

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """The discriminator's first, from a prediction without dropout; the generator's then predicts anew."""
        if self.generator is not None:
            with torch.no_grad():
                true = self.motion(batch.normal.pixels)
            yield from self._objectives(self.generator, batch.normal.pixels[:, 1], true)

    def _objectives(self, generator: AppearanceMotion, frame: Tensor, true: Tensor) -> Iterator[Objective]:
        settings, judge = self.settings, self.discriminator
        if judge is not None:
            with torch.no_grad():  # the batch norms move with both passes of a step
                guessed = generator(frame)[1]
            apart = (F.softplus(-judge(frame, true)).mean() + F.softplus(judge(frame, guessed)).mean()) / 2
            yield Objective("discriminator", {"discriminator": apart}, {"discriminator": 1.0})
        rebuilt, predicted = generator(frame, settings.dropout, self.chance.draw())
        terms = {
            "intensity": losses.reconstruction(rebuilt, frame),
            "gradient": step_difference(rebuilt, frame),
            "motion": (predicted - true).abs().mean(),
        }
        if judge is not None:
            terms["adversarial"] = F.softplus(-judge(frame, predicted)).mean()
        yield Objective("generator", terms, {name: getattr(settings, name) for name in terms})

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Dropout draws anew in the next step."""
        self.chance.stepped()


def step_difference(rebuilt: Tensor, frame: Tensor) -> Tensor:
    """Mean of | |d frame| - |d rebuilt| |, across plus down; (B, C, H, W) each.

    d is the difference to the next pixel, 0 at the last ones. Frame-Pred's differs at that edge alone.
    """
    apart = [(rebuilt.diff(dim=axis).abs() - frame.diff(dim=axis).abs()).abs().sum() for axis in (-1, -2)]
    return (apart[0] + apart[1]) / frame.numel()


def patch_means(values: Tensor, side: int) -> Tensor:
    """Means of (B, H, W) over square patches, 4 pixels apart: (B, h, w)."""
    return F.avg_pool2d(values.unsqueeze(1), side, STEP).squeeze(1)


def oddest_patch(motion: Tensor, appearance: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Means of two maps (B, H, W) over the patch in which that of the first is largest: (B,) each."""
    moving, looking = (patch_means(one, side).flatten(1) for one in (motion, appearance))
    oddest = moving.argmax(dim=1, keepdim=True)
    return moving.gather(1, oddest).squeeze(1), looking.gather(1, oddest).squeeze(1)
