"""Who asks: the user behind a session or a token, and what that one may."""

from __future__ import annotations

from dataclasses import dataclass, field

from oddframe.errors import NotAllowedError
from oddframe.site.store.records import ROLES, Role, Scope


@dataclass(frozen=True)
class Who:
    """Somebody who has come in.

    Attributes:
        name: of the user. may: what this request may, no more than the user's role and the token's scope.
        one_time: the password has to be changed before anything else.
        session: id of the session, None of a token. csrf: what each change has to bring along; "" of a token.
        token: number of the token, None of a session.
    """

    name: str
    may: Scope
    one_time: bool = False
    session: str | None = None
    csrf: str = field(default="", repr=False)
    token: int | None = None

    def can(self, role: Role) -> bool:
        """Whether this request may what a role may."""
        return self.may in ROLES and ROLES.index(self.may) >= ROLES.index(role)

    def need(self, role: Role) -> None:
        """Go on only for who may what a role may.

        Raises:
            NotAllowedError: this one may not.
        """
        if self.one_time:
            raise NotAllowedError("the password has to be changed first", hint="PUT /api/v1/session/password")
        if not self.can(role):
            whose = "the token's scope" if self.token is not None else "the role"
            raise NotAllowedError(
                f"{whose} does not allow this", seen=self.may, wanted=role, hint="ask an admin of the site"
            )


def least(role: Role, scope: Scope) -> Scope:
    """What a token may: its scope, or less where its user's role is less.

    >>> least("reviewer", "admin"), least("admin", "viewer"), least("viewer", "metrics")
    ('reviewer', 'viewer', 'metrics')
    """
    if scope == "metrics":
        return scope
    return ROLES[min(ROLES.index(role), ROLES.index(scope))]
