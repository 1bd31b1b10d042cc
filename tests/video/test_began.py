from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from oddframe.video.began import began_of
from oddframe.video.open import open_video

MOMENT = datetime(2026, 11, 28, 14, 31, 52)


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-28_14-31-52.mp4",
        "20261128143152.avi",
        "VID_20261128_143152.mp4",
        "NVR_ch1_main_20261128143152_20261128150000.dav",
        "gate 2026-11-28 14.31.52.mkv",
        "2026-11-28T14-31-52.ts",
        "20261128_143152123.mp4",
    ],
)
def test_names_that_recorders_give_tell_when_a_video_began(name):
    assert began_of(Path("anywhere") / name, {}) == MOMENT


def test_frigates_tree_of_recordings_is_in_utc():
    path = Path("/media/frigate/recordings/2026-11-28/14/gate/31.52.mp4")

    assert began_of(path, {}) == MOMENT.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["gate.mp4", "testing_08.avi", "12345678901234567890.mp4", "2026-13-28_14-31-52.mp4", "1080p_60fps.mp4"]
)
def test_other_names_tell_nothing(name):
    assert began_of(Path(name), {}) is None


@pytest.mark.parametrize("made", ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", "yesterday", ""])
def test_a_clock_that_was_never_set_tells_nothing(made):
    assert began_of(Path("gate.mp4"), {"creation_time": made}) is None


def test_a_files_metadata_tell_when_it_began(tmp_path):
    path = tmp_path / "gate.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["creation_time"] = "2026-11-28T14:31:52Z"
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))

    assert open_video(path).began == MOMENT.replace(tzinfo=UTC)


def test_a_dahua_recording_carries_the_cameras_wall_clock(awkward):
    assert open_video(awkward("camera.dav")).began == MOMENT
