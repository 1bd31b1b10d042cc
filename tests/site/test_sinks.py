"""Messages arrive as what they are, and say what is wrong where they do not."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.site.conftest import NOON, change

from oddframe.errors import SettingsError, SinkError
from oddframe.site.messages import event_message, health_message, parse_message
from oddframe.site.outbox import Courier, Delivery, Patience
from oddframe.site.sinks.jsonl import JsonlSink
from oddframe.site.sinks.kinds import open_sink, sink_record
from oddframe.site.sinks.notify import AppriseSink
from oddframe.site.sinks.sink import without_secrets
from oddframe.site.sinks.webhook import WebhookSink
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now

NEW = event_message(change(), "home")
OFFLINE = health_message("home", "gate", "offline", "no answer for 10 s", NOON, key="health.1")


class Receiver(ThreadingHTTPServer):
    """Answers as it is told, and keeps what it got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.hangs = threading.Event()
        self.free = threading.Event()

    @property
    def url(self) -> str:
        return f"http://me:s3cret@127.0.0.1:{self.server_port}/T0K3N/in?key=qu3ry"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.server.hangs.is_set():
            self.server.free.wait(120)
        code, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.send_response(405)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.free.set()
        server.shutdown()


@pytest.fixture
def hook(receiver: Receiver) -> Iterator[WebhookSink]:
    made = WebhookSink("hook", SecretStr(receiver.url), SecretStr("k3y"), timeout_s=0.3, clock=lambda: 1764504000.7)
    yield made
    made.close()


def test_a_message_is_read_back_as_it_was_sent():
    for message in (NEW, OFFLINE, event_message(change("end", 1), "home")):
        assert parse_message(message.model_dump_json()) == message
    told = json.loads(NEW.model_dump_json())
    assert (told["version"], told["kind"], told["change"]) == (1, "event", "new")
    assert told["event"]["started_at"] == "2026-11-30T12:00:00.000Z"
    assert told["event"]["severity"] == "once in 10,000 frames"
    assert told["event"]["box"] == {"x": 1, "y": 2, "width": 3, "height": 4}


def test_a_webhook_gets_a_signed_body_with_a_key(receiver, hook):
    hook.send(NEW)
    path, headers, body = receiver.got[0]

    assert path == "/T0K3N/in?key=qu3ry"
    assert parse_message(body.decode()) == NEW
    assert headers["Idempotency-Key"] == NEW.key
    assert headers["X-Oddframe-Timestamp"] == "1764504000"
    wanted = hmac.new(b"k3y", b"1764504000." + body, hashlib.sha256).hexdigest()
    assert headers["X-Oddframe-Signature"] == f"sha256={wanted}"
    assert headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("code", "headers", "again", "after_s"),
    [
        (500, {}, True, None),
        (503, {"Retry-After": "30"}, True, 30.0),
        (429, {"Retry-After": "7"}, True, 7.0),
        (404, {}, False, None),
        (302, {"Location": "https://elsewhere.example.org/s3cret"}, False, None),
    ],
)
def test_answers_say_whether_to_send_again(receiver, hook, code, headers, again, after_s):
    receiver.answers = [(code, headers)]
    with pytest.raises(SinkError) as refused:
        hook.send(NEW)

    error = refused.value
    assert (error.again, error.reached, error.after_s) == (again, True, after_s)
    assert str(code) in error.in_one_line()
    assert len(receiver.got) == 1  # nobody followed it
    assert not any(word in str(error) for word in ("s3cret", "T0K3N", "qu3ry"))


def test_a_webhook_that_hangs_is_left_and_tried_again(receiver, hook):
    receiver.hangs.set()
    with pytest.raises(SinkError, match="was not reached") as left:
        hook.send(NEW)
    assert (left.value.again, left.value.seen) == (True, "no answer within 0.3 s")

    receiver.hangs.clear()
    hook.send(NEW)
    assert [headers["Idempotency-Key"] for _, headers, _ in receiver.got] == [NEW.key, NEW.key]


