"""What the list of detectors says."""

from __future__ import annotations

import pytest

from oddframe.detectors import detectors
from oddframe.models.catalogue import catalogue, settings_schema
from oddframe.presets import PRESETS


@pytest.mark.slow
def test_every_detector_has_its_parameters_in_every_preset():
    listed = {one["name"]: one for one in catalogue()}

    assert all(set(one["presets"]) == set(PRESETS) for one in listed.values())
    assert listed["dream-unet"]["presets"]["paper"]["training"] == 16_830_979
    assert listed["dream-convlstm"]["presets"]["paper"]["training"] == 12_856_259
    assert listed["dream-convlstm"]["presets"]["authors"]["training"] == 12_857_283
    assert listed["mlep"]["presets"]["authors"]["inference"] == 12_560_835
    assert listed["mnad"]["presets"]["paper"]["training"] == 15_651_843
    for name, training, inference in (
        ("ognet", 12_917_890, 12_917_890),
        ("amc", 20_151_814, 17_390_406),
        ("scene-aware", 3_930_406, 3_859_992),
        ("cac", 29_774_208, 14_887_104),
    ):
        figures = listed[name]["presets"]["paper"]
        assert (figures["training"], figures["inference"]) == (training, inference)
    assert listed["framediff"]["presets"]["cpu"].to_dict() == {"size": [240, 360], "training": 0, "inference": 0}


def test_settings_come_with_default_choice_and_words():
    memory = settings_schema(detectors()["dream-unet"].settings)["memory"]

    assert memory["enum"] == ["dual", "single", "none"]
    assert memory["default"] == "dual"
    assert memory["description"]
