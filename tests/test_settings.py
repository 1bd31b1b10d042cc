"""Settings: who wins, and what is said of a wrong key or value."""

from __future__ import annotations

import json
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from oddframe import detectors
from oddframe.detectors import DetectorEntry, DetectorSettings, detector_entry
from oddframe.errors import SettingsError
from oddframe.settings import PRESETS, Settings, load_settings, settings_from_dict


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("detector", ["dream-unet", "framediff"])
def test_every_preset_fits_every_detector(preset, detector):
    assert load_settings(preset, detector=detector).detector == detector


def test_the_paper_preset_is_what_the_paper_says():
    settings = load_settings("paper")

    assert settings.model.size == (256, 256)
    assert (settings.train.batch, settings.train.epochs, settings.train.lr) == (4, 60, 2e-5)
    assert (settings.train.optimizer, settings.train.schedule) == ("adam", "cosine")
    assert (settings.model.query_margin, settings.train.pseudo_anomalies) == (0.0, ())
    assert settings.score.gamma == 0.6


def test_the_later_layer_wins(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("train: {epochs: 7, batch: 3, lr: 0.5}\n")

    settings = load_settings("tiny", file=file, train={"batch": 2, "lr": 0.25}, overrides=["train.lr=0.125"])

    assert (settings.train.epochs, settings.train.batch, settings.train.lr) == (7, 2, 0.125)
    assert settings.train.weight_decay == 1e-4  # the preset's
    assert settings.train.seed == 2020  # the default


def test_loading_leaves_presets_as_they_are():
    before = json.dumps(PRESETS)

    load_settings("cpu", overrides=["model.width=8", "model.size=[32, 48]"])

    assert json.dumps(PRESETS) == before


def test_numbers_may_be_written_as_people_write_them():
    assert load_settings("tiny", overrides=["train.lr=3e-4"]).train.lr == 3e-4
    assert load_settings("tiny", overrides=["train.device=cuda:1"]).train.device == "cuda:1"
    assert load_settings("tiny", overrides=["model.memory=none", "model.decoder=on"]).model.memory == "none"


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_come_back_from_json(preset):
    settings = load_settings(preset, overrides=["train.epochs=2"])

    back = settings_from_dict(json.loads(json.dumps(settings.to_dict())))

    assert back == settings
    assert type(back.model) is type(settings.model)


def test_the_file_may_name_the_detector_and_the_keyword_wins(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("detector: framediff\n")

    assert load_settings("cpu", file=file).detector == "framediff"
    assert load_settings("cpu", file=file, detector="dream-unet").detector == "dream-unet"


# What is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "named", "near"),
    [
        ("train.epoch=3", "train.epoch", "epochs"),
        ("model.widht=3", "model.widht", "width"),
        ("score.gama=1", "score.gama", "gamma"),
        ("data.fould=1", "data.fould", "fold"),
        ("epochs=3", "epochs", "--set train.epochs=3"),
        ("width=3", "width", "--set model.width=3"),
    ],
)
def test_an_unknown_key_is_named_beside_the_nearest_right_one(override, named, near):
    with pytest.raises(SettingsError) as caught:
        load_settings("tiny", overrides=[override])

    assert f"'{named}'" in caught.value.problem
    assert near in caught.value.hint


@pytest.mark.parametrize(
    ("override", "named", "words"),
    [
        ("train.epochs=0", "train.epochs", "greater than or equal to 1"),
        ("train.epochs=many", "train.epochs", "integer"),
        ("train.optimizer=sgd", "train.optimizer", "'adam' or 'adamw'"),
        ("train.skip_step=[5, 2]", "train", "the smaller first"),
        ("model.size=[100, 144]", "model.size", "96x144 or 104x144"),
        ("model.size=[8, 144]", "model.size", "smaller than 16x16"),
        ("model.channels=2", "model.channels", "1 or 3"),
        ("score.online=[psnr, distanse]", "score.online.1", "'distance'"),
        ("score.gamma=1.5", "score.gamma", "less than or equal to 1"),
        ("model=3", "model", "DreamSettings"),
        ("train=3", "train", "TrainSettings"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_fit(override, named, words):
    with pytest.raises(SettingsError) as caught:
        load_settings("tiny", overrides=[override])

    assert caught.value.problem == f"the setting '{named}' does not fit"
    assert caught.value.seen
    assert words in str(caught.value.wanted)


def test_an_unknown_preset_or_detector_is_met_with_the_nearest():
    with pytest.raises(SettingsError, match="did you mean tiny"):
        load_settings("tinny")
    with pytest.raises(SettingsError, match="did you mean dream-unet"):
        load_settings("tiny", detector="dream-net")
    with pytest.raises(SettingsError, match="there is no detector"):
        load_settings("tiny", overrides=["detector=[a, b]"])


@pytest.mark.parametrize("override", ["train.epochs", "=3", ""])
def test_an_override_is_key_and_value(override):
    with pytest.raises(SettingsError, match="key=value"):
        load_settings("tiny", overrides=[override])


def test_what_a_detector_does_not_know_is_refused_whatever_the_preset_says():
    with pytest.raises(SettingsError, match=r"there is no setting 'model\.width'"):
        load_settings("cpu", detector="framediff", overrides=["model.width=8"])


@pytest.mark.parametrize(
    ("content", "words"),
    [("train: [", "no YAML"), ("", "no keys"), ("- a\n- b\n", "no keys"), (b"\xff\xfe\x00", "no YAML")],
)
def test_a_damaged_file_is_named(tmp_path: Path, content, words):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(SettingsError, match=words) as caught:
        load_settings("tiny", file=file)
    assert caught.value.path == file


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"absent\.yaml"):
        load_settings("tiny", file=tmp_path / "absent.yaml")


# Detectors of other packages -------------------------------------------------------------------------------------


class BlinkSettings(DetectorSettings):
    """Settings of a detector that lives elsewhere."""

    rate: int = 5


BLINK = DetectorEntry("blink", BlinkSettings, "somewhere:Blink")


@pytest.fixture
def installed(monkeypatch):
    """installed("module:name") registers these under the entry-point group."""

    def install(*values: str) -> None:
        points = [EntryPoint(value.split(":")[1].lower(), value, detectors.ENTRY_POINT_GROUP) for value in values]
        monkeypatch.setattr(detectors, "entry_points", lambda group: points)
        detectors.detectors.cache_clear()

    yield install
    monkeypatch.undo()
    detectors.detectors.cache_clear()


def test_a_detector_of_another_package_has_its_settings_checked(installed, monkeypatch):
    monkeypatch.setattr(EntryPoint, "load", lambda self: {"BLINK": BLINK}[self.value.split(":")[1]])
    installed("elsewhere:BLINK")

    settings = load_settings("cpu", detector="blink", overrides=["model.rate=9"])

    assert settings.model == BlinkSettings(size=(192, 288), channels=1, rate=9)
    assert settings_from_dict(settings.to_dict()) == settings
    with pytest.raises(SettingsError, match="did you mean rate"):
        load_settings("cpu", detector="blink", overrides=["model.rat=9"])


def test_a_detector_that_does_not_load_leaves_the_others(installed):
    installed("no_such_module_at_all:Gone", "json:dumps")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert detector_entry("framediff").name == "framediff"

    said = " ".join(str(one.message) for one in caught)
    assert "'gone'" in said
    assert "no DetectorEntry" in said


def test_model_settings_of_another_detector_are_refused():
    with pytest.raises(SettingsError, match="FrameDiffSettings"):
        settings_from_dict({"detector": "dream-unet", "model": load_settings("cpu", detector="framediff").model})


def test_the_default_detector_is_the_papers():
    assert Settings.model_validate({"model": {}}).detector == "dream-unet"
