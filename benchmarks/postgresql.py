"""A PostgreSQL of Debian's, for as long as it is needed: it listens in a folder and nowhere else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def initdb() -> Path | None:
    """The program that makes a database; None where there is no PostgreSQL."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = programs[-1] if programs else Path(shutil.which("initdb") or "/none")
    return found if found.exists() else None


@contextlib.contextmanager
def postgresql(program: Path) -> Iterator[Path]:
    """Run a server; yields the folder of its socket. Its user is oddframe, its database postgres.

    Args:
        program: `initdb`.
    """
    user = "postgres" if os.getuid() == 0 else None  # it refuses to work as root
    folder = Path(tempfile.mkdtemp(prefix="oddframe_pg_", dir="/tmp"))  # the path of a socket must be short
    if user:
        shutil.chown(folder, user)
    data, quiet = folder / "data", {"cwd": folder, "user": user, "stdout": subprocess.DEVNULL}
    flags = ["-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"]
    server = None
    try:
        subprocess.run([program, "-D", data, "-U", "oddframe", "-A", "trust", "--no-sync"], check=True, **quiet)
        server = subprocess.Popen(
            [program.with_name("postgres"), "-D", data, *flags], stderr=subprocess.DEVNULL, **quiet
        )
        for _ in range(1800):
            with contextlib.suppress(subprocess.CalledProcessError):
                ready = [program.with_name("pg_isready"), "-q", "-h", folder, "-U", "oddframe"]
                subprocess.run(ready, check=True)
                break
            time.sleep(0.1)
        yield folder
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def url_of(folder: Path) -> str:
    """The address of its database."""
    return f"postgresql://oddframe:s3cret@/postgres?host={folder}"
