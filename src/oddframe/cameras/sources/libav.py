"""Cameras that libav reads: RTSP, HTTP, USB and files."""

from __future__ import annotations

import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import av
import av.error
import av.format
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from oddframe.cameras.address import Address
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.source import Coded, Coding, DamagedError, Source, Still
from oddframe.cameras.state import Cause
from oddframe.errors import CameraError
from oddframe.video._libav import LIBAV_RAISES, is_cover, real_track, words

_FORMATS = (
    "mov,mp4,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,live_flv,asf,h264,hevc,m4v,mjpeg,mpjpeg,ogg,nut,ivf,obu,av1,"
    "dhav,mxf,wtv,gif,yuv4mpegpipe,dv,rm,vc1"
)
"""Containers that are read. None of them names other files or addresses, as playlists do."""

_PROBED_S = 1.0
"""How much of a stream libav looks at before it gives the first packet."""
_THREADS = 2
_BUSY_S = (0.1, 0.3, 1.0)
"""How long an RTSP server is left alone that answers that it is busy, before it is asked again."""
_BARE = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


class LibavSource(Source):
    """See `Source`.

    Raises:
        CameraError: it cannot be opened; libav's error is its `__cause__`.
    """

    def __init__(self, address: Address, settings: CameraSettings) -> None:
        self._address, self._patience_s = address, settings.read_timeout_s
        name, format_name, options = _opening(address, settings)
        try:
            self._container = av.open(
                name,
                format=format_name,
                options=options,
                metadata_errors="replace",
                timeout=(settings.open_timeout_s, settings.read_timeout_s),
            )
        except av.error.HTTPOtherClientError as error:
            if address.kind == "rtsp" and (sent := _other_streams(name, options, settings.open_timeout_s)):
                raise _no_video(sent) from error
            raise CameraError(_OPENS_NOT, cause=Cause.OTHER, seen=address.scrub(words(error))) from error
        except LIBAV_RAISES as error:
            raise CameraError(_OPENS_NOT, cause=Cause.OTHER, seen=address.scrub(words(error))) from error
        try:
            self._stream = self._video()
            self.coding = self._coding()
            # no frames ahead in several threads: each of them would be a frame late
            self._stream.thread_type = "SLICE"
            self._stream.codec_context.thread_count = _THREADS
            lengths = self.coding.codec in _BARE and self.coding.extradata[:1] == b"\1"
            self._bare = BitStreamFilterContext(_BARE[self.coding.codec], self._stream) if lengths else None
            if lengths:
                self.coding = replace(self.coding, extradata=b"")  # it stands in the packets that are kept
        except LIBAV_RAISES as error:
            self._container.close()
            raise CameraError(_OPENS_NOT, cause=Cause.OTHER, seen=address.scrub(words(error))) from error
        except CameraError:
            self._container.close()
            raise
        self.live = address.kind in ("rtsp", "usb") or (address.kind == "http" and not self._container.duration)
        self._stamped = av.format.Flags.no_timestamps not in av.format.Flags(self._container.format.flags)
        self._last_number = -1

    def packets(self) -> Iterator[Coded | None]:
        demuxed = self._container.demux(self._stream)
        while True:
            asked_s = time.monotonic()
            try:
                packet = next(demuxed)
            except StopIteration:
                break
            except av.error.ExitError as error:
                raise CameraError("the camera sends nothing any more", cause=Cause.SILENT) from error
            except LIBAV_RAISES as error:
                seen = self._address.scrub(words(error))
                raise CameraError("the connection to the camera broke off", cause=Cause.LOST, seen=seen) from error
            if self.live and time.monotonic() - asked_s >= self._patience_s:
                # libav ran out of patience, and gives what it still holds before it says so, after as long again
                raise CameraError("the camera sends nothing any more", cause=Cause.SILENT)
            if packet.size:
                yield self._coded(packet)
        if self.live:
            raise CameraError("the camera has ended the stream", cause=Cause.ENDED)

    def decode(self, coded: Coded, number: int) -> list[Still]:
        packet = coded.packet
        if packet is None:
            raise TypeError("a packet of another source")
        # Decoders hand the stamp of a packet through to its picture, and never look at it.
        packet.pts = number
        try:
            return self._stills(packet.decode())
        except LIBAV_RAISES as error:
            raise DamagedError(words(error)) from None

    def flush(self) -> list[Still]:
        try:
            stills = self._stills(self._stream.decode(None))
        except LIBAV_RAISES:
            stills = []
        self._stream.codec_context.flush_buffers()
        return stills

    def close(self) -> None:
        self._container.close()

    def _video(self) -> VideoStream:
        tracks = [stream for stream in self._container.streams.video if not is_cover(stream)]
        if not tracks:
            raise _no_video(_kinds(self._container))
        track = real_track(tracks)
        if track.codec_context is None:
            raise CameraError(
                "the video of this address is of a kind that libav does not know",
                cause=Cause.NO_VIDEO,
                hint="set the camera to H.264, H.265 or MJPEG",
            )
        return track

    def _coding(self) -> Coding:
        context = self._stream.codec_context
        extradata = context.extradata or b""
        pixel_format = context.pix_fmt or ""
        return Coding(context.name, (context.height, context.width), extradata, pixel_format=pixel_format)

    def _coded(self, packet: Packet[VideoStream]) -> Coded:
        stamp = packet.pts if packet.pts is not None else packet.dts
        known = self._stamped and stamp is not None and packet.time_base is not None
        return Coded(
            self._data(packet),
            packet.is_keyframe,
            float(cast("int", stamp) * packet.time_base) if known else None,
            packet.is_corrupt,
            packet,
        )

    def _data(self, packet: Packet[VideoStream]) -> bytes:
        """A packet's bytes with its parameter sets in it, as streams have them, and not as an mp4 has them."""
        data = bytes(packet)
        if self._bare is None:
            return data
        copy: Packet[Any] = Packet(data)
        copy.is_keyframe = packet.is_keyframe
        try:
            return b"".join(bytes(one) for one in self._bare.filter(copy)) or data
        except LIBAV_RAISES:
            return data  # damaged, which whoever decodes it finds out

    def _stills(self, frames: Any) -> list[Still]:
        stills = []
        for frame in frames:
            if isinstance(frame, VideoFrame):
                # A decoder that forgets the stamp gives its pictures one by one, in order.
                self._last_number = self._last_number + 1 if frame.pts is None else frame.pts
                still = Still(self._last_number, frame, key=frame.key_frame, whole=not frame.is_corrupt)
                size = (frame.height, frame.width)
                turns = round(frame.rotation / 90) % 4
                if size != self.coding.size or turns != self.coding.turns:
                    self.coding = replace(self.coding, size=size, turns=turns)
                stills.append(still)
        return stills


