"""A site's file says what it means, or is refused with the place that is wrong and without a secret."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from oddframe.errors import SecretsError, SettingsError
from oddframe.site.planning.plan import SitePlan
from oddframe.site.planning.read import read_plan

WHOLE = """\
site: Depot Nord
folder: data
time_zone: Europe/Berlin
secrets_file: secrets.env
retention: {days: 14, gigabytes: 5}
cameras:
  gate:
    address: rtsp://admin:${GATE}@10.0.0.5/live
    detector: runs/gate
    fitting: fittings/gate
    false_alarms_per_day: 1
    private: [[[0, 0], [0.2, 0], [0.2, 0.3]]]
    regions:
      ignore:
        - [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]
    profiles:
      night: {scene: dark, begin: 20:00, end: 06:30}
      day: {scene: bright}
    watches:
      - {days: [mon, fri], begin: 18:00, end: 06:00}
    reading: {read_timeout_s: 20, health: {frozen_s: 30}}
  yard:
    address: 0
sinks:
  door: {kind: webhook, url: "https://example.org/${HOOK}", secret: "${KEY}", cameras: [gate]}
  file: {kind: jsonl, url: events.jsonl}
"""


def written(folder: Path, text: str, secrets: str = "GATE=p@ss#1\nexport\n") -> Path:
    place = folder / "secrets.env"
    place.write_text(secrets.replace("export\n", "# of the door\nHOOK='T0K3N'\nKEY = k3y\n"))
    place.chmod(0o600)
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_plan(written(folder, text), {})
    return caught.value


def test_a_file_says_all_of_a_site(tmp_path):
    plan = read_plan(written(tmp_path, WHOLE), {"KEY": "of the environment"})

    gate, door = plan.cameras["gate"], plan.sinks["door"].record("door")
    assert plan.site == "Depot Nord"
    assert plan.home == tmp_path / "data"
    assert gate.address.get_secret_value() == "rtsp://admin:p@ss#1@10.0.0.5/live"
    assert (gate.detector, gate.fitting) == (str(tmp_path / "runs/gate"), str(tmp_path / "fittings/gate"))
    assert gate.profiles["night"].begin == time(20)
    assert gate.reading.health.frozen_s == 30
    assert plan.cameras["yard"].address.get_secret_value() == "0"
    assert door.url.get_secret_value() == "https://example.org/T0K3N"
    assert door.secret is not None
    assert door.secret.get_secret_value() == "of the environment"
    assert plan.sinks["file"].url.get_secret_value() == str(tmp_path / "events.jsonl")
    assert not any(secret in repr(plan) for secret in ("p@ss", "T0K3N", "k3y"))


def test_an_empty_site_is_one():
    assert SitePlan().cameras == {}


CAMERA = "cameras:\n  gate:\n    address: rtsp://10.0.0.5/live\n"
SQUARE = "[[0, 0], [1, 0], [1, 1], [0, 1]]"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("cameras:\n\tgate:\n", "2:1", "a tab: YAML is indented by spaces"),
        (CAMERA + "  gate:\n    address: 0\n", "4:3", "'gate' stands there twice"),
        (CAMERA + "  Gate:\n    address: 0\n", "4:3", "of one name but for capital letters"),
        ("site: !!python/name:os.system x\n", "1:7", "tags are not read here"),
        ("site: &a x\n", "1:7", "anchors and aliases are not read here"),
        ("camera: {}\n", "1:1", "did you mean cameras?"),
        (CAMERA + "    detecter: runs/a\n", "4:5", "did you mean detector?"),
        (CAMERA + "    reading:\n      helth: {}\n", "5:7", "did you mean health?"),
        (CAMERA + "    reading: {health: {frozen_s: long}}\n", "4:34", "seen:   long"),
        ("cameras:\n  gate:\n    scene: a\n", "2:3", "'cameras.gate.address' is missing"),
        ("cameras: [gate]\n", "1:1", "valid dictionary"),
        ("cameras:\n  ../gate: {address: 0}\n", "2:3", "the name of a file"),
        ("cameras:\n  .gate: {address: 0}\n", "2:3", "the name of a file"),
        ("cameras:\n  gate: {address: eee}\n", "2:19", "no address of a camera"),
        (CAMERA + "    detector: a\n    false_alarms_per_day: 0\n", "5:27", "greater than 0"),
        (CAMERA + "    detector: a\n    false_alarms_per_day: .nan\n", "5:27", "finite number"),
        (CAMERA + "    false_alarms_per_day: 1\n", "2:3", "name it by 'detector'"),
        (CAMERA + f"    detector: a\n    regions: {{watch: [{SQUARE}]}}\n", "2:3", "need a 'fitting'"),
        (CAMERA + "    private: [[[0, 0], [1, 0], [1, 1.5]]]\n", "4:5", "polygon 1 leaves the picture"),
        (CAMERA + "    private: [[[0, 0], [1, 1], [1, 0], [0, 1]]]\n", "4:5", "polygon 1 crosses itself"),
        (CAMERA + f"    private: [{SQUARE}]\n", "4:5", "cover all of the picture"),
        (CAMERA + f"    regions: {{ignore: [{SQUARE}]}}\n", "4:5", "nothing to watch"),
        (CAMERA + "    regions: {ignore: [[[0, 0], [1, 1]]]}\n", "4:24", "at least 3 items"),
        (CAMERA + "    profiles: {night: {begin: 20:00}}\n", "4:16", "both a begin and an end"),
        (CAMERA + "    profiles: {night: {begin: 25:00, end: 1:00}}\n", "4:31", "seen:   25:00"),
        (CAMERA + "    watches: [{days: [monday]}]\n", "4:23", "'mon', 'tue'"),
        ("time_zone: Europe/Berlim\n", "1:12", "no such time zone"),
        ("sinks: {a: {kind: web, url: -}}\n", "1:19", "'webhook'"),
        ("sinks: {a: {kind: webhook, url: ftp://x.org}}\n", "1:9", "no address of its kind"),
        ("sinks: {a: {kind: webhook, url: https://x.org, settings: {time_out: 1}}}\n", "1:9", "timeout_s"),
        (CAMERA + "sinks: {a: {kind: jsonl, url: -, cameras: [gait]}}\n", "4:44", "did you mean gate?"),
        ("cameras: {gate: {address: '${NOBODY}'}}\n", "1:27", "nobody said what ${NOBODY} is"),
        ("site: ${GATE-x}\n", "1:7", "this names no secret"),
        ("retention: {days: 0}\n", "1:19", "greater than 0"),
    ],
    ids=lambda value: str(value)[:40].replace("\n", " "),
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, where, words):
    error = refused(tmp_path, text)

    assert str(error.path) == f"{tmp_path / 'site.yaml'}:{where}"
    assert words in str(error)


@pytest.mark.parametrize("text", ["", "- gate\n", "gate"])
def test_a_file_without_entries_is_shown_one(tmp_path, text):
    assert "cameras: {gate:" in str(refused(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "cameras: {gate: {address: 'rtps://me:s3cret@10.0.0.5/'}}",
        "cameras: {gate: {address: 's3cret'}}",
        "cameras: {gate: {address: ['s3cret']}}",
        "sinks: {a: {kind: mqtt, url: 'https://me:s3cret@x.org'}}",
        "sinks: {a: {kind: webhook, url: 'https://x.org', secret: {s3cret: 1}}}",
        "database: [s3cret]",
        "cameras: {gate: {address: 'rtsp://me:s3cret@h/' x}}",
        "secrets_file: secrets.env\nsite: '${SITE}'",
    ],
)
def test_no_error_shows_a_secret(tmp_path, text):
    with pytest.raises(SettingsError) as caught:
        read_plan(written(tmp_path, text, "SITE='s3cret/of the file'\n"), {})

    assert "s3cret" not in str(caught.value)


def test_a_dollar_can_be_written(tmp_path):
    text = "cameras: {gate: {address: 'rtsp://me:a$b$${c}@10.0.0.5/'}}"

    plan = read_plan(written(tmp_path, text), {})

    assert plan.cameras["gate"].address.get_secret_value() == "rtsp://me:a$b${c}@10.0.0.5/"


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_secrets_that_others_can_read_are_refused(tmp_path, mode):
    path = written(tmp_path, WHOLE)
    (tmp_path / "secrets.env").chmod(mode)

    with pytest.raises(SecretsError, match="can be read by others"):
        read_plan(path, {})


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.env", "A=1\ns3cret\n", ":2:1"),
        ("a.env", "A=1\nA=s3cret\n", ":2:1"),
        ("a.yaml", "A:\n  b: s3cret\n", ":1:1"),
        ("a.yaml", "- s3cret\n", ":1:1"),
        ("a.yaml", "A: 's3cret\n", ":2:1"),
        ("a.env", "A=\udcff", ""),
        ("none.env", None, ""),
    ],
)
def test_a_damaged_file_of_secrets_is_told_without_them(tmp_path, name, text, where):
    if text is not None:
        (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
        (tmp_path / name).chmod(0o600)

    with pytest.raises(SecretsError) as caught:
        read_plan(written(tmp_path, f"secrets_file: {name}\n"), {})

    assert str(caught.value.path) == f"{tmp_path / name}{where}"
    assert "s3cret" not in str(caught.value)


def test_secrets_in_yaml_are_what_is_written(tmp_path):
    place = tmp_path / "secrets.yaml"
    place.write_text("PIN: 0042\nWORD: yes\n")
    place.chmod(0o600)
    text = "secrets_file: secrets.yaml\ncameras: {gate: {address: 'rtsp://${WORD}:${PIN}@h/'}}\n"

    plan = read_plan(written(tmp_path, text), {})

    assert plan.cameras["gate"].address.get_secret_value() == "rtsp://yes:0042@h/"


def test_files_are_named_from_the_files_folder_on(tmp_path):
    (tmp_path / "gate.mp4").write_bytes(b"video")
    text = "cameras: {a: {address: gate.mp4}, b: {address: 'file:later.mp4'}, c: {address: 'folder:ftp'}}"

    plan = read_plan(written(tmp_path, text), {})

    addresses = [one.address.get_secret_value() for one in plan.cameras.values()]
    assert addresses == [f"{tmp_path}/gate.mp4", f"file:{tmp_path}/later.mp4", f"folder:{tmp_path}/ftp"]
