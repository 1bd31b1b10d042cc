"""Cameras show up at a broker, alarms follow in order, and a broker that was away misses nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter
from tests.site.conftest import NOON, change

from oddframe.errors import SinkError
from oddframe.site.messages import event_message, health_message
from oddframe.site.outbox import Delivery, Patience
from oddframe.site.sinks.kinds import open_sink, sink_record
from oddframe.site.sinks.mqtt import MqttSink
from oddframe.site.sinks.topics import Topics
from oddframe.site.store import Store

Topic = Annotated[str, Field(pattern=r"^[^#+]+$", min_length=1)]


class _Documented(BaseModel):
    """What Home Assistant's documentation says of discovery; it takes nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Availability(_Documented):
    topic: Topic
    payload_available: str = "online"
    payload_not_available: str = "offline"


class _Device(_Documented):
    identifiers: Annotated[list[str], Field(min_length=1)]
    name: str
    manufacturer: str
    model: str
    sw_version: str


class _Origin(_Documented):
    name: str
    sw_version: str


class _Entity(_Documented):
    name: str
    unique_id: str
    device: _Device
    origin: _Origin
    qos: Literal[0, 1, 2]
    availability: list[_Availability]
    availability_mode: Literal["all", "any", "latest"] = "latest"
    entity_category: Literal["config", "diagnostic"] | None = None
    icon: Annotated[str, Field(pattern="^mdi:[a-z-]+$")] | None = None
    json_attributes_topic: Topic | None = None


class _BinarySensor(_Entity):
    state_topic: Topic
    device_class: Literal["problem", "safety", "motion", "connectivity", "occupancy"]
    payload_on: str = "ON"
    payload_off: str = "OFF"


class _Sensor(_Entity):
    state_topic: Topic
    state_class: Literal["measurement", "total", "total_increasing"]
    suggested_display_precision: int


class _Image(_Entity):
    image_topic: Topic
    content_type: Literal["image/jpeg", "image/png"]


_CONFIG_TOPIC = r"^homeassistant/(?P<kind>\w+)/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config$"
_SCHEMAS = {"binary_sensor": _BinarySensor, "sensor": _Sensor, "image": _Image}


