"""One graph from clips to components: normalisation, network, error, distances and their local peers.

What the scorer calls is inside, so that no runtime has its own idea of a score. The change between frames
(`motion`) and optical flow (`flow`) need no network and stay outside: no graph can hold OpenCV's flow.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

import torch
from torch import Tensor, nn

from oddframe.artefact import ERROR, INPUT, PREDICTED, map_output, next_output
from oddframe.errors import ExportError, MissingExtraError
from oddframe.models.detector import Carrying, Detector, nothing_carried
from oddframe.nn.evidence import components
from oddframe.nn.pictures import to_pixels, to_unit_range
from oddframe.scoring.runtimes.torch import MAPS
from oddframe.settings import Component, ScoreSettings

OPSET = 18


@dataclass(frozen=True)
class OnnxGraph:
    """A graph: its bytes, the components that it gives, those of them that have a map, and what it carries over a video
    (name → shape; an input, and an output `next_output`)."""

    content: bytes
    values: tuple[Component, ...]
    maps: tuple[Component, ...]
    carried: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class ScoredNetwork(nn.Module):
    """A detector with what stands before and behind it when it scores."""

    def __init__(self, detector: Detector, score: ScoreSettings) -> None:
        super().__init__()
        self.detector = detector
        self._channels = int(detector.settings.channels)
        self._windows = (score.window, score.stride, score.local_share)

    def forward(self, clips: Tensor, carried: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """(B, T, H, W, C) uint8, and what is carried to them → output → tensor, see `scoring.artefact`."""
        pixels = to_unit_range(clips, self._channels)
        onward: dict[str, Tensor] = {}
        if carried:
            evidence, onward = self.detector.carry(pixels, carried)
        else:
            evidence = self.detector(pixels)
        found = {
            map_output(MAPS[name]) if name in MAPS else name: value
            for name, value in components(evidence, *self._windows).items()
        }
        found |= {ERROR: evidence.error, PREDICTED: to_pixels(evidence.predicted)}
        return found | {next_output(name): value for name, value in onward.items()}


def to_onnx(detector: Detector, score: ScoreSettings) -> OnnxGraph:
    """Export a detector for any number of clips at once. The same detector gives the same bytes.

    Raises:
        ExportError: it learns from a video while it judges it, or does what a graph cannot hold.
        MissingExtraError: the exporter is not installed.
    """
    kind = type(detector).__name__
    if not isinstance(detector.for_video(), Detector | Carrying):
        raise ExportError(
            f"{kind} learns from a video while it judges it, and a graph does not change",
            hint="train it with the setting off that lets it learn (mnad: --set model.test_update=false)",
        )
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingExtraError("export", "export") from None
    network = ScoredNetwork(detector, score).eval()
    # Two clips: the exporter takes a dimension of one for a constant.
    clips = torch.zeros(2, detector.window.frames, *detector.settings.size, network._channels, dtype=torch.uint8)
    carried = nothing_carried(detector, clips.float())
    dynamic = {0: torch.export.Dim("batch")}
    beside: dict[str, Any] = {"carried": carried} if carried else {}
    shapes: dict[str, Any] = {"clips": dynamic} | ({"carried": dict.fromkeys(carried, dynamic)} if carried else {})
    try:
        with torch.no_grad():
            outputs = list(network(clips, **beside))
        with _quiet():
            program = torch.onnx.export(
                network,
                (clips,),
                kwargs=beside,
                dynamo=True,
                input_names=[INPUT, *carried],
                output_names=outputs,
                dynamic_shapes=shapes,
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # the exporter's errors have no common parent, and a plug-in may raise anything
        raise ExportError(
            f"{kind} cannot be exported",
            seen=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}",
            wanted="a forward that is made of tensor operations and takes the same path whatever the pictures show",
            hint="score with the run itself, or rewrite what branches on values with torch.where",
        ) from error
    assert program is not None
    model = program.model_proto
    # It notes where in which file each operation stood: nobody's business, and other bytes on another machine.
    for noted in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        noted.ClearField("metadata_props")
        noted.ClearField("doc_string")
    for noted in (*model.graph.input, *model.graph.output):
        noted.ClearField("metadata_props")
    values = tuple(cast(Component, name) for name in outputs if name in get_args(Component))
    maps = tuple(name for name in values if map_output(name) in outputs)
    return OnnxGraph(model.SerializeToString(deterministic=True), values, maps, detector.carried())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter says of its own insides from the user, and leave no trace of having done so."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
