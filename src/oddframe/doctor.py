"""What is installed, what this machine can do, and what to type where something is missing."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from oddframe.errors import StorageError
from oddframe.processes.cores import control_groups
from oddframe.runs import host, versions

_DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg4", "mjpeg", "ffv1")
_ENCODER = "libx264"


def examine() -> dict[str, Any]:
    """Look at the installation and the machine; nothing is changed but an empty cache folder made.

    Returns:
        Plain JSON values: "oddframe", "python", "packages" (name → version, those that figures depend on), "extras"
        (name → "ready", "missing", "install"), "machine", "precision" and "cuda" (None without torch), "cache",
        "video".
    """
    wanted = _requirements()
    missing = {extra: [name for name in names if _version(name) is None] for extra, names in wanted.items()}
    return {
        "oddframe": _version("oddframe"),
        "python": platform.python_version(),
        "python_program": sys.executable,
        "packages": versions(),
        "extras": {
            extra: {"ready": not lacking, "missing": lacking, "install": f'pip install "oddframe[{extra}]"'}
            for extra, lacking in missing.items()
            if extra
        },
        "machine": {**host().to_dict(), "memory_gb": _memory_gb()},
        **_torch(),
        "cache": _cache(),
        "video": _video(),
    }


def in_words(found: dict[str, Any]) -> str:
    """What `examine` found, for people."""
    machine, cache, video = found["machine"], found["cache"], found["video"]
    lines = [f"oddframe {found['oddframe']}, Python {found['python']} ({found['python_program']})"]
    lines.append(", ".join(f"{name} {have}" for name, have in found["packages"].items()))
    for extra, state in found["extras"].items():
        lacking = f"not installed ({', '.join(state['missing'])} missing): {state['install']}"
        lines.append(f"extra {extra}: {'installed' if state['ready'] else lacking}")
    memory = "" if machine["memory_gb"] is None else f", {machine['memory_gb']:g} GB of memory"
    lines.append(
        f"machine: {machine['processor']}, {machine['usable_cores']} of {machine['cores']} cores usable{memory}"
    )
    precision, cuda = found["precision"], found["cuda"]
    if precision is not None:
        why = f"fp32 {precision['fp32_gflops']:.0f} GFLOP/s, bf16 {precision['bf16_gflops']:.0f} GFLOP/s"
        lines.append(f"precision: {precision['chosen']} on the processor ({why})")
    if cuda is not None:
        lines.append(
            f"CUDA: {', '.join(cuda['devices']) if cuda['devices'] else 'none; everything runs on the processor'}"
        )
    if "problem" in cache:
        lines.append("cache: " + ": ".join(word for word in (cache["folder"], cache["problem"]) if word))
    else:
        size = f"{cache['bytes'] / 1e6:.0f} MB of at most {cache['limit_bytes'] / 1e9:.0f} GB"
        lines.append(f"cache: {cache['folder']}, {cache['videos']} videos, {size}")
    reads = [name for name, there in video["decoders"].items() if there]
    lines.append(f"video: ffmpeg (libavcodec {video['libavcodec']}) reads {', '.join(reads)}")
    if unread := [name for name, there in video["decoders"].items() if not there]:
        lines.append(f"video: cannot read {', '.join(unread)}")
    if not video["writes_h264"]:
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


def _torch() -> dict[str, Any]:
    try:
        import torch
    except ImportError:
        return {"precision": None, "cuda": None}
    from oddframe.nn.precision import matrix_product_gflops, resolve_precision

    return {
        "precision": {
            "chosen": resolve_precision("auto", torch.device("cpu")),
            "fp32_gflops": round(matrix_product_gflops("cpu", torch.float32), 2),
            "bf16_gflops": round(matrix_product_gflops("cpu", torch.bfloat16), 2),
        },
        "cuda": {
            "built_for": torch.version.cuda,
            "devices": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        },
    }


def _cache() -> dict[str, Any]:
    from oddframe.video.store import FrameStore

    try:
        store = FrameStore()
        entries = store.entries()
    except StorageError as error:
        return {"folder": None if error.path is None else str(error.path), "problem": error.in_one_line()}
    return {
        "folder": str(store.folder),
        "videos": len(entries),
        "bytes": sum(entry.size_bytes for entry in entries),
        "limit_bytes": int(store.limit_bytes),
    }


def _video() -> dict[str, Any]:
    import av

    def there(name: str, mode: str) -> bool:
        try:
            av.codec.Codec(name, mode)  # type: ignore[arg-type]
        except (ValueError, av.FFmpegError):
            return False
        return True

    return {
        "pyav": av.__version__,
        "libavcodec": ".".join(str(part) for part in av.library_versions["libavcodec"]),
        "decoders": {name: there(name, "r") for name in _DECODERS},
        "writes_h264": there(_ENCODER, "w"),
    }
