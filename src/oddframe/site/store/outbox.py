"""Messages that wait to be sent. They are queued by whoever writes what they tell of, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from oddframe.errors import UnknownNameError
from oddframe.site.messages import AnyMessage, ProblemMessage
from oddframe.site.store.models import OutboxRow, SinkRow
from oddframe.site.store.records import Outgoing, SinkCount
from oddframe.site.store.shelf import Shelf

LONGEST_WAIT = timedelta(hours=1)
"""Nobody puts a message off for longer."""

_AT_ONCE = 10_000
"""Of messages that are forgotten: more would hold up all who write."""

_WAITING = (OutboxRow.sent_at.is_(None), OutboxRow.died_at.is_(None))


class Outbox(Shelf):
    """Messages on their way, sent ones of the last days, and dead ones."""

    def due(self, sink: str) -> Outgoing | None:
        """The next message that a sink is to be sent now; None where there is none.

        Messages of one camera keep their order: while one waits to be tried again, those after it wait, too.
        """
        with self._database.reading() as session:
            firsts = (
                select(func.min(OutboxRow.id))
                .join(SinkRow)
                .where(SinkRow.name == sink, *_WAITING)
                .group_by(OutboxRow.stream)
            )
            now = self._clock()
            # What is due far ahead was put off before the clock was set back.
            is_due = or_(OutboxRow.next_at <= now, OutboxRow.next_at > now + LONGEST_WAIT)
            rows = _rows(session, [OutboxRow.id.in_(firsts), is_due], 1)
            return rows[0] if rows else None

    def sent(self, message: int) -> None:
        """Keep that a message has arrived.

        Args:
            message: its `Outgoing.id`.
        """
        self._set(message, sent_at=self._clock(), problem=None)

    def failed(self, message: int, problem: str, next_at: datetime, *, answered: bool = True) -> None:
        """Keep that a message did not arrive, why, and when it is to be tried again, within `LONGEST_WAIT`.

        Args:
            answered: it counts as a try; where nobody answers, none do.
        """
        next_at = min(next_at, self._clock() + LONGEST_WAIT)
        self._set(message, problem=problem, next_at=next_at, tries=OutboxRow.tries + int(answered))

    def died(self, message: int, problem: str) -> None:
        """Give a message up. It stays, for people to see and to send again."""
        self._set(message, problem=problem, died_at=self._clock(), tries=OutboxRow.tries + 1)

    def again(self, messages: Iterable[int] | None = None, *, sink: str | None = None) -> int:
        """Send dead messages again, with the same keys, and before what waits of the same camera.

        Args:
            messages: `Outgoing.id` of which; all dead ones without it. sink: only those to this one.

        Returns:
            how many there were.

        Raises:
            UnknownNameError: one of them is not dead, or not there.
        """
        with self._database.writing() as session:
            query = select(OutboxRow.id).where(OutboxRow.died_at.is_not(None))
            if sink is not None:
                query = query.join(SinkRow).where(SinkRow.name == sink)
            dead = set(session.scalars(query))
            wanted = dead if messages is None else set(messages)
            if lacking := sorted(wanted - dead):
                raise UnknownNameError(
                    f"message {lacking[0]} is not among the dead ones", hint="look at the list of them"
                )
            now = self._clock()
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id.in_(wanted))
                .values(died_at=None, tries=0, queued_at=now, next_at=now)
            )
            return len(wanted)

    def dead(self, *, sink: str | None = None, limit: int = 100) -> list[Outgoing]:
        """Messages that were given up, the latest first."""
        conditions: list[ColumnElement[bool]] = [OutboxRow.died_at.is_not(None)]
        if sink is not None:
            conditions.append(SinkRow.name == sink)
        with self._database.reading() as session:
            return _rows(session, conditions, limit, latest_first=True)

    def counts(self) -> list[SinkCount]:
        """How many messages each sink has, by its name."""
        waiting = func.count(OutboxRow.id).filter(*_WAITING)
        query = (
            select(
                SinkRow.name,
                waiting,
                func.count(OutboxRow.id).filter(OutboxRow.sent_at.is_not(None)),
                func.count(OutboxRow.id).filter(OutboxRow.died_at.is_not(None)),
                func.min(OutboxRow.queued_at).filter(*_WAITING),
            )
            .outerjoin(OutboxRow, OutboxRow.sink_id == SinkRow.id)
            .group_by(SinkRow.name)
            .order_by(SinkRow.name)
        )
        with self._database.reading() as session:
            return [
                SinkCount(sink=sink, waiting=one, sent=two, dead=three, oldest_at=oldest_at)
                for sink, one, two, three, oldest_at in session.execute(query)
            ]

    def clear(self, before: datetime, dead_before: datetime) -> int:
        """Forget what was sent, and what was given up, earlier than that; return how many messages that were."""
        with self._database.writing() as session:
            old = or_(OutboxRow.sent_at < before, OutboxRow.died_at < dead_before)
            ids = session.scalars(select(OutboxRow.id).where(old).limit(_AT_ONCE)).all()
            session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids)))
            return len(ids)

    def _set(self, message: int, **values: object) -> None:
        with self._database.writing() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id == message).values(**values))


def queue(session: Session, message: AnyMessage, now: datetime) -> None:
    """Queue a message for all sinks that want it, in a transaction that is under way.

    What is wrong with the site goes to sinks of some cameras, too, and to no sink about itself.
    """
    camera = None if isinstance(message, ProblemMessage) else message.camera
    for sink in session.scalars(select(SinkRow).where(SinkRow.enabled).order_by(SinkRow.id)):
        if isinstance(message, ProblemMessage):
            wanted = message.subject != f"sink {sink.name}"
        else:
            wanted = sink.cameras is None or camera in sink.cameras
        if wanted and message.part in sink.sends:
            session.add(
                OutboxRow(
                    sink_id=sink.id,
                    key=message.key,
                    stream=camera or "",
                    message=message.model_dump(mode="json"),
                    queued_at=now,
                    tries=0,
                    next_at=now,
                )
            )
    session.flush()


def _rows(
    session: Session, conditions: Sequence[ColumnElement[bool]], limit: int, *, latest_first: bool = False
) -> list[Outgoing]:
    order = OutboxRow.id.desc() if latest_first else OutboxRow.id
    query = select(OutboxRow, SinkRow.name).join(SinkRow).where(*conditions).order_by(order).limit(limit)
    return [
        Outgoing(
            id=row.id,
            sink=sink,
            key=row.key,
            stream=row.stream,
            message=row.message,  # type: ignore[arg-type]
            queued_at=row.queued_at,
            tries=row.tries,
            next_at=row.next_at,
            problem=row.problem,
            sent_at=row.sent_at,
            died_at=row.died_at,
        )
        for row, sink in session.execute(query)
    ]
