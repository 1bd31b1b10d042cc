"""Settings: presets, files, overrides, and what is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from oddframe.detectors import DetectorEntry, DetectorSettings, registry
from oddframe.detectors.dream import DreamSettings
from oddframe.detectors.floors import FrameDiffSettings
from oddframe.detectors.peers import MlepSettings
from oddframe.errors import SettingsError
from oddframe.presets import PRESETS
from oddframe.settings import differences, given_online
from oddframe.settings_layers import load_settings, settings_from_dict


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_loads_and_comes_back_from_its_plain_values(preset: str):
    settings = load_settings(preset)

    assert settings_from_dict(settings.to_dict()) == settings


def test_the_paper_preset_is_the_papers_text():
    settings = load_settings("paper")

    assert (settings.train.epochs, settings.train.batch, settings.train.lr) == (60, 4, 2e-5)
    assert (settings.train.optimizer, settings.train.schedule) == ("adam", "cosine")
    assert isinstance(settings.model, DreamSettings)
    assert (settings.model.size, settings.model.width, settings.model.items) == ((256, 256), 64, 10)
    assert settings.score.gamma == 0.6


def test_psnr_weighs_little_in_eq_12_where_a_preset_predicts_nothing():
    assert [load_settings(preset).score.gamma for preset in ("cpu", "live", "tiny")] == [0.1, 0.1, 0.1]
    assert load_settings("cpu", detector="mnad").score.gamma == 0.6  # which does predict


def test_overrides_win_over_keywords_and_these_over_the_file_and_the_file_over_the_preset(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("train: {epochs: 11, batch: 12, lr: 0.5}\n", "utf-8")

    settings = load_settings("tiny", file=file, train={"batch": 13, "lr": 0.25}, overrides=["train.lr=0.125"])

    assert (settings.train.epochs, settings.train.batch, settings.train.lr) == (11, 13, 0.125)
    assert settings.train.optimizer == "adamw"  # the preset's
    assert load_settings("tiny").train.epochs == 5  # the preset itself is as it was


def test_an_override_is_read_as_yaml():
    settings = load_settings("tiny", overrides=["model.size=[32, 48]", "train.flips=true", "data.shuffle=7"])

    assert (settings.model.size, settings.train.flips, settings.data.shuffle) == ((32, 48), True, 7)


def test_a_value_may_hold_an_equals_sign():
    with pytest.raises(SettingsError, match="a=b"):
        load_settings("tiny", overrides=["train.optimizer=a=b"])


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError):
        load_settings("tiny").train.epochs = 3


def test_another_detector_takes_what_it_knows_of_a_preset():
    settings = load_settings("tiny", detector="framediff")

    assert settings.model == FrameDiffSettings(size=(96, 144), channels=1)


def test_a_detector_with_a_coarse_step_takes_its_least_size_where_a_preset_is_smaller():
    class Coarse(DetectorSettings):
        size_step = 128

    assert Coarse.size_within(96, 300) == (128, 256)
    assert Coarse(size=Coarse.size_within(96, 300)).size == (128, 256)
    assert DetectorSettings.size_within(240, 361) == (240, 361)


def test_dream_takes_a_preset_whole_with_either_backbone():
    unet = load_settings("cpu").model.model_dump()
    convlstm = load_settings("cpu", detector="dream-convlstm").model.model_dump()

    assert unet.keys() - convlstm.keys() == {"patch", "decode_abnormal", "joint_batch"}  # the U-Net's own
    assert convlstm == {key: value for key, value in unet.items() if key in convlstm}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_peer_takes_size_and_width_of_a_preset_and_keeps_its_own_losses(preset, monkeypatch):
    monkeypatch.setitem(PRESETS[preset], "model", {"width": 32, "size": [64, 96], "channels": 1, "triplet": 0.7})

    assert load_settings(preset, detector="mlep").model == MlepSettings(width=32, size=(64, 96), channels=1)
    assert load_settings(preset, detector="dream-convlstm").model.triplet == 0.7


@pytest.mark.parametrize(
    ("override", "name", "help_given"),
    [
        ("train.epoch=3", "train.epoch", "did you mean epochs"),
        ("model.widht=32", "model.widht", "did you mean width"),
        ("data.heldot=0.2", "data.heldot", "did you mean heldout"),
        ("score.gama=0.5", "score.gama", "did you mean gamma"),
        ("trian.epochs=3", "trian", "did you mean train"),
        ("epochs=3", "epochs", "--set train.epochs=3"),
        ("widht=32", "widht", "did you mean model.width"),
    ],
)
def test_an_unknown_setting_is_named_with_its_nearest(override: str, name: str, help_given: str):
    with pytest.raises(SettingsError) as caught:
        load_settings("tiny", overrides=[override])

    assert f"'{name}'" in caught.value.problem
    assert help_given in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("override", "name", "seen", "wanted"),
    [
        ("train.epochs=0", "train.epochs", "0", "greater than or equal to 1"),
        ("train.epochs=many", "train.epochs", "many", "integer"),
        ("train.lr=-1", "train.lr", "-1", "greater than 0"),
        ("train.optimizer=sgd", "train.optimizer", "sgd", "'adam' or 'adamw'"),
        ("train.skip_step=[5, 2]", "train.skip_step", "[5, 2]", "the smaller first"),
        ("data.heldout=0.9", "data.heldout", "0.9", "less than or equal to 0.5"),
        ("score.online=[]", "score.online", "[]", "at least 1"),
        ("score.online=[loudness]", "score.online.0", "loudness", "'psnr'"),
        ("model.width=1", "model.width", "1", "greater than or equal to 4"),
        ("model.size=[100, 160]", "model.size", "100", "96x160 or 104x160"),
        ("model.size=[8, 8]", "model.size", "8", "smaller than 16x16"),
        ("model.memory=triple", "model.memory", "triple", "'dual'"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(override: str, name: str, seen: str, wanted: str):
    with pytest.raises(SettingsError) as caught:
        load_settings("tiny", overrides=[override])

    assert f"'{name}'" in caught.value.problem
    assert seen in str(caught.value.seen)
    assert wanted in str(caught.value.wanted)


def test_an_unknown_preset_or_detector_is_named_with_its_nearest():
    with pytest.raises(SettingsError, match=r"no preset 'papper'[\s\S]*did you mean paper"):
        load_settings("papper")
    with pytest.raises(SettingsError, match=r"no detector 'dream'[\s\S]*did you mean dream-unet"):
        load_settings("tiny", detector="dream")


@pytest.mark.parametrize("detector", ["dream-convlstm", "mlep"])
def test_a_size_that_a_network_cannot_halve_twice_is_named_with_its_nearest(detector: str):
    with pytest.raises(SettingsError) as caught:
        load_settings("tiny", detector=detector, overrides=["model.size=[98, 160]"])

    assert "96x160 or 100x160" in str(caught.value.wanted)


@pytest.mark.parametrize("override", ["train.epochs", "=3", "train.epochs:3"])
def test_an_override_without_key_or_value_is_refused(override: str):
    with pytest.raises(SettingsError, match="key=value"):
        load_settings("tiny", overrides=[override])


def test_a_room_that_is_a_plain_value_is_refused():
    with pytest.raises(SettingsError, match="'train'"):
        load_settings("tiny", overrides=["train=3"])
    with pytest.raises(SettingsError, match="'model'"):
        load_settings("tiny", overrides=["model=3"])


@pytest.mark.parametrize("content", ["train: [", "- train\n- score\n", "", "\x00"])
def test_a_file_that_holds_no_settings_is_named(tmp_path: Path, content: str):
    file = tmp_path / "mine.yaml"
    file.write_text(content, "utf-8")

    with pytest.raises(SettingsError, match=r"mine\.yaml"):
        load_settings("tiny", file=file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_settings("tiny", file=tmp_path / "nowhere.yaml")


class LoudnessSettings(DetectorSettings):
    """Settings of a detector in somebody else's package."""

    loudness: int = 3


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What installed packages offer as detectors, by name; an exception is raised on loading."""
    offered: dict[str, object] = {}

    def load(found: object) -> object:
        if isinstance(found, Exception):
            raise found
        return found

    def points(group: str) -> list[SimpleNamespace]:
        assert group == "oddframe.detectors"
        return [
            SimpleNamespace(name=name, value=f"{name}_package:entry", load=lambda found=found: load(found))
            for name, found in offered.items()
        ]

    monkeypatch.setattr(registry, "entry_points", points)
    registry.detectors.cache_clear()
    yield offered
    registry.detectors.cache_clear()


def test_a_detector_of_another_package_has_settings_like_any(plug_ins: dict[str, object]):
    plug_ins["loud"] = DetectorEntry("loud", LoudnessSettings, "loud_package:Loud")

    settings = load_settings("tiny", detector="loud", overrides=["model.loudness=5"])

    assert settings.model == LoudnessSettings(size=(96, 144), channels=1, loudness=5)
    assert settings_from_dict(settings.to_dict()) == settings
    with pytest.raises(SettingsError, match="did you mean loudness"):
        load_settings("tiny", detector="loud", overrides=["model.loudnes=5"])


def test_a_package_cannot_take_the_name_of_a_detector_of_this_one(plug_ins: dict[str, object]):
    plug_ins["framediff"] = DetectorEntry("framediff", LoudnessSettings, "loud_package:Loud")

    with pytest.warns(UserWarning, match="'framediff'.*needs a name of its own"):
        settings = load_settings("tiny", detector="framediff")

    assert isinstance(settings.model, FrameDiffSettings)


@pytest.mark.parametrize(
    ("offered", "words"), [(ImportError("no loudspeaker"), "no loudspeaker"), (LoudnessSettings, "no DetectorEntry")]
)
def test_a_package_that_is_broken_is_named_and_left_out(plug_ins: dict[str, object], offered: object, words: str):
    plug_ins["loud"] = offered

    with pytest.warns(UserWarning, match=f"'loud'.*{words}"):
        found = registry.detectors()

    assert list(found) == [entry.name for entry in registry._OWN]


# Components that a detector gives --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("score.online=[distance]", "--set score.online=[psnr,local_error,motion,flow,direction]"),
        ("score.online=[motion,distance]", "--set score.online=[motion]"),
        ("score.per_place=[local_distance]", "--set score.per_place=[local_error,motion]"),
    ],
)
def test_a_component_that_was_asked_for_and_is_not_given_is_refused_with_those_that_are(override, hint):
    with pytest.raises(SettingsError, match="'framediff' does not give") as caught:
        load_settings("tiny", detector="framediff", overrides=[override])

    assert caught.value.hint == hint


def test_a_preset_is_cut_to_what_the_detector_gives_and_the_settings_say_so():
    assert load_settings("tiny", detector="framediff").score.online == ("local_error",)
    assert load_settings("tiny", detector="framediff").score.per_place == ()
    assert load_settings("paper", detector="memae").score.online == ("psnr",)
    assert load_settings("tiny", detector="mnad").score.online == ("distance", "local_distance")
    assert load_settings("tiny").score.online == ("distance", "local_distance", "direction")
    assert load_settings("tiny").score.per_place == ("local_distance",)
    without = load_settings("tiny", overrides=["model.memory=none", "model.decoder=true"])
    assert without.score.online == ("local_error", "direction")


def test_online_adds_what_is_wanted_and_given_or_else_the_local_error():
    given = ("psnr", "local_error", "flow", "direction")

    assert given_online(("flow", "distance", "psnr"), given) == ("flow", "psnr")
    assert given_online(("distance",), given) == ("local_error",)
    assert given_online(("distance", "direction"), given) == ("local_error", "direction")
    assert given_online(("direction",), given) == ("direction",)
    assert given_online((), given) == ("local_error",)


def test_settings_of_a_run_that_name_what_was_not_used_are_those_that_do_not():
    """As version 0.1 wrote them."""
    now = load_settings("tiny", detector="framediff")
    score = now.score.model_copy(update={"online": ("distance", "local_distance"), "per_place": ("local_distance",)})

    assert differences(now.model_copy(update={"score": score}), now) == []


def test_settings_and_detectors_agree_on_who_gives_distances():
    from oddframe.models.weights import build_detector

    for name in ("dream-unet", "dream-convlstm", "mnad", "mlep", "framepred", "memae", "convae", "framediff"):
        settings = load_settings("tiny", detector=name, overrides=["model.size=[32,32]"])
        assert settings.model.gives_distance == build_detector(name, settings.model, 0).has_distance, name


@pytest.mark.parametrize("override", ["train.seed=-1", "data.heldout=0", "data.shuffle=-1"])
def test_numbers_that_no_training_can_use_are_refused_as_settings(override):
    with pytest.raises(SettingsError, match=override.partition("=")[0]):
        load_settings("tiny", overrides=[override])
