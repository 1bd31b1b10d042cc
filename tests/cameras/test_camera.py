"""A camera as a whole, with its process."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import Cause, HealthState
from oddframe.cameras.trial import try_address
from oddframe.errors import CameraError, StorageError
from oddframe.processes.workers import Workers
from oddframe.video.open import open_video
from oddframe.video.picture import as_picture


def until(true, within_s: float = 120.0):
    """Wait until something is true."""
    end = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)
    return found


def process_of(camera: Camera) -> int:
    return until(lambda: camera._worker)._process.pid


@pytest.mark.slow
def test_a_file_gives_the_pictures_that_scoring_it_sees_and_none_is_dropped(tmp_path, make_video):
    path = make_video(tmp_path / "gate.mp4", frames=100, fps=20)
    settings = CameraSettings(pace="taken", loop=False, hold_pictures=4)
    shots = []
    with Camera(Address.parse(str(path)), settings, (24, 32), 20) as camera:
        until(lambda: shots.extend(camera.pictures()) or camera.health.state is HealthState.OFF)
        shots += camera.pictures()
        counts = camera.counts
        assert camera.stream.size == (48, 64)
    wanted = [as_picture(frame.pixels, (24, 32), 3) for frame in open_video(path).frames()]

    assert np.array_equal(np.stack([shot.pixels for shot in shots]), np.stack(wanted))
    assert np.diff([shot.time_s for shot in shots]) == pytest.approx(0.05, abs=1e-6)
    assert [shot.gap for shot in shots] == [True] + [False] * 99
    assert [shot.number for shot in shots] == list(range(1, 101))
    assert (counts.received, counts.decoded, counts.given, counts.dropped) == (100, 100, 100, {})
    assert camera.pictures() == []
    assert camera.health.state is HealthState.OFF


@pytest.mark.slow
def test_a_reader_that_is_killed_is_started_again_and_time_goes_on(tmp_path, make_video):
    path = make_video(tmp_path / "gate.mp4", frames=50, fps=25)
    address, settings = Address.parse(str(path)), CameraSettings(reopen_first_s=0.1)
    with Camera(address, settings, (24, 32), None, view=tmp_path / "view.npz") as camera:
        before = until(camera.pictures)
        assert camera.snapshot().shape == (48, 64, 3)
        while before[-1].time_s < before[0].time_s + 1:
            before += until(camera.pictures)
        then = camera.snapshot(before[0].time_s)
        assert np.abs(cv2.resize(then, (32, 24), interpolation=cv2.INTER_AREA) - before[0].pixels.astype(int)).max() < 9
        camera.accept_view()
        clip = camera.clip(0, 60, tmp_path / "clip.mp4", [[(0, 0), (1, 0), (1, 1)]])
        assert clip.encoded
        assert open_video(clip.path).size == (48, 64)
        with pytest.raises(StorageError):
            camera.clip(0, 60, tmp_path / "not there" / "clip.mp4")
        before += camera.pictures()
        os.kill(process_of(camera), signal.SIGKILL)
        until(lambda: camera.health.state is HealthState.OFFLINE)
        assert camera.health.cause is Cause.PROCESS
        until(lambda: camera.health.state is HealthState.ONLINE)
        after = []
        until(lambda: after.extend(camera.pictures()) or any(shot.gap for shot in after))
        assert camera.counts.restarted == 1

    gaps = [shot for shot in after if shot.gap]
    assert gaps
    assert gaps[0].time_s > before[-1].time_s
    assert gaps[0].number > before[-1].number


@pytest.mark.slow
def test_a_reader_that_hangs_is_ended_and_started_again(tmp_path, make_video, monkeypatch):
    monkeypatch.setattr("oddframe.cameras.camera._SLACK_S", 0.0)
    path = make_video(tmp_path / "gate.mp4", frames=50, fps=25)
    settings = CameraSettings(reopen_first_s=0.1, open_timeout_s=0.5, read_timeout_s=0.5)
    with Camera(Address.parse(str(path)), settings, (24, 32), None) as camera:
        until(camera.pictures)
        process = process_of(camera)
        os.kill(process, signal.SIGSTOP)
        until(lambda: camera.health.state is HealthState.OFFLINE)
        assert "no progress" in camera.health.reason
        until(lambda: camera.health.state is HealthState.ONLINE)
        assert process_of(camera) != process


@pytest.mark.slow
def test_a_reader_that_is_told_to_end_with_all_others_goes_on_until_its_camera_is_stopped(tmp_path, make_video):
    path = make_video(tmp_path / "gate.mp4", frames=50, fps=25)
    with Camera(Address.parse(str(path)), CameraSettings(), (24, 32), None) as camera:
        until(camera.pictures)
        process = process_of(camera)
        os.kill(process, signal.SIGTERM)
        until(camera.pictures)
        assert camera.clip(0, 60, tmp_path / "clip.mp4").pictures
        assert process_of(camera) == process
        assert camera.counts.restarted == 0
    until(lambda: not Path(f"/proc/{process}").exists())


@pytest.mark.slow
def test_a_camera_whose_process_cannot_be_made_now_is_read_once_it_can(tmp_path, make_video, monkeypatch):
    path, start, refusals = make_video(tmp_path / "gate.mp4", frames=50, fps=25), Workers.start, [None, None]

    def refused(*given, **more):
        if refusals:
            refusals.pop()
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return start(*given, **more)

    monkeypatch.setattr(Workers, "start", refused)
    address, settings = Address.parse(str(path)), CameraSettings(reopen_first_s=0.1, reopen_most_s=0.2)
    seen = []
    with Camera(address, settings, (24, 32), None) as camera:
        until(lambda: seen.append(camera.health.reason) or camera.pictures())
        assert camera.counts.restarted == 2
    assert any("Cannot allocate memory" in reason for reason in seen)


@pytest.mark.slow
def test_no_reader_outlives_whoever_has_started_it(tmp_path, make_video):
    program = """
