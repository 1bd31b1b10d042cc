"""The verb that runs a site."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oddframe.cli import options
from oddframe.cli.screen import say
from oddframe.errors import SettingsError

if TYPE_CHECKING:
    from oddframe.console.settings import ConsoleSettings
    from oddframe.site.planning.apply import Applied
    from oddframe.site.serving import Serving

_LOOK_EVERY_S = 0.5


_CONSOLE = "Console"


def serve(
    site: Annotated[
        Path | None, typer.Argument(metavar="[SITE.yaml]", help="The site's file; a site needs none.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            metavar="FOLDER",
            help="Folder of a site without a file: its database, key and evidence.",
            show_default="oddframe/site, where the system keeps a user's data",
        ),
    ] = None,
    database: options.Database = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address on which the console listens; another one than this computer's own needs TLS.",
            rich_help_panel=_CONSOLE,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the console; 0: any free one.", rich_help_panel=_CONSOLE)
    ] = 8470,
    tls_cert: Annotated[
        Path | None,
        typer.Option("--tls-cert", help="TLS certificate with its chain, PEM.", rich_help_panel=_CONSOLE),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="The certificate's key, PEM.", rich_help_panel=_CONSOLE)
    ] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy",
            help="A proxy in front of the console speaks TLS, and says by X-Forwarded-For who asks.",
            rich_help_panel=_CONSOLE,
        ),
    ] = False,
    no_console: Annotated[
        bool, typer.Option("--no-console", help="Watch only: no console, no API.", rich_help_panel=_CONSOLE)
    ] = False,
    for_s: Annotated[
        float | None,
        typer.Option("--for", metavar="SECONDS", min=0, help="End after so many seconds; without it, on Ctrl-C."),
    ] = None,
    backend: options.Backend = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for all that happens, and nothing else.")
    ] = False,
) -> None:
    """Run a site: watch its cameras, keep their events and evidence, send them on, and open its console.

    The site is what its file says, or, without one, what people have added in the console. The first start prints a
    password for the first login. The site runs until Ctrl-C or SIGTERM, through whatever happens to a camera, a sink or
    the engine, and says a line when something changes. At its end, events that last are ended and kept. `oddframe site
    check SITE.yaml` tries the file.

    \b
    Examples:
      oddframe serve
      oddframe serve site.yaml
      oddframe serve site.yaml --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
      oddframe serve site.yaml --no-console --for 60
      oddframe serve site.yaml --database postgresql://oddframe@10.0.0.9/depot
    """
    from oddframe.console.settings import ConsoleSettings
    from oddframe.teaching.improver import Improver
    from oddframe.teaching.teacher import Teacher

    asked, log = _Asked(), _JsonLog() if json else _Log()
    settings = ConsoleSettings.of(host=host, port=port, tls_cert=tls_cert, tls_key=tls_key, behind_proxy=behind_proxy)
    with contextlib.ExitStack() as held:
        serving = held.enter_context(_serving(site, home, backend, database))
        cameras_now = [one.name for one in serving.store.cameras.all()]
        log.begins(serving.name, str(serving.home), cameras_now, serving.applied, serving.recovered)
        if not no_console:
            _open(serving, settings, log, held)
        may = serving.share.keeps_site
        teacher = held.enter_context(Teacher(serving.store, may))
        improver = held.enter_context(Improver(serving.store, may=may))
        serving.also(lambda: teacher.problems() | improver.problems())
        cameras, problems, learnings, improvements = _Changes(), _Changes(), _Changes(), _Changes()
        until_s = None if for_s is None else time.monotonic() + for_s
        while not asked.to_end and (until_s is None or time.monotonic() < until_s):
            for name, state in cameras.among(serving.states()):
                if state is not None:
                    log.camera(name, state)
            for name, state in learnings.among(teacher.states()):
                if state is not None:
                    log.learning(name, state)
            for name, state in improvements.among(improver.states()):
                if state is not None:
                    log.improving(name, state)
            for name, why in problems.among(serving.problems()):
                log.problem(name, why)
            time.sleep(_LOOK_EVERY_S)
        log.ends()
    log.ended()
    if asked.by == signal.SIGINT:
        raise typer.Exit(130)


def _serving(site: Path | None, home: Path | None, backend: str, database: str | None) -> Serving:
    """The site of a file, or of a folder alone."""
    import platformdirs
    from pydantic import SecretStr

    from oddframe.site.planning.read import read_plan
    from oddframe.site.serving import Serving

    if site is not None and home is not None:
        raise SettingsError(
            "a site's file names its folder itself", seen=f"--home {home}", hint=f"put 'folder: {home}' into {site}"
        )
    if site is not None:
        plan = read_plan(site)
        if database is not None:
            plan = plan.model_copy(update={"database": SecretStr(database)})
        return Serving(plan, backend=backend)
    home = home or platformdirs.user_data_path("oddframe") / "site"
    return Serving.of_folder(home, backend=backend, database=database)


def _open(serving: Serving, settings: ConsoleSettings, log: _Log, held: contextlib.ExitStack) -> None:
    """Open the console for as long as the site runs."""
    from oddframe.console.open import open_console

    console = held.enter_context(open_console(serving, settings))
    with serving.share.file():  # two machines that begin at once give one password
        password = console.access.first_password()
    lost = password is None and console.access.nobody_came_yet()
    log.console(console.settings.url, password, again=f"oddframe site password {serving.home}" if lost else None)


class _Asked:
    """Takes Ctrl-C, and SIGTERM with which services are ended, as a request to end."""

    def __init__(self) -> None:
        self.by: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._take)

    @property
    def to_end(self) -> bool:
        return self.by is not None

    def _take(self, number: int, _: FrameType | None) -> None:
        self.by = number


class _Changes:
    """What has changed since it was asked last."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def among(self, now: Mapping[str, str]) -> list[tuple[str, str | None]]:
        """(name, its words now) of all that changed; None for what is there no more."""
        changed = [(name, words) for name, words in now.items() if self._last.get(name) != words]
        gone = [(name, None) for name in self._last if name not in now]
        self._last = dict(now)
        return [*changed, *gone]


