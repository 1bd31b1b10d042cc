"""Which machines run the site, and which of them does what, where several share one database.

What one machine alone does has a row that names it: a lease. A machine's beat rises while it lives; whoever gives a
machine up removes its row, and with it all of its leases, if its beat has not risen since. So nobody's clock counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from oddframe.errors import LeaseLostError
from oddframe.plain import Json
from oddframe.records import Record
from oddframe.site.store.models import LeaseRow, MachineRow
from oddframe.site.store.shelf import Shelf

SITE = "site"
"""The lease of what there is to do once: messages, teaching, tidying."""
FILE = "file"
"""The lease of bringing the store into agreement with a site's file."""


class MachineRecord(Record):
    """A machine.

    Attributes:
        beat: rises while it lives. version: of this package. watches: whether its engine can watch cameras.
        problems: what is wrong on it → why.
    """

    name: str
    beat: int
    version: str
    watches: bool
    problems: Mapping[str, str] = {}


class LeaseRecord(Record):
    """What a machine does alone. `leaving`: it is to let go of it, as soon as what it has of it is written."""

    subject: str
    machine: str
    leaving: bool


class Machines(Record):
    """All machines and leases, at one moment, by name and subject."""

    machines: Mapping[str, MachineRecord]
    leases: Mapping[str, LeaseRecord]

    def of(self, machine: str) -> list[int]:
        """The numbers of the cameras that a machine holds and is not to let go of, in order."""
        return sorted(
            int(one.subject)
            for one in self.leases.values()
            if one.machine == machine and not one.leaving and one.subject.isdecimal()
        )


class Leases(Shelf):
    """Who does what. A subject is the number of a camera, `SITE` or `FILE`."""

    def come(self, machine: str, version: str, *, watches: bool = False) -> None:
        """A machine is there, under a name that none had before."""
        with self._database.writing() as session:
            session.add(MachineRow(name=machine, beat=0, version=version, watches=watches, problems={}))

    def beat(self, machine: str, *, watches: bool, problems: Mapping[str, str]) -> bool:
        """A machine lives.

        Returns:
            False where the others have given it up: it has no lease any more, and has to come under another name.
        """
        facts: Json = {"watches": watches, "problems": dict(problems)}
        with self._database.writing() as session:
            found = session.execute(
                update(MachineRow)
                .where(MachineRow.name == machine)
                .values(beat=MachineRow.beat + 1, **facts)
                .returning(MachineRow.name)
            )
            return found.first() is not None

    def leave(self, machine: str) -> None:
        """A machine is gone, and all of its leases are free."""
        with self._database.writing() as session:
            session.execute(delete(MachineRow).where(MachineRow.name == machine))

    def give_up(self, machine: str, beat: int) -> bool:
        """Take a machine for dead, unless its beat has risen since; return whether it was.

        What it writes at this moment is waited for; what it writes later is refused.
        """
        with self._database.writing() as session:
            found = session.execute(
                delete(MachineRow).where(MachineRow.name == machine, MachineRow.beat == beat).returning(MachineRow.name)
            )
            return found.first() is not None

    def all(self) -> Machines:
        """All machines and leases."""
        with self._database.reading() as session:
            machines = session.scalars(select(MachineRow).order_by(MachineRow.name)).all()
            leases = session.scalars(select(LeaseRow)).all()
            return Machines(
                machines={
                    row.name: MachineRecord(
                        name=row.name, beat=row.beat, version=row.version, watches=row.watches, problems=row.problems
                    )
                    for row in machines
                },
                leases={
                    row.subject: LeaseRecord(subject=row.subject, machine=row.machine, leaving=row.leaving)
                    for row in leases
                },
            )

    def held(self, machine: str) -> dict[int, bool]:
        """Number of each camera that a machine holds → whether it is to let go of it."""
        with self._database.reading() as session:
            rows = session.scalars(select(LeaseRow).where(LeaseRow.machine == machine)).all()
            return {int(row.subject): row.leaving for row in rows if row.subject.isdecimal()}

    def holder(self, subject: str) -> str | None:
        """The machine that has a lease; None where it is free."""
        with self._database.reading() as session:
            return session.scalar(select(LeaseRow.machine).where(LeaseRow.subject == subject))

    def take(self, subject: str, machine: str) -> bool:
        """Take a lease that is free; return whether it was, and the machine is not given up."""
        kind = sqlite if self._database.is_sqlite else postgresql
        row = {"subject": subject, "machine": machine, "leaving": False}
        with self._database.writing() as session:
            there = select(MachineRow.name).where(MachineRow.name == machine)
            if session.scalar(there.with_for_update(read=True, key_share=True)) is None:
                return False
            found = session.execute(
                kind.insert(LeaseRow).values(row).on_conflict_do_nothing().returning(LeaseRow.subject)
            )
            return found.first() is not None

    def let_go(self, subject: str, machine: str) -> None:
        """A machine has a lease no more; nothing where another one has it."""
        with self._database.writing() as session:
            session.execute(delete(LeaseRow).where(LeaseRow.subject == subject, LeaseRow.machine == machine))

    def ask_back(self, subject: str, machine: str) -> None:
        """A machine is to let go of a lease, as soon as what it has of it is written."""
        with self._database.writing() as session:
            session.execute(
                update(LeaseRow).where(LeaseRow.subject == subject, LeaseRow.machine == machine).values(leaving=True)
            )


def require_held(session: Session, camera: int, machine: str | None) -> None:
    """Refuse what a machine writes of a camera that it does not hold. Until the transaction ends, nobody takes it away.

    Args:
        machine: None where there is only one.

    Raises:
        LeaseLostError: it does not hold it.
    """
    if machine is None:
        return
    held = select(LeaseRow.machine).where(LeaseRow.subject == str(camera))
    holder = session.scalar(held.with_for_update(read=True, key_share=True))
    if holder != machine:
        raise LeaseLostError(
            "another machine watches this camera now",
            seen=f"machine {holder}" if holder else "nobody",
            wanted=f"machine {machine}",
        )


def held_cameras(session: Session, machine: str) -> list[int]:
    """The numbers of the cameras that a machine holds. Until the transaction ends, nobody takes them away."""
    held = select(LeaseRow.subject).where(LeaseRow.machine == machine)
    found = session.scalars(held.with_for_update(read=True, key_share=True)).all()
    return [int(subject) for subject in found if subject.isdecimal()]
