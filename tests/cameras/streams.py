"""Video as tests publish it: access units of a file, and the server that sends them in a loop."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

SERVER = Path(__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"
NEEDED = ("appsrc", "h264parse", "rtph264pay", "rtpjpegpay")

_LOOK = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0"); gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstRtspServer, GstApp
Gst.init(None)
print(*[name for name in {names} if Gst.ElementFactory.find(name) is None])
"""


def missing() -> str:
    """What the RTSP server lacks here; "" where it can run."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return f"there is no {SYSTEM_PYTHON}"
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", _LOOK.format(names=NEEDED)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return "the system's Python has no GStreamer RTSP server (gir1.2-gst-rtsp-server-1.0)"
    return f"GStreamer lacks {done.stdout.strip()}" if done.stdout.strip() else ""


def published(video: Path, folder: Path, seconds: float | None = None) -> dict[str, str]:
    """Take a video file apart into access units, as a camera would send them. Returns a mount for the server."""
    content, index = bytearray(), []
    with av.open(str(video)) as file:
        stream = file.streams.video[0]
        kind = stream.codec_context.name
        bare = BitStreamFilterContext(f"{kind}_mp4toannexb", stream) if kind in ("h264", "hevc") else None
        for packet in file.demux(stream):
            for one in bare.filter(packet) if bare and packet.size else [packet] if packet.size else []:
                pts, dts = float(one.pts * stream.time_base), float(one.dts * stream.time_base)
                index.append([len(content), one.size, pts, dts, float((one.duration or 0) * stream.time_base)])
                content += bytes(one)
            if seconds is not None and index and index[-1][2] > seconds:
                break
    first = min(one[3] for one in index)
    index = [[offset, size, pts - first, dts - first, duration] for offset, size, pts, dts, duration in index]
    place = folder / video.stem
    place.with_suffix(".bytes").write_bytes(content)
    place.with_suffix(".index").write_text(json.dumps(index))
    return {"kind": kind, "bytes": str(place.with_suffix(".bytes")), "index": str(place.with_suffix(".index"))}


class RtspServer:
    """A process that serves; it can be killed and started again on its port."""

    def __init__(self, folder: Path, mounts: Mapping[str, Mapping[str, str]], **given: Any) -> None:
        self.folder, self.spec = folder, {"port": 0, "mounts": mounts, **given}
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        place = self.folder / "spec.json"
        place.write_text(json.dumps(self.spec))
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER), str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.strip(), "the RTSP server did not start"
        self.spec["port"] = int(line)

    def url(self, mount: str, login: str = "") -> str:
        return f"rtsp://{login}127.0.0.1:{self.spec['port']}{mount}"

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            self.process = None
