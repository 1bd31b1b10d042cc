"""One process at a time in a folder, also in one of object storage, which knows no locks."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from oddframe.errors import StorageError
from oddframe.files import HeldElsewhereError, lock
from oddframe.storage.place import Place
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


@contextlib.contextmanager
def alone_at(folder: Place, *, held: Path | Remote, doing: str) -> Iterator[None]:
    """Be the only one that does something in a folder, which is made where it is missing.

    Args:
        held: what is held meanwhile: a file in it, or a folder of object storage. doing: said of who has it, such as
            "scores into this folder".

    Raises:
        StorageError: another process is at it, or the folder cannot be written.
    """
    if isinstance(folder, Path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError.of(error, "the folder cannot be made", folder) from None
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(held, wait=False) if isinstance(held, Path) else alone_in(held))
        except HeldElsewhereError:
            raise StorageError(
                f"another process {doing}", path=folder, hint="wait for its end, or give another --out"
            ) from None
        yield
