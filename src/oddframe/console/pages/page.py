"""What every page shows: whose site it is, who looks, what there is to review."""

from __future__ import annotations

from dataclasses import dataclass

from oddframe.console.access.who import Who
from oddframe.console.running import RunningSite
from oddframe.site.store.records import EventFilter
from oddframe.site.store.shelf import SITE_NAME


@dataclass(frozen=True)
class Page:
    """The frame around a page.

    Attributes:
        site: its name. path: of the entry of the navigation that is lit. user: who looks; None before the login.
        role: what that one may, in words. csrf: what each change brings along. to_review: events without a word.
    """

    site: str
    path: str
    who: Who | None
    to_review: str

    @property
    def user(self) -> str | None:
        """The name of who looks."""
        return None if self.who is None else self.who.name

    @property
    def role(self) -> str:
        """What who looks may."""
        return "" if self.who is None else str(self.who.may)

    @property
    def csrf(self) -> str:
        """What each change brings along."""
        return "" if self.who is None else self.who.csrf

    def can(self, role: str) -> bool:
        """Whether who looks may what a role may."""
        return self.who is not None and self.who.can(role)  # type: ignore[arg-type]


def page_of(site: RunningSite, path: str, who: Who | None) -> Page:
    """The frame of a page."""
    named = site.store.journal.get(SITE_NAME) or {}
    return Page(str(named.get("name", "oddframe")), path, who, "" if who is None else to_review(site))


def to_review(site: RunningSite) -> str:
    """How many events nobody has said anything of; "" for none."""
    many = site.store.events.count(EventFilter(reviewed=False))
    return f"{many:,}" if many else ""
