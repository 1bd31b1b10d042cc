"""Who computes the evidence: torch, ONNX Runtime or OpenVINO."""
