"""Templates become one page that holds its style, its script and its data, and asks for nothing from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from oddframe.evaluation.result import percent
from oddframe.reporting import alarm_words, words
from oddframe.reporting.curves import Curve

_CODE = re.compile(r"`([^`]+)`")
"""What a note would have one type, or names as code does."""


def render(template: str, *, curves: Sequence[Curve], **values: Any) -> str:
    """Fill a template.

    Args:
        curves: of `report.curves.curve`, embedded for the page's script.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    environment = Environment(
        loader=PackageLoader("oddframe.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )

    def marked(note: str) -> Markup:
        return Markup(_CODE.sub(r"<code>\1</code>", str(escape(note))))

    environment.filters["marked"] = marked
    environment.filters |= {"percent": percent, "clock": words.clock, "duration": words.duration, "count": words.count}
    environment.filters["sentence"] = words.sentence
    folder = files("oddframe.reporting") / "templates"
    css, js = (Markup((folder / name).read_text("utf-8")) for name in ("report.css", "report.js"))
    return environment.get_template(template).render(
        css=css, js=js, data=Markup(_embedded(curves)), curves=curves, words=words, alarm_words=alarm_words, **values
    )


def _embedded(curves: Sequence[Curve]) -> str:
    """JSON that may stand in a script element."""
    return json.dumps({"videos": [asdict(one) for one in curves]}, separators=(",", ":")).replace("<", "\\u003c")
