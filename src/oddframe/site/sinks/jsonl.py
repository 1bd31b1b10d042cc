"""A line of JSON a message, to a file or to standard output."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from oddframe.site.messages import AnyMessage, as_sent
from oddframe.site.sinks.sink import Sink


class JsonlSink(Sink):
    """Appends a line a message. It is on the disk when `send` returns; a file that is moved away is begun anew.

    Args:
        path: the file; None is standard output.
    """

    def __init__(self, name: str, path: Path | None) -> None:
        super().__init__(name, "standard output" if path is None else str(path))
        self._path = path

    def send(self, message: AnyMessage) -> None:
        try:
            self._write(as_sent(message))
        except OSError as error:
            raise self._unreached(error.strerror or str(error)) from None

    def check(self) -> None:
        """Whether the file can be written, or made; nothing is."""
        if self._path is None:
            return
        try:
            if not os.access(self._path.parent, os.W_OK | os.X_OK):
                self._path.parent.stat()
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if self._path.exists():
                os.close(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        except OSError as error:
            raise self._unreached(error.strerror or str(error)) from None

    def _write(self, line: str) -> None:
        if self._path is None:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            return
        handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(handle).st_size
            cut_off = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # in the middle of a line, by a power cut
            _write_all(handle, (b"\n" if cut_off else b"") + f"{line}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]
