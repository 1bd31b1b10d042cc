"""What is installed, what this machine can do, and what to type where something is missing."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

from oddframe.errors import StorageError
from oddframe.origin import HostInfo
from oddframe.processes.cores import control_groups
from oddframe.records import Record
from oddframe.runs import host, versions

_DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg4", "mjpeg", "ffv1")
_ENCODER = "libx264"


class Extra(Record):
    """Whether all packages of an extra are there, which are missing, and what to type."""

    ready: bool
    missing: tuple[str, ...]
    install: str


class Machine(HostInfo):
    """The machine; `memory_gb` is what may be used, None where nobody says."""

    memory_gb: float | None


class PrecisionChoice(Record):
    """How torch computes on the processor, and how fast matrix products are."""

    chosen: str
    fp32_gflops: float
    bf16_gflops: float


class Cuda(Record):
    """What torch was built for, and the devices that it finds."""

    built_for: str | None
    devices: tuple[str, ...]


class Cache(Record):
    """The frame store."""

    folder: str
    videos: int
    bytes: int
    limit_bytes: int


class NoCache(Record):
    """A frame store that cannot be used."""

    folder: str | None
    problem: str


class Codecs(Record):
    """What PyAV reads and writes."""

    pyav: str
    libavcodec: str
    decoders: dict[str, bool]
    writes_h264: bool


class Examined(Record):
    """What `examine` found.

    Attributes:
        packages: name → version, those that figures depend on. extras: by name.
        precision, cuda: None without torch.
    """

    oddframe: str | None
    python: str
    python_program: str
    packages: dict[str, str]
    extras: dict[str, Extra]
    machine: Machine
    precision: PrecisionChoice | None
    cuda: Cuda | None
    cache: Cache | NoCache
    video: Codecs


def examine() -> Examined:
    """Look at the installation and the machine; nothing is changed but an empty cache folder made."""
    wanted = _requirements()
    missing = {extra: tuple(name for name in names if _version(name) is None) for extra, names in wanted.items()}
    precision, cuda = _torch()
    return Examined(
        oddframe=_version("oddframe"),
        python=platform.python_version(),
        python_program=sys.executable,
        packages=versions(),
        extras={
            extra: Extra(ready=not lacking, missing=lacking, install=f'pip install "oddframe[{extra}]"')
            for extra, lacking in missing.items()
            if extra
        },
        machine=Machine(**dict(host()), memory_gb=_memory_gb()),
        precision=precision,
        cuda=cuda,
        cache=_cache(),
        video=_video(),
    )


def in_words(found: Examined) -> str:
    """What `examine` found, for people."""
    machine, cache, video = found.machine, found.cache, found.video
    lines = [f"oddframe {found.oddframe}, Python {found.python} ({found.python_program})"]
    lines.append(", ".join(f"{name} {have}" for name, have in found.packages.items()))
    for extra, state in found.extras.items():
        lacking = f"not installed ({', '.join(state.missing)} missing): {state.install}"
        lines.append(f"extra {extra}: {'installed' if state.ready else lacking}")
    memory = "" if machine.memory_gb is None else f", {machine.memory_gb:g} GB of memory"
    lines.append(f"machine: {machine.processor}, {machine.usable_cores} of {machine.cores} cores usable{memory}")
    precision, cuda = found.precision, found.cuda
    if precision is not None:
        why = f"fp32 {precision.fp32_gflops:.0f} GFLOP/s, bf16 {precision.bf16_gflops:.0f} GFLOP/s"
        lines.append(f"precision: {precision.chosen} on the processor ({why})")
    if cuda is not None:
        lines.append(f"CUDA: {', '.join(cuda.devices) if cuda.devices else 'none; everything runs on the processor'}")
    if isinstance(cache, NoCache):
        lines.append("cache: " + ": ".join(word for word in (cache.folder, cache.problem) if word))
    else:
        size = f"{cache.bytes / 1e6:.0f} MB of at most {cache.limit_bytes / 1e9:.0f} GB"
        lines.append(f"cache: {cache.folder}, {cache.videos} videos, {size}")
    reads = [name for name, there in video.decoders.items() if there]
    lines.append(f"video: ffmpeg (libavcodec {video.libavcodec}) reads {', '.join(reads)}")
    if unread := [name for name, there in video.decoders.items() if not there]:
        lines.append(f"video: cannot read {', '.join(unread)}")
    if not video.writes_h264:
        lines.append(f"video: cannot write H.264 ({_ENCODER} is missing), so no heat video")
    return "\n".join(lines)


def _requirements() -> dict[str, list[str]]:
    """Extra ("" for what is always needed) → packages, from this package's own metadata."""
    found: dict[str, list[str]] = {"": []}
    for line in requires("oddframe") or ():
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        if name is not None and name[0] != "oddframe":
            found.setdefault(extra[1] if extra else "", []).append(name[0])
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _memory_gb() -> float | None:
    """What may be used: the machine's memory, or the container's limit where that is less."""
    try:
        least = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    for group in control_groups("memory"):
        for file in (group / "memory.max", group / "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # "max" is no number
                least = min(least, int(file.read_text("ascii")))
    return round(least / 2**30, 1)


def _torch() -> tuple[PrecisionChoice | None, Cuda | None]:
    try:
        import torch
    except ImportError:
        return None, None
    from oddframe.nn.precision import matrix_product_gflops, resolve_precision

    precision = PrecisionChoice(
        chosen=resolve_precision("auto", torch.device("cpu")),
        fp32_gflops=round(matrix_product_gflops("cpu", torch.float32), 2),
        bf16_gflops=round(matrix_product_gflops("cpu", torch.bfloat16), 2),
    )
    devices = tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
    return precision, Cuda(built_for=torch.version.cuda, devices=devices)


def _cache() -> Cache | NoCache:
    from oddframe.video.store import FrameStore

    try:
        store = FrameStore()
        entries = store.entries()
    except StorageError as error:
        return NoCache(folder=None if error.path is None else str(error.path), problem=error.in_one_line())
    return Cache(
        folder=str(store.folder),
        videos=len(entries),
        bytes=sum(entry.size_bytes for entry in entries),
        limit_bytes=int(store.limit_bytes),
    )


def _video() -> Codecs:
    import av

    def there(name: str, mode: str) -> bool:
        try:
            av.codec.Codec(name, mode)  # type: ignore[arg-type]
        except (ValueError, av.FFmpegError):
            return False
        return True

    return Codecs(
        pyav=av.__version__,
        libavcodec=".".join(str(part) for part in av.library_versions["libavcodec"]),
        decoders={name: there(name, "r") for name in _DECODERS},
        writes_h264=there(_ENCODER, "w"),
    )
