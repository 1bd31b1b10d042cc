"""Figures of a site for Prometheus. Nothing is counted here: all comes from what engine and store tell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from oddframe.cameras.state import HealthState
from oddframe.console.running import RunningSite
from oddframe.site.engine_process import CameraStatus, EngineStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST

_LATENCIES = ("0.5", "0.95")
_SCORES = ("0.5", "0.9", "0.99")


def metrics(site: RunningSite) -> bytes:
    """All figures, in the text form of Prometheus.

    Raises:
        StoreError: the store is locked, damaged or out of reach.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(site))
    return generate_latest(registry)


class _Figures:
    """What Prometheus' client collects. Counters begin anew with the engine, as Prometheus expects."""

    def __init__(self, site: RunningSite) -> None:
        self._found = [*_of_process(site), *_of_store(site)]
        if site.status is not None:
            self._found += [*_of_engine(site.status), *_of_cameras(site.status.cameras)]

    def collect(self) -> Iterator[Metric]:
        return iter(self._found)


def _of_process(site: RunningSite) -> Iterator[Metric]:
    about = GaugeMetricFamily("oddframe_info", "The version that runs.", labels=["version"])
    about.add_metric([version("oddframe")], 1)
    yield about
    yield GaugeMetricFamily("oddframe_engine_up", "Whether the engine gives answers.", value=site.status is not None)
    yield CounterMetricFamily("oddframe_engine_restarts", "How often the engine was started again.", site.restarts)
    wrong = GaugeMetricFamily("oddframe_problem", "What is not as it should be.", labels=["part"])
    for part in site.problems():
        wrong.add_metric([part], 1)
    yield wrong


def _of_store(site: RunningSite) -> Iterator[Metric]:
    store, now = site.store, datetime.now(UTC)
    disk = shutil.disk_usage(store.folder)
    yield GaugeMetricFamily("oddframe_disk_free_bytes", "Free on the disk of the site's folder.", disk.free)
    yield GaugeMetricFamily("oddframe_disk_bytes", "Size of the disk of the site's folder.", disk.total)
    yield GaugeMetricFamily("oddframe_evidence_bytes", "Pictures and clips on the disk.", store.evidence.total_bytes())
    lasting = GaugeMetricFamily("oddframe_events_open", "Events that last.", labels=["camera"])
    events = [event.camera for event in store.events.open()]
    for camera in store.cameras.all():
        lasting.add_metric([camera.name], events.count(camera.name))
    yield lasting
    messages = GaugeMetricFamily("oddframe_outbox_messages", "Messages to sinks.", labels=["sink", "state"])
    oldest = GaugeMetricFamily("oddframe_outbox_oldest_seconds", "How long the oldest has waited.", labels=["sink"])
    for sink in store.outbox.counts():
        messages.add_metric([sink.sink, "waiting"], sink.waiting)
        messages.add_metric([sink.sink, "dead"], sink.dead)
        waited = 0.0 if sink.oldest_at is None else (now - sink.oldest_at).total_seconds()
        oldest.add_metric([sink.sink], max(0.0, waited))
    yield messages
    yield oldest


def _of_engine(status: EngineStatus) -> Iterator[Metric]:
    latency = GaugeMetricFamily(
        "oddframe_latency_seconds",
        "From taking a frame until it is judged, of the last thousand frames.",
        labels=["quantile"],
    )
    for quantile, seconds in zip(_LATENCIES, status.engine.latency_s or (), strict=False):
        latency.add_metric([quantile], seconds)
    yield latency
    yield GaugeMetricFamily("oddframe_writes_waiting", "Writes that wait for the database.", status.waiting)
    yield CounterMetricFamily("oddframe_writes_lost", "Writes that were given up.", status.lost)
    yield GaugeMetricFamily("oddframe_evidence_waiting", "Pictures and clips to be made.", status.evidence_waiting)
    skipped = CounterMetricFamily("oddframe_evidence_skipped", "Pictures and clips given up.", labels=["reason"])
    for reason, many in status.without_evidence.items():
        skipped.add_metric([reason], many)
    yield skipped
    yield GaugeMetricFamily("oddframe_disk_full", "Whether no evidence is made for lack of room.", status.disk_full)


def _of_cameras(cameras: tuple[CameraStatus, ...]) -> Iterator[Metric]:
    labels = ["camera"]
    state = GaugeMetricFamily("oddframe_camera_state", "1 for the state of a camera.", labels=["camera", "state"])
    received = CounterMetricFamily("oddframe_camera_received", "Packets, or pictures of a folder.", labels=labels)
    opened = CounterMetricFamily("oddframe_camera_opened", "How often a camera was opened.", labels=labels)
    judged = CounterMetricFamily("oddframe_frames_judged", "Frames that got a score.", labels=labels)
    dropped = CounterMetricFamily("oddframe_frames_dropped", "Frames without a score.", labels=["camera", "reason"])
    doubted = CounterMetricFamily(
        "oddframe_events_doubted", "Events that were not told of, since they came of the camera.", labels=labels
    )
    score = GaugeMetricFamily("oddframe_score", "Of the last thousand frames.", labels=["camera", "quantile"])
    line = GaugeMetricFamily("oddframe_line", "The score at which an alarm begins.", labels=labels)
    alarm = GaugeMetricFamily("oddframe_alarm", "Whether an event lasts.", labels=labels)
    for one in cameras:
        for known in HealthState:
            state.add_metric([one.name, str(known)], one.health.state is known)
        received.add_metric([one.name], one.counts.received)
        opened.add_metric([one.name], one.counts.opened)
        judged.add_metric([one.name], one.judged)
        for reason, many in (one.counts.dropped | one.dropped).items():
            dropped.add_metric([one.name, reason], many)
        doubted.add_metric([one.name], one.doubted)
        for quantile, value in zip(_SCORES, one.lately or (), strict=False):
            score.add_metric([one.name, quantile], value)
        line.add_metric([one.name], one.line)
        alarm.add_metric([one.name], one.alarm)
    return iter([state, received, opened, judged, dropped, doubted, score, line, alarm])
