"""Small video files of kinds that number and time their frames strangely, each written as cameras and programs do.

Each function writes one file. The picture of frame n has its number in it as a bar code, see `bar_code`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from numpy.typing import NDArray

SIZE = (32, 64)
BITS = 8
TICK = Fraction(1, 25)

Stamp = Callable[[int], int]


def bar_code(number: int) -> NDArray[np.uint8]:
    """(32, 64, 3): eight bars of eight columns, bright where the bit is set."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    row = np.repeat(np.where(bits, 210, 40), SIZE[1] // BITS).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (*SIZE, 3)).copy()


def _read_bar_code(pixels: NDArray[np.uint8]) -> int:
    """Read the bar code again."""
    bars = pixels.mean(axis=(0, 2)).reshape(BITS, -1).mean(axis=1)
    return sum(1 << bit for bit in range(BITS) if bars[bit] > 125)


def encoded(
    path: Path,
    codec: str = "libx264",
    frames: Iterable[int] = range(60),
    *,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    stamp: Stamp = lambda n: n,
    tick: Fraction = TICK,
    rate: int = 25,
    gop: int = 12,
    pixel_format: str = "yuv420p",
    grain: int = 0,
) -> Path:
    """Encode the pictures of these numbers, at `stamp(number)` ticks. `grain` levels of noise make large files."""
    noise = np.random.default_rng(0)
    with av.open(str(path), "w", options=container or {}) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = *SIZE, pixel_format
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = tick
        stream.options = {"preset": "veryfast", "threads": "1"} if codec == "libx264" else {}
        stream.options = {**stream.options, **(options or {})}
        for number in frames:
            grained = bar_code(number) + noise.integers(-grain, grain + 1, (*SIZE, 3))
            frame = av.VideoFrame.from_ndarray(grained.clip(0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = stamp(number), tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def remuxed(
    source: Path, path: Path, change: Callable[[Packet, int], bool], *, container: dict[str, str] | None = None
) -> Path:
    """Copy packets without encoding them anew; `change` may alter each, and says whether it is kept."""
    with av.open(str(source)) as inside, av.open(str(path), "w", options=container or {}) as out:
        track = inside.streams.video[0]
        copy = out.add_stream_from_template(track)
        for number, packet in enumerate(packet for packet in inside.demux(track) if packet.size):
            if change(packet, number):
                packet.stream = copy
                out.mux(packet)
    return path


def edit_list(path: Path, codec: str = "libx264") -> Path:
    """Cut with "-ss ... -c copy" between two key frames: what comes before is in the file and not to be shown."""
    whole = encoded(path.with_name("whole.mp4"), codec)

    def shift(packet: Packet, _: int) -> bool:
        begin = 17 * TICK / packet.time_base
        packet.pts -= int(begin)
        packet.dts -= int(begin)
        return True

    return remuxed(whole, path, shift, container={"avoid_negative_ts": "disabled"})


def hidden_packets(path: Path) -> Path:
    """VP8 with pictures that are never shown, as its alternate references are."""
    whole = encoded(path.with_name("whole.webm"), "libvpx", options={"deadline": "realtime"})

    def hide(packet: Packet, number: int) -> bool:
        if number % 15 == 14:
            data = bytearray(bytes(packet))
            data[0] &= ~0x10  # "show_frame" of the frame's head
            packet.update(bytes(data))
        return True

    return remuxed(whole, path, hide)


def leading_pictures(path: Path, codec: str = "libx264", leading: int = 3) -> Path:
    """A copy that begins at the second key frame of an open GOP: the pictures right behind it cannot be decoded."""
    options = {
        "x264-params": f"open-gop=1:scenecut=0:bframes={leading}:b-adapt=0",
        "x265-params": "log-level=error:open-gop=1:bframes=3:b-adapt=0:scenecut=0:keyint=12:min-keyint=12",
    }
    whole = encoded(path.with_name(f"whole{path.suffix}"), codec, options=options)
    keys = 0

    def later(packet: Packet, _: int) -> bool:
        nonlocal keys
        keys += packet.is_keyframe
        return keys >= 2

    return remuxed(whole, path, later)


def transport_stream(path: Path, begins_s: float) -> Path:
    """MPEG-TS of a stream that has been running for a long time. Its clock goes over at 95,443.7 s."""
    return encoded(path, container={"output_ts_offset": str(begins_s)})


def dahua(path: Path) -> Path:
    """A recorder's own container (DHAV): the time as a packed date and 16 bits of milliseconds that run over."""
    whole = encoded(path.with_name("whole.mp4"), options={"bf": "0"})
    parts = []
    with av.open(str(whole)) as inside:
        track = inside.streams.video[0]
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", track)
        packets = [out for packet in inside.demux(track) if packet.size for out in to_annex_b.filter(packet)]
        for number, packet in enumerate(packets):
            ms = number * 40
            date = 26 << 26 | 11 << 22 | 28 << 17 | 14 << 12 | 31 << 6 | (52 + ms // 1000)
            extra = struct.pack("<BBBB", 0x81, 0, 2, 25)
            if packet.is_keyframe:
                extra += struct.pack("<BBBB", 0x80, 0, SIZE[1] // 8, SIZE[0] // 8)
            data = bytes(packet)
            length = 24 + len(extra) + len(data) + 8
            head = b"DHAV" + struct.pack("<BBBB", 0xFD if packet.is_keyframe else 0xFC, 0, 0, 0)
            head += struct.pack("<III", number, length, date) + struct.pack("<HB", ms & 0xFFFF, len(extra))
            head += bytes([sum(head) & 0xFF])
            parts.append(head + extra + data + b"dhav" + struct.pack("<I", length))
    path.write_bytes(b"".join(parts))
    return path


def empty_chunks(path: Path) -> Path:
    """AVI in which nothing came for a second: empty chunks keep the time."""
    shown = (number for number in range(60) if not 20 <= number < 45)
    return encoded(path, "mjpeg", shown, pixel_format="yuvj420p")


def burst(path: Path) -> Path:
    """A stream as recorded from a camera: a stall of 6 s, then the held frames at once, two of them with one stamp."""
    whole = encoded(path.with_name("whole.mp4"), options={"bf": "0"})

    def restamp(packet: Packet, number: int) -> bool:
        ms = number * 100 if number < 30 else 9000 + (number - 30) * 5 if number < 40 else 9050 + (number - 39) * 100
        packet.time_base = Fraction(1, 1000)
        packet.pts = packet.dts = ms - 5 * (number == 35)
        packet.duration = 0
        return True

    return remuxed(whole, path, restamp)


def clock_set_back(path: Path) -> Path:
    """A transport stream whose clock is set back by an hour in the middle."""
    halves = [
        encoded(path.with_name(f"{begins_s}.ts"), frames=frames, container={"output_ts_offset": str(begins_s)})
        for begins_s, frames in ((3600, range(30)), (0, range(30, 60)))
    ]
    path.write_bytes(b"".join(half.read_bytes() for half in halves))
    return path


def header_of_1000_fps(path: Path) -> Path:
    """A browser's recording: about 15 uneven frames a second, and a header that says 1000."""
    ms = np.cumsum([0, *([60, 65, 67, 70] * 15)])
    return encoded(
        path,
        "libvpx",
        options={"deadline": "realtime", "cpu-used": "8"},
        stamp=lambda number: int(ms[number]),
        tick=Fraction(1, 1000),
        rate=1000,
        container={"live": "1"},
    )


def cover_first(path: Path) -> Path:
    """A drone's recording: a still picture as the first video track, not marked as one."""
    return _two_tracks(path, [0])


def two_cameras(path: Path) -> Path:
    """A dash cam's recording: two cameras in one file."""
    return _two_tracks(path, range(60))


def _two_tracks(path: Path, first: Iterable[int]) -> Path:
    with av.open(str(path), "w") as out:
        tracks = []
        for numbers in (first, range(60)):
            stream = out.add_stream("libx264", rate=25)
            stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
            stream.options = {"preset": "veryfast", "threads": "1"}
            tracks.append((stream, list(numbers)))
        for number in range(60):
            for stream, numbers in tracks:
                if number < len(numbers):
                    frame = av.VideoFrame.from_ndarray(bar_code(numbers[number]), format="rgb24")
                    frame.pts, frame.time_base = number, TICK
                    out.mux(stream.encode(frame))
        for stream, _ in tracks:
            out.mux(stream.encode(None))
    return path


KINDS: dict[str, Callable[[Path], Path]] = {
    "plain.mp4": encoded,
    "plain.mkv": encoded,
    "fragments.mp4": lambda path: encoded(path, container={"movflags": "frag_keyframe+empty_moov"}),
    "bare.h264": encoded,
    "bframes.avi": encoded,
    "plain_xvid.avi": lambda path: encoded(path, "mpeg4", options={"b": "3000k"}, grain=20),
    "xvid.avi": lambda path: encoded(path, "mpeg4", options={"bf": "2"}),
    "disc.mpg": lambda path: encoded(path, "mpeg2video", options={"bf": "2"}),
    "fields.ts": lambda path: encoded(path, options={"flags": "+ildct+ilme", "x264-params": "tff=1"}),
    "edit.mp4": edit_list,
    "edit.mov": lambda path: edit_list(path, "mpeg4"),
    "hidden.webm": hidden_packets,
    "vp9.webm": lambda path: encoded(path, "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}),
    "leading.mkv": leading_pictures,
    "leading.ts": leading_pictures,
    "leading_many.ts": lambda path: leading_pictures(path, leading=11),
    "leading_hevc.mkv": lambda path: leading_pictures(path, "libx265"),
    "late.ts": lambda path: transport_stream(path, 95_000.0),
    "wrap.ts": lambda path: transport_stream(path, 95_442.0),
    "camera.dav": dahua,
    "empty.avi": empty_chunks,
    "burst.mkv": burst,
    "back.ts": clock_set_back,
    "browser.webm": header_of_1000_fps,
    "cover.mp4": cover_first,
    "two.mp4": two_cameras,
}


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """awkward(kind) -> a file of this kind, see `KINDS`."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = KINDS[kind](tmp_path_factory.mktemp("awkward") / kind)
        return made[kind]

    return make


@pytest.fixture(params=sorted(KINDS))
def awkward_video(request: pytest.FixtureRequest, awkward: Callable[[str], Path]) -> Path:
    """A file of each kind in turn."""
    return awkward(request.param)


@pytest.fixture
def grained() -> Callable[..., Path]:
    """grained(path, codec, pixel_format=...) -> a file of 120 frames whose bytes are pictures, not heads and lists."""

    def make(path: Path, codec: str, pixel_format: str = "yuv420p") -> Path:
        options = {"crf": "10"} if codec == "libx264" else {"b": "3000k"}
        return encoded(path, codec, range(120), options=options, pixel_format=pixel_format, grain=20)

    return make


@pytest.fixture
def number_in() -> Callable[[NDArray[np.uint8]], int]:
    """number_in(pixels) -> the number of the picture that was encoded."""
    return _read_bar_code
