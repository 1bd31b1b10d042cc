"""Evidence by OpenVINO."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from oddframe.artefact import Artefact
from oddframe.outside import import_openvino
from oddframe.processes.cores import threads
from oddframe.scoring.runtimes.graph import GraphRuntime, Outputs, on_processor


def properties() -> dict[str, Any]:
    """How graphs are compiled.

    fp32 is kept: OpenVINO would compute in bf16 where a processor has units for it, and score otherwise there.
    """
    return {"INFERENCE_NUM_THREADS": threads(), "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


def load_runtime(artefact: Artefact, device: str) -> GraphRuntime:
    """Load an artefact's model.xml, or its model.onnx.

    Raises:
        MissingExtraError: OpenVINO is not installed. SettingsError: another device than the processor.
        RunError: the graph is damaged, or is not one of this package.
    """
    on_processor(device, "openvino")
    openvino = import_openvino()
    core, files = openvino.Core(), artefact.graph()
    try:
        weights = files.get("model.bin")
        graph = files[artefact.about.graph]
        model = core.read_model(graph) if weights is None else core.read_model(graph, weights)
        compiled = core.compile_model(model, "CPU", properties())
        names = {name for output in compiled.outputs for name in output.names}
        inputs = {name for one in compiled.inputs for name in one.names}
    except Exception as error:  # a RuntimeError here, another one there
        raise artefact.broken(str(error).strip().splitlines()[0]) from None
    if not {*artefact.about.inputs} <= inputs or not set(artefact.about.outputs) <= names:
        raise artefact.broken(f"{', '.join(sorted(inputs))} → {', '.join(sorted(names))}")
    of_thread = threading.local()  # a request computes in buffers of its own, which two threads must not share

    def compute(given: Outputs, wanted: Sequence[str]) -> Outputs:
        if not hasattr(of_thread, "request"):
            of_thread.request = compiled.create_infer_request()
        request = of_thread.request
        request.infer(dict(given))
        # copied, for the next clips are computed in the same place
        return {name: request.get_tensor(name).data.copy() for name in wanted}

    return GraphRuntime("openvino", artefact, compute)
