"""Table I: how many parameters detectors have, beside what the paper prints."""

from __future__ import annotations

from oddframe.models.catalogue import catalogue
from oddframe.reproduction.layout import Table
from oddframe.reproduction.published import published_millions

_NOTES = (
    "training: with discriminators; inference: what judging a frame uses. At the size of each publication, 256x256.",
    "printed: 15.65 and 16.83 are plain counts in training; 37.68 is three times MLEP's, as a checkpoint that holds "
    "the optimiser's two moments has it, and 38.93 is near three times DREAM-ConvLSTM's.",
)


def sizes_table() -> Table:
    """Parameters in millions of every detector that has any, in the preset `paper`."""
    lines = []
    for record in catalogue():
        counts = record.presets["paper"]
        if counts.training:
            printed = published_millions(record.name)
            shown = "" if printed is None else f"{printed:.2f}"
            lines.append((record.name, f"{counts.training:,}", f"{counts.inference:,}", shown))
    return Table(
        "Table I: parameters",
        ("detector", "training", "inference", "printed, millions"),
        tuple(lines),
        _NOTES,
        label="table1",
    )