@pytest.mark.slow
def test_a_webhook_that_hangs_fails_and_answers_late_gets_everything_in_order(receiver, hook, tmp_path):
    """Late: it has taken the message, but says so when nobody listens any more."""
    changes = [change(camera=camera, at=NOON + timedelta(minutes=at)) for at, camera in enumerate("abab")]
    changes += [
        change("end", 1, event=one.event.id, camera=one.event.camera, at=one.event.started_at) for one in changes
    ]
    receiver.answers = [(500, {}), (503, {}), (429, {}), (204, {}), (502, {})]
    receiver.hangs.set()
    with Store.open(tmp_path) as store:
        for name in "ab":
            store.cameras.put(name, "0", "USB 0")
        store.sinks.put(sink_record("hook", "webhook", receiver.url))
        store.events.write(changes)
        with Delivery(store, {"hook": hook}, patience=Patience(first_s=0.01, longest_s=0.05, look_s=0.01)):
            while len(receiver.got) < 2:
                time.sleep(0.01)
            receiver.hangs.clear()
            receiver.free.set()
            while store.outbox.counts()[0].waiting:
                time.sleep(0.01)
        assert store.outbox.dead() == []
    arrived = list(dict.fromkeys(headers["Idempotency-Key"] for _, headers, _ in receiver.got))

    for camera in "ab":
        wanted = [one.key for one in changes if one.event.camera == camera]
        assert [key for key in arrived if key in wanted] == wanted


