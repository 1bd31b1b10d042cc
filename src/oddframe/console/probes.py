"""For whatever watches over the service: is it alive, is it ready, how does it do."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from oddframe.console.access.door import Anybody, TheSite, TheStore
from oddframe.console.metrics import CONTENT_TYPE, metrics
from oddframe.console.problems import RESPONSES
from oddframe.errors import OddframeError, WorkerError
from oddframe.records import Record
from oddframe.site.store.shelf import SITE_NAME

router = APIRouter(tags=["probes"], responses=RESPONSES)


class Alive(Record):
    """It answers."""

    status: Literal["alive"] = "alive"


class Ready(Record):
    """Cameras are watched, and the store can be read."""

    status: Literal["ready"] = "ready"


@router.get("/healthz")
def healthz() -> Alive:
    """Whether the console answers. It needs no login, and tells nothing else."""
    return Alive()


@router.get("/readyz")
def readyz(site: TheSite, store: TheStore) -> Ready:
    """Whether the engine watches and the store can be read; 503 where not. It needs no login."""
    try:
        store.journal.get(SITE_NAME)
    except OddframeError:  # what it says is not for everybody
        raise WorkerError("the store cannot be read", hint="log in: the page of the system says more") from None
    if site.status is None:
        raise WorkerError("the engine gives no answer", hint="it is being started: wait, or log in and look")
    return Ready()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def all_metrics(who: Anybody, site: TheSite) -> Response:
    """Figures for Prometheus. A token of the scope `metrics` is enough, and good for nothing else."""
    if who.may != "metrics":
        who.need("viewer")
    return Response(metrics(site), media_type=CONTENT_TYPE)
