"""A site's store, on every database that is tested, and a clock that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.shared import benchmark

from oddframe.scoring.scores import Box
from oddframe.site.events import CameraEvent, Change, event_id
from oddframe.site.store import Store
from oddframe.site.store.records import SinkRecord

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class StandingClock:
    """A clock that stands at noon until somebody moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """`postgresql()`: the URL of an empty database, on a server that listens in a folder and nowhere else."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    servers = benchmark("postgresql")
    program = servers.initdb()
    if program is None:
        pytest.skip("there is no PostgreSQL (Debian: postgresql)")
    with servers.postgresql(program) as folder:

        def empty() -> str:
            with psycopg.connect(f"host={folder} user=oddframe dbname=postgres", autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")
            return servers.url_of(folder)

        yield empty


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str | None:
    """Of an empty database; None is the one in the site's folder."""
    if request.param == "sqlite":
        return None
    made: str = request.getfixturevalue("postgresql")()
    return made


@pytest.fixture
def store(tmp_path: Path, url: str | None, clock: StandingClock) -> Iterator[Store]:
    """With a camera "gate" and a camera "yard"."""
    with Store.open(tmp_path / "site", url, clock=clock) as opened:
        for name in ("gate", "yard"):
            opened.cameras.put(name, f"rtsp://me:s3cret@10.0.0.2/{name}", f"rtsp://10.0.0.2/{name}")
        yield opened


def change(
    kind: str = "new", number: int = 0, *, event: str | None = None, camera: str = "gate", at: datetime = NOON, **of
) -> Change:
    """A step in the life of an event that began at `at`; it lasts two seconds where it ends."""
    facts = {
        "id": event or event_id(at),
        "camera": camera,
        "profile": "",
        "started_at": at,
        "peak_at": at,
        "ended_at": at + timedelta(seconds=2) if kind in ("end", "repeat") else None,
        "start_s": 10.0,
        "peak_s": 10.0,
        "end_s": 12.0,
        "start_frame": 100,
        "peak_frame": 100,
        "end_frame": 120,
        "score": 4.0,
        "line": 3.0,
        "box": Box(1, 2, 3, 4),
        "picture": (48, 64),
        "ended_by": "calm" if kind in ("end", "repeat") else None,
    }
    return Change(kind=kind, number=number, at=at + timedelta(seconds=number), event=CameraEvent(**facts | of))


def sink(name: str = "hook", **given) -> SinkRecord:
    """A webhook that gets everything."""
    facts = {
        "kind": "webhook",
        "url": "https://me:s3cret@example.org/x",
        "masked": "https://example.org/…",
        "sends": ("new", "update", "end", "health"),
    }
    return SinkRecord(name=name, **facts | given)
