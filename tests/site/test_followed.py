"""A site that runs follows what is changed in its store, camera by camera, and disturbs no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oddframe.instant import MODEL
from oddframe.site.commands import AddCamera, AddSink, ChangeCamera, ChangeSink, Command, RemoveCamera, RemoveSink
from oddframe.site.engine_process import CameraStatus
from oddframe.site.serving import Serving
from oddframe.site.store.records import EventFilter, LineRecord
from oddframe.site.store.shelf import utc_now

pytestmark = pytest.mark.slow


class Site:
    """A site that runs, and waits until something is so."""

    def __init__(self, serving: Serving) -> None:
        self.serving, self.store = serving, serving.store

    def do(self, command: Command) -> None:
        assert self.serving.carry_out(command, "ann").action != "nothing"

    def camera(self, name: str) -> CameraStatus | None:
        status = self.serving.status
        found = [one for one in status.cameras if one.name == name] if status else []
        return found[0] if found else None

    def judged(self, name: str, more_than: int = 0) -> CameraStatus:
        """The camera once so many of its frames were judged."""
        return self.until(lambda: (one := self.camera(name)) and one.judged > more_than and one)

    def until(self, known: Callable[[], object], within_s: float = 300.0):
        end = time.monotonic() + within_s
        while not (found := known()):
            assert time.monotonic() < end, (self.serving.status, self.serving.problems())
            time.sleep(0.1)
        return found

    def alarm_at_anything(self, camera: str) -> None:
        self.store.cameras.set_line(
            LineRecord(camera=camera, since=utc_now(), on=0.001, off=0.0005, asked_per_day=1e5, author="test")
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    pytest.importorskip("onnxruntime")
    with Serving.of_folder(tmp_path / "site", backend="onnxruntime") as serving:
        yield Site(serving)


@pytest.fixture
def videos(tmp_path: Path, make_video) -> list[str]:
    return [str(make_video(tmp_path / f"{name}.mp4", frames=50, fps=12.5, size=(96, 144))) for name in "ab"]


def test_what_changes_of_one_camera_disturbs_no_other_and_no_more_of_itself_than_must_be(site, videos):
    for name, video in zip(("gate", "yard"), videos, strict=True):
        site.do(AddCamera(name=name, address=video, detector=str(MODEL)))
    first = site.judged("gate")
    site.alarm_at_anything("yard")
    (event,) = site.until(site.store.events.open)

    yard = site.judged("yard")
    site.do(ChangeCamera(camera="yard", name="back", private=[[[0, 0], [0.5, 0], [0.5, 1]]]))
    back = site.judged("back", yard.judged)
    assert back.counts.given > yard.counts.given
    assert [(one.id, one.camera) for one in site.store.events.open()] == [(event.id, "back")]

    site.do(ChangeCamera(camera="back", regions={"ignore": [[[0, 0], [0.5, 0], [0.5, 1]]]}))
    noted = site.until(lambda: (one := site.judged("back")).notes and one)
    assert "other places count" in noted.notes[0]
    assert noted.counts.given > back.counts.given  # the same reader
    ended = site.until(lambda: (one := site.store.events.get(event.id).event).ended_by and one)
    assert ended.ended_by == "changed"

    site.do(ChangeCamera(camera="back", address=videos[0]))
    site.until(lambda: (one := site.camera("back")) and 0 < one.counts.given < noted.counts.given)
    (event,) = site.until(site.store.events.open)
    site.do(RemoveCamera(camera="back"))
    ended = site.until(lambda: (one := site.store.events.get(event.id).event).ended_by and one)
    assert ended.ended_by == "removed"

    last = site.judged("gate", first.judged + 1)
    assert last.counts.given > first.counts.given
    assert last.counts.restarted == 0
    assert site.serving.status.engine.judged > 0
    health = site.store.health.history("gate", first.health.since)
    assert [one.state for one in health if one.until is None] == ["online"]
    assert {one.state for one in health} <= {"starting", "online"}


def test_an_address_that_leads_nowhere_is_said_and_can_be_mended(site, videos, tmp_path):
    site.do(AddCamera(name="gate", address=f"file:{tmp_path / 'none.mp4'}", detector=str(MODEL)))
    site.until(lambda: "offline" in site.serving.states().get("gate", ""))

    site.do(ChangeCamera(camera="gate", address=videos[0]))

    assert site.judged("gate").health.state == "online"


def test_messages_go_where_the_store_says_now(site, videos, tmp_path):
    sent = tmp_path / "site" / "sent"
    site.do(AddSink(name="one", kind="jsonl", url="one.jsonl", sends=("health",)))
    site.do(AddCamera(name="gate", address=videos[0], detector=str(MODEL)))
    site.until(lambda: (sent / "one.jsonl").is_file() and "online" in (sent / "one.jsonl").read_text())

    site.do(AddSink(name="two", kind="jsonl", url="two.jsonl"))
    site.do(ChangeSink(sink="one", enabled=False))
    site.alarm_at_anything("gate")
    site.until(lambda: (sent / "two.jsonl").is_file() and '"change":"new"' in (sent / "two.jsonl").read_text())
    site.do(RemoveSink(sink="two"))

    site.until(lambda: not site.serving._delivery._threads)
    assert site.store.events.page(EventFilter(cameras=("gate",))).events
