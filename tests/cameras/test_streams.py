"""Streams and files as cameras send them, through libav and the reading loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from oddframe.cameras.address import Address
from oddframe.cameras.reader import Clocks, Reader, Wanted
from oddframe.cameras.ring import Ring, Shot
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.open import Opener
from oddframe.cameras.state import HealthState, Status

FAST = {"pace": "taken", "loop": False, "hold_pictures": 4096}


@pytest.fixture
def read() -> Iterator[Callable[..., tuple[list[Shot], Status]]]:
    """read(address, settings...): all that a file gives, or what a stream gives until there are `count` pictures."""
    rings = []

    def run(address: str, *, count: int | None = None, **given: object) -> tuple[list[Shot], Status]:
        settings = CameraSettings(**(FAST if count is None else {}), **given)
        ring = Ring((24, 32), 3, settings.hold_pictures)
        rings.append(ring)
        began_s, stopping = time.monotonic(), threading.Event()
        clocks = Clocks(lambda: time.monotonic() - began_s, wait=stopping.wait)
        reader = Reader(
            Opener(Address.parse(address), settings).open, settings, Wanted((24, 32), 3, "area", None), ring, clocks
        )
        thread = threading.Thread(target=reader.run, daemon=True)
        thread.start()
        shots: list[Shot] = []
        while thread.is_alive() and time.monotonic() - began_s < 120 and (count is None or len(shots) < count):
            shots += ring.take()[0]
            if count is None and reader.status().health.state is HealthState.OFFLINE:
                break
            time.sleep(0.01)
        status = reader.status()
        reader.stop()
        stopping.set()
        thread.join(60)
        shots += ring.take()[0]
        return shots, status

    yield run
    for ring in rings:
        ring.close()


@pytest.fixture
def mjpeg(picture) -> Iterator[str]:
    """The address of an HTTP camera of five pictures a second that asks for a password."""

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != "Basic dTpwQHNz":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for number in range(1000):
                    data = cv2.imencode(".jpg", picture(number)[:, :, ::-1])[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
                    time.sleep(0.2)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://u:p@ss@127.0.0.1:{server.server_port}/video.cgi?channel=1"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_an_http_camera_is_read_by_the_time_at_which_its_pictures_come(mjpeg, read):
    shots, status = read(mjpeg, count=8)

    assert status.health.state is HealthState.ONLINE
    assert status.stream.codec == "mjpeg"
    assert status.stream.size == (48, 64)
    assert [shot.gap for shot in shots] == [True] + [False] * (len(shots) - 1)
    assert shots[7].time_s - shots[0].time_s > 0.7  # in the stream there are no times; at libav's guess it were 0.28


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ten bits.mkv", {"codec": "libx265", "pixel_format": "yuv420p10le"}),
        ("odd.avi", {"size": (49, 65)}),
        ("4:4:4.mp4", {"pixel_format": "yuv444p"}),
        ("grey.mkv", {"codec": "ffv1", "grey": True}),
        ("variable.mp4", {"variable_rate": True}),
        ("mpeg2.ts", {"codec": "mpeg2video", "fps": 25}),
    ],
)
def test_whatever_a_camera_is_set_to_its_pictures_come(tmp_path, make_video, read, name, given):
    path = make_video(tmp_path / name, **given)
    shots, status = read(f"file:{path}")

    assert len(shots) == 40
    assert not any(shot.gap for shot in shots[1:])
    assert all(shot.infrared == ("grey" in name) for shot in shots)
    assert status.stream.size == given.get("size", (48, 64))
    assert status.counts.dropped == {}


def test_interlaced_pictures_are_read_as_they_are_and_said(tmp_path, read):
    path = tmp_path / "fields.ts"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "top": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * number, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    shots, status = read(str(path))

    assert len(shots) == 20
    assert status.stream.interlaced


def test_a_turned_picture_is_upright(tmp_path, make_video, read, picture):
    make_video(tmp_path / "plain.mp4")
    with av.open(str(tmp_path / "plain.mp4")) as file, av.open(str(tmp_path / "turned.mov"), "w") as turned:
        stream = turned.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(file.streams.video[0]):
            if packet.size:
                packet.stream = stream
                turned.mux(packet)
    content = (tmp_path / "turned.mov").read_bytes()
    plain = (1 << 16).to_bytes(4, "big") + bytes(12) + (1 << 16).to_bytes(4, "big")
    quarter = (
        bytes(4) + (1 << 16).to_bytes(4, "big") + bytes(4) + (-(1 << 16) & 0xFFFFFFFF).to_bytes(4, "big") + bytes(4)
    )
    at = content.index(plain, content.index(b"tkhd"))
    (tmp_path / "turned.mov").write_bytes(content[:at] + quarter + content[at + len(quarter) :])

    shots, status = read(str(tmp_path / "turned.mov"))

    assert status.stream.size == (64, 48)
    assert len(shots) == 40


def bare(path: Path, *parts: Path) -> Path:
    """One bare H.264 stream of several files, as a camera sends it whose settings are changed meanwhile."""
    content = b""
    for part in parts:
        with av.open(str(part)) as file:
            filtered = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", file.streams.video[0])
            for packet in file.demux(file.streams.video[0]):
                content += b"".join(bytes(one) for one in filtered.filter(packet if packet.size else None))
    path.write_bytes(content)
    return path


def test_another_size_and_rate_in_the_middle_of_a_stream_goes_on(tmp_path, make_video, read):
    small, large = make_video(tmp_path / "a.mp4"), make_video(tmp_path / "b.mp4", size=(96, 130), fps=25)
    shots, status = read(str(bare(tmp_path / "both.h264", small, large)))

    assert len(shots) == 80
    assert status.stream.size == (96, 130)


def test_damage_in_the_middle_of_a_stream_is_passed_over_up_to_the_next_key_frame(tmp_path, picture, read):
    path = tmp_path / "gate.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=20, options={"g": "10", "bf": "0", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(60):
            packets = stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24"))
            file.mux(packets)
        file.mux(stream.encode(None))
    with av.open(str(path)) as file:
        data = [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]
    content = path.read_bytes()
    for number in (22, 23):
        content = content.replace(data[number], b"\xff" * len(data[number]))
    path.write_bytes(content)
    shots, status = read(str(path))

    gap = next(number for number, shot in enumerate(shots) if number and shot.gap)
    assert shots[gap].time_s - shots[gap - 1].time_s == pytest.approx(0.45, abs=0.06)
    assert len(shots) == 60 - 8
    assert status.counts.dropped == {"damaged": 2, "before key frame": 6}


@pytest.mark.parametrize("cut", [0.02, 0.5, 0.97])
def test_garbage_and_what_is_cut_off_end_in_a_state_and_never_in_a_crash(tmp_path, make_video, read, cut):
    content = make_video(tmp_path / "a.ts").read_bytes()
    path = tmp_path / "garbage.ts"
    random = np.random.default_rng(2).integers(0, 255, 20_000).astype(np.uint8).tobytes()
    path.write_bytes(content[: int(cut * len(content))] + random)

    _, status = read(str(path))

    assert status.health.state in (HealthState.OFF, HealthState.OFFLINE)