def test_after_all_went_wrong_no_secret_is_in_the_database_or_a_log(receiver, hook, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.answers = [(500, {}), (404, {})]
    with Store.open(tmp_path) as store:
        store.cameras.put("gate", "rtsp://u:p%40ss3cret@10.0.0.2/", "rtsp://10.0.0.2/…")
        store.sinks.put(sink_record("hook", "webhook", receiver.url, secret="k3y-s3cret"))
        store.events.write([change()])
        courier = Courier(store, hook, Patience(first_s=0.0, longest_s=0.0), utc_now, lambda: 1.0)
        for _ in range(3):
            courier.step()
        (dead,) = store.outbox.dead()
    rows = "\n".join(sqlite3.connect(tmp_path / "site.db").iterdump())
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert "404" in (dead.problem or "")
    assert dead.key in rows
    for word in ("s3cret", "T0K3N", "qu3ry", "p%40ss"):
        assert word not in rows + caplog.text
        assert word.encode() not in files


def test_a_webhook_where_nobody_listens_says_so_without_its_secrets(receiver, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.server_close()
    made = WebhookSink("hook", SecretStr(receiver.url))
    with pytest.raises(SinkError) as left:
        made.send(NEW)
    made.close()

    assert (left.value.again, left.value.reached) == (True, False)
    assert left.value.path == f"http://127.0.0.1:{receiver.server_port}/…"
    shown = f"{left.value} {made!r} {caplog.text}"
    assert not any(word in shown for word in ("s3cret", "T0K3N", "qu3ry"))


def test_a_webhook_is_checked_without_a_message(receiver, hook):
    hook.check()

    assert receiver.got == []


def test_lines_are_appended_also_after_one_that_was_cut_off_and_to_a_file_begun_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"half": ')
    made = JsonlSink("lines", path)
    made.send(NEW)
    path.rename(tmp_path / "old.jsonl")
    made.send(OFFLINE)

    assert parse_message((tmp_path / "old.jsonl").read_text().splitlines()[1]) == NEW
    assert parse_message(path.read_text()) == OFFLINE


def test_a_file_of_lines_is_checked_without_being_made_or_written(tmp_path):
    path = tmp_path / "events.jsonl"
    JsonlSink("lines", path).check()
    assert not path.exists()
    path.write_text('{"half": ')
    JsonlSink("lines", path).check()
    assert path.read_text() == '{"half": '
    JsonlSink("lines", None).check()

    path.unlink()
    path.mkdir()
    for wrong in (path, tmp_path / "none" / "events.jsonl"):
        with pytest.raises(SinkError, match="was not reached"):
            JsonlSink("lines", wrong).check()


@pytest.mark.parametrize("secret", ["assistants", "abcsdefsghi", "a\\b\\cdefs", "p%40ssw0rd", "T0KENs"])
def test_no_part_of_a_secret_is_told_whatever_its_letters_are(secret):
    told = without_secrets(f"no answer from /x/{secret} at all", f"https://hooks.example.org/x/{secret}?key=1")

    assert told == "no answer from /x/*** at all"


def test_lines_go_to_standard_output(capsys):
    JsonlSink("lines", None).send(NEW)

    assert parse_message(capsys.readouterr().out) == NEW


def test_a_file_on_a_full_disk_is_tried_again(dev_full):
    with pytest.raises(SinkError, match="was not reached") as left:
        JsonlSink("lines", dev_full).send(NEW)
    assert left.value.again


@pytest.mark.slow
def test_people_are_told_in_words(receiver):
    url = f"json://me:s3cret@127.0.0.1:{receiver.server_port}/T0K3N"
    made = AppriseSink("people", SecretStr(url), lambda _: None)
    receiver.answers = [(200, {})]
    made.send(NEW)
    receiver.answers = [(200, {})]
    made.send(OFFLINE)
    new, offline = (json.loads(body) for _, _, body in receiver.got)

    assert new["title"] == "gate: something is out of the ordinary"
    assert "once in 10,000 frames" in new["message"]
    assert (offline["title"], offline["message"].split("\n")[0]) == ("gate: camera is offline", "no answer for 10 s")


def test_what_apprise_says_is_told_without_secrets_and_logged_nowhere(receiver, caplog):
    caplog.set_level(logging.DEBUG)
    url = f"json://me:s3cret@127.0.0.1:{receiver.server_port}/T0K3N"
    made = AppriseSink("people", SecretStr(url), lambda _: None)
    receiver.answers = [(401, {})]
    with pytest.raises(SinkError) as left:
        made.send(NEW)

    assert left.value.again
    assert "401" in str(left.value)
    shown = f"{left.value} {made!r} {caplog.text}"
    assert not any(word in shown for word in ("s3cret", "T0K3N"))


@pytest.mark.parametrize(
    ("kind", "url", "settings", "words"),
    [
        ("webook", "http://host/", {}, "did you mean webhook"),
        ("webhook", "ftp://host/s3cret", {}, "no address of its kind"),
        ("webhook", "http://:80/s3cret", {}, "no address of its kind"),
        ("webhook", "http://host:port/s3cret", {}, "no address of its kind"),
        ("mqtt", "http://s3cret@host", {}, "no address of its kind"),
        ("mqtt", "mqtt://host", {"prefix": "a/#"}, "prefix"),
        ("webhook", "http://host/", {"timeout": 3}, "timeout_s"),
    ],
)
def test_a_sink_that_is_wrong_is_refused_without_its_secrets(kind, url, settings, words):
    with pytest.raises(SettingsError, match=words) as refused:
        sink_record("mine", kind, url, settings=settings)
    assert "s3cret" not in str(refused.value)


def test_apprise_refuses_an_address_that_it_does_not_know():
    record = sink_record("people", "apprise", "carrierpigeon://s3cret")
    with pytest.raises(SettingsError, match="no address that apprise knows") as refused:
        open_sink(record, site="home", version="1", cameras=list, pictures=lambda _: None)
    assert "s3cret" not in str(refused.value) + repr(record)


@pytest.mark.parametrize(
    ("kind", "url", "masked", "sends"),
    [
        ("jsonl", "-", "standard output", ("new", "update", "end", "health")),
        ("webhook", "https://me:pw@host:8443/T0K3N", "https://host:8443/…", ("new", "update", "end", "health")),
        ("mqtt", "mqtts://me:pw@host", "mqtts://host", ("new", "update", "end", "health")),
        ("apprise", "json://host/T0K3N", "json://…", ("new", "health")),
    ],
)
def test_a_sink_is_made_of_its_record(kind, url, masked, sends):
    record = sink_record("mine", kind, url)
    made = open_sink(record, site="home", version="1", cameras=list, pictures=lambda _: Path())

    assert (record.masked, record.sends) == (masked, sends)
    assert repr(made).endswith(f" mine: {masked}>")
    made.close()
