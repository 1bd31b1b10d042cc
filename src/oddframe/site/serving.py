"""A site as it runs: its store agrees with its file, its engine is kept alive, its messages are sent."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from oddframe.errors import OddframeError
from oddframe.site.commands import Carried, Command, carry_out
from oddframe.site.engine_process import EngineStatus
from oddframe.site.far_pictures import FarPictures, PicturesForOthers
from oddframe.site.leasing import Alone, Leasing, Share
from oddframe.site.outbox import Delivery
from oddframe.site.picture_maker import Asked, LivePicture, Wide
from oddframe.site.pictures import Pictures
from oddframe.site.planning.apply import Applied, apply_plan, release
from oddframe.site.planning.plan import SitePlan
from oddframe.site.schedule import TIME_ZONE, use_time_zone
from oddframe.site.sending import Sending
from oddframe.site.store import Store
from oddframe.site.store.shelf import SITE_NAME
from oddframe.site.supervisor import Supervisor
from oddframe.site.trial import Trials
from oddframe.site.troubles import Troubles

_LOG = logging.getLogger(__name__)

LOG = "engine.log"
"""What the engine says, in the site's folder."""

_LAST_MESSAGES_S = 5.0
_LOOK_EVERY_S = 1.0
_LEASES_WAIT_S = 8.0
"""So long leases wait for a server that does not answer: less than it takes until this machine is given up."""
_FAR_S = 2.0
"""So long a picture for another machine is waited for."""


