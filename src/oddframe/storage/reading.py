"""Reading a file on object storage as libav does: a piece here, a piece there, mostly one after another."""

from __future__ import annotations

import io
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor

from oddframe.errors import MissingPathError, OddframeError
from oddframe.storage.remote import Remote

BLOCK_BYTES = 4 << 20
_KEPT = 4
"""Blocks that are held, and one more that is on its way: what an open file takes of memory, however long it is."""


class RemoteReader(io.RawIOBase):
    """A file on object storage, to be read from and jumped about in.

    It is fetched block by block. While one is read, the next one is fetched, and none beyond that. A connection that
    breaks is taken up again at the same place.

    Args:
        remote: the file.

    Attributes:
        failure: the first error that reading raised: a library in between may keep it to itself.
        fetched: bytes so far.

    Raises:
        MissingPathError: there is none. StorageError: it cannot be asked for.
    """

    def __init__(self, remote: Remote) -> None:
        facts = remote.facts()
        if facts is None:
            raise MissingPathError("there is no such file", path=str(remote))
        self._remote, self._size, self._at = remote, facts.size, 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._coming: tuple[int, Future[bytes]] | None = None
        self._last = -1
        self._pool = ThreadPoolExecutor(1, f"reading ahead {remote.name}")
        self.failure: OddframeError | None = None
        self.fetched = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read from."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, as of any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, all of them but at the end.

        Raises:
            StorageError: it cannot be read, after some attempts.
        """
        stop = self._size if size < 0 else min(self._at + size, self._size)
        parts = []
        while self._at < stop:
            number, within = divmod(self._at, BLOCK_BYTES)
            try:
                part = self._block(number)[within : within + stop - self._at]
            except OddframeError as error:
                self.failure = self.failure or error
                raise
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Fetch nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._blocks.clear()
        super().close()

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        if self._coming is not None and self._coming[0] == number:
            content = self._coming[1].result()
            self._coming = None
        else:
            content = self._fetch(number)
        self.fetched += len(content)
        self._blocks[number] = content
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        ahead = number + 1
        if number == self._last + 1 and ahead * BLOCK_BYTES < self._size and ahead not in self._blocks:
            if self._coming is not None:
                self._coming[1].cancel()
            self._coming = ahead, self._pool.submit(self._fetch, ahead)
        self._last = number
        return content

    def _fetch(self, number: int) -> bytes:
        begin = number * BLOCK_BYTES
        return self._remote.read(begin, min(begin + BLOCK_BYTES, self._size))
