"""Trained detectors as artefacts that score without torch."""
