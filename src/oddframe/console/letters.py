"""No letter gets in that no store can keep and no page can show: one guard for all addresses, forms and bodies."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oddframe.console.problems import Problem, problem_response

_PROBLEM = "text without control characters is wanted"
_FORM = b"application/x-www-form-urlencoded"


class PlainLetters:
    """Refuses a request with a control character in its path, its question or its body, but for tabs and ends of lines.

    A body is looked at once it has come as a whole: what limits its length stands in front of this.

    Raises:
        HTTPException: 422, where the route reads the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if is_harmful(scope["path"]) or is_harmful(unquote_plus(scope["query_string"].decode("latin-1"))):
            problem = Problem(kind="HTTPError", problem=_PROBLEM, seen="the address")
            await problem_response(Request(scope), 422, problem)(scope, receive, send)
            return
        body, is_form = bytearray(), dict(scope["headers"]).get(b"content-type", b"").startswith(_FORM)

        async def receive_plain() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False) and any(map(is_harmful, _texts(bytes(body), is_form))):
                    raise HTTPException(422, _PROBLEM)
            return message

        await self._app(scope, receive_plain, send)


def is_harmful(text: str) -> bool:
    """Whether there is a control character in a text, or half a letter.

    >>> is_harmful("gate 2"), is_harmful("two\\n\\tlines"), is_harmful("gate\\x00"), is_harmful("\\ud800")
    (False, False, True, True)
    """
    return any(letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def _texts(body: bytes, is_form: bool) -> Iterator[str]:
    """All texts of a body; of one that cannot be read none, since its route refuses it."""
    if not body:
        return
    if is_form:
        for pair in parse_qsl(body.decode("latin-1"), keep_blank_values=True):
            yield from pair
        return
    try:
        left: list[Any] = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
