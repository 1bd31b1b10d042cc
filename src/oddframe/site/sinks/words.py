"""Messages as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from oddframe.site.messages import AnyMessage, HealthMessage, ProblemMessage

_ENDED = {
    "calm": "it is over",
    "gap": "the camera's picture broke off",
    "length": "it goes on",
    "profile": "another profile began",
    "line": "the line was changed",
    "changed": "the camera was changed",
    "removed": "the camera was removed",
    "stop": "the site was stopped",
    "crash": "the site broke down",
}


def in_words(message: AnyMessage) -> tuple[str, str]:
    """A message as (title, text)."""
    if isinstance(message, HealthMessage):
        title = f"{message.camera}: camera is {message.state}"
        return title, f"{message.reason or title}\n{_time(message.at)} at {message.site}"
    if isinstance(message, ProblemMessage):
        title = f"{message.site}: {message.subject} {'is well again' if message.well else 'is not as it should be'}"
        return title, f"{message.reason or title}\n{_time(message.at)}"
    event = message.event
    if message.change == "end":
        why = _ENDED.get(event.ended_by or "", "it is over")
        title, first = f"{event.camera}: {why}", f"It lasted {event.duration_s:.0f} s."
    else:
        title = f"{event.camera}: something is out of the ordinary"
        first = f"Since {_time(event.started_at)} at {message.site}."
    rare = f"On normal video such a picture comes {event.severity}."
    return title, "\n".join([first, rare if "every" not in event.severity else ""]).strip()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"
