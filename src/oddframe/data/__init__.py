"""Labelled sets of videos."""
