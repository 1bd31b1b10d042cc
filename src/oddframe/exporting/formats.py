"""The graph as a file: model.onnx, or model.xml and model.bin of OpenVINO; in fp32 or int8.

int8 is post-training quantisation by NNCF, calibrated on normal clips. Convolutions alone are rounded: a memory whose
queries are rounded finds other nearest items, and of a rounded picture's error the rounding is what is left. So is a
convolution that sees the pictures: it lives on what little changes from frame to frame.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import INPUT, Graph
from oddframe.errors import ExportError
from oddframe.outside import import_nncf, import_openvino

_ROUNDED = {"Conv", "ConvTranspose", "Convolution", "ConvolutionBackpropData"}
"""What computes in eight bits, by the names of both formats."""

_PASSING = {"Relu", "LeakyRelu", "PRelu", "MaxPool", "Concat", "Pad"}
"""What may hand on eight bits from one convolution to the next."""

Node = tuple[str, str, Sequence[str], Sequence[str]]
"""Type, name, names of what goes in and of what comes out."""


def write_graph(onnx: bytes, folder: Path, graph: Graph, clips: Sequence[NDArray[np.uint8]] = ()) -> None:
    """Write a graph in its format.

    Args:
        onnx: the graph in fp32. graph: the file's name, which tells the format.
        clips: normal clips (1, T, H, W, C) in a fixed order; with them the graph is quantised.

    Raises:
        ExportError: there is nothing to quantise. MissingExtraError: a package is missing.
    """
    if graph == "model.onnx":
        if clips:
            from onnx import load_from_string

            model = load_from_string(onnx)
            nodes = [(node.op_type, node.name, node.input, node.output) for node in model.graph.node]
            onnx = _quantised(model, nodes, clips).SerializeToString(deterministic=True)
        (folder / graph).write_bytes(onnx)
        return
    openvino = import_openvino()
    # Biases are constants of what is converted; what a core reads has them behind operations on shapes, unseen by NNCF.
    model = openvino.convert_model(io.BytesIO(onnx))
    if clips:
        model = _quantised(model, [_node(operation) for operation in model.get_ordered_ops()], clips)
    openvino.save_model(model, folder / graph, compress_to_fp16=False)


def _node(operation: Any) -> Node:
    name = operation.get_friendly_name()
    inputs = [value.get_node().get_friendly_name() for value in operation.input_values()]
    return operation.get_type_name(), name, inputs, [name]


def _quantised(model: Any, nodes: Sequence[Node], clips: Sequence[NDArray[np.uint8]]) -> Any:
    """Quantise an ONNX or OpenVINO model that has these nodes, in an order in which they can be computed."""
    nncf = import_nncf()
    kept = {kind for kind, *_ in nodes} - _ROUNDED - _PASSING
    first = _first_convolutions(nodes)
    if all(name in first for kind, name, *_ in nodes if kind in _ROUNDED):
        raise ExportError(
            "there is nothing to quantise", seen="no deep convolution", hint="export it with --precision fp32"
        )
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        return nncf.quantize(
            model,
            nncf.Dataset(clips, lambda clip: {INPUT: clip}),
            preset=nncf.QuantizationPreset.MIXED,
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(clips),
            # The fast one shifts distances by a tenth here, and not alike on all clips: worse than none at all.
            fast_bias_correction=False,
            # A bias that several time steps share cannot be corrected for each of them.
            advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=_is_recurrent(nodes)),
            ignored_scope=nncf.IgnoredScope(names=first, types=sorted(kept), validate=False),
        )


def _first_convolutions(nodes: Sequence[Node]) -> list[str]:
    """Names of the convolutions that no other one comes before."""
    first: list[str] = []
    convolved: set[str] = set()
    for kind, name, inputs, outputs in nodes:
        after = not convolved.isdisjoint(inputs)
        if kind in _ROUNDED and not after:
            first.append(name)
        if kind in _ROUNDED or after:
            convolved.update(outputs)
    return first


def _is_recurrent(nodes: Sequence[Node]) -> bool:
    """Whether several convolutions, each of another time step, have the same weights."""
    weights = [inputs[1] for kind, _, inputs, _ in nodes if kind in _ROUNDED]
    return len(set(weights)) < len(weights)
