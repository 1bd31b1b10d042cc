"""Words of pages: states, verdicts and durations."""

from __future__ import annotations

import unicodedata

from oddframe.cameras.state import HealthState
from oddframe.scoring.lessons import Reach
from oddframe.site.events import EndedBy
from oddframe.site.store.records import DISPUTED

STATES: dict[str, str] = {
    HealthState.STARTING: "starting: not one picture so far",
    HealthState.LEARNING: "learning what is normal",
    HealthState.ONLINE: "online",
    HealthState.FROZEN: "frozen: the picture stays the same",
    HealthState.DARK: "dark: nothing to be seen",
    HealthState.BLINDED: "blinded: most of the picture is saturated",
    HealthState.MOVED: "moved: it looks elsewhere than it did",
    HealthState.OFFLINE: "offline: no pictures",
    HealthState.OFF: "off",
}

KINDS_OF_STATE: dict[str, str] = {
    HealthState.STARTING: "waits",
    HealthState.LEARNING: "waits",
    HealthState.ONLINE: "well",
    HealthState.OFF: "rests",
}
"""What a page makes of a state: well, waits, rests; all others are bad."""

VERDICTS = {"alarm": "alarm", "normal": "normal", "unsure": "unsure", DISPUTED: "disputed"}

ENDED_BY: dict[EndedBy, str] = {
    "calm": "it was over",
    "gap": "frames were missing",
    "length": "it reached the greatest length and goes on in another event",
    "profile": "the profile was changed",
    "line": "the line was changed",
    "changed": "the camera was changed",
    "removed": "the camera was removed",
    "stop": "the site was stopped",
    "crash": "the engine died",
}

REACHES: dict[Reach, str] = {
    "narrow": "only what looks nearly the same, at the same place",
    "middle": "what looks much the same, and a little around the place",
    "wide": "also what looks rather like it, and more around the place",
}
"""How far "normal" goes."""

CHANGES = {"new": "began", "update": "went on", "end": "ended", "repeat": "came again in its cool-down"}

_HARMFUL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows, beyond the text that holds them."""


def state_in_words(state: str) -> str:
    """A state of a camera, as people read it."""
    return STATES.get(state, state)


def kind_of_state(state: str) -> str:
    """Well, waits, rests or bad."""
    return KINDS_OF_STATE.get(state, "bad" if state in STATES else "waits")


def shown(text: object) -> str:
    """A text of somebody as it may be shown: marks that turn the direction of writing, and control characters but for
    tabs and ends of lines, become visible.

    >>> shown("gate\\u202egpj.exe")
    'gate⟨U+202E⟩gpj.exe'
    """
    return "".join(
        f"\u27e8U+{ord(letter):04X}\u27e9"
        if letter in _HARMFUL or (unicodedata.category(letter) == "Cc" and letter not in "\n\t")
        else letter
        for letter in str(text)
    )


def browser(agent: str) -> str:
    """A browser and its system by what it says of itself; what is neither is shown as it is.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36")
    'Chrome on Linux'
    >>> browser("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1"), browser("curl/8.4")
    ('Safari on iPhone', 'curl/8.4')
    """
    name, system = (next((words for mark, words in known if mark in agent), None) for known in (_BROWSERS, _SYSTEMS))
    return agent if name is None else name if system is None else f"{name} on {system}"


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What stands in its name → the browser; the first that fits, since most also call themselves by others' names."""
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def lasts(seconds: float) -> str:
    """A duration, to two digits or so.

    >>> lasts(4.2), lasts(75), lasts(5400), lasts(200_000)
    ('4 s', '1 min 15 s', '1 h 30 min', '2.3 days')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10 and rest:
        return f"{minutes} min {rest} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{whole / 86400:.1f} days"


def rate(per_day: float) -> str:
    """Things a day, or a week, or a month, as people say it.

    >>> rate(1), rate(2.84), rate(24), rate(1 / 7), rate(0.4)
    ('1 a day', '2.8 a day', '24 a day', '1 a week', '2.8 a week')
    """
    if per_day <= 0:
        return "none"
    for days, name in ((1.0, "day"), (7.0, "week"), (30.0, "month")):
        if per_day * days >= 0.95:
            return f"{per_day * days:.2g} a {name}" if per_day * days < 100 else f"{per_day * days:,.0f} a {name}"
    return f"{per_day * 365:.2g} a year"


def size(of_bytes: float) -> str:
    """Bytes.

    >>> size(900), size(1_500_000), size(2.5e9)
    ('900 bytes', '1.5 MB', '2.5 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if of_bytes >= unit:
            return f"{of_bytes / unit:.1f} {name}"
    return f"{of_bytes:.0f} bytes"
