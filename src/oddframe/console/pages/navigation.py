"""Where one can go from every page."""

from __future__ import annotations

from dataclasses import dataclass

from oddframe.site.store.records import Role


@dataclass(frozen=True)
class Link:
    """A place to go. `role`: who sees it."""

    name: str
    path: str
    role: Role = "viewer"


NAVIGATION = (Link("Cameras", "/"), Link("Review", "/review"), Link("System", "/system"))
"""In this order. A part with a page of its own has a line here."""
