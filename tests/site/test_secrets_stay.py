"""Passwords and tokens of cameras and sinks: after a whole run they stand in the file of secrets, and nowhere else."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
import yaml
from tests.shared import benchmark
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.instant import MODEL
from oddframe.site.store import Store

LOGIN = "Basic " + base64.b64encode(b"u:p@ss").decode()
SECRETS = (b"p@ss", b"p%40ss", b"s3cret", base64.b64encode(b"u:p@ss").rstrip(b"="))


class House(BaseHTTPRequestHandler):
    """A camera that asks for a password, and a hook that takes no message."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != LOGIN:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        chance = np.random.default_rng(0)
        try:
            for number in range(100_000):
                picture = np.full((96, 144, 3), 90, np.uint8)
                picture[::12] = 120
                if number // 25 % 2:  # odd for two seconds of every four
                    for top, left in chance.integers(0, (80, 120), (6, 2)):
                        picture[top : top + 24, left : left + 30] = chance.integers(0, 255)
                data = cv2.imencode(".jpg", picture)[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(0.08)
        except OSError:
            pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400 if self.path.startswith("/refuses") else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), House)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def whole_site(folder: Path, port: int) -> Path:
    """A site whose cameras and sinks all have secrets; some of them work, some do not."""
    here, door = f"u:p%40ss@127.0.0.1:{port}", "u:p%40ss@127.0.0.1:1"
    secrets = {
        "GATE": f"http://{here}/video.cgi?token=s3cret",
        "YARD": f"rtsp://{door}/live?token=s3cret",
        "ROOF": f"http://u:p%40ss@127.0.0.1:{port}x/?token=s3cret",  # no address at all
        "HOOK": f"http://{here}/s3cret?token=s3cret",
        "REFUSES": f"http://{here}/refuses/s3cret",
        "NOBODY": f"http://{door}/s3cret",
        "BROKER": f"mqtt://{door}",
        "PEOPLE": f"json://{here}/s3cret",
        "KEY": "s3cret",
    }
    place = folder / "secrets.yaml"
    place.write_text(yaml.safe_dump(secrets), "utf-8")
    place.chmod(0o600)
    watched = {"detector": str(MODEL), "scene": "square"}
    path = folder / "site.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "folder": "site",
                "secrets_file": "secrets.yaml",
                "cameras": {"gate": {"address": "${GATE}", **watched}, "yard": {"address": "${YARD}", **watched}},
                "sinks": {
                    "file": {"kind": "jsonl", "url": "sent.jsonl"},
                    "hook": {"kind": "webhook", "url": "${HOOK}", "secret": "${KEY}"},
                    "refuses": {"kind": "webhook", "url": "${REFUSES}", "secret": "${KEY}"},
                    "nobody": {"kind": "webhook", "url": "${NOBODY}"},
                    "broker": {"kind": "mqtt", "url": "${BROKER}"},
                    "people": {"kind": "apprise", "url": "${PEOPLE}"},
                },
            }
        ),
        "utf-8",
    )
    return path


def with_secrets(folder: Path) -> list[str]:
    """The files in which a secret stands."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in SECRETS)
    )


def titles(process: int) -> Iterator[bytes]:
    """Of a process and all that it has started: what a list of processes shows."""
    yield Path(f"/proc/{process}/cmdline").read_bytes()
    for child in benchmark("kill_the_engine").children_of(process):
        yield from titles(child)


def shown(url: str, password: str) -> dict[str, bytes]:
    """All that the console shows an admin: pages that others lead to, what the API gives without a name, metrics."""
    found: dict[str, bytes] = {}
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as client:
        me = client.post("/api/v1/session", json={"name": "admin", "password": password}).json()
        own = {"old": password, "new": "correct horse battery"}
        changed = client.put("/api/v1/session/password", json=own, headers={"X-CSRF-Token": me["csrf"]})
        assert changed.status_code == 204, changed.text
        described = client.get("/api/v1/openapi.json").json()["paths"]
        due = ["/", "/metrics", *(path for path, ways in described.items() if "get" in ways and "{" not in path)]
        while due and len(found) < 100:
            path = due.pop(0)
            if path in found or "stream" in path:
                continue
            answer = client.get(path)
            found[path] = answer.content + str(answer.headers).encode()
            if "text/html" in answer.headers["Content-Type"]:
                due += re.findall(r'(?:href|src)="(/[^"#]*)', answer.text)
    return found


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc")
def test_after_a_whole_run_no_secret_stands_in_any_file_output_or_list_of_processes(tmp_path, port):
    pytest.importorskip("onnxruntime")
    site = whole_site(tmp_path, port)
    command = [sys.executable, "-m", "oddframe", "serve", str(site), "--port", "0"]
    command += ["--backend", "onnxruntime", "--json"]
    said, seen = [], b""
    with (
        (tmp_path / "stderr").open("wb") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, cwd=tmp_path, env=os.environ | {"PYTHONFAULTHANDLER": "1"}
        ) as process,
    ):
        assert process.stdout is not None
        wanted = {"gate online", "yard offline", "sink hook", "sink refuses", "sink nobody", "sink broker"}
        for line in process.stdout:
            said.append(line)
            told = json.loads(line)
            wanted -= {f"{told.get('name')} {told.get('state', '')}".partition(":")[0].strip()}
            if not wanted:
                break
        store = Store.join(tmp_path / "site")
        with store:
            while not any(one.evidence for one in store.events.page(limit=10).events):
                assert process.poll() is None
                time.sleep(0.1)
        seen = b"\n".join(titles(process.pid))
        (console,) = [told for told in map(json.loads, said) if told["kind"] == "console"]
        pages = shown(console["url"], console["password"])
        process.send_signal(signal.SIGTERM)
        said += process.stdout.readlines()
        assert process.wait(60) == 0
    assert not wanted
    assert seen.count(b"oddframe") >= 3, "of the site, its engine and the readers of its cameras"
    assert {"/", "/system", "/review", "/cameras/gate", "/metrics", "/api/v1/cameras", "/api/v1/sinks"} <= {*pages}
    outputs = [b"".join(said), seen, *pages.values()]
    for words in ("check", "status", "deliver"):
        for json_ in ([], ["--json"]):
            outputs.append(CliRunner().invoke(app, ["site", words, str(site), *json_]).output.encode())

    assert with_secrets(tmp_path) == ["secrets.yaml"]
    assert not [secret for output in outputs for secret in SECRETS if secret in output]


@pytest.mark.parametrize("name", ["ROOF", "KEY"])
def test_an_address_that_is_none_is_refused_without_its_words(tmp_path, name):
    site = whole_site(tmp_path, 80)
    site.write_text(site.read_text("utf-8").replace("${GATE}", f"${{{name}}}"), "utf-8")

    ran = CliRunner().invoke(app, ["serve", str(site)])

    assert ran.exit_code == 1
    assert "gate" in ran.output
    assert not [secret for secret in SECRETS if secret.decode() in ran.output]
