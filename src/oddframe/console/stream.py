"""Server-sent events: what has changed, so that an open page asks for that part anew.

The store is looked at once a second while anybody listens, however many do. What comes is small: kinds and names, no
content; whoever may not see a thing learns nothing of it but that it changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from oddframe.console.access.door import TheAccess, cookie_name
from oddframe.console.limits import Places
from oddframe.console.look import look_version
from oddframe.console.pages.looking import Looking
from oddframe.console.running import RunningSite
from oddframe.errors import AccessError, OddframeError
from oddframe.plain import Json

_LOG = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_ALIVE_EVERY_S = 15.0
"""A word is sent at least so often, so that both sides know that the other one is there."""
_ASK_AGAIN_S = 30.0
"""So often it is looked whether who listens may still do so."""
_FIRST_LOOK_S = 10.0
_LATEST = 50
_MOST, _EACH = 256, 24
"""Streams at the same time: of all, and of one user."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Pulse:
    """What a site was like at one moment, as far as pages show it: kind → name → anything that differs when it does."""

    of: Mapping[str, Mapping[str, Any]]

    @classmethod
    def take(cls, site: RunningSite) -> Pulse:
        """Look at a site.

        Raises:
            StoreError: its store is locked, or out of reach.
        """
        store = site.store
        health = store.health.now()
        cameras = {
            one.name: (one.masked, dict(one.settings), health[one.name].state if one.name in health else None)
            for one in store.cameras.all()
        }
        events: Json = {}
        verdicts: Json = {}
        for one in store.events.page(limit=_LATEST).events:
            events[one.event.id] = (one.event.camera, one.event.lasts, one.event.score, len(one.evidence))
            verdicts[one.event.id] = one.verdict
        return cls(
            {
                "camera": cameras,
                "event": events,
                "verdict": verdicts,
                "review": {"latest": store.reviews.pulse()},
                "problem": dict(site.problems()),
            }
        )

    def changes(self, before: Pulse) -> dict[str, list[str]]:
        """Kind → names of what is another now; empty where nothing is."""
        found = {}
        for kind, now in self.of.items():
            was = before.of.get(kind, {})
            if names := [name for name in {**was, **now} if was.get(name) != now.get(name)]:
                found[kind] = names
        return found

    def began(self, before: Pulse) -> list[dict[str, str]]:
        """Events that were not there: their ids and cameras."""
        known = before.of["event"]
        newest = max(known, default="")
        return [
            {"id": event, "camera": about[0]}
            for event, about in self.of["event"].items()
            if event not in known and event > newest and about[1]
        ]


@dataclass
class Listeners:
    """All who listen to a site."""

    site: RunningSite
    places: Places = field(default_factory=lambda: Places(_MOST, each=_EACH))
    _queues: set[asyncio.Queue[str | None]] = field(default_factory=set)
    _looking: asyncio.Task[None] | None = None
    _looked: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: asyncio.AbstractEventLoop | None = None

    async def listen(self, alive_s: float = _ALIVE_EVERY_S) -> AsyncGenerator[str]:
        """Messages, as they come; a line that says nothing where none came for a while."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=100)
        self._queues.add(queue)
        self._loop = asyncio.get_running_loop()
        if self._looking is None or self._looking.done():
            self._looked = asyncio.Event()
            self._looking = asyncio.create_task(self._look())
        try:
            with contextlib.suppress(TimeoutError):  # what comes after this word is told
                await asyncio.wait_for(self._looked.wait(), _FIRST_LOOK_S)
            yield _message("hello", {"look": look_version()})
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), alive_s)
                except TimeoutError:
                    message = ": alive\n\n"
                if message is None:
                    return
                yield message
        finally:
            self._queues.discard(queue)
            if not self._queues and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def end(self) -> None:
        """End all streams, from any thread: the site is about to stop, and waits for nobody."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._tell, None)

    async def _look(self) -> None:
        before: Pulse | None = None
        while True:
            try:
                now = await run_in_threadpool(Pulse.take, self.site)
                if before is not None and (changes := now.changes(before)):
                    self._tell(_message("changed", {"changes": changes, "began": now.began(before)}))
                before = now
                self._looked.set()
            except OddframeError as error:
                _LOG.warning("pages are not told what changes: %s", error.in_one_line())
            except Exception:  # a bug here must not leave open pages without a word for ever
                _LOG.exception("pages are not told what changes")
            await asyncio.sleep(_LOOK_EVERY_S)

    def _tell(self, message: str | None) -> None:
        for queue in self._queues:
            if queue.full():  # who is so slow asks for all of the page anew
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_message("hello", {"look": look_version()}))
            queue.put_nowait(message)


def _a_place(request: Request, who: Looking) -> Iterator[Listeners]:
    """For as long as the answer lasts."""
    listeners = cast(Listeners, request.app.state.listeners)
    with listeners.places.take(who.name):
        yield listeners


@router.get("/events-stream")
async def events_stream(
    request: Request, who: Looking, access: TheAccess, listeners: Annotated[Listeners, Depends(_a_place)]
) -> Response:
    """What changes, as server-sent events: `hello` at the beginning, and `changed` from then on."""
    shown = request.headers.get("authorization", "").partition(" ")[2].strip()
    secret = request.cookies.get(cookie_name(request.app.state.settings), "")
    come_in = partial(access.of_token, shown) if who.session is None else partial(access.of_session, secret)

    async def messages() -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        async with contextlib.aclosing(listeners.listen()) as coming:
            async for message in coming:
                if loop.time() - asked_s >= _ASK_AGAIN_S:
                    asked_s = loop.time()
                    try:
                        await run_in_threadpool(come_in)
                    except AccessError:
                        yield _message("ended", {})
                        return
                    except OddframeError as error:
                        _LOG.debug("who listens cannot be looked up now: %s", error.in_one_line())
                yield message

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(messages(), media_type="text/event-stream", headers=headers)


def _message(kind: str, content: Mapping[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n"