class _Log:
    """Says in lines for people what happens."""

    def begins(self, name: str, folder: str, cameras: Sequence[str], applied: Applied, recovered: int) -> None:
        for word in ("added", "updated", "removed"):
            if names := getattr(applied, word):
                say(f"{word} by the file: {', '.join(names)}")
        if recovered:
            say(f"{recovered} events had been left open and are ended now")
        say(f"Site '{name}' runs in {folder}: {len(cameras)} camera{'' if len(cameras) == 1 else 's'}. Ctrl-C ends it.")

    def console(self, url: str, password: str | None, *, again: str | None) -> None:
        say(f"The console: {url}")
        if password is not None:
            say(
                f"Log in as 'admin' with the password {password} : it is shown this once, and asks for one of your own."
            )
        if again is not None:
            say(f"Nobody has logged in yet. Where the password is lost, `{again}` gives another one.")

    def camera(self, name: str, state: str) -> None:
        say(f"{datetime.now():%H:%M:%S}  {name}  {state}")

    def learning(self, name: str, state: str) -> None:
        say(f"{datetime.now():%H:%M:%S}  {name}  learning: {state}")

    def improving(self, name: str, state: str) -> None:
        say(f"{datetime.now():%H:%M:%S}  {name}  improvement: {state}")

    def problem(self, name: str, why: str | None) -> None:
        at = f"{datetime.now():%H:%M:%S}"
        say(f"{at}  {name} is well again" if why is None else f"{at}  PROBLEM  {name}  {why}")

    def ends(self) -> None:
        say("Ending: events that last are ended and kept ...")

    def ended(self) -> None:
        say("The site has ended.")


class _JsonLog(_Log):
    """The same for programs, an object a line."""

    def begins(self, name: str, folder: str, cameras: Sequence[str], applied: Applied, recovered: int) -> None:
        self._print("begins", site=name, folder=folder, cameras=cameras, recovered=recovered, **applied.to_dict())

    def console(self, url: str, password: str | None, *, again: str | None) -> None:
        self._print("console", url=url, user="admin", password=password)

    def camera(self, name: str, state: str) -> None:
        self._print("camera", name=name, state=state)

    def learning(self, name: str, state: str) -> None:
        self._print("learning", name=name, state=state)

    def improving(self, name: str, state: str) -> None:
        self._print("improving", name=name, state=state)

    def problem(self, name: str, why: str | None) -> None:
        self._print("problem", name=name, why=why)

    def ends(self) -> None:
        self._print("ends")

    def ended(self) -> None:
        self._print("ended")

    @staticmethod
    def _print(kind: str, **content: Any) -> None:
        print(dumps({"kind": kind, "at": datetime.now(UTC).isoformat(), **content}), flush=True)
