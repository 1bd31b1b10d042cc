"""An RTSP server for tests, run by the system's Python, which has GStreamer.

    python3 rtsp_server.py SPEC.json

SPEC: {"port": 0, "login": [user, password], "mounts": {"/path": {"kind": "h264", "bytes": file, "index": file}}}.
An index is a list of [offset, size, pts, dts, duration] of access units, in seconds; they are sent in a loop, each when
it is due. The port is printed when it serves; it ends when its standard input does.
"""

import json
import sys
import threading
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

CAPS = {
    "h264": ("video/x-h264,stream-format=byte-stream,alignment=au", "h264parse ! rtph264pay config-interval=-1"),
    "hevc": ("video/x-h265,stream-format=byte-stream,alignment=au", "h265parse ! rtph265pay config-interval=-1"),
    "mjpeg": ("image/jpeg", "rtpjpegpay"),
}


class Loop:
    """Sends one file's access units to one pipeline, in a loop."""

    def __init__(self, source, mount):
        self.source = source
        self.content = Path(mount["bytes"]).read_bytes()
        self.index = json.loads(Path(mount["index"]).read_text())
        self.length_s = max(pts + duration for _, _, pts, _, duration in self.index)
        self.number = 0
        self.began = GLib.get_monotonic_time()
        self.send()

    def send(self):
        repeats, place = divmod(self.number, len(self.index))
        offset, size, pts, dts, duration = self.index[place]
        buffer = Gst.Buffer.new_wrapped(self.content[offset : offset + size])
        ahead = repeats * self.length_s
        buffer.pts, buffer.dts = int((pts + ahead) * 1e9), int((dts + ahead) * 1e9)
        buffer.duration = int(duration * 1e9)
        if self.source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
            return False
        self.number += 1
        due_ms = (self.number / len(self.index)) * self.length_s * 1e3
        GLib.timeout_add(max(0, int(due_ms - (GLib.get_monotonic_time() - self.began) / 1e3)), self.send)
        return False


def main():
    spec = json.loads(Path(sys.argv[1]).read_text())
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(spec["port"]))
    if spec.get("login"):
        auth = GstRtspServer.RTSPAuth()
        basic = spec.get("method") == "basic"
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC if basic else GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        if basic:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*spec["login"]), token)
        else:
            auth.add_digest(*spec["login"], token)
        server.set_auth(auth)
    for path, mount in spec["mounts"].items():
        factory = GstRtspServer.RTSPMediaFactory()
        if mount["kind"] == "audio":
            factory.set_launch("( audiotestsrc is-live=true ! rtpL16pay name=pay0 )")
        else:
            caps, payload = CAPS[mount["kind"]]
            factory.set_launch(
                f"( appsrc name=source is-live=true format=time caps={caps} ! {payload} name=pay0 pt=96 )"
            )
            factory.connect("media-configure", configure, mount)
        factory.set_shared(True)
        if spec.get("login"):
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("user", "media.factory.access", True)
            permissions.add_permission_for_role("user", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    if server.attach(None) == 0:
        sys.exit("the port is taken")
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


LOOPS = []


def configure(factory, media, mount):
    LOOPS.append(Loop(media.get_element().get_by_name("source"), mount))


main()
