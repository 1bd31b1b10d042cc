"""Which machine does what, where several run one site: each watches a fair share of the cameras, one does the rest.

Machines speak through the database alone. Nobody compares clocks: a machine whose beat has not risen for a while, by
the clock of who looks, while the database answered, is given up, and what it held is free. Who was given up and lives
learns of it from the database, which takes nothing more of it, and begins anew under another name.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from types import TracebackType
from typing import Protocol, Self

from oddframe.errors import OddframeError, StoreError
from oddframe.site.store import Store
from oddframe.site.store.leases import FILE, SITE, Machines

_LOG = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
"""So often a machine says that it lives, and looks after the others."""
GIVEN_UP_S = 30.0
"""A machine whose beat stands still for so long is given up."""
_SURE_S = 15.0
"""For so long after its last look a machine knows that it was not given up."""
_FILE_S, _AGAIN_S = 120.0, 0.2
_MOST_LETTERS = 40


def machine_name() -> str:
    """A name that no machine had before: that of the host, and letters by chance."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:_MOST_LETTERS] or "machine"
    return f"{host}-{secrets.token_hex(4)}"


class Share(Protocol):
    """What this machine does of a site."""

    @property
    def machine(self) -> str | None:
        """This machine; None where the site has only one."""
        ...

    def keeps_site(self) -> bool:
        """Whether this machine sees to what there is to do once: messages, teaching, tidying."""
        ...

    def elsewhere(self, camera: int) -> bool:
        """Whether another machine watches a camera, by its number."""
        ...

    def others(self) -> Mapping[str, str]:
        """What is wrong on other machines, and between them → why."""
        ...

    def file(self) -> contextlib.AbstractContextManager[None]:
        """A block in which this machine alone brings the store into agreement with a file."""
        ...


class Alone:
    """The `Share` of the only machine: all of it."""

    machine = None

    def keeps_site(self) -> bool:
        """See `Share`."""
        return True

    def elsewhere(self, camera: int) -> bool:
        """See `Share`."""
        return False

    def others(self) -> Mapping[str, str]:
        """See `Share`."""
        return {}

    def file(self) -> contextlib.AbstractContextManager[None]:
        """See `Share`."""
        return contextlib.nullcontext()


