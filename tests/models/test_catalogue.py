"""What the list of detectors says."""

from __future__ import annotations

from oddframe.models.catalogue import catalogue
from oddframe.presets import PRESETS


def test_every_detector_has_its_parameters_in_every_preset():
    detectors = {one["name"]: one for one in catalogue()}

    assert all(set(one["presets"]) == set(PRESETS) for one in detectors.values())
    assert detectors["dream-unet"]["presets"]["paper"]["training"] == 16_830_979
    assert detectors["dream-convlstm"]["presets"]["paper"]["training"] == 12_856_259
    assert detectors["dream-convlstm"]["presets"]["authors"]["training"] == 12_857_283
    assert detectors["mlep"]["presets"]["authors"]["inference"] == 12_560_835
    assert detectors["mnad"]["presets"]["paper"]["training"] == 15_651_843
    for name, training, inference in (
        ("ognet", 12_917_890, 12_917_890),
        ("amc", 20_151_814, 17_390_406),
        ("scene-aware", 3_930_406, 3_859_992),
        ("cac", 29_774_208, 14_887_104),
    ):
        figures = detectors[name]["presets"]["paper"]
        assert (figures["training"], figures["inference"]) == (training, inference)
    assert detectors["framediff"]["presets"]["cpu"] == {"size": [240, 360], "training": 0, "inference": 0}


def test_settings_come_with_default_choice_and_words():
    memory = catalogue()[0]["settings"]["memory"]

    assert memory["enum"] == ["dual", "single", "none"]
    assert memory["default"] == "dual"
    assert memory["description"]
