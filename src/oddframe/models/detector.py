"""The contract of a detector: the one abstract class of the house.

The training loop owns optimisers, precision, accumulation and checkpoints and knows nothing of any
detector. A detector knows its layers, its losses and its memories.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


class Adam(NamedTuple):
    """Adam, or AdamW where `train.optimizer` says so. betas: of the running means of gradients and of their squares."""

    betas: tuple[float, float] = (0.9, 0.999)


class RMSProp(NamedTuple):
    """TensorFlow 1's RMSProp (`nn/rmsprop.py`), whatever `train.optimizer` says, without weight decay.

    decay: of the running mean of the squared gradients.
    """

    decay: float = 0.9


class ParameterGroup(NamedTuple):
    """Parameters that share an objective, the factor on the learning rate, and how they are stepped.

    Each group has an optimiser of its own, which a run keeps. A parameter may be in several groups: it then has the
    running means of each.
    """

    parameters: list[nn.Parameter]
    lr_factor: float = 1.0
    optimizer: Adam | RMSProp = Adam()


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
    def clip_frames(self) -> int:
        """Frames of a training clip: those of the window, unless it learns from longer ones than it judges."""
        return self.window.frames

    @property
    def roles(self) -> tuple[Role, ...]:
        """Which roles a batch needs."""
        return ("normal",)

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """Name → a group. Empty where there is nothing to train: training video is shown to `remember`, and training
        goes straight to calibration."""
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
        """Yield one objective after another; the loop steps each group before it asks for the next.

        Not every group needs one in every step: a training in phases counts its steps in a buffer (`after_step`),
        which a checkpoint keeps, and yields what the phase wants. Terms are averaged over the steps that had them.
        """
        yield from ()

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Change what changes without a gradient, from the traces of the step just taken."""

    def remember(self, clips: Iterable[Tensor]) -> None:
        """Keep something of normal video, in buffers, where there is nothing to train.

        It is called once, before calibration, without gradients and with the detector as it judges.

        Args:
            clips: (B, T, C, H, W) in [-1, 1] each, T the frames of the window, in order and as they are. They are made
                as they are asked for: a detector that asks for none costs nothing.
        """

    @abstractmethod
    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, T, C, H, W) in [-1, 1], judged frame included. Inference only, exportable."""

    def carried(self) -> dict[str, tuple[int, ...]]:
        """What is carried from frame to frame of a video: name → shape, of one video. Zeros at its start."""
        return {}

    def carry(self, clip: Tensor, carried: Mapping[str, Tensor]) -> tuple[Evidence, dict[str, Tensor]]:
        """Judge the next clip of each of B videos, for a detector that carries something; exportable, as `forward`.

        Args:
            clip: (B, T, C, H, W) in [-1, 1]. carried: name → (B, ...), as the clip before it left it.

        Returns:
            the evidence, and what is carried to the next clip.
        """
        raise NotImplementedError

    def for_video(self) -> Callable[[Tensor], Evidence]:
        """What judges one video; it is called with its clips, in order, one or several at a time.

        The detector itself, unless it carries something over a video, or learns from it while it judges it. What that
        is belongs to what is returned here, so that neither `forward` nor another video knows of it. After a gap, and
        where a stream goes back, a new one is asked for.
        """
        return Carrying(self) if self.carried() else self

    def queries(self, clip: Tensor) -> dict[str, Tensor]:
        """Branch → queries (B, C, h, w), unit length along C; empty where there are none."""
        return {}

    def ailments(self) -> list[str]:
        """What is wrong with the memories right now, in words that name the memory; empty when they are well.

        The history keeps them epoch by epoch, and a run those of the end as notes. No terminal is told while training
        lasts: most pass, and what can be done is done with settings of the next training.
        """
        return []


class Carrying:
    """Judges the frames of one video by a detector that carries something from each to the next.

    Frames are judged one by one, so that it does not matter how many come at once. A clip that cannot be judged
    changes nothing.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._carried: dict[str, Tensor] | None = None

    def __call__(self, clips: Tensor) -> Evidence:
        """Judge the next clips (B, T, C, H, W) of the video."""
        carried = nothing_carried(self._detector, clips[:1]) if self._carried is None else self._carried
        judged = []
        for clip in torch.split(clips, 1):
            evidence, carried = self._detector.carry(clip, carried)
            judged.append(evidence)
        self._carried = carried
        errors, distances, predicted = zip(*judged, strict=True)
        distance = None if distances[0] is None else torch.cat(distances)
        return Evidence(torch.cat(errors), distance, torch.cat(predicted))


def nothing_carried(detector: Detector, clips: Tensor) -> dict[str, Tensor]:
    """What a detector carries at the start of as many videos as there are clips (B, T, C, H, W)."""
    return {name: clips.new_zeros(len(clips), *shape) for name, shape in detector.carried().items()}
