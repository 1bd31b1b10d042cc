"""What every detector can be told, and the strictness that all settings share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Compared = Literal["prediction", "reconstruction", "frame before"]
"""What a detector compares the judged frame with: made from other frames, made from itself, or the frame before it."""

PaperDistance = Literal["mean", "largest"]
"""Which number of a frame's distances enters Eq. 12: their mean, or that of the largest place."""


class Strict(BaseModel):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class DetectorSettings(Strict):
    """What every detector needs to know of its input."""

    size_step: ClassVar[int] = 1
    """Height and width of the picture are multiples of this."""

    scored_by: ClassVar[Mapping[str, object]] = {}
    """Settings of `score` that the detector brings along, above a preset's."""

    kept: ClassVar[tuple[str, ...]] = ()
    """Of `size`, `channels` and `width`, those that a preset leaves as they are."""

    size: tuple[int, int] = Field(
        default=(256, 256), description="height and width of the picture that the detector sees"
    )
    channels: Literal[1, 3] = Field(
        default=3, description="1 for grey, 3 for colour (a grey source is repeated three times)"
    )

    @property
    def gives_distance(self) -> bool | None:
        """Whether the detector gives distances, and so `distance` and `local_distance`; None where it does not say.

        Scores that are asked for by name are checked by it before anything is trained.
        """
        return None

    @property
    def distance_is(self) -> str:
        """What `Evidence.distance` is, with its unit or range: reports and the card of an artefact say it so."""
        return "squared distance of each query to its nearest normality item, 0..4"

    @property
    def paper_distance(self) -> PaperDistance:
        """Which number of the distances Eq. 12 takes for `paper`: their mean over the picture, as the paper, or the
        largest place, as publications have it whose score is their oddest object or patch."""
        return "mean"

    @property
    def compared(self) -> Compared:
        """What the judged frame is compared with; reports choose their words by it."""
        return "prediction"

    @field_validator("size")
    @classmethod
    def _size_fits(cls, size: tuple[int, int]) -> tuple[int, int]:
        if min(size) < 16:
            raise ValueError(f"size {size[0]}x{size[1]} is smaller than 16x16")
        step = cls.size_step
        if any(side % step for side in size):
            near = " or ".join(f"{h}x{w}" for h, w in sorted({cls.size_within(*size), _above(size, step)}))
            raise ValueError(
                f"size {size[0]}x{size[1]} is no multiple of {step} on both sides; the nearest that is: {near}"
            )
        return size

    @classmethod
    def size_within(cls, height: int, width: int) -> tuple[int, int]:
        """The largest size that fits the detector and is no larger than this one; its least size if there is none."""
        step = cls.size_step
        return _least(height // step * step, step), _least(width // step * step, step)


def _above(size: tuple[int, int], step: int) -> tuple[int, int]:
    height, width = (_least(-(-side // step) * step, step) for side in size)
    return height, width


def _least(side: int, step: int) -> int:
    return max(side, -(-16 // step) * step)