class Leasing:
    """Holds this machine's `Share` of a site for as long as it is entered.

    Args:
        store: of the site, joined for this alone, so that it waits for nobody else's transaction.
        clock: rising seconds, for tests.

    Attributes:
        watches: whether the engine can watch cameras. problems: what is wrong on this machine → why.
        begins_anew: called with the new name, where the others had given this machine up.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self.watches: Callable[[], bool] = lambda: False
        self.problems: Callable[[], Mapping[str, str]] = dict
        self.begins_anew: Callable[[str], None] = lambda _: None
        self._machine, self._came = machine_name(), False
        self._seen = Machines(machines={}, leases={})
        self._looked_s: float | None = None
        """When the last look began; None where it failed."""
        self._well_s = -math.inf
        """When the last look began that did not fail."""
        self._stood: dict[str, tuple[int, float]] = {}
        """Machine → its beat, and for how long it has been seen to stand still."""
        self._failed = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holding leases", daemon=True)

    @property
    def machine(self) -> str:
        """See `Share`."""
        return self._machine

    def keeps_site(self) -> bool:
        """See `Share`. A machine that could not look for a while, or stood still, does not, until it has looked."""
        lease = self._seen.leases.get(SITE)
        return self._clock() - self._well_s < _SURE_S and lease is not None and lease.machine == self._machine

    def elsewhere(self, camera: int) -> bool:
        """See `Share`."""
        lease = self._seen.leases.get(str(camera))
        return lease is not None and lease.machine != self._machine

    def others(self) -> Mapping[str, str]:
        """See `Share`."""
        mine, found = version("oddframe"), dict[str, str]()
        for one in self._seen.machines.values():
            if one.name != self._machine:
                found |= {f"{what} of machine {one.name}": why for what, why in one.problems.items()}
                if one.version != mine:
                    found[f"machine {one.name}"] = f"it runs oddframe {one.version}, and this one {mine}: update one"
        if self._failed:
            found["machines"] = f"it is not known who watches what: {self._failed}"
        return found

    @contextlib.contextmanager
    def file(self) -> Iterator[None]:
        """See `Share`.

        Raises:
            StoreError: another machine does not come to an end with it.
        """
        until_s = self._clock() + _FILE_S
        while not self._store.leases.take(FILE, self._machine):
            if self._clock() > until_s:
                raise StoreError(
                    "another machine brings the site's database into agreement with its file",
                    seen=f"for more than {_FILE_S:g} s: {self._store.leases.holder(FILE) or 'several in turn'}",
                    hint="look at what it says there, or start again",
                )
            time.sleep(_AGAIN_S)
        try:
            yield
        finally:
            self._store.leases.let_go(FILE, self._machine)

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            StoreError: the database cannot be reached.
        """
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        try:
            self._store.leases.leave(self._machine)
        except OddframeError as gone:  # the others give this machine up
            _LOG.warning("%s", gone.in_one_line())

    def look(self) -> None:
        """Say that this machine lives, give up those that do not, and hold a fair share.

        Raises:
            StoreError: the database does not answer. What is held is held on.
        """
        began_s, before_s = self._clock(), self._looked_s
        try:
            self._beat()
            seen = self._store.leases.all()
            if self._give_up(seen, 0.0 if before_s is None else min(began_s - before_s, 2 * LOOK_EVERY_S)):
                seen = self._store.leases.all()
            self._seen = self._hold(seen)
        except OddframeError as error:
            self._looked_s, self._failed = None, error.in_one_line()
            self._stood.clear()  # while the database was away no beat could rise
            raise
        self._looked_s = self._well_s = began_s
        self._failed = ""

    def _beat(self) -> None:
        watches = self.watches()
        if self._came:
            if self._store.leases.beat(self._machine, watches=watches, problems=self.problems()):
                return
            _LOG.error("the other machines have given this one up: it begins anew")
            self._machine = machine_name()
        self._store.leases.come(self._machine, version("oddframe"), watches=watches)
        if self._came:
            self.begins_anew(self._machine)
        self._came = True

    def _give_up(self, seen: Machines, passed_s: float) -> bool:
        """Give up whose beat stands still; return whether any was."""
        stood, gone = {}, False
        for name, one in seen.machines.items():
            beat, still_s = self._stood.get(name, (None, 0.0))
            still_s = still_s + passed_s if beat == one.beat else 0.0
            if name != self._machine and still_s >= GIVEN_UP_S:
                if self._store.leases.give_up(name, one.beat):
                    gone = True
                    _LOG.warning("machine %s is given up: nothing was heard of it for %.0f s", name, still_s)
                    about = {"note": f"nothing was heard of it for {still_s:.0f} s", "by": self._machine}
                    self._store.journal.log("oddframe", "given up", f"machine {name}", about)
                continue
            stood[name] = one.beat, still_s
        self._stood = stood
        return gone

    def _hold(self, seen: Machines) -> Machines:
        """Take what is free and due to this machine, and let go of what is not; return how it is then."""
        leases, me = self._store.leases, self._machine
        changed = False
        if SITE not in seen.leases and leases.take(SITE, me):
            changed = True
        cameras = {one.id: one.name for one in self._store.cameras.all()}
        mine = seen.of(me)
        watching = {name for name, one in seen.machines.items() if one.watches} - {me}
        if not self.watches():  # its engine is gone: nobody there has anything yet to be written
            for number in self._store.leases.held(me):
                leases.let_go(str(number), me)
                changed = True
            return leases.all() if changed else seen
        share = math.ceil(len(cameras) / (len(watching) + 1))
        staying = [number for number in mine if number in cameras][:share]
        for number in mine:
            if number not in staying:
                leases.ask_back(str(number), me)
                changed = True
        for number in cameras:
            if len(staying) < share and str(number) not in seen.leases and self._take(number, cameras[number]):
                staying.append(number)
                changed = True
        return leases.all() if changed else seen

    def _take(self, number: int, name: str) -> bool:
        """Take a camera, and end what was left open of its events, at once."""
        with self._store.together():
            if not self._store.leases.take(str(number), self._machine):
                return False
            self._store.events.recover(cameras=(name,))
            return True

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            before = self._failed
            try:
                self.look()
            except OddframeError as error:
                if not before:
                    _LOG.warning("%s: tried again; what is watched is watched on", error.in_one_line())
            except Exception as error:  # a bug must not end the holding for good
                self._looked_s, self._failed = None, repr(error)
                self._stood.clear()
                _LOG.exception("holding leases failed: tried again")