import sys, time
from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.settings import CameraSettings
camera = Camera(Address.parse(sys.argv[1]), CameraSettings(), (24, 32), None)
camera.start()
while not camera.pictures():
    time.sleep(0.02)
print(camera._worker._process.pid, flush=True)
time.sleep(60)
"""
    path = make_video(tmp_path / "gate.mp4", frames=50, fps=25)
    parent = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    reader = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    def gone() -> bool:
        try:
            os.kill(reader, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{reader}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"

    until(gone)


@pytest.mark.slow
def test_an_address_is_tried_before_it_is_a_camera(tmp_path, make_video, make_frame_folder):
    tried = try_address(Address.parse(str(make_video(tmp_path / "gate.mp4"))))
    assert tried.picture.shape == (48, 64, 3)
    assert tried.stream.codec == "h264"
    assert not tried.infrared

    (tmp_path / "no video.mp4").write_text("nothing")
    with pytest.raises(CameraError, match="does not open as video") as caught:
        try_address(Address.parse(str(tmp_path / "no video.mp4")))
    assert caught.value.cause is Cause.NO_VIDEO


@pytest.mark.slow
def test_the_address_is_in_no_list_of_processes_and_no_process_is_left(tmp_path):
    address = Address.parse("rtsp://user:p%40ssw0rd@127.0.0.1:1/live")
    with Camera(address, CameraSettings(), (24, 32), 5) as camera:
        process = Path("/proc") / str(process_of(camera))
        if not process.is_dir():
            pytest.skip("this system has no /proc")
        for secret in (b"p@ssw0rd", b"p%40ssw0rd"):
            assert secret not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        until(lambda: camera.health.state is HealthState.OFFLINE)
        assert "ssw0rd" not in repr(camera.health) + repr(camera.address)
        with pytest.raises(CameraError, match="no picture"):
            camera.snapshot()
        assert camera.pictures() == []
    assert not process.is_dir()
