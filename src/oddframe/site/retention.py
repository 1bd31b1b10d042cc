"""Evidence goes when it is old, or takes too much room: reviewed events last. A full disk is never met."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from pydantic import Field, ValidationError

from oddframe.detectors.settings import Strict
from oddframe.errors import SettingsError, UnknownNameError
from oddframe.files import clear_left
from oddframe.records import in_words
from oddframe.site.store import Store
from oddframe.site.store.records import Evidence
from oddframe.site.store.shelf import Clock, utc_now

_LOG = logging.getLogger(__name__)
_AT_ONCE = 100
_LONG_AGO = date(2000, 1, 1)


RETENTION = "retention"
"""The setting of a store that holds `RetentionSettings`; those of the defaults without it."""


class RetentionSettings(Strict):
    """How long evidence is kept."""

    days: float = Field(default=30.0, gt=0, description="evidence older than so many days goes")
    reviewed_days: float = Field(default=365.0, gt=0, description="the same, of events that somebody has reviewed")
    events_days: float = Field(
        default=730.0,
        gt=0,
        description="events older than so many days, without evidence or a review, are forgotten, and so are states of "
        "cameras",
    )
    gigabytes: float = Field(default=20.0, gt=0, description="most gigabytes of evidence; what is oldest goes first")
    remembered_mb: float = Field(
        default=256.0,
        gt=0,
        description="most megabytes of each camera's events that are remembered for lessons; what is oldest goes first",
    )
    least_free_gb: float = Field(
        default=1.0, ge=0, description="no evidence is made while less than so many gigabytes of the disk are free"
    )


def retention_of(store: Store) -> RetentionSettings:
    """How long evidence of a site is kept, as its store has it.

    Raises:
        StoreError: it cannot be read. SettingsError: what it holds is no such thing.
    """
    kept = store.journal.get(RETENTION)
    try:
        return RetentionSettings() if kept is None else RetentionSettings.model_validate(dict(kept))
    except ValidationError as error:
        raise SettingsError(
            "how long evidence is kept is not as it should be",
            seen=in_words(error),
            wanted=", ".join(RetentionSettings.model_fields),
        ) from None


class Retention:
    """Removes evidence of a site.

    A file goes first, and then its row: where it is killed between the two, the row is removed by the next round.

    Args:
        store: of the site. settings: how long; they may be set anew. folder: of evidence, in that of the site:
            FOLDER/DAY/ID/KIND.SUFFIX. clock: the time of day, UTC.
    """

    def __init__(self, store: Store, settings: RetentionSettings, folder: Path, clock: Clock = utc_now) -> None:
        self._store, self.settings, self._folder, self._clock = store, settings, folder, clock
        self._forgotten: date | None = None
        """Of events before this day those were forgotten that go."""

    def adopt(self, *, still_s: float = 0.0, forgotten_s: float = 0.0) -> int:
        """Put files into the store that a process had made, and died before it said so; of today and yesterday.

        Args:
            still_s: only those of events of which no file was made for so long: another process may be making them.
            forgotten_s: what belongs to no event is removed after so long: its event may still wait to be written.

        Returns:
            how many there were.
        """
        found = 0
        today = self._clock().astimezone(UTC)
        for day in (today - timedelta(days=1), today):
            for of_event in (self._folder / f"{day:%Y-%m-%d}").glob("*/"):
                with contextlib.suppress(FileNotFoundError):  # another machine has tidied it away
                    age_s = today.timestamp() - of_event.stat().st_mtime
                    if not still_s or age_s >= still_s:
                        found += self._adopt_of(of_event, removes=not forgotten_s or age_s >= forgotten_s)
        return found

    def _adopt_of(self, of_event: Path, *, removes: bool) -> int:
        try:
            known = {one.path for one in self._store.events.get(of_event.name).evidence}
        except UnknownNameError:
            if removes:
                shutil.rmtree(of_event, ignore_errors=True)
            return 0
        clear_left(of_event)
        found = 0
        for path in of_event.iterdir():
            below = str(path.relative_to(self._store.folder))
            if below not in known and not path.name.startswith("."):
                self._store.evidence.add(of_event.name, path.stem, below, path.stat().st_size)
                found += 1
        return found

    def tidy(self) -> int:
        """Remove what has to go; return how many files that were.

        Raises:
            StoreError: the database is locked or damaged.
        """
        settings, now = self.settings, self._clock()
        removed = 0
        old = now - timedelta(days=settings.days)
        while files := self._unreviewed_or_ancient(self._store.evidence.candidates(made_before=old, limit=_AT_ONCE)):
            removed += self._remove(files)
        most = int(settings.gigabytes * 1e9)
        while (over := self._store.evidence.total_bytes() - most) > 0:
            files = []
            for one in self._store.evidence.candidates(limit=_AT_ONCE):
                if over <= 0:
                    break
                files.append(one)
                over -= one.bytes
            if not files:
                break
            removed += self._remove(files)
        return removed

    def forget(self) -> int:
        """Forget events that are very old, and how cameras were then; return how many events were forgotten.

        How many there were on each day is kept.

        Raises:
            StoreError: the database is locked or damaged.
        """
        before = (self._clock() - timedelta(days=self.settings.events_days)).astimezone(UTC)
        day = before.date()
        if self._forgotten == day:
            return 0
        midnight = datetime.combine(day, time(), UTC)
        self._store.watched.keep_counts(_LONG_AGO, day)
        forgotten = 0
        while some := self._store.events.purge(midnight, most=_AT_ONCE):
            forgotten += some
        while self._store.health.forget(midnight):
            pass
        self._forgotten = day
        return forgotten

    def _unreviewed_or_ancient(self, files: list[Evidence]) -> list[Evidence]:
        """Of old files, those that go: of reviewed events when they are much older."""
        ancient = self._clock() - timedelta(days=self.settings.reviewed_days)
        verdicts = {event: self._store.events.get(event).verdict for event in {one.event for one in files}}
        return [one for one in files if verdicts[one.event] is None or one.made_at < ancient]

    def _remove(self, files: list[Evidence]) -> int:
        for one in files:
            path = self._store.folder / one.path
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something else is in it
                path.parent.rmdir()
                path.parent.parent.rmdir()
        self._store.evidence.removed([one.id for one in files])
        return len(files)


class DiskGuard:
    """Says whether there is room for evidence, and tells when that changes.

    It begins again only when there is a tenth more room than the least, so that it does not change to and fro.

    Args:
        folder: on the disk. least_free_gb: see `RetentionSettings`; it may be set anew.
        told: called with a sentence where room ends, and where there is some again.
        free_bytes: of the disk, for tests.
    """

    def __init__(
        self,
        folder: Path,
        least_free_gb: float,
        told: Callable[[str], None],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder, self.least_free_gb, self._told, self._free = folder, least_free_gb, told, free_bytes
        self.full = False

    def room(self) -> bool:
        """Whether evidence may be written."""
        free = self._free(self._folder)
        full = free < (1.1 if self.full else 1.0) * self.least_free_gb * 1e9
        if full != self.full:
            self.full = full
            gigabytes = f"{free / 1e9:.1f} GB of the disk are free"
            sentence = f"no evidence is made: {gigabytes}" if full else f"evidence is made again: {gigabytes}"
            _LOG.warning(sentence)
            self._told(sentence)
        return not full
