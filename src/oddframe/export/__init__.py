"""Trained detectors as artefacts that score without torch."""

from oddframe.export.make import export
from oddframe.rooms import make_callable
from oddframe.scoring.artefact import Artefact

__all__ = ["Artefact", "export"]

make_callable(__name__, export)
