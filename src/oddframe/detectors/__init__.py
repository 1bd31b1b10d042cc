"""Which detectors there are, and what each can be told. Needs no torch.

registry.py   name, settings and class of each: this package's own, and those of installed packages
settings.py   what every detector can be told
dream.py peers.py moving.py floors.py unmasking.py sparse.py   what each family can be told
"""

from oddframe.detectors.registry import DetectorEntry, detector_entry, detectors
from oddframe.detectors.settings import DetectorSettings

__all__ = ["DetectorEntry", "DetectorSettings", "detector_entry", "detectors"]