class Serving:
    """Runs a site for as long as it is entered.

    What is changed in its store while it runs takes effect within seconds: the engine follows cameras and their lines,
    messages go to the sinks that there are.

    Args:
        plan: of the site's file, or of its folder alone. backend: what computes the scores.
        from_file: the plan is that of a file: the store is brought to agree with it. Else only its folder counts.

    Attributes:
        applied: what was changed in the store, so that it agrees with the file.
        recovered: how many events a crash had left open; they are ended now.

    >>> from oddframe.site.planning.read import read_plan
    >>> with Serving(read_plan("site.yaml")) as serving:                                      # doctest: +SKIP
    ...     print(serving.states(), serving.problems())
    """

    def __init__(self, plan: SitePlan, *, backend: str = "auto", from_file: bool = True) -> None:
        self._plan, self._backend, self._from_file = plan, backend, from_file
        self._held = contextlib.ExitStack()
        self.applied, self.recovered = Applied(), 0
        self._stopping, self._trials = threading.Event(), Trials()
        self._undone = ""
        """Why what is sent does not follow the store."""
        self._share: Share = Alone()
        self._far: FarPictures | None = None
        self._others: list[Callable[[], Mapping[str, str]]] = []

    @classmethod
    def of_folder(cls, home: Path, *, backend: str = "auto", database: str | None = None) -> Self:
        """A site without a file: what people have added to the store is all that there is.

        Args:
            home: the site's folder; it is made if it is not there. database: its URL, where it is not in the folder.
        """
        plan = SitePlan(folder=str(home.absolute()), database=None if database is None else SecretStr(database))
        return cls(plan, backend=backend, from_file=False)

    @property
    def name(self) -> str:
        """What the site is called."""
        return str((self._store.journal.get(SITE_NAME) or {}).get("name", self._plan.site))

    @property
    def home(self) -> Path:
        """The site's folder."""
        return self._store.folder

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            StoreError: another site works in this folder; the database is locked, damaged or of a newer version.
            SettingsError, RunError, MissingExtraError: what the file names cannot be had, see `apply_plan`.
        """
        plan = self._plan
        url = None if plan.database is None else plan.database.get_secret_value()
        with contextlib.ExitStack() as held:
            self._store = store = held.enter_context(Store.open(plan.home, url))
            self.recovered = len(store.recovered)
            leasing = self._lease(store, url, held)
            with self._share.file():
                if self._from_file:
                    self.applied = apply_plan(plan, store)
                else:
                    release(store)
            use_time_zone(str((store.journal.get(TIME_ZONE) or {}).get("name", "")))
            self._delivery = held.enter_context(Delivery(store, {}))
            self._sending = Sending(store, self._delivery)
            if self._share.keeps_site():
                self._sending.look()
            log = store.folder / (LOG if leasing is None else f"engine-{leasing.machine.rpartition('-')[0]}.log")
            machine = self._share.machine
            self._supervisor = Supervisor(store, url, backend=self._backend, log=log, machine=machine)
            self._pictures = Pictures(self._ask_for_picture)
            self._supervisor.start()
            held.callback(self._send_the_last, store)
            held.callback(self._supervisor.stop)
            if leasing is not None:
                self._hold(leasing, held)
            troubles = Troubles(store, self.problems, may=self._share.keeps_site)
            troubles.start()
            held.callback(troubles.stop)
            following = threading.Thread(target=self._follow, name="following the store", daemon=True)
            following.start()
            held.callback(following.join)
            held.callback(self._stopping.set)
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    @property
    def trials(self) -> Trials:
        """Tries addresses before they are added."""
        return self._trials

    def carry_out(self, command: Command, author: str) -> Carried:
        """Change the site; see `commands.carry_out`."""
        return carry_out(command, self.store, author)

    def picture(self, camera: str, *, heat: bool = False, wide: Wide = "large", patience_s: float = 3.0) -> LivePicture:
        """The latest picture of a camera, private places black; made while somebody asks, at most twice a second.

        Args:
            heat: with how odd each place is laid over it. wide: how large it is. patience_s: how long it is waited for.

        Raises:
            UnknownNameError: there is no such camera. NoPictureError: it gives none now, and why.
        """
        return self._pictures.get(Asked(camera=camera, heat=heat, wide=wide), patience_s)

    @property
    def share(self) -> Share:
        """What this machine does of the site."""
        return self._share

    def _lease(self, store: Store, url: str | None, held: contextlib.ExitStack) -> Leasing | None:
        """Be one machine of several, where the database can be shared."""
        if not store.shared:
            return None
        joined = Store.join(store.folder, url, busy_s=_LEASES_WAIT_S, stalls_s=_LEASES_WAIT_S)
        self._share = leasing = held.enter_context(Leasing(held.enter_context(joined)))
        return leasing

    def _hold(self, leasing: Leasing, held: contextlib.ExitStack) -> None:
        """Have cameras be watched by this machine, as it has an engine now."""
        self._far = FarPictures(self.home)
        leasing.begins_anew = self._supervisor.begin_anew
        leasing.problems = self._own_problems
        leasing.watches = lambda: self._supervisor.well
        held.enter_context(
            PicturesForOthers(
                self.home,
                lambda number: not leasing.elsewhere(number),
                lambda asked: self._pictures.get(asked, _FAR_S),
            )
        )

    def _ask_for_picture(self, asked: Asked, fresh_s: float) -> tuple[LivePicture | None, str]:
        if self._far is not None:
            number = self.store.cameras.get(asked.camera).id
            if self._share.elsewhere(number):
                return self._far.ask(number, asked, fresh_s)
        return self._supervisor.picture(asked, fresh_s)

    def _follow(self) -> None:
        """Do what has changed in the store of what this process does."""
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                if self._share.keeps_site():
                    self._sending.look()
                else:
                    self._sending.rest()
                self._undone = ""
            except OddframeError as error:
                self._undone = error.in_one_line()
                _LOG.warning("%s: tried again", self._undone)
            except Exception as error:  # a bug must not end the following for good
                self._undone = repr(error)
                _LOG.exception("following the store failed: tried again")

    def _send_the_last(self, store: Store) -> None:
        """Wait until the engine's last words are sent, where they can be; the rest is sent after the next start."""
        if not self._share.keeps_site():
            return
        until_s = time.monotonic() + _LAST_MESSAGES_S
        self._delivery.wake()
        while time.monotonic() < until_s and not self._delivery.problems():
            if not any(sink.waiting for sink in store.outbox.counts()):
                return
            time.sleep(0.05)

    @property
    def store(self) -> Store:
        """Of the site, opened with its key."""
        return self._store

    @property
    def status(self) -> EngineStatus | None:
        """How the engine was within the last second or so; None while there is none."""
        return self._supervisor.status

    @property
    def restarts(self) -> int:
        """How often the engine died."""
        return self._supervisor.restarts

    def wake(self) -> None:
        """Messages are to be sent again: look for them now."""
        self._delivery.wake()

    def states(self) -> dict[str, str]:
        """Camera → how it is, in words; nothing while the engine starts."""
        status = self.status
        if status is None:
            return {}
        return {
            one.name: f"{one.health.state}" + (f": {one.health.reason}" if one.health.reason else "")
            for one in status.cameras
        }

    def problems(self) -> dict[str, str]:
        """What is not as it should be → why: "engine", "sink NAME", "disk"; see `EngineStatus.trouble` and `also`.

        Of other machines it is "engine of machine NAME", and so on.
        """
        return self._own_problems() | dict(self._share.others())

    def _own_problems(self) -> dict[str, str]:
        found = {f"sink {name}": why for name, why in (self._delivery.problems() | self._sending.problems).items()}
        if self._supervisor.trouble:
            found["engine"] = self._supervisor.trouble
        status = self.status
        if self._undone:
            found["upkeep"] = f"what is sent does not follow the store: {self._undone}"
        if status is not None:
            found |= status.trouble
            if status.disk_full:
                found["disk"] = "it is nearly full: no evidence is kept"
        for other in self._others:
            found |= other()
        return found

    def also(self, problems: Callable[[], Mapping[str, str]]) -> None:
        """Count as the site's what something beside it says of its own problems: what is wrong → why."""
        self._others.append(problems)
