"""One process at a time in a folder of object storage, which knows no locks."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta

from oddframe.errors import StorageError
from oddframe.files import HeldElsewhereError
from oddframe.storage.remote import Remote

_MARKS = ".at-work"
EVERY_S = 30.0
_GONE_AFTER = timedelta(seconds=4 * EVERY_S)


@contextlib.contextmanager
def alone_in(folder: Remote) -> Iterator[None]:
    """Be the only one at work in a folder. Whoever works there leaves a mark, and renews it; marks of who has died are
    known by their age, which is told by the storage's own clock.

    Who comes writes first and looks then, so that of two who come together each sees the other, and none goes on.

    Raises:
        HeldElsewhereError: somebody works there, or did two minutes ago. StorageError: it cannot be written.
    """
    mark = folder / _MARKS / uuid.uuid4().hex
    mark.write(b"oddframe")
    ended = threading.Event()
    try:
        marks = (folder / _MARKS).files()
        own = marks[mark.name].changed if mark.name in marks else None
        for name, facts in marks.items():
            if name == mark.name:
                continue
            if own is None or facts.changed is None or own - facts.changed < _GONE_AFTER:
                raise HeldElsewhereError(f"{folder} is held by another process")
            (folder / _MARKS / name).remove()

        def renew() -> None:
            while not ended.wait(EVERY_S):
                with contextlib.suppress(StorageError):  # the work itself meets what ails the storage, and says so
                    mark.write(b"oddframe")

        thread = threading.Thread(target=renew, name="renewing the mark", daemon=True)
        thread.start()
        yield
        ended.set()
        thread.join()
    finally:
        ended.set()
        mark.remove()
