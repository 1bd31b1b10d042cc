"""Messages to a broker of MQTT, so that Home Assistant and others see cameras and alarms; see `topics`."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from oddframe.errors import SettingsError
from oddframe.site.messages import AnyMessage, EventMessage, ProblemMessage
from oddframe.site.sinks.sink import Cameras, Pictures, Sink, masked_url
from oddframe.site.sinks.topics import OFFLINE, ONLINE, Publication, Topics

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class MqttSink(Sink):
    """Publishes messages; one has arrived when the broker has acknowledged all of it.

    The connection is kept by a thread of its own, so that the broker's word on whether the site lives is right also
    where nothing happens. A broker that forgot what it was told is told again.

    Args:
        url: mqtt://USER:PASSWORD@HOST:PORT, or mqtts://.
        topics: see `Topics`. version: of this program. cameras: who are to be announced. pictures: snapshots.
        most_picture_bytes: a larger snapshot is not published.
        timeout_s: for the broker to be there, and to acknowledge. keepalive_s: a broker that is silent for longer is
            taken for gone.

    Raises:
        SettingsError: it is no such URL.
    """

    def __init__(
        self,
        name: str,
        url: SecretStr,
        topics: Topics,
        *,
        version: str,
        cameras: Cameras,
        pictures: Pictures,
        most_picture_bytes: int = 256 * 1024,
        timeout_s: float = 10.0,
        keepalive_s: int = 20,
    ) -> None:
        super().__init__(name, masked_url(url.get_secret_value()))
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in _PORTS or not parts.hostname:
            raise SettingsError(
                f"sink '{name}' has no address of a broker", seen=self.masked, wanted="mqtt://user:password@host:1883"
            )
        self._parts, self._topics, self._version = parts, topics, version
        self._cameras, self._pictures, self._most_picture_bytes = cameras, pictures, most_picture_bytes
        self._timeout_s, self._keepalive_s = timeout_s, keepalive_s
        self._connected, self._said_no = threading.Event(), ""
        self._connections = self._greeted = 0
        """How many there were, and the last of them on which the broker was told all that it has to know."""
        self._announced: set[str] = set()
        self._states: dict[str, Publication] = {}
        """What is retained, to be told again to a broker that has forgotten it."""
        self._pictured = ""
        self._client: paho.Client | None = None

    def send(self, message: AnyMessage) -> None:
        client = self._reached()
        publications = self._topics.publications(message)
        if isinstance(message, EventMessage) and (picture := self._picture(message)) is not None:
            publications.append(picture)
        connection, cameras = self._connections, set(self._cameras())
        if not isinstance(message, ProblemMessage):
            cameras.add(message.camera)
        self._publish(client, [*self._greetings(cameras), *publications])
        self._greeted, self._announced = connection, cameras

    def check(self) -> None:
        self._reached()

    def tick(self) -> bool:
        """Keep the connection, and tell a broker that is there again what it has to know."""
        if self._client is None:
            self._client = self._connect()
        connection, reached = self._connections, self._connected.is_set()
        if reached:
            cameras = set(self._cameras())
            for one in self._greetings(cameras):
                self._client.publish(one.topic, one.payload, qos=1, retain=one.retain)
            self._greeted, self._announced = connection, cameras
        return reached

    def close(self) -> None:
        """Say that the site is gone, and go."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._connected.is_set():
            with contextlib.suppress(ValueError, RuntimeError):  # the connection broke off: the broker says it itself
                client.publish(self._topics.status, OFFLINE, qos=1, retain=True).wait_for_publish(2.0)
        self._let_go(client)

    def _greetings(self, cameras: set[str]) -> list[Publication]:
        """What the broker has to know and has not been told on this connection."""
        greeted = self._greeted == self._connections
        due = [] if greeted else [Publication(self._topics.status, ONLINE)]
        for camera in sorted(cameras - (self._announced if greeted else set())):
            due += self._topics.announcements(camera, self._version)
        if not greeted:
            due += self._states.values()
        for camera in sorted(self._announced - cameras):
            due += self._topics.farewells(camera)
            for gone in self._topics.farewells(camera):
                self._states.pop(gone.topic, None)
        return due

    def _publish(self, client: paho.Client, publications: Sequence[Publication]) -> None:
        """Publish, and wait for all acknowledgements.

        Raises:
            SinkError: they did not come. The connection is given up with all that it still holds, so that what is sent
                later does not come before it.
        """
        for one in publications:
            if one.retain and not one.topic.endswith("/config") and one.payload:
                self._states[one.topic] = one
        until = time.monotonic() + self._timeout_s
        try:
            for sent in [client.publish(one.topic, one.payload, qos=1, retain=one.retain) for one in publications]:
                sent.wait_for_publish(max(0.0, until - time.monotonic()))
                if not sent.is_published():
                    raise self._unreached(f"the broker did not acknowledge within {self._timeout_s:g} s")
        except (ValueError, RuntimeError) as error:
            self._give_up(client)
            raise self._unreached(f"the connection broke off ({error})") from None
        except BaseException:
            self._give_up(client)
            raise

    def _reached(self) -> paho.Client:
        """The client, connected.

        Raises:
            SinkError: the broker is not there, or does not let us in.
        """
        if self._client is None:
            self._client = self._connect()
        if not self._connected.wait(self._timeout_s):
            raise self._unreached(self._said_no or f"no connection within {self._timeout_s:g} s")
        return self._client

    def _connect(self) -> paho.Client:
        """A client whose thread connects, and connects again, until it is let go."""
        self._connected, self._said_no = threading.Event(), ""
        connected = self._connected
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="", clean_session=True)
        if self._parts.username is not None:
            client.username_pw_set(unquote(self._parts.username), unquote(self._parts.password or ""))
        if self._parts.scheme == "mqtts":
            client.tls_set()
        client.will_set(self._topics.status, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(1, 10)

        def on_connect(_: object, __: object, ___: object, code: ReasonCode, ____: object) -> None:
            self._said_no = f"the broker says: {code}" if code.is_failure else ""
            if not code.is_failure:
                self._connections += 1
                connected.set()

        def on_disconnect(*_: object) -> None:
            connected.clear()

        client.on_connect = on_connect
        client.on_disconnect = on_disconnect
        client.connect_async(
            self._parts.hostname or "", self._parts.port or _PORTS[self._parts.scheme], self._keepalive_s
        )
        client.loop_start()
        return client

    def _give_up(self, client: paho.Client) -> None:
        self._client = None
        self._let_go(client)

    @staticmethod
    def _let_go(client: paho.Client) -> None:
        client.disconnect()
        client.loop_stop()

    def _picture(self, message: EventMessage) -> Publication | None:
        """The snapshot of an event, once."""
        if self._pictured == message.event.id:
            return None
        content = _read(self._pictures(message.event.id), self._most_picture_bytes)
        if content is None:
            return None
        self._pictured = message.event.id
        return Publication(self._topics.of(message.camera, "snapshot"), content)


def _read(path: Path | None, most: int) -> bytes | None:
    """A picture that is there and not too large."""
    try:
        if path is None or path.stat().st_size > most:
            return None
        return path.read_bytes()
    except OSError:  # it may have been removed to save space
        return None
