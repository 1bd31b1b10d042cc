"""Templates become pages. What is put into them is escaped; what they do not know is an error."""

from __future__ import annotations

import functools
import json
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from oddframe.console.look import address_of_file, look_version
from oddframe.console.moments import moment
from oddframe.console.pages import words
from oddframe.console.pages.navigation import NAVIGATION
from oddframe.reporting.words import count, sentence


@functools.cache
def environment() -> Environment:
    """Of all templates of the console."""
    made = Environment(
        loader=PackageLoader("oddframe.console"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {
        "shown": words.shown,
        "moment": moment,
        "lasts": words.lasts,
        "size": words.size,
        "count": count,
        "sentence": sentence,
        "state": words.state_in_words,
        "kind": words.kind_of_state,
        "in_path": lambda text: quote(str(text), safe=""),
        "island": island,
    }
    made.globals |= {
        "words": words,
        "static": address_of_file,
        "look": look_version(),
        "navigation": NAVIGATION,
    }
    return made


def render(template: str, **values: Any) -> str:
    """Fill a template."""
    return environment().get_template(template).render(**values)


def island(value: Any) -> Markup:
    """JSON that may stand in a script element that holds data.

    >>> print(island({"name": "</script>"}))
    {"name":"\\u003c/script>"}
    """
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))
