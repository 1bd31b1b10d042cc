"""A site is run from its file: cameras are watched, messages are sent, and a request to end is one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.instant import MODEL
from oddframe.site.score_history import ScoreHistory
from oddframe.site.store import Store


def written(folder: Path, **entries: object) -> Path:
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump({"folder": "site", **entries}), "utf-8")
    return path


def test_a_file_that_is_wrong_starts_nothing(tmp_path):
    path = written(tmp_path, cameras={"gate": {"adress": "0"}})

    ran = CliRunner().invoke(app, ["serve", str(path), "--no-console"])

    assert ran.exit_code == 1
    assert "cameras.gate.adress" in ran.output
    assert not (tmp_path / "site").exists()


def test_a_second_process_on_the_same_folder_is_refused(tmp_path):
    path = written(tmp_path)
    with Store.open(tmp_path / "site"):
        ran = CliRunner().invoke(app, ["serve", str(path), "--no-console"])

    assert ran.exit_code == 1
    assert "another site works in this folder" in ran.output


@pytest.mark.slow
def test_people_are_told_what_begins_and_what_ended(tmp_path):
    path = written(tmp_path, sinks={"file": {"kind": "jsonl", "url": "sent.jsonl"}})

    ran = CliRunner().invoke(app, ["serve", str(path), "--no-console", "--for", "0"])

    assert ran.exit_code == 0
    assert "added by the file: sink file" in ran.output
    assert "0 cameras" in ran.output
    assert "The site has ended." in ran.output


@pytest.mark.slow
def test_a_site_runs_until_its_service_manager_ends_it_and_nothing_is_left_to_be_sent(tmp_path, make_video):
    pytest.importorskip("onnxruntime")
    video = make_video(tmp_path / "gate.mp4", frames=50, fps=12.5, size=(96, 144))
    path = written(
        tmp_path,
        cameras={"gate": {"address": str(video), "detector": str(MODEL), "scene": "square"}},
        sinks={"file": {"kind": "jsonl", "url": "sent.jsonl"}},
    )
    command = [
        sys.executable,
        "-m",
        "oddframe",
        "serve",
        str(path),
        "--no-console",
        "--backend",
        "onnxruntime",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(json.loads(line))
            if said[-1].get("state") == "online":
                break
        else:
            pytest.fail(str(said))
        process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in process.stdout]
        assert process.wait(60) == 0, rest
    assert said[0]["kind"] == "begins"
    assert said[0]["added"] == ["camera gate", "sink file"]
    assert [one["kind"] for one in rest][-2:] == ["ends", "ended"]
    sent = [json.loads(line) for line in (tmp_path / "sent.jsonl").read_text("utf-8").splitlines()]
    assert [one["state"] for one in sent if one["kind"] == "health"] == ["starting", "online", "off"]
    with Store.open(tmp_path / "site") as store:
        assert [sink.waiting for sink in store.outbox.counts()] == [0]
        assert store.health.now()["gate"].reason == "the site was stopped"
        camera = store.cameras.get("gate")
    seen = ScoreHistory(tmp_path / "site" / "scores").between(
        camera.id, camera.added_at, datetime.now(UTC) + timedelta(seconds=10)
    )
    assert np.isfinite(seen).all(axis=1).any()
