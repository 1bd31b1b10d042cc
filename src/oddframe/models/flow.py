"""Optical flow alone: what speed finds without any network. The floor that every network has to clear.

What it is judged by is the component `flow` (`video/flow.py`), which the scorer gathers beside a detector's evidence as
it does `motion`: outside the network, so that an exported one has it, too.
"""

from __future__ import annotations

from oddframe.detectors.floors import FlowSettings
from oddframe.models.framediff import FrameDiff


class Flow(FrameDiff):
    """Compares the judged frame with the one before it, by how fast things move between them.

    Its evidence is that of frame differences.
    """

    settings: FlowSettings
