"""The contract of a detector: the one abstract class of the house.

The training loop owns optimisers, precision, accumulation and checkpoints and knows nothing of any
detector. A detector knows its layers, its losses and its memories.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from oddframe.detectors import DetectorSettings
from oddframe.nn.evidence import Evidence

Role = Literal["normal", "second", "abnormal"]


class Window(NamedTuple):
    """Frames that a detector needs around the judged one."""

    before: int
    after: int

    @property
    def frames(self) -> int:
        return self.before + 1 + self.after


@dataclass(frozen=True)
class Clips:
    """Clips of one role.

    Attributes:
        pixels: (B, T, C, H, W) in [-1, 1]; the judged frame is number `window.before`.
        places: (B, H, W) bool, True where the picture is known to be abnormal; None for normal clips.
    """

    pixels: Tensor
    places: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """What a training step sees. `second` are normal clips drawn anew (the triplet's positives)."""

    normal: Clips
    second: Clips | None = None
    abnormal: Clips | None = None


class ParameterGroup(NamedTuple):
    """Parameters that share an objective, and the factor on the learning rate."""

    parameters: list[nn.Parameter]
    lr_factor: float = 1.0


@dataclass(frozen=True)
class Objective:
    """One scalar to minimise for one parameter group.

    Attributes:
        group: name of the parameter group that takes the gradient.
        terms: name → unweighted scalar, e.g. "reconstruction", "normality.compactness".
        weights: name → weight; the loss is the weighted sum.
        trace: detached tensors that `after_step` needs.
    """

    group: str
    terms: Mapping[str, Tensor]
    weights: Mapping[str, float]
    trace: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def loss(self) -> Tensor:
        return torch.stack([self.weights[name] * term for name, term in self.terms.items()]).sum()


class Detector(nn.Module, ABC):
    """A detector. See the module's docstring; `models/dream.py` is the one to read first."""

    window: ClassVar[Window] = Window(4, 0)
    has_distance: bool = False
    """Whether `Evidence.distance` is there: fixed once the detector is built, so that its scores always have the
    same columns. Ask the detector, not its class: some settings take the memory away."""

    settings: DetectorSettings

    @property
    def roles(self) -> tuple[Role, ...]:
        """Which roles a batch needs."""
        return ("normal",)

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """Name → parameters and learning-rate factor. Empty where there is nothing to train."""
        return {}

    def inference_parameters(self) -> list[nn.Parameter]:
        """The parameters that `forward` uses; all of them unless a detector has some for training only."""
        return list(self.parameters())

    def parameter_counts(self) -> dict[str, int]:
        """How many parameters there are in training and how many of them at inference."""
        return {
            "training": sum(parameter.numel() for parameter in self.parameters()),
            "inference": sum(parameter.numel() for parameter in self.inference_parameters()),
        }

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Yield one objective after another; the loop steps each group before it asks for the next."""
        yield from ()

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Change what changes without a gradient, from the traces of the step just taken."""

    @abstractmethod
    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, T, C, H, W) in [-1, 1], judged frame included. Inference only, exportable."""

    def for_video(self) -> Callable[[Tensor], Evidence]:
        """What judges one video; it is called with its clips, in order, one or several at a time.

        The detector itself, unless it learns from a video while it judges it. What it learns belongs to what is
        returned here, so that neither `forward` nor another video knows of it.
        """
        return self

    def queries(self, clip: Tensor) -> dict[str, Tensor]:
        """Branch → queries (B, C, h, w), unit length along C; empty where there are none."""
        return {}

    def ailments(self) -> list[str]:
        """What is wrong with the memories right now, in words that name the memory; empty when they are well.

        The history keeps them epoch by epoch, and a run those of the end as notes. No terminal is told while training
        lasts: most pass, and what can be done is done with settings of the next training.
        """
        return []