def _kinds(container: InputContainer) -> str:
    return ", ".join(sorted({str(stream.type) for stream in container.streams})) or "no stream at all"


def _no_video(sent: str) -> CameraError:
    return CameraError("there is no video in what this address sends", cause=Cause.NO_VIDEO, seen=sent)


def _other_streams(name: str, options: Mapping[str, str], patience_s: float) -> str:
    """What an RTSP server sends that has no video, which it was asked for alone; "" where it has."""
    others = {key: value for key, value in options.items() if key != "allowed_media_types"}
    for wait_s in (*_BUSY_S, None):
        try:
            with av.open(name, format="rtsp", options=others, timeout=patience_s, metadata_errors="replace") as sent:
                return "" if sent.streams.video else _kinds(sent)
        except av.error.HTTPServerError:  # it is still putting away what it was asked for before
            if wait_s is not None:
                time.sleep(wait_s)
        except LIBAV_RAISES:
            break
    return ""


_OPENS_NOT = "this camera does not open"


def _opening(address: Address, settings: CameraSettings) -> tuple[str, str | None, dict[str, str]]:
    """Name, format and options for libav. Options come from here alone, and never from an address."""
    parts = address.open_parts
    options = {"format_whitelist": _FORMATS, "analyzeduration": str(int(_PROBED_S * 1e6))}
    if address.kind == "file":
        return str(parts.path), None, {**options, "protocol_whitelist": "file"}
    if address.kind == "usb":
        if sys.platform == "darwin":
            return str(parts.device), "avfoundation", {"pixel_format": "nv12", "framerate": "30"}
        return f"/dev/video{parts.device}", "v4l2", {}
    patience = {"timeout": str(int(settings.read_timeout_s * 1e6))}
    if settings.verify_certificate:
        patience |= {"tls_verify": "1", "ca_file": ssl.get_default_verify_paths().cafile or ""}
    if address.kind == "http":
        return parts.url, None, {**options, **patience, "protocol_whitelist": "http,https,tcp,tls"}
    # UDP only where the camera refuses TCP
    own = {
        "rtsp_flags": "prefer_tcp",
        "allowed_media_types": "video",
        "protocol_whitelist": "rtsp,rtsps,tcp,tls,rtp,udp",
        "analyzeduration": options["analyzeduration"],
    }
    return parts.url, "rtsp", {**patience, **own}
