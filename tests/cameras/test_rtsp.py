"""A real RTSP round trip: GStreamer's server sends real video in loops, is killed, stopped and comes back."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from tests.cameras.streams import RtspServer, missing, published

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.ring import Shot
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.libav import LibavSource
from oddframe.cameras.state import Cause, Health, HealthState
from oddframe.errors import CameraError
from oddframe.video.open import open_video
from oddframe.video.picture import as_picture

pytestmark = [pytest.mark.slow]
SIZE = (64, 96)
PATIENCE_S = 300.0
LOST = (HealthState.OFFLINE, HealthState.FROZEN)


@pytest.fixture(scope="module", autouse=True)
def _server_is_there() -> None:
    if lacking := missing():
        pytest.skip(f"no RTSP server: {lacking}")


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., RtspServer]]:
    """serve(mounts, ...): a server of its own."""
    servers: list[RtspServer] = []

    def start(mounts, **given) -> RtspServer:
        server = RtspServer(Path(tempfile.mkdtemp(dir=tmp_path)), mounts, **given)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def ped2_video(ped2, tmp_path) -> Path:
    """A test clip of Ped2 as a camera sends it: H.264, ten pictures and a key frame a second."""
    path = tmp_path / "ped2.mp4"
    folder = sorted((ped2 / "testing" / "frames").iterdir())[0]
    with av.open(str(path), "w") as file:
        # of one slice: GStreamer puts parameter sets before each slice of a key frame, which tears it
        options = {"g": "10", "bf": "0", "crf": "20", "preset": "veryfast", "threads": "1"}
        stream = file.add_stream("libx264", rate=10, options=options)
        stream.height, stream.width = open_video(folder).size
        for frame in open_video(folder).frames():
            picture = np.repeat(frame.pixels, 3, axis=2)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    return path


class Watched:
    """A camera whose pictures are taken as they come, and whose states are noted with the time."""

    def __init__(self, camera: Camera) -> None:
        self.camera, self.shots, self.health = camera, list[Shot](), list[Health]()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self.shots += self.camera.pictures()
            health = self.camera.health
            if not self.health or health != self.health[-1]:
                self.health.append(health)
            if true():
                return
            assert time.monotonic() < end, self.health
            time.sleep(0.02)

    def is_in(self, *states: HealthState) -> Callable[[], bool]:
        return lambda: self.camera.health.state in states

    def has(self, pictures: int) -> Callable[[], bool]:
        count = len(self.shots) + pictures
        return lambda: len(self.shots) >= count


def test_pictures_are_those_of_the_file_a_login_is_asked_for_and_wrong_addresses_are_told(
    serve, tmp_path, ped2_video, shared_data
):
    people = shared_data / "clips" / "one-by-one-person-detection.mp4"
    mounts = {"/ped2": published(ped2_video, tmp_path), "/people": published(people, tmp_path, 8)}
    server = serve({**mounts, "/sound": {"kind": "audio"}}, login=["user", "p@s/s:w#rd%"])
    wanted = {
        "/people": ("user:p@s/s:w#rd%@", None),
        "/ped2": ("user:p%40s%2Fs%3Aw%23rd%25@", None),
        "/nothing": ("user:p@s/s:w#rd%@", Cause.NOT_FOUND),
        "/sound": ("user:p@s/s:w#rd%@", Cause.NO_VIDEO),
        "/ped2?wrong": ("user:wrong@", Cause.LOGIN),
        "/ped2?none": ("", Cause.LOGIN),
    }

    def watch(mount: str, login: str, cause: Cause | None) -> Watched:
        address = Address.parse(server.url(mount, login))
        with Camera(address, CameraSettings(open_timeout_s=30), SIZE, None) as camera:
            watched = Watched(camera)
            if cause is None:
                watched.until(watched.has(30))
                clip = camera.clip(
                    watched.shots[0].time_s, watched.shots[-1].time_s, tmp_path / f"clip of {mount[1:]}.mp4"
                )
                assert not clip.encoded
                assert clip.pictures >= 29
            else:
                watched.until(watched.is_in(HealthState.OFFLINE))
                assert camera.health.cause is cause, camera.health
                assert "s/s" not in camera.health.reason
            return watched

    with ThreadPoolExecutor(len(wanted)) as pool:
        done = {mount: pool.submit(watch, mount, *how) for mount, how in wanted.items()}
        found = {mount: one.result() for mount, one in done.items()}

    for mount, path in (("/ped2", ped2_video), ("/people", people)):
        shots = found[mount].shots
        frames = [as_picture(frame.pixels, SIZE, 3) for frame in open_video(path, end="110").frames()]
        places = [
            next((number for number, frame in enumerate(frames) if np.array_equal(shot.pixels, frame)), None)
            for shot in shots
        ]
        assert None not in places
        assert mount != "/ped2" or set(np.diff(places)) <= {1, 1 - len(frames)}, places  # many of people are alike
        assert np.median(np.diff([shot.time_s for shot in shots])) == pytest.approx(0.1, rel=0.2)


def test_a_camera_of_sound_alone_is_told_each_time(serve):
    """Asked again at once, the server is now and then still putting away what it was asked for before."""
    address = Address.parse(serve({"/sound": {"kind": "audio"}}).url("/sound"))
    for _ in range(60):
        with pytest.raises(CameraError) as caught:
            LibavSource(address, CameraSettings())
        assert caught.value.cause is Cause.NO_VIDEO, caught.value


def test_a_camera_that_goes_is_noticed_and_one_that_comes_back_is_back_in_time(serve, tmp_path, ped2_video, make_video):
    mount = published(ped2_video, tmp_path)
    other = published(make_video(tmp_path / "other.mp4", frames=100, fps=10, size=(96, 130)), tmp_path)

    def for_a_second(server: RtspServer, watched: Watched) -> None:
        """Killed for 1 s; another resolution on its return."""
        server.kill()
        watched.until(watched.is_in(*LOST))
        time.sleep(1)
        server.spec["mounts"] = {"/live": other}
        server.start()
        watched.until(watched.is_in(HealthState.ONLINE))
        watched.until(lambda: watched.camera.stream.size == (96, 130))

    def for_ten_seconds(server: RtspServer, watched: Watched) -> None:
        server.kill()
        watched.until(watched.is_in(*LOST))
        time.sleep(10)
        server.start()
        watched.until(watched.is_in(HealthState.ONLINE))

    def stopped_with_its_socket_open(server: RtspServer, watched: Watched) -> None:
        server.signal(signal.SIGSTOP)
        watched.until(watched.is_in(*LOST))
        server.signal(signal.SIGCONT)
        watched.until(watched.is_in(HealthState.ONLINE))

    def suffer(trouble: Callable[[RtspServer, Watched], None]) -> Watched:
        server = serve({"/live": mount})
        with Camera(Address.parse(server.url("/live")), CameraSettings(open_timeout_s=30), SIZE, 5) as camera:
            watched = Watched(camera)
            watched.until(watched.has(10))
            before = len(watched.shots)
            trouble(server, watched)
            watched.until(watched.has(5))
            after = watched.shots[before:]
            first = next(shot for shot in after if shot.gap)
            assert first.time_s > watched.shots[before - 1].time_s
            return watched

    with ThreadPoolExecutor(3) as pool:
        troubles = (for_a_second, for_ten_seconds, stopped_with_its_socket_open)
        for done in [pool.submit(suffer, trouble) for trouble in troubles]:
            watched = done.result()
            times = [shot.time_s for shot in watched.shots]
            assert times == sorted(times)
            assert watched.camera.counts.restarted == 0
