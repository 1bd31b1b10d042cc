"""All that a site keeps as one file, made while the site runs; and a site made again of it.

A tar of the site's folder: its key, evidence, curves, detectors that were learned there, the database as it was at one
moment, and last of all `backup.json`, which lists all of that with its digests. Without it a backup is not whole.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from pydantic import AwareDatetime

from oddframe.errors import MissingPathError, OddframeError, SettingsError, StorageError, StoreError
from oddframe.files import atomic_folder, atomic_write
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.records import FileRecord, Record, as_json, parse_as
from oddframe.site.engine_process import EVIDENCE
from oddframe.site.planning.read import read_plan
from oddframe.site.store import Store
from oddframe.site.store.snapshot import detector_folders_in, evidence_in, forget_evidence, snapshot
from oddframe.site.store.store import DATABASE, LOCK

MANIFEST = "backup.json"

_LEFT = re.compile(rf"{re.escape(DATABASE)}(-wal|-shm|-journal)?|{re.escape(LOCK)}|engine\.log.*")
"""What of the folder belongs to the site as it runs."""
_RECORDING = re.compile(r"learning/.*\.(mp4|mkv)$")
"""Video from which detectors have learned; they do without it now."""
_CHUNK = 1 << 20
_MOST_MANIFEST_BYTES = 1 << 28
_WHAT = "the list of what a backup holds"


class Held(NamedTuple):
    """A file of a backup."""

    bytes: int
    sha256: str


class BackupRecord(FileRecord):
    """What `backup.json` holds.

    Attributes:
        oddframe: the version that made it. made_at: UTC. folder: of the site. files: path below it → what it is.
    """

    oddframe: str
    made_at: AwareDatetime
    folder: str
    files: dict[str, Held]


class Saved(Record):
    """A backup that was made, or a site that was made of one.

    Attributes:
        path: the file, or the site's folder. made_at: of the backup. files, bytes: in it.
        without: evidence that was not saved, as it was asked for or since retention removed it meanwhile.
        elsewhere: folders of detectors that lie outside of the site's, and are not in it.
    """

    path: str
    made_at: AwareDatetime
    files: int
    bytes: int
    without: int = 0
    elsewhere: tuple[str, ...] = ()


def folder_of(site: Path) -> Path:
    """The folder of a site, by its file or itself.

    Raises:
        SettingsError, SecretsError: the file is wrong, see `read_plan`; or its database is none of SQLite.
    """
    if site.is_dir() or site.suffix not in (".yaml", ".yml"):
        return site
    plan = read_plan(site)
    if plan.database is not None:
        raise SettingsError(
            "the database of this site is not in its folder",
            path=site,
            wanted="a site with a database of SQLite",
            hint=f"save the database by its own means (pg_dump), and the folder {plan.home} as any other",
        )
    return plan.home


def back_up(site: Path, out: Path, *, evidence: bool = True, watch: Watcher = unwatched) -> Saved:
    """Write a backup of a site, which may run meanwhile.

    Args:
        site: its file, or its folder. out: the backup; it appears whole or not at all, for its owner alone.
        evidence: with pictures and clips of events, and the video that detectors learned from.
        watch: told how far it is.

    Raises:
        MissingPathError: no site was run in the folder. StoreError: its database is damaged.
        SettingsError: its database is none of SQLite, or its file is wrong.
        StorageError: the backup cannot be written, or something is there already.
    """
    folder = folder_of(site)
    if not (folder / DATABASE).is_file():
        raise MissingPathError(
            "no site was run in this folder yet", path=folder, wanted=f"a folder with {DATABASE}", hint="oddframe serve"
        )
    if out.exists():
        raise StorageError("there is something at this path already", path=out, hint="name another file")
    made_at, files, without = datetime.now(UTC), dict[str, Held](), list[int]()
    with atomic_write(out, "the backup cannot be written") as begun, tempfile.TemporaryDirectory(dir=out.parent) as own:
        begun.chmod(0o600)
        copy = Path(own) / DATABASE
        snapshot(folder / DATABASE, copy)
        with begun.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            kept = evidence_in(copy)
            others = [one for one in _others(folder) if evidence or not _RECORDING.match(one)]
            for number, path in enumerate(others):
                watch(Progress("saving the site", number, len(others) + len(kept)))
                if (held := _add(archive, folder, path)) is not None:
                    files[path] = held
            for number, (row, path) in enumerate(kept.items()):
                watch(Progress("saving the site", len(others) + number, len(others) + len(kept)))
                held = _add(archive, folder, path) if evidence else None
                if held is None:
                    without.append(row)
                else:
                    files[path] = held
            forget_evidence(copy, without)
            saved = _add(archive, copy.parent, DATABASE)
            assert saved is not None, "it was just made"
            files[DATABASE] = saved
            home = str(folder.resolve())
            record = BackupRecord(oddframe=version("oddframe"), made_at=made_at, folder=home, files=files)
            _put(archive, MANIFEST, as_json(record).encode())
        elsewhere = [one for one in detector_folders_in(copy) if not Path(one).resolve().is_relative_to(home)]
    return Saved(
        path=str(out),
        made_at=made_at,
        files=len(files),
        bytes=sum(one.bytes for one in files.values()),
        without=len(without),
        elsewhere=tuple(elsewhere),
    )


def restore(backup: Path, site: Path, *, watch: Watcher = unwatched) -> Saved:
    """Make a site again of a backup.

    Its database is brought to this version; events that lasted when the backup was made are ended.

    Args:
        site: the site's file, or its folder; nothing may be in the folder yet. watch: told how far it is.

    Raises:
        MissingPathError: there is no backup. StoreError: it is none, not whole, damaged, or of a newer version.
        StorageError: there is something in the folder, or it cannot be written.
        SettingsError: the site's file is wrong, or names another database.
    """
    folder = folder_of(site)
    if not backup.is_file():
        raise MissingPathError("there is no backup", path=backup, wanted="a file that `oddframe site backup` made")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(
            "there is something in this folder", path=folder, hint="name an empty folder, or move what is there away"
        )
    with atomic_folder(folder, "the site cannot be restored") as place:
        place.chmod(0o700)
        record = _unpacked(backup, place, watch)
        with Store.open(place) as store:
            store.cameras.moved(Path(record.folder), folder.resolve())
        (place / LOCK).unlink(missing_ok=True)
    return Saved(
        path=str(folder),
        made_at=record.made_at,
        files=len(record.files),
        bytes=sum(one.bytes for one in record.files.values()),
    )


def _others(folder: Path) -> Iterator[str]:
    """All files but evidence, the database, and what is just being written."""
    for place, folders, names in os.walk(folder):
        below = Path(place).relative_to(folder)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and below / one != Path(EVIDENCE))
        for name in sorted(names):
            path = below / name
            if not name.startswith(".") and not _LEFT.fullmatch(str(path)) and not (folder / path).is_symlink():
                yield str(path)


def _add(archive: tarfile.TarFile, folder: Path, path: str) -> Held | None:
    """Add a file; None where it is no more, as retention may have removed it.

    Raises:
        OSError: it cannot be read, or the archive not be written.
    """
    try:
        file = (folder / path).open("rb")
    except FileNotFoundError:
        return None
    with file:
        about = tarfile.TarInfo(PurePosixPath(Path(path)).as_posix())
        about.size, about.mode = os.fstat(file.fileno()).st_size, 0o600
        about.mtime = int(os.fstat(file.fileno()).st_mtime)
        read = _Digesting(file, about.size)
        archive.addfile(about, read)
        return Held(about.size, read.digest)


class _Digesting(io.RawIOBase):
    """Reads so many bytes of a file, and takes their digest; a file that became shorter meanwhile ends in zeros."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__()
        self._file, self._left, self._sha256 = file, size, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        content = self._file.read(wanted).ljust(wanted, b"\0")
        self._left -= len(content)
        self._sha256.update(content)
        return content

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o600
    archive.addfile(about, io.BytesIO(content))


