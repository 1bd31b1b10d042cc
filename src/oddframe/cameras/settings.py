"""Settings of a camera: patience, what is kept, and where its health changes. They are no part of a run's settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oddframe.detectors.settings import Strict


class HealthSettings(Strict):
    """Where the health of a camera changes. Levels of grey go from 0 to 255."""

    clear_s: float = Field(
        default=2.0, ge=0, description="how long all must be well before a camera is online again, in seconds"
    )
    frozen_s: float = Field(
        default=10.0, ge=1, description="the same picture for so many seconds, although packets come, is frozen"
    )
    frozen_level: int = Field(
        default=1, ge=0, le=32, description="pixels that differ by no more than this are the same, in levels of grey"
    )
    dark_span: float = Field(
        default=10.0,
        ge=0,
        description="a picture of which nine tenths lie within so many levels of grey has no structure: night without "
        "light, or a covered lens; 0 is off",
    )
    dark_s: float = Field(default=5.0, ge=0, description="without structure for so many seconds is dark")
    blinded_level: int = Field(default=250, ge=1, le=255, description="from this level of grey on a pixel is saturated")
    blinded_share: float = Field(
        default=0.6, gt=0, le=1, description="share of saturated pixels from which on a camera is blinded; 1 is off"
    )
    blinded_s: float = Field(
        default=3.0, ge=0, description="saturated for so many seconds is blinded; a lightning is shorter"
    )
    moved_share: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="the still background shifted by this share of the picture's width is moved; 1 is off",
    )
    moved_s: float = Field(default=20.0, ge=1, description="shifted for so many seconds is moved")
    silent_folder_s: float = Field(
        default=3600.0, gt=0, description="a folder of pictures without a new one for so many seconds is offline"
    )


class CameraSettings(Strict):
    """How a camera is read. The defaults fit cameras on a local network."""

    open_timeout_s: float = Field(default=4.0, ge=0.5, le=60, description="patience while a camera is opened, seconds")
    read_timeout_s: float = Field(
        default=10.0, ge=0.5, le=600, description="a camera that sends nothing for so many seconds is opened anew"
    )
    reopen_first_s: float = Field(default=1.0, ge=0.1, description="pause before a camera is opened again, at first")
    reopen_most_s: float = Field(
        default=60.0, ge=0.1, description="longest pause before a camera is opened again; it doubles up to this"
    )
    gap_s: float = Field(
        default=2.0, gt=0, description="a longer pause between two pictures is a gap, and so is a larger step of stamps"
    )
    late_s: float = Field(
        default=3.0, gt=0, description="where decoding falls so many seconds behind, it goes on at a later key frame"
    )
    pace: Literal["clock", "taken"] = Field(
        default="clock",
        description="a file is read at its own pace, or as fast as its pictures are taken, of which none is dropped",
    )
    loop: bool = Field(default=True, description="a file begins again at its end; without this the camera is then off")
    backlog: bool = Field(default=False, description="of a folder, read also the pictures that are there already")
    settle_s: float = Field(
        default=1.0, ge=0, description="a picture in a folder is read when its size has not changed for so many seconds"
    )
    verify_certificate: bool = Field(
        default=False, description="refuse rtsps and https with a certificate that nobody vouches for, as most cameras'"
    )
    hold_pictures: int = Field(
        default=64, ge=2, le=4096, description="pictures that wait to be taken; what is older is dropped and counted"
    )
    keep_s: float = Field(default=30.0, ge=0, le=3600, description="seconds of encoded video that are kept for clips")
    keep_mb: float = Field(default=64.0, gt=0, description="most megabytes of encoded video that are kept for clips")
    health: HealthSettings = Field(default=HealthSettings(), description="where its health changes")
