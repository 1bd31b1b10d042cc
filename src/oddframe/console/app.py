"""Puts the console together: what guards it, the API, probes and pages."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from oddframe.console import look, probes, stream
from oddframe.console.access.access import Access
from oddframe.console.access.door import CSRF_HEADER, Anybody, cookie_name, needed_role
from oddframe.console.api import (
    camera_changes,
    cameras,
    events,
    evidence,
    improvement,
    learning,
    lessons,
    line_preview,
    pictures,
    reviews,
    scores,
    session,
    sinks,
    site_settings,
    system,
    tokens,
    users,
)
from oddframe.console.headers import SecurityHeaders
from oddframe.console.letters import PlainLetters
from oddframe.console.limits import BodyLimit, KnownHosts
from oddframe.console.pages import routes
from oddframe.console.problems import RESPONSES, add_problems
from oddframe.console.proxy import BehindProxy
from oddframe.console.running import RunningSite
from oddframe.console.settings import ConsoleSettings
from oddframe.plain import Json

API = "/api/v1"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OPEN = ((f"{API}/session", "post"), ("/healthz", "get"), ("/readyz", "get"))
"""What needs no login."""
_QUIET = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """What answers, which no setting changes: what each path takes and gives is worked out once for all consoles of a
    process."""
    api = APIRouter(prefix=API, responses=RESPONSES)
    for thing in (
        session,
        cameras,
        camera_changes,
        learning,
        improvement,
        line_preview,
        scores,
        pictures,
        reviews,
        lessons,
        events,
        evidence,
        sinks,
        system,
        site_settings,
        users,
        tokens,
    ):
        api.include_router(thing.router)
    every = APIRouter()
    for router in (api, probes.router, look.router, routes.router, stream.router):
        every.include_router(router)

    @every.get(f"{API}/openapi.json", include_in_schema=False)
    def openapi(_: Anybody, request: Request) -> JSONResponse:
        return JSONResponse(described(request.app))

    return tuple(every.routes)


def make_app(site: RunningSite, settings: ConsoleSettings | None = None, access: Access | None = None) -> FastAPI:
    """The console of a running site.

    Args:
        site: that is served. settings: where it listens. access: the door, if there is one already.
    """
    settings = settings or ConsoleSettings()
    app = FastAPI(
        routes=list(_routes()),
        title="oddframe",
        summary="A site: its cameras, events, reviews, lines, evidence and sinks",
        version=version("oddframe"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_QUIET,  # type: ignore[arg-type]
    )
    app.state.site, app.state.settings, app.state.access = site, settings, access or Access(site.store)
    app.state.listeners = stream.Listeners(site)
    add_problems(app)
    hosts = (*_LOOPBACK, settings.host.lower()) if settings.is_loopback and not settings.behind_proxy else ()
    app.add_middleware(PlainLetters)
    app.add_middleware(BodyLimit)
    app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(SecurityHeaders, secure=settings.secure)
    if settings.behind_proxy:
        app.add_middleware(BehindProxy)
    return app


def described(app: FastAPI) -> Json:
    """The API as OpenAPI describes it, how to come in, and as `x-role` who may what."""
    schema = app.openapi()
    cookie = cookie_name(app.state.settings)
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Made by POST /api/v1/tokens"},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": f"Set by POST /api/v1/session; changes bring its csrf along in the header {CSRF_HEADER}",
        },
    }
    schema["security"] = [{"token": []}, {"session": []}]
    for route in iter_route_contexts(app.routes):
        described = schema["paths"].get(route.path, {})
        for method in route.methods or ():
            if method.lower() in described:
                described[method.lower()]["x-role"] = needed_role(route.dependant)
    for path, method in _OPEN:
        schema["paths"][path][method]["security"] = []
    return schema
