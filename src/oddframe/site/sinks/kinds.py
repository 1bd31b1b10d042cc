"""The kinds of sinks: their settings, and how one is made of its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from oddframe.errors import MissingExtraError, SettingsError, nearest
from oddframe.records import in_words
from oddframe.site.messages import PARTS, Part
from oddframe.site.sinks.sink import Cameras, Pictures, Sink, masked_url
from oddframe.site.store.records import SinkRecord


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JsonlSettings(_Settings):
    """Of `jsonl`: none."""


class WebhookSettings(_Settings):
    """Of `webhook`."""

    timeout_s: float = Field(default=10.0, gt=0, le=120, description="seconds to wait for an answer")


class MqttSettings(_Settings):
    """Of `mqtt`."""

    prefix: str = Field(default="oddframe", pattern=r"^[\w-]+(/[\w-]+)*$", description="of all topics")
    discovery: str = Field(
        default="homeassistant", pattern=r"^[\w-]+(/[\w-]+)*$", description="prefix of Home Assistant's discovery"
    )
    picture_kb: int = Field(default=256, ge=0, le=4096, description="a larger snapshot is not published")
    timeout_s: float = Field(default=10.0, gt=0, le=120, description="seconds to wait for the broker")


class AppriseSettings(_Settings):
    """Of `apprise`: none."""


SETTINGS: Mapping[str, type[_Settings]] = {
    "jsonl": JsonlSettings,
    "webhook": WebhookSettings,
    "mqtt": MqttSettings,
    "apprise": AppriseSettings,
}
"""Kind → its settings."""

_SENDS: Mapping[str, tuple[Part, ...]] = {"apprise": ("new", "health")}
"""What a sink gets where nobody said it: people need not be told of each update."""


def sink_record(
    name: str,
    kind: str,
    url: str | SecretStr,
    *,
    secret: str | SecretStr | None = None,
    settings: Mapping[str, Any] | None = None,
    sends: Sequence[Part] | None = None,
    cameras: Sequence[str] | None = None,
    enabled: bool = True,
) -> SinkRecord:
    """A sink as the store keeps it, with all of it checked.

    Args:
        kind: jsonl, webhook, mqtt or apprise. url: where; for jsonl the path of a file, or "-" for standard output.
        secret: with which a webhook's messages are signed. settings: of its kind, see `SETTINGS`.
        sends: which messages it gets; those that its kind usually gets without it. cameras: of which; None is all.

    Raises:
        SettingsError: of no known kind, or its address or settings do not fit.
    """
    if kind not in SETTINGS:
        raise SettingsError(
            f"sink '{name}' is of no known kind",
            seen=kind,
            wanted=", ".join(SETTINGS),
            hint=nearest(kind, SETTINGS),
        )
    plain = url.get_secret_value() if isinstance(url, SecretStr) else url
    if unknown := [part for part in sends or () if part not in PARTS]:
        raise SettingsError(f"sink '{name}' cannot be sent this", seen=unknown[0], wanted=", ".join(PARTS))
    try:
        checked = SETTINGS[kind](**(settings or {}))
    except ValidationError as failed:
        raise SettingsError(
            f"settings of sink '{name}' do not fit",
            seen=in_words(failed),
            wanted=", ".join(SETTINGS[kind].model_fields),
        ) from None
    return SinkRecord(
        name=name,
        kind=kind,
        url=SecretStr(plain),
        secret=SecretStr(secret) if isinstance(secret, str) else secret,
        masked=_masked(name, kind, plain),
        settings=checked.model_dump(),
        sends=tuple(_SENDS.get(kind, PARTS) if sends is None else sends),
        cameras=None if cameras is None else tuple(cameras),
        enabled=enabled,
    )


def open_sink(record: SinkRecord, *, site: str, version: str, cameras: Cameras, pictures: Pictures) -> Sink:
    """The sink of a record.

    Args:
        site: its name. version: of this program. cameras: whom Home Assistant is to be told of.
        pictures: snapshots of events.

    Raises:
        SettingsError: its address or settings do not fit.
        MissingExtraError: what it needs is not installed.
    """
    try:
        return _MAKERS[record.kind](record, site, version, cameras, pictures)
    except ModuleNotFoundError:
        raise MissingExtraError(f"a sink of the kind {record.kind}", "live") from None


def _masked(name: str, kind: str, url: str) -> str:
    """The address for people to see.

    Raises:
        SettingsError: it is none of this kind.
    """
    if kind == "jsonl":
        return "standard output" if url == "-" else url
    if kind == "apprise":
        return f"{url.partition(':')[0]}://…"
    wanted = {"webhook": ("http", "https"), "mqtt": ("mqtt", "mqtts")}[kind]
    try:
        parts = urlsplit(url)
        fits = parts.scheme in wanted and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise SettingsError(
            f"sink '{name}' has no address of its kind", wanted=f"{wanted[0]}://HOST/… or {wanted[1]}://HOST/…"
        )
    return masked_url(url)


def _jsonl(record: SinkRecord, *_: object) -> Sink:
    from oddframe.site.sinks.jsonl import JsonlSink

    path = record.url.get_secret_value()
    return JsonlSink(record.name, None if path == "-" else Path(path))


def _webhook(record: SinkRecord, *_: object) -> Sink:
    from oddframe.site.sinks.webhook import WebhookSink

    settings = WebhookSettings(**record.settings)
    return WebhookSink(record.name, record.url, record.secret, timeout_s=settings.timeout_s)


def _mqtt(record: SinkRecord, site: str, version: str, cameras: Cameras, pictures: Pictures) -> Sink:
    from oddframe.site.sinks.mqtt import MqttSink
    from oddframe.site.sinks.topics import Topics

    settings = MqttSettings(**record.settings)
    return MqttSink(
        record.name,
        record.url,
        Topics(settings.prefix, site, settings.discovery),
        version=version,
        cameras=cameras,
        pictures=pictures,
        most_picture_bytes=settings.picture_kb * 1024,
        timeout_s=settings.timeout_s,
    )


def _apprise(record: SinkRecord, _: str, __: str, ___: Cameras, pictures: Pictures) -> Sink:
    from oddframe.site.sinks.notify import AppriseSink

    return AppriseSink(record.name, record.url, pictures)


_MAKERS: Mapping[str, Callable[[SinkRecord, str, str, Cameras, Pictures], Sink]] = {
    "jsonl": _jsonl,
    "webhook": _webhook,
    "mqtt": _mqtt,
    "apprise": _apprise,
}
