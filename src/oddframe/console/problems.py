"""What is wrong, as programs read it: what was seen, what was wanted, what to do. No page of a library's own."""

from __future__ import annotations

import http
import logging
import math
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from oddframe.console.headers import HEADERS
from oddframe.console.rendering import render
from oddframe.errors import (
    AccessError,
    ConflictError,
    NoPictureError,
    NotAllowedError,
    NotLoggedInError,
    OddframeError,
    StorageError,
    StoreError,
    TooOftenError,
    UnknownNameError,
    WorkerError,
)
from oddframe.records import Record

_LOG = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[OddframeError], int], ...] = (
    (NotLoggedInError, 401),
    (NotAllowedError, 403),
    (UnknownNameError, 404),
    (NoPictureError, 404),
    (ConflictError, 409),
    (TooOftenError, 429),
    (AccessError, 403),
    (StoreError, 503),
    (StorageError, 503),
    (WorkerError, 503),
)
"""The first that fits; what is none of them is what somebody has sent: 422."""

_LETTERS = 300


class Entry(Record):
    """What is wrong with one entry of a request. `where`: as "body.verdict"."""

    where: str
    problem: str


class Problem(Record):
    """What is wrong.

    Attributes:
        kind: of the error, for programs: "UnknownNameError" and the like.
        seen, wanted, hint: what was met, what would have been fine, and what to do; None where there is nothing to say.
        entries: of a request that does not fit.
    """

    kind: str
    problem: str
    seen: str | None = None
    wanted: str | None = None
    hint: str | None = None
    entries: tuple[Entry, ...] = ()


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "The request cannot be done: what was seen, what was wanted, what to do"},
    "5XX": {"model": Problem, "description": "The site cannot do it now"},
}
"""Of every route, for OpenAPI."""


def add_problems(app: FastAPI) -> None:
    """Have all errors told in this way."""
    app.add_exception_handler(OddframeError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_bug)


def status_of(error: OddframeError) -> int:
    """The status of HTTP that says what an error says."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 422)


def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, OddframeError)
    status = status_of(error)
    if status >= 500:
        _LOG.warning("%s %s: %s", request.method, request.url.path, error.in_one_line())
    headers = {}
    if isinstance(error, TooOftenError):
        headers["Retry-After"] = str(math.ceil(error.after_s))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
        if _wants_page(request) and request.method == "GET":
            there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(there, safe='')}", 303)
    problem = Problem(
        kind=type(error).__name__,
        problem=error.problem,
        seen=None if status >= 500 else _text(error.seen),  # of a database's own words; the log has them
        wanted=_text(error.wanted),
        hint=_text(error.hint),
    )
    return problem_response(request, status, problem, headers)


def _of_request(request: Request, error: Exception) -> Response:
    """What a request holds is not told: it may be a password in the wrong place."""
    assert isinstance(error, RequestValidationError)
    entries = tuple(
        Entry(
            where=".".join(str(step) for step in one["loc"])[:_LETTERS],
            problem=str(one["msg"]).removeprefix("Value error, ")[:_LETTERS],
        )
        for one in list(error.errors())[:20]
    )
    first = entries[0] if entries else Entry(where="body", problem="it cannot be read")
    kind = request.headers.get("content-type", "none")
    is_other = first.where == "body" and not kind.startswith("application/json")
    problem = Problem(
        kind="SettingsError",
        problem="the request does not fit",
        seen=first.where,
        wanted=first.problem,
        hint="send JSON, with the header Content-Type: application/json" if is_other else "GET /api/v1/openapi.json",
        entries=entries,
    )
    return problem_response(request, 422, problem)


def _of_http(request: Request, error: Exception) -> Response:
    """There is no such page, the method is another one, a body is too long."""
    assert isinstance(error, HTTPException)
    phrase = http.HTTPStatus(error.status_code).phrase
    said = error.detail if error.detail and error.detail != phrase else _HTTP.get(error.status_code, phrase.lower())
    problem = Problem(kind="HTTPError", problem=said, seen=f"{request.method} {request.url.path[:_LETTERS]}")
    return problem_response(request, error.status_code, problem, dict(error.headers or {}))


_HTTP = {
    404: "there is no such page",
    405: "this cannot be done here",
    413: "this is too long",
}


def _of_bug(request: Request, _: Exception) -> Response:
    """Whatever else comes is a fault of this program; the log has where."""
    problem = Problem(
        kind="Fault",
        problem="this is a fault of oddframe itself",
        hint="the terminal or the service's log says more: please report it",
    )
    return problem_response(request, 500, problem, HEADERS)


def problem_response(
    request: Request, status: int, problem: Problem, headers: dict[str, str] | None = None
) -> Response:
    """What is wrong as an answer: a page for a person, JSON for a program."""
    if _wants_page(request):
        page = render("problem.html.jinja", title=problem.problem, problem=problem, status=status)
        return Response(page, status, headers=headers, media_type="text/html")
    return JSONResponse(problem.to_dict(), status, headers=headers)


def _wants_page(request: Request) -> bool:
    """Whether a person looks, rather than a program."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:_LETTERS]
