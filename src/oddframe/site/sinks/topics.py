"""What stands in which topic of MQTT, and how Home Assistant is told of a camera.

`BASE` is PREFIX/SITE; a camera has topics below BASE/CAMERA:

    event      every message as JSON; alone not retained
    alarm      ON while an event lasts, else OFF
    score      of the event that lasts, or of the last one
    online     ON while the camera is watched, else OFF
    snapshot   of the last event, a JPEG

BASE/status is "online", or "offline" where the site is stopped or has died. BASE/problem has what is wrong with the
site itself, as JSON; it is not retained.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from oddframe.plain import Json
from oddframe.site.messages import AnyMessage, HealthMessage, ProblemMessage, as_sent

ON, OFF = "ON", "OFF"
ONLINE, OFFLINE = "online", "offline"

_NOT_SLUG = re.compile(r"[^a-zA-Z0-9_-]+")


class Publication(NamedTuple):
    """What is published. `retain`: the broker keeps it for those who come later."""

    topic: str
    payload: str | bytes
    retain: bool = True


def slug(name: str) -> str:
    """A name as part of a topic; different names stay different.

    >>> slug("gate"), slug("Hof 2/hinten")
    ('gate', 'Hof_2_hinten_ed3d')
    """
    made = _NOT_SLUG.sub("_", name)
    return made if made == name else f"{made}_{hashlib.sha256(name.encode()).hexdigest()[:4]}"


class Topics:
    """The topics of one site.

    Args:
        prefix: of all of them. site: its name. discovery: the prefix of Home Assistant's.
    """

    def __init__(self, prefix: str, site: str, discovery: str) -> None:
        self.base = f"{prefix}/{slug(site)}"
        self._site, self._discovery = site, discovery

    @property
    def status(self) -> str:
        return f"{self.base}/status"

    def of(self, camera: str, what: str) -> str:
        """A topic of a camera."""
        return f"{self.base}/{slug(camera)}/{what}"

    def publications(self, message: AnyMessage) -> list[Publication]:
        """What a message amounts to, but for its snapshot; the message itself first."""
        if isinstance(message, ProblemMessage):
            return [Publication(f"{self.base}/problem", as_sent(message), retain=False)]
        camera = message.camera
        found = [Publication(self.of(camera, "event"), as_sent(message), retain=False)]
        if isinstance(message, HealthMessage):
            return [*found, Publication(self.of(camera, "online"), ON if message.online else OFF)]
        goes_on = message.change != "end" or message.event.ended_by == "length"
        return [
            *found,
            Publication(self.of(camera, "score"), f"{message.event.score:.2f}"),
            Publication(self.of(camera, "alarm"), ON if goes_on else OFF),
        ]

    def announcements(self, camera: str, version: str) -> list[Publication]:
        """What makes a camera show up in Home Assistant: an alarm, whether it is online, a score, a snapshot."""
        return [
            Publication(self._config_topic(kind, camera, what), json.dumps(self._config(camera, what, of, version)))
            for (kind, what), of in self._entities(camera).items()
        ]

    def farewells(self, camera: str) -> list[Publication]:
        """What makes a camera go from Home Assistant, and from the broker."""
        topics = [self._config_topic(kind, camera, what) for kind, what in self._entities(camera)]
        topics += [self.of(camera, what) for what in ("alarm", "score", "online", "snapshot")]
        return [Publication(topic, b"") for topic in topics]

    def _config_topic(self, kind: str, camera: str, what: str) -> str:
        return f"{self._discovery}/{kind}/{slug(self._site)}_{slug(camera)}/{what}/config"

    def _entities(self, camera: str) -> dict[tuple[str, str], Mapping[str, Any]]:
        seen = [{"topic": self.status}, self._while_online(camera)]
        return {
            ("binary_sensor", "alarm"): {
                "name": "Alarm",
                "state_topic": self.of(camera, "alarm"),
                "device_class": "problem",
                "availability": seen,
                "availability_mode": "all",
            },
            ("binary_sensor", "online"): {
                "name": "Online",
                "state_topic": self.of(camera, "online"),
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "availability": [{"topic": self.status}],
            },
            ("sensor", "score"): {
                "name": "Score",
                "state_topic": self.of(camera, "score"),
                "state_class": "measurement",
                "suggested_display_precision": 1,
                "icon": "mdi:chart-bell-curve",
                "json_attributes_topic": self.of(camera, "event"),
                "availability": [{"topic": self.status}],
            },
            ("image", "snapshot"): {
                "name": "Snapshot",
                "image_topic": self.of(camera, "snapshot"),
                "content_type": "image/jpeg",
                "availability": [{"topic": self.status}],
            },
        }

    def _while_online(self, camera: str) -> dict[str, str]:
        return {"topic": self.of(camera, "online"), "payload_available": ON, "payload_not_available": OFF}

    def _config(self, camera: str, what: str, entity: Mapping[str, Any], version: str) -> Json:
        device = f"oddframe_{slug(self._site)}_{slug(camera)}"
        return {
            **entity,
            "unique_id": f"{device}_{what}",
            "qos": 1,
            "device": {
                "identifiers": [device],
                "name": camera,
                "manufacturer": "oddframe",
                "model": "camera",
                "sw_version": version,
            },
            "origin": {"name": "oddframe", "sw_version": version},
        }
