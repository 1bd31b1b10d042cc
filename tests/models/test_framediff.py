from __future__ import annotations

import torch

from oddframe.detectors import detector_entry
from oddframe.detectors.floors import FrameDiffSettings
from oddframe.models.detector import Batch, Clips
from oddframe.models.framediff import FrameDiff
from oddframe.settings_layers import load_settings


def test_the_error_is_the_squared_difference_to_the_frame_before_in_the_range_0_to_1() -> None:
    detector = detector_entry("framediff").load()(FrameDiffSettings(size=(16, 16), channels=1))
    clip = torch.stack([torch.full((1, 16, 16), -1.0), torch.full((1, 16, 16), 0.0)])[None]
    clip[0, 1, 0, 3, 5] = 1.0
    evidence = detector(clip)
    assert evidence.error[0, 0, 0] == 0.25
    assert evidence.error[0, 3, 5] == 1.0
    assert torch.equal(evidence.predicted, clip[:, 0])
    assert evidence.distance is None
    assert not detector.has_distance


def test_there_is_nothing_to_train() -> None:
    detector = FrameDiff(FrameDiffSettings())
    assert detector.parameter_groups() == {}
    assert list(detector.objectives(Batch(Clips(torch.zeros(1, 2, 3, 16, 16))))) == []
    assert detector.parameter_counts() == {"training": 0, "inference": 0}
    assert detector.window.frames == 2


def test_flow_is_judged_by_optical_flow_whatever_the_preset_adds_up():
    settings = load_settings("cpu", detector="flow")

    assert (settings.score.online, settings.score.per_place, settings.score.smoothing) == (("flow",), (), 3)
    assert load_settings("cpu", detector="flow", overrides=["score.smoothing=1"]).score.smoothing == 1
