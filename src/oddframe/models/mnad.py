"""MNAD, the prediction task (Park et al., "Learning Memory-guided Normality for Anomaly Detection", CVPR 2020).

A U-Net predicts the next frame from four, through a memory of what normal looks like. Follows the published code.
Differs in two points: the memory does not follow the test videos unless `test_update` says so, and then it is as
trained again for each video, where the published one goes on from video to video. It is DREAM with one memory and
without discriminator (Table III, "UNet+Mem") but for the scale of the compactness.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from oddframe.detectors.peers import MnadSettings
from oddframe.models.detector import Batch, Detector, Objective, ParameterGroup, Window
from oddframe.models.framediff import squared_error
from oddframe.nn import losses
from oddframe.nn.evidence import Evidence
from oddframe.nn.memory import Memory, unit
from oddframe.nn.unet import Decoder, Encoder, Head


class Mnad(Detector):
    """MNAD.

    Args:
        settings: see `MnadSettings`.
        generator: where the first items are drawn from; torch's own without one. Weights come from torch's own.

    Attributes:
        unused_norm: the published encoder has it and never calls it. It is built so that there are as many
            parameters as published (15,651,843).
    """

    window = Window(4, 0)
    has_distance = True
    settings: MnadSettings

    def __init__(self, settings: MnadSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        width, channels = settings.width, 8 * settings.width
        self.settings = settings
        self.encoder = Encoder(self.window.before * settings.channels, width)
        self.head = Head(4 * width, channels)
        self.unused_norm = nn.BatchNorm2d(channels)
        self.memory = Memory(settings.items, channels, update_weight="max", generator=generator)
        self.decoder = Decoder(2 * channels, width, settings.channels)

    # Judging ------------------------------------------------------------------------------------------------

    def forward(self, clip: Tensor) -> Evidence:
        """Judge clips (B, 5, C, H, W) in [-1, 1]; see `Detector.forward`."""
        return self.judge(clip, self.memory)[0]

    def for_video(self) -> Callable[[Tensor], Evidence]:
        """The detector itself, or with `test_update` one whose memory follows the video."""
        return Following(self) if self.settings.test_update else self

    def judge(self, clip: Tensor, memory: Memory) -> tuple[Evidence, Tensor]:
        """Judge clips with the items of a memory; also return their queries."""
        queries, skips = self._encode(clip)
        predicted = self._predict(memory.read(queries), skips)
        error = squared_error(predicted, clip[:, self.window.before])
        return Evidence(error, memory.nearest(queries)[0], predicted), queries

    def queries(self, clip: Tensor) -> dict[str, Tensor]:
        """Unit queries (B, C, H/8, W/8) of the four frames before the judged one."""
        return {"normality": self._encode(clip)[0]}

    def _encode(self, clip: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Unit queries, and the encoder's skips."""
        features, skips = self.encoder(clip[:, : self.window.before].flatten(1, 2))
        return unit(self.head(features)), skips

    def _predict(self, read: Tensor, skips: list[Tensor]) -> Tensor:
        predicted: Tensor = self.decoder(read, skips)
        return predicted.float()

    # Training -----------------------------------------------------------------------------------------------

    def parameter_groups(self) -> dict[str, ParameterGroup]:
        """One group, "all"."""
        return {"all": ParameterGroup(list(self.parameters()))}

    def inference_parameters(self) -> list[nn.Parameter]:
        """All but those of the batch norm that is never called."""
        unused = {id(parameter) for parameter in self.unused_norm.parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in unused]

    def objectives(self, batch: Batch) -> Iterator[Objective]:
        """Squared error of the prediction, compactness (a mean over channels, too) and separateness of the queries."""
        clip = batch.normal.pixels
        queries, skips = self._encode(clip)
        predicted = self._predict(self.memory.read(queries), skips)
        found = self.memory.neighbours(queries.detach())
        second = None if found.second is None else losses.plain_distance(queries, found.second)
        terms = {
            "reconstruction": losses.reconstruction(predicted, clip[:, self.window.before]),
            "compactness": losses.compactness(losses.squared_distance(queries, found.nearest)) / queries.shape[1],
            "separateness": losses.separateness(losses.plain_distance(queries, found.nearest), second),
        }
        weights = {
            "reconstruction": 1.0,
            "compactness": self.settings.compactness,
            "separateness": self.settings.separateness,
        }
        yield Objective("all", terms, weights, {"queries": queries.detach()})

    def after_step(self, traces: Sequence[Mapping[str, Tensor]]) -> None:
        """Update the memory from the queries of the whole batch at once."""
        for trace in traces:
            self.memory.update(trace["queries"])

    def ailments(self) -> list[str]:
        """What is wrong with the memory."""
        return [f"memory: {ailment}" for ailment in self.memory.ailments()]


class Following:
    """Judges the frames of one video with a memory of its own that takes the queries of each well-predicted frame.

    A frame is judged before its queries are taken. Frames are judged one by one, so that it does not matter how many
    come at once.
    """

    def __init__(self, detector: Mnad) -> None:
        self._detector = detector
        self._memory = copy.deepcopy(detector.memory)

    def __call__(self, clips: Tensor) -> Evidence:
        """Judge the next clips (B, 5, C, H, W) of the video."""
        judged = [self._next(clip) for clip in torch.split(clips, 1)]
        return Evidence(*(torch.cat(parts) for parts in zip(*judged, strict=True)))

    def _next(self, clip: Tensor) -> Evidence:
        detector = self._detector
        evidence, queries = detector.judge(clip, self._memory)
        if weighted_error(evidence.predicted, clip[:, detector.window.before]) < detector.settings.test_update_below:
            self._memory.update(queries)
        return evidence


def weighted_error(predicted: Tensor, judged: Tensor) -> float:
    """Mean squared error e in which large errors count more: sum of w e / sum of w, with w = 1 - exp(-e).

    Of one frame (1, C, H, W), or of several together; in [-1, 1], but e is of pictures mapped to [0, 1].
    """
    error = ((predicted.float() - judged.float()) / 2).square()
    weight = -torch.expm1(-error)
    total = weight.sum()
    return float((weight * error).sum() / total) if total > 0 else 0.0
