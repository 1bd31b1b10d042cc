"""A console of a site, on a real server; and people who are logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("fastapi", reason="the extra 'console' is not installed")

from argon2 import PasswordHasher

from oddframe.console.access import passwords
from oddframe.console.access.access import Access
from oddframe.console.server import Console
from oddframe.console.settings import ConsoleSettings
from oddframe.errors import NoPictureError
from oddframe.site.commands import Carried, Command, carry_out
from oddframe.site.engine_process import EngineStatus
from oddframe.site.picture_maker import LivePicture
from oddframe.site.store import Store
from oddframe.site.trial import Trials

PASSWORD = "correct horse battery"


@pytest.fixture
def costly_passwords() -> None:
    """Passwords are hashed as they are outside of tests."""


@pytest.fixture(autouse=True)
def _cheap_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing one takes a hundredth of what it is to take."""
    if "costly_passwords" not in request.fixturenames:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr(passwords, "PasswordHasher", lambda **_: cheap)


def browser_of(console: Console) -> httpx.Client:
    """A browser. It speaks no TLS, and reading all certificates that there are would take longer than most tests."""
    return httpx.Client(base_url=console.settings.url, timeout=60, verify=False)


class StandingSite:
    """A site whose engine says what a test has it say."""

    def __init__(self, store: Store) -> None:
        self.store, self.status, self.restarts, self.woken = store, None, 0, 0
        self.status: EngineStatus | None
        self.wrong: dict[str, str] = {}

        self.trials = Trials()
        self.pictures: dict[str, LivePicture] = {}

    def carry_out(self, command: Command, author: str) -> Carried:
        return carry_out(command, self.store, author)

    def picture(self, camera: str, *, heat: bool = False, wide: str = "large") -> LivePicture:
        if camera not in self.pictures:
            raise NoPictureError(f"there is no picture of camera '{camera}' now", seen="it is dark")
        return self.pictures[camera].changed(heated=heat)

    def problems(self) -> dict[str, str]:
        return self.wrong

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandingSite]:
    with Store.open(tmp_path / "site") as store:
        for name in ("gate", "yard"):
            store.cameras.put(name, f"rtsp://me:s3cret@10.0.0.2/{name}", f"rtsp://10.0.0.2/{name}")
        yield StandingSite(store)


@pytest.fixture
def console(site: StandingSite) -> Iterator[Console]:
    with Console(site, ConsoleSettings(port=0)) as opened:
        yield opened


def person(access: Access, store: Store, name: str, role: str) -> None:
    """Somebody with `PASSWORD`, who has had the one-time password changed."""
    access.add_user(name, role, author="test")
    store.users.change_password(name, access._passwords.hash(PASSWORD), one_time=False, author=name)


@pytest.fixture
def login(console: Console, site: StandingSite) -> Iterator[Callable[[str], httpx.Client]]:
    """`login("reviewer")`: a browser in which somebody of this role, and of this name, is logged in."""
    opened = []

    def log_in(role: str, name: str | None = None) -> httpx.Client:
        name = name or role
        if site.store.users.password(name) is None:
            person(console.access, site.store, name, role)
        client = browser_of(console)
        opened.append(client)
        answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    yield log_in
    for client in opened:
        client.close()


@pytest.fixture
def nobody(console: Console) -> Iterator[httpx.Client]:
    """A browser in which nobody is logged in."""
    with browser_of(console) as client:
        yield client
