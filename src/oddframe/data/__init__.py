"""Labelled sets of videos. `open_videoset` finds out of which kind a folder is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oddframe.data import ucsd
from oddframe.data.labels import OnConflict
from oddframe.data.videoset import LabelledSpan, LabelledVideo, Masks, VideoSet
from oddframe.errors import MissingPathError, SettingsError, nearest

__all__ = ["KINDS", "LabelledSpan", "LabelledVideo", "Masks", "VideoSet", "open_videoset"]

KINDS = ucsd.KINDS


def open_videoset(
    path: Path | str | Sequence[Path | str],
    kind: str | None = None,
    *,
    fps: float | None = None,
    start: str | None = None,
    end: str | None = None,
    labels: Sequence[Path] = (),
    masks: Path | None = None,
    on_conflict: OnConflict = "error",
) -> VideoSet:
    root = Path(path)  # type: ignore[arg-type]
    places = ucsd.find(root)
    if kind is not None and kind not in KINDS:
        raise SettingsError("no such kind of data", seen=kind, wanted=" or ".join(KINDS), hint=nearest(kind, KINDS))
    if not places:
        raise MissingPathError("no set of videos here", path=root)
    return ucsd.read(places[0], fps=fps, labels=labels, masks=masks, on_conflict=on_conflict)
