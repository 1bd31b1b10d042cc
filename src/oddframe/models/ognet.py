"""OGNet (Zaheer et al., "Old is Gold: Redefining the Adversarially Learned One-Class Classifier Training Paradigm",
CVPR 2020).

In phase one a generator learns to rebuild patches against a discriminator. In phase two the discriminator alone learns
to tell patches that are rebuilt well from those that are rebuilt badly: by an old generator, of few steps, or from the
mean of two patches that were. It alone judges. Follows the code of March 2021 for pictures; of video nothing was
published, and what is known of it is that patches of 45x45 do not overlap and that those without motion are discarded.
Differs in this: the old generator and phase two begin after so many steps, which are settings, and phase two lasts to
the end of training, where the published one is a branch of 76 updates at each step; its pictures are those of the
batch; patches of a batch are those that move, at most as many as the published batch has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.moving import OgNetSettings
from oddframe.models.detector import Batch, Clips, Detector, Objective, ParameterGroup, Role, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import losses
from oddframe.nn.chance import Chance
from oddframe.nn.evidence import Evidence
from oddframe.nn.snapshot import Snapshot, judging

SIDE = 45


class OgNet(Detector):
    """OGNet: generator 8,609,025 and discriminator 4,308,865 parameters for grey patches, both used to judge.

    Args:
        settings: see `OgNetSettings`.
        generator: where the seed of noise is drawn from; torch's own without one. Weights come from torch's own.
    """

    window = Window(1, 0)
    has_distance = True
    settings: OgNetSettings

    def __init__(self, settings: OgNetSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.generator = PatchGenerator(settings.channels, settings.width)
        self.discriminator = PatchJudge(settings.channels, settings.width)
        self.old = Snapshot(self.generator)
        self.chance = Chance(generator)

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 2, C, H, W) in [-1, 1]; see `Detector.forward`."""
        judged = clip[:, 1]
        height, width = judged.shape[2] // SIDE, judged.shape[3] // SIDE
        rebuilt = self.generator(cut(judged))
        bad = self.discriminator(rebuilt).sigmoid().reshape(-1, height, width)
        predicted = put_back(rebuilt, height, width)
        return Evidence(squared_error(predicted, judged), torch.where(self._moving(clip), bad, 0.0), predicted)

    def _moving(self, clip: Tensor) -> Tensor:
        """Which patches move: clips (B, 2, C, H, W) → (B, H/45, W/45) bool."""
        change = (clip[:, 1] - clip[:, 0]).abs().mean(dim=1, keepdim=True) / 2
        return F.avg_pool2d(change, SIDE).squeeze(1) >= self.settings.moving

    # Training -----------------------------------------------------------------------------------------------

    @property
    def roles(self) -> tuple[Role, ...]:
        """Pseudo-anomalies are made of patches of the second clips."""
        return ("normal", "second")

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """Generator and discriminator, and the discriminator once more for phase two, with an optimiser anew."""
        judge = list(self.discriminator.parameters())
        return {
            "generator": ParameterGroup(list(self.generator.parameters())),
            "discriminator": ParameterGroup(judge, lr_factor=0.1),
            "tuning": ParameterGroup(judge, lr_factor=0.05),
        }

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Of phase one the discriminator's and then the generator's, of phase two the discriminator's alone."""
        random = self.chance.draw()
        patches = self._drawn(batch.normal, random)
        if int(self.chance.steps) < self.settings.tune_after:
            noise = torch.randn(patches.shape, generator=random, device=patches.device)
            yield from self._phase_one(patches, (patches + self.settings.noise * noise).clamp(-1, 1))
        else:
            second = self._drawn(batch.second if batch.second is not None else batch.normal, random)
            shuffled = second[torch.randperm(len(second), generator=random, device=second.device)]
            yield self._phase_two(patches, second, shuffled)

    def _phase_one(self, patches: Tensor, noisy: Tensor) -> Iterator[Objective]:
        settings = self.settings
        rebuilt = self.generator(noisy)
        seen, activations = self.discriminator.traced(rebuilt.detach())
        apart = {"discriminator.rebuilt": taken_for(seen, 1), "discriminator.real": self._said(patches, 0)}
        yield Objective("discriminator", apart, dict.fromkeys(apart, 0.5))
        if settings.gradient == "stale":
            pull = self.discriminator.pulled_back(activations, seen.detach().sigmoid() / seen.numel())
            # a term with the value of before and the gradient of both times
            adversarial = taken_for(seen, 0).detach() + (pull * (rebuilt - rebuilt.detach())).sum()
        else:
            adversarial = self._said(rebuilt, 0)
        terms = {"reconstruction": losses.reconstruction(rebuilt, patches), "adversarial": adversarial}
        weights = {"reconstruction": settings.reconstruction, "adversarial": settings.adversarial}
        yield Objective("generator", terms, weights)

    def _phase_two(self, patches: Tensor, one: Tensor, two: Tensor) -> Objective:
        settings = self.settings
        with judging(self.generator):
            badly = self.old.run(self.generator, patches)
            well = self.generator(patches)
            one, two = losses.matched(one, two)
            between = (self.old.run(self.generator, one) + self.old.run(self.generator, two)) / 2
            pseudo = self.generator(between)
        # each by itself, and in this order: batch norm normalises each kind alone, and keeps all four in turn
        terms = {
            "tuning.old": self._said(badly, 1),
            "tuning.rebuilt": self._said(well, 0),
            "tuning.real": self._said(patches, 0),
            "tuning.pseudo": self._said(pseudo, 1),
        }
        shares = (settings.old, 1 - settings.real, settings.real, 1 - settings.old)
        return Objective("tuning", terms, dict(zip(terms, shares, strict=True)))

    def _said(self, patches: Tensor, label: int) -> Tensor:
        return taken_for(self.discriminator(patches), label)

    def _drawn(self, clips: Clips, random: torch.Generator) -> Tensor:
        """Patches (N, C, 45, 45) of the judged frames: of those that move, or of all where none does."""
        patches, moving = cut(clips.pixels[:, 1]), self._moving(clips.pixels).flatten()
        patches = patches[moving | ~moving.any()]
        return patches[torch.randperm(len(patches), generator=random, device=patches.device)[: self.settings.patches]]

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Count the step, and keep the generator when it is the old one."""
        self.chance.stepped()
        if int(self.chance.steps) == self.settings.old_after:
            self.old.take(self.generator)

    def ailments(self) -> list[str]:
        """Whether training was too short for its phases."""
        steps, settings = int(self.chance.steps), self.settings
        if 0 < steps <= settings.tune_after:
            return [
                f"phase two has not begun: {steps} steps, and it begins after model.tune_after={settings.tune_after}"
            ]
        return []


class PatchGenerator(nn.Module):
    """Rebuilds patches: convolutions 5x5 without padding, w to 8w channels, and the same way back.

    The order of norm and activation turns round after the second one, as published. No bottleneck: 8w channels of
    29x29. Children are numbered in one sequence each way.

    Args:
        channels: of a patch. width: w; 64 as published.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width
        self.encoder = nn.Sequential(
            *(nn.Conv2d(channels, w, 5), nn.BatchNorm2d(w), nn.ReLU()),
            *(nn.Conv2d(w, 2 * w, 5), nn.BatchNorm2d(2 * w), nn.ReLU()),
            *(nn.Conv2d(2 * w, 4 * w, 5), nn.ReLU(), nn.BatchNorm2d(4 * w)),
            *(nn.Conv2d(4 * w, 8 * w, 5), nn.ReLU(), nn.BatchNorm2d(8 * w)),
        )
        self.decoder = nn.Sequential(
            *(nn.ConvTranspose2d(8 * w, 4 * w, 5), nn.BatchNorm2d(4 * w), nn.ReLU()),
            *(nn.ConvTranspose2d(4 * w, 2 * w, 5), nn.BatchNorm2d(2 * w), nn.ReLU()),
            *(nn.ConvTranspose2d(2 * w, w, 5), nn.BatchNorm2d(w), nn.ReLU()),
            *(nn.ConvTranspose2d(w, channels, 5), nn.Tanh()),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """(N, C, 45, 45) in [-1, 1] → the same rebuilt, in float32."""
        rebuilt: Tensor = self.decoder(self.encoder(patches))
        return rebuilt.float()


class PatchJudge(nn.Module):
    """Says whether a patch is badly rebuilt: convolutions 5x5 at stride 2, w to 8w channels, and one linear layer.

    Args:
        channels: of a patch. width: w; 64 as published.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width

        def halved(channels_in: int, channels_out: int) -> nn.Conv2d:
            return nn.Conv2d(channels_in, channels_out, 5, stride=2, padding=2)

        self.layers = nn.Sequential(
            *(halved(channels, w), nn.BatchNorm2d(w), nn.ReLU()),
            *(halved(w, 2 * w), nn.BatchNorm2d(2 * w), nn.ReLU()),
            *(halved(2 * w, 4 * w), nn.BatchNorm2d(4 * w), nn.ReLU()),
            *(halved(4 * w, 8 * w), nn.ReLU(), nn.Flatten(), nn.Linear(9 * 8 * w, 1)),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """(N, C, 45, 45) → (N, 1) in float32: the logarithm of the odds that each is badly rebuilt."""
        said: Tensor = self.layers(patches)
        return said.float()

    def traced(self, patches: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What `forward` gives, and what each layer was given for it."""
        given, activations = patches, []
        for layer in self.layers:
            activations.append(given.detach())
            given = layer(given)
        return given.float(), activations

    def pulled_back(self, activations: Sequence[Tensor], gradient: Tensor) -> Tensor:
        """The gradient by what is judged, from that by what is said: weights of now, activations of then.

        Torch up to 1.4 did so when weights were stepped between forward and backward. Nothing is kept of it.
        """
        for layer, given in zip(reversed(self.layers), reversed(activations), strict=True):
            anew = given.requires_grad_()
            said = _normed_anew(layer, anew) if isinstance(layer, nn.BatchNorm2d) else layer(anew)
            (gradient,) = torch.autograd.grad(said, anew, gradient.to(said.dtype))
        return gradient.float()


def _normed_anew(norm: nn.BatchNorm2d, given: Tensor) -> Tensor:
    """A batch norm by its batch that does not note what it has seen."""
    return F.batch_norm(given, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)


def taken_for(said: Tensor, label: int) -> Tensor:
    """Cross entropy of what the discriminator says with one label for all: 1, badly rebuilt, or 0."""
    return F.softplus(-said if label else said).mean()


def cut(pictures: Tensor) -> Tensor:
    """(B, C, H, W) → patches (B * H/45 * W/45, C, 45, 45), row by row."""
    _, channels, height, width = pictures.shape
    rows, columns = height // SIDE, width // SIDE
    patches = pictures.reshape(-1, channels, rows, SIDE, columns, SIDE).permute(0, 2, 4, 1, 3, 5)
    return patches.reshape(-1, channels, SIDE, SIDE)


def put_back(patches: Tensor, rows: int, columns: int) -> Tensor:
    """What `cut` cut → (B, C, H, W)."""
    channels = patches.shape[1]
    pictures = patches.reshape(-1, rows, columns, channels, SIDE, SIDE).permute(0, 3, 1, 4, 2, 5)
    return pictures.reshape(-1, channels, rows * SIDE, columns * SIDE)
