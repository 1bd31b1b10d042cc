"""Evidence by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oddframe.artefact import Artefact
from oddframe.outside import import_onnxruntime
from oddframe.processes.cores import threads
from oddframe.scoring.runtimes.graph import GraphRuntime, Outputs, on_processor

_ERRORS_ONLY = 3


def load_runtime(artefact: Artefact, device: str) -> GraphRuntime:
    """Load an artefact's model.onnx.

    Raises:
        MissingExtraError: onnxruntime is not installed. SettingsError: another device than the processor.
        RunError: the graph is damaged, or is not one of this package.
    """
    on_processor(device, "onnxruntime")
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads(), _ERRORS_ONLY
    content = artefact.graph()[artefact.about.graph]
    try:
        # As bytes: a graph by its path may name other files to read.
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no parent of their own
        raise artefact.broken(str(error).strip().splitlines()[0]) from None
    inputs, outputs = [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]
    if inputs != [*artefact.about.inputs] or not set(artefact.about.outputs) <= set(outputs):
        raise artefact.broken(f"{', '.join(inputs)} → {', '.join(outputs)}")

    def compute(given: Outputs, names: Sequence[str]) -> Outputs:
        whole = {name: np.ascontiguousarray(one) for name, one in given.items()}
        return dict(zip(names, session.run(list(names), whole), strict=True))

    return GraphRuntime("onnxruntime", artefact, compute)
