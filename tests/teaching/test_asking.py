"""People ask a camera to learn at the command line, and are told how far it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.errors import ConflictError
from oddframe.records import write_record
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.asking import start
from oddframe.teaching.record import CHECK, FILE, Check, Learning, OddPiece, State, learning_folder


@pytest.fixture
def site(tmp_path) -> Path:
    folder = tmp_path / "site"
    with Store.open(folder) as store:
        store.cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/live")
    return folder


def run(site: Path, *words: str, camera: str = "gate"):
    return CliRunner().invoke(app, ["site", "learn", str(site), camera, *words])


def taken_up(site: Path, **given: object) -> Path:
    """As the site's process leaves it."""
    folder = learning_folder(site, 1, 1)
    folder.mkdir(parents=True)
    learning = Learning(**{"number": 1, "camera": "gate", "since": utc_now(), "began_at": utc_now(), **given})
    write_record(folder / FILE, learning)
    return folder


@pytest.mark.slow
def test_a_camera_is_asked_to_learn_and_says_how_far_it_is(site):
    before = run(site)
    asked = run(site, "--collect", "2h", "--preset", "tiny")
    taken_up(
        site, seconds=600.0, wanted_s=7200.0, skipped_s={"dark": 120.0}, problem="the disk is full", hint="mend it"
    )
    told = run(site)
    plain = json.loads(run(site, "--json").stdout)

    assert "it does not learn" in before.stdout
    assert "it begins once the site runs" in asked.stdout
    assert "10 of about 120 min of normal video are there" in told.stdout
    assert "but: the disk is full" in told.stdout
    assert "Not collected: dark 2 min." in told.stdout
    assert (plain["state"], plain["asked"]["settings"]) == ("collecting", {"for": "2h", "preset": "tiny"})


def test_odd_pieces_are_listed_and_left_out_by_their_numbers(site):
    run(site, "--begin")
    folder = taken_up(site, state=State.TRAINING, stage="training", percent=37.0)
    odd = OddPiece(
        number=1, name="a.mp4", scene="", began=utc_now(), at_s=3, seconds=20, score=4, picture="odd/1.jpg", heat="h"
    )
    notes = ("hardly anything moves",)
    check = Check(pieces=9, seconds=180, hours={}, light=(1.0, 2.0, 3.0), active=1, infrared=0, notes=notes, odd=(odd,))
    write_record(folder / CHECK, check)

    told, left_out, strange = run(site), run(site, "--leave-out", "1"), run(site, "--leave-out", "7")

    assert "training, 37 %" in told.stdout
    assert "note: hardly anything moves" in told.stdout
    assert left_out.exit_code == 0
    with Store.open(site) as store:
        from oddframe.site.learning import asked_of

        assert asked_of(store, 1).left_out == ("a.mp4",)
    assert strange.exit_code == 1
    assert "there is no such odd piece" in strange.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--collect", "soon"), "a length of time as 24h"),
        (("--preset", "life"), "there is no preset 'life'"),
        (("--from", "gone.mp4"), "there is no such recording"),
        (("--stop",), "camera 'gate' does not learn"),
        (("--most-gb", "0"), "greater than 0"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_asked(site, words, said):
    told = run(site, *words)

    assert told.exit_code == 1
    assert said in told.stderr
    assert "it does not learn" in run(site).stdout


@pytest.mark.parametrize("words", [("--stop", "--now"), ("--collect", "2h", "--stop"), ("--until", "later")])
def test_wishes_that_do_not_go_together_are_refused(site, words):
    assert run(site, *words).exit_code == 2


def test_a_camera_that_is_not_there_or_whose_detector_the_file_names_cannot_learn(site):
    told = run(site, "--begin", camera="gat")
    with Store.open(site) as store:
        store.cameras.belongs("gate", ("camera", "detector"))
        with pytest.raises(ConflictError, match="names the detector"):
            start(store, "gate", {}, "ann")

    assert "did you mean gate?" in told.stderr