def _unpacked(backup: Path, place: Path, watch: Watcher) -> BackupRecord:
    """Take a backup apart, and compare all of it with its list.

    Raises:
        StoreError: it is none, not whole, or damaged. OSError: the folder cannot be written.
    """
    found: dict[str, Held] = {}
    record: BackupRecord | None = None
    size = max(1, backup.stat().st_size)
    try:
        with backup.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                watch(Progress("restoring the site", file.tell(), size))
                content = archive.extractfile(member) if member.isreg() and not member.issparse() else None
                if content is None or not _is_below(member.name):
                    raise _damaged(backup, f"an entry '{member.name[:100]}' that no backup has")
                if member.name == MANIFEST:
                    if member.size > _MOST_MANIFEST_BYTES:
                        raise _damaged(backup, f"a list of {member.size:,} bytes")
                    record = parse_as(content.read(), BackupRecord, _WHAT, path=backup)
                else:
                    found[member.name] = _written(content, place / member.name)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _damaged(backup, "a name that stands there twice") from None
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(backup, str(error) or type(error).__name__) from None
    except OddframeError as error:
        raise error if isinstance(error, StoreError) else _damaged(backup, error.in_one_line()) from None
    if record is None:
        raise _damaged(backup, "no list of what it holds at its end")
    differing = sorted(name for name in {*found, *record.files} if found.get(name) != record.files.get(name))
    if differing:
        raise _damaged(backup, f"{differing[0]} is lacking, or other than it was")
    return record


def _written(content: IO[bytes], path: Path) -> Held:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sha256, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        path.chmod(0o600)
        while chunk := content.read(_CHUNK):
            file.write(chunk)
            sha256.update(chunk)
            size += len(chunk)
    return Held(size, sha256.hexdigest())


def _is_below(name: str) -> bool:
    """Whether a name leads nowhere but into the folder."""
    path = PurePosixPath(name)
    return bool(name) and "\0" not in name and not path.is_absolute() and ".." not in path.parts


def _damaged(backup: Path, seen: str) -> StoreError:
    return StoreError(
        "this is no whole backup of a site", path=backup, seen=seen, wanted="a file that `oddframe site backup` made"
    )