class Listener:
    """Keeps all that a broker has told."""

    def __init__(self, port: int) -> None:
        self.told: list[tuple[str, bytes]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self._client.username_pw_set("me", "s3cret")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = lambda _, __, message: self.told.append((message.topic, message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def last(self, topic: str) -> bytes | None:
        return next((payload for of, payload in reversed(self.told) if of == topic), None)

    def keys(self) -> list[str]:
        """Of all messages, each once, in the order of their first coming."""
        found = [json.loads(payload)["key"] for topic, payload in self.told if topic.endswith("/event")]
        return list(dict.fromkeys(found))


class Broker:
    """A real one, which can be stopped."""

    def __init__(self, folder: Path, program: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder, self._program = folder, program
        passwords = folder / "passwords"
        passwords.touch(0o644)
        maker = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
        subprocess.run([maker, "-b", passwords, "me", "s3cret"], check=True, capture_output=True)
        passwords.chmod(0o644)
        # it keeps who has subscribed: what is sent before a listener has come back after a stop would be lost to it
        (folder / "conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nuser root\n"
            f"persistence true\npersistence_location {folder}/\n"
        )
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://me:s3cret@127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", self._folder / "conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(self._listens)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(120)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def eventually(seen: Callable[[], Any], wait_s: float = 600.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + wait_s
    while not seen():
        assert time.monotonic() < until, "it never came to be so"
        time.sleep(0.02)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("there is no mosquitto (Debian: mosquitto)")
    folder = tmp_path / "broker"
    folder.mkdir()
    made = Broker(folder, program)
    yield made
    made.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    made = Listener(broker.port)
    yield made
    made.close()


def made(broker: Broker, cameras: list[str], picture: Path | None = None) -> MqttSink:
    topics = Topics("oddframe", "home", "homeassistant")
    return MqttSink(
        "broker", SecretStr(broker.url), topics, version="1", cameras=lambda: cameras, pictures=lambda _: picture
    )


def life() -> list:
    new = change()
    return [event_message(one, "home") for one in (new, change("update", 1, event=new.event.id))] + [
        event_message(change("end", 2, event=new.event.id), "home")
    ]


def test_announcements_are_those_that_home_assistant_documents():
    topics = Topics("oddframe", "Zu Hause", "homeassistant")
    announced = topics.announcements("Hof 2/hinten", "0.1.0")

    assert len(announced) == 4
    for topic, payload, retain in announced:
        kind = TypeAdapter(Annotated[str, Field(pattern=_CONFIG_TOPIC)]).validate_python(topic).split("/")[1]
        _SCHEMAS[kind].model_validate_json(payload)
        assert retain
    assert len({json.loads(one.payload)["unique_id"] for one in announced}) == 4
    published = {
        one.topic
        for message in (*life(), health_message("Zu Hause", "gate", "online", "", NOON, key="1"))
        for one in topics.publications(message)
    } | {topics.of("gate", "snapshot"), topics.status}
    for one in topics.announcements("gate", "0.1.0"):
        config = json.loads(one.payload)
        asked = [value for name, value in config.items() if name.endswith("_topic")]
        assert {*asked, *(each["topic"] for each in config["availability"])} <= published


def test_a_life_of_an_event_is_followed_and_a_camera_shows_up_and_goes(broker, listener, tmp_path):
    picture, cameras = tmp_path / "snapshot.jpg", ["gate", "yard"]
    picture.write_bytes(b"\xff\xd8 a picture")
    sink = made(broker, cameras, picture)
    new, _, end = life()
    sink.check()
    sink.send(health_message("home", "gate", "online", "", NOON, key="health.1"))
    sink.send(new)
    eventually(lambda: listener.last("oddframe/home/gate/snapshot"))

    assert listener.last("oddframe/home/status") == b"online"
    assert listener.last("oddframe/home/gate/online") == b"ON"
    assert listener.last("oddframe/home/gate/alarm") == b"ON"
    assert listener.last("oddframe/home/gate/score") == b"4.00"
    assert listener.last("oddframe/home/gate/snapshot") == picture.read_bytes()
    assert len([topic for topic, _ in listener.told if topic.endswith("config")]) == 8
    cameras.remove("yard")
    sink.send(end)
    sink.close()
    eventually(lambda: listener.last("oddframe/home/status") == b"offline")
    assert listener.last("oddframe/home/gate/alarm") == b"OFF"
    assert listener.last("homeassistant/image/home_yard/snapshot/config") == b""
    assert listener.last("homeassistant/image/home_gate/snapshot/config") != b""
    assert listener.keys() == ["health.1", new.key, end.key]


def test_a_picture_that_is_too_large_is_left_out(broker, listener, tmp_path):
    picture = tmp_path / "snapshot.jpg"
    picture.write_bytes(b"x" * 300_000)
    sink = made(broker, ["gate"], picture)
    sink.send(life()[0])
    eventually(lambda: listener.last("oddframe/home/gate/alarm"))
    sink.close()

    assert listener.last("oddframe/home/gate/snapshot") is None


@pytest.mark.slow
def test_a_wrong_password_is_said_and_not_shown(broker):
    topics = Topics("oddframe", "home", "homeassistant")
    url = SecretStr(f"mqtt://me:wr0ng@127.0.0.1:{broker.port}")
    sink = MqttSink("broker", url, topics, version="1", cameras=list, pictures=lambda _: None, timeout_s=0.5)
    with pytest.raises(SinkError, match="Not authorized") as refused:
        sink.check()
    sink.close()

    assert refused.value.again
    assert "wr0ng" not in f"{refused.value} {sink!r}"


@pytest.mark.slow
def test_while_a_broker_is_away_nothing_is_lost_and_all_comes_in_order(broker, tmp_path):
    listener = Listener(broker.port)
    changes = []
    with Store.open(tmp_path / "site") as store:
        store.cameras.put("gate", "0", "USB 0")
        store.sinks.put(sink_record("broker", "mqtt", broker.url, settings={"timeout_s": 1.0}))
        (record,) = store.sinks.all()
        sink = open_sink(record, site="home", version="1", cameras=lambda: ["gate"], pictures=lambda _: None)

        def step(number: int) -> None:
            event = changes[-1].event.id if number % 3 else None
            changes.append(change(("new", "update", "end")[number % 3], number % 3, event=event))
            store.events.write(changes[-1:])

        with Delivery(store, {"broker": sink}, patience=Patience(look_s=0.02)):
            for number in range(4):
                step(number)
            eventually(lambda: store.outbox.counts()[0].sent == 4)  # the broker's own word: it is known to have arrived
            broker.stop()
            for number in range(4, 10):
                step(number)
            eventually(lambda: store.outbox.counts()[0].waiting == 6)
            broker.start()
            eventually(lambda: store.outbox.counts()[0].waiting == 0)
            eventually(lambda: len(listener.keys()) == 10)
        assert store.outbox.dead() == []
        assert [count.sent for count in store.outbox.counts()] == [10]
    listener.close()

    assert listener.keys() == [one.key for one in changes]
    assert listener.last("oddframe/home/status") == b"offline"
