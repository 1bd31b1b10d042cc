"""What a site's file names is tried before anybody relies on it; messages that were given up are sent again."""

from __future__ import annotations

import json
import re
import socket
import threading
from pathlib import Path

import pytest
from tests.site.conftest import change
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.instant import MODEL
from oddframe.site.check import check_site
from oddframe.site.planning.apply import apply_plan
from oddframe.site.planning.plan import SitePlan
from oddframe.site.planning.read import read_plan
from oddframe.site.store import Store


def site(*words: object):
    return CliRunner().invoke(app, ["site", *map(str, words)])


def written(folder: Path, **entries: object) -> Path:
    path = folder / "site.yaml"
    path.write_text(json.dumps({"folder": "data", "retention": {"least_free_gb": 0}} | entries))  # JSON is YAML
    return path


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.slow
def test_cameras_detectors_and_sinks_are_tried_at_the_same_time(tmp_path, make_video, closed_port):
    pytest.importorskip("onnxruntime")
    make_video(tmp_path / "gate.mp4", frames=60, fps=12.5, size=(240, 320))
    away = f"rtsp://me:s3cret@127.0.0.1:{closed_port}/live"
    path = written(
        tmp_path,
        cameras={
            "gate": {"address": "gate.mp4", "detector": str(MODEL)},
            "yard": {"address": away, "detector": "runs/none"},
        },
        sinks={
            "file": {"kind": "jsonl", "url": "events.jsonl"},
            "hook": {"kind": "webhook", "url": f"http://me:s3cret@127.0.0.1:{closed_port}/T0K3N"},
        },
    )

    done = site("check", path, "--json")

    assert done.exit_code == 1
    told = json.loads(done.output)
    assert not told["well"]
    found = {(one["kind"], Path(one["name"]).name): one for one in told["checks"]}
    assert found["folder", "data"]["well"]
    assert re.fullmatch(r"320x240, [\d.]+ fps, h264, colour", found["camera", "gate"]["found"])
    assert "nothing listens" in found["camera", "yard"]["problem"]
    assert found["detector", MODEL.name]["well"]
    assert not found["detector", "none"]["well"]
    assert found["sink", "file"]["well"]
    assert "was not reached" in found["sink", "hook"]["problem"]
    assert "s3cret" not in done.output
    assert "T0K3N" not in done.output
    assert not (tmp_path / "data").exists()


def test_a_sink_is_sent_a_message_only_when_it_is_asked_for(tmp_path):
    plan = read_plan(written(tmp_path, sinks={"file": {"kind": "jsonl", "url": "events.jsonl"}}))

    check_site(plan)
    assert not (tmp_path / "events.jsonl").exists()
    checks = check_site(plan, send=True)

    assert all(one.well for one in checks)
    assert "nothing has happened" in json.loads((tmp_path / "events.jsonl").read_text())["reason"]


@pytest.mark.slow
def test_what_gives_no_answer_is_told_and_waited_for_no_longer(tmp_path, closed_port, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr("oddframe.site.check._Checking._sink", lambda self, name: free.wait(120))
    plan = SitePlan.model_validate(
        {"folder": str(tmp_path), "sinks": {"slow": {"kind": "jsonl", "url": "-"}}, "retention": {"least_free_gb": 0}}
    )

    folder, sink = check_site(plan, patience_s=6)
    free.set()

    assert folder.well
    assert (sink.well, sink.problem) == (False, "no answer within 6 s")


def test_a_key_file_that_others_can_read_is_told(tmp_path):
    Store.open(tmp_path / "data").close()
    (tmp_path / "data" / "site.key").chmod(0o644)

    (folder,) = check_site(read_plan(written(tmp_path)))

    assert "can be read by others" in folder.problem


@pytest.mark.slow
def test_messages_that_were_given_up_are_listed_and_sent_again(tmp_path):
    path = written(
        tmp_path,
        cameras={"gate": {"address": "rtsp://me:s3cret@10.0.0.2/live"}},
        sinks={"hook": {"kind": "webhook", "url": "https://example.org/T0K3N"}},
    )
    plan = read_plan(path)
    with Store.open(plan.home) as store:
        apply_plan(plan, store)
        store.events.write([change("new")])
        message = store.outbox.due("hook").id
        store.outbox.died(message, "answered 404")

    listed = json.loads(site("deliver", path, "--json").output)["given_up"]
    status = json.loads(site("status", tmp_path / "data", "--json").output)
    again = site("deliver", path, "--again", message)

    assert [(one["id"], one["problem"]) for one in listed] == [(message, "answered 404")]
    assert status["sinks"][0]["dead"] == 1
    assert status["cameras"][0]["lasting"] == 1
    assert "1 message will be sent again" in again.output
    assert site("deliver", path).output.strip() == "No message was given up."
    assert site("deliver", path, "--again", 99).exit_code == 1


def test_a_site_that_was_never_run_is_told(tmp_path):
    done = site("status", written(tmp_path))

    assert done.exit_code == 1
    assert "no site was run in this folder yet" in done.output


def test_regions_of_a_camera_are_written_as_calibrating_takes_them(tmp_path):
    from oddframe.scoring.regions import Regions

    ignore = [[[0.5, 0.5], [1, 0.5], [1, 1]]]
    path = written(tmp_path, cameras={"gate": {"address": 0, "regions": {"ignore": ignore}}})

    done = site("regions", path, "gate", tmp_path / "gate.json", "--json")

    assert json.loads(done.output)["file"] == str(tmp_path / "gate.json")
    assert Regions.read(tmp_path / "gate.json").ignore == (((0.5, 0.5), (1.0, 0.5), (1.0, 1.0)),)
