"""What is in a set of videos, in words: `check`, for `oddframe data check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from oddframe.data.open import Data, open_source, source_at
from oddframe.data.source import DataSource
from oddframe.data.videoset import LabelConflict, LabelledVideo, VideoSet, video_notes
from oddframe.plain import Json
from oddframe.video.depth import learn_pixel_range
from oddframe.video.pixel_range import PixelRange


@dataclass(frozen=True)
class PartReport:
    """One part of a set. `abnormal` counts abnormal frames among the labelled ones.

    Attributes:
        sizes: (height, width) of its videos, each once.
        unlabelled: videos of which nothing is known.
        masked: videos with pixel masks.
    """

    videos: int
    frames: int
    abnormal: int
    unlabelled: int
    masked: int
    scenes: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    channels: tuple[int, ...]
    fps: tuple[float | None, ...]


@dataclass(frozen=True)
class SetReport:
    """What `check` found. `str` of it is meant for people, `as_dict` for programs.

    Attributes:
        parts: "normal", "known" and "test", those that there are.
        abnormal_frames: per label source, how many frames it calls abnormal.
        conflicts: where label sources contradict each other.
        ground_truth, missing: as of `VideoSet`.
        partial: whether parts may be missing.
        pixel_range: values of 16-bit pictures that become black and white, learned from the normal videos as training
            does it; None where pictures have 8 bits.
        ok: whether one can train and judge with it as it stands.
    """

    name: str
    kind: str
    root: str | None
    parts: dict[str, PartReport]
    abnormal_frames: dict[str, int]
    conflicts: tuple[LabelConflict, ...]
    notes: tuple[str, ...]
    fingerprint: str
    ground_truth: str = ""
    missing: tuple[str, ...] = ()
    partial: bool = False
    pixel_range: PixelRange | None = None

    @property
    def ok(self) -> bool:
        return (
            not self.conflicts
            and (self.partial or not self.missing)
            and any(part.videos for part in self.parts.values())
        )

    def as_dict(self) -> Json:
        """Return plain values that JSON can hold."""
        return {**asdict(self), "ok": self.ok}

    def __str__(self) -> str:
        lines = [f"{self.name}: a set of kind {self.kind}"]
        for name, part in self.parts.items():
            lines.append(f"  {name + ':':8} {_in_words(part)}")
        for source, frames in self.abnormal_frames.items():
            lines.append(f"  labels:  {source} calls {frames} frames abnormal")
        if self.ground_truth:
            lines.append(f"  ground truth: {self.ground_truth} (--ground-truth)")
        if len(self.abnormal_frames) > 1 and not self.conflicts:
            lines.append("  all label sources agree on every frame")
        if self.pixel_range is not None:
            lines.append(
                f"  16 bits: values from {self.pixel_range} are stretched to 8 bits "
                f"(--set data.pixel_range=[{self.pixel_range.low},{self.pixel_range.high}] chooses others)"
            )
        lines += [f"  note:    {note}" for note in self.notes]
        if self.conflicts:
            lines.append("  Label sources contradict each other: take the wrong one away before training or judging.")
        if self.missing and not self.partial:
            lines.append("  Parts are missing: add them, or go on with what is there by --partial.")
        return "\n".join(lines)


def check(data: Data) -> SetReport:
    """Open a set and say what is in it. Contradicting labels and missing parts are reported, not raised.

    Args:
        data: the path of a set, or of video files; or a `DataSource`, whose `partial` says that a set of which parts
            are missing is fine.

    Raises:
        OddframeError: what stands in the way of opening the set at all.
    """
    if isinstance(data, VideoSet):
        return describe(data)
    source = data if isinstance(data, DataSource) else source_at(data)
    return describe(open_source(source.instead(partial=True), on_conflict="note"), partial=source.partial)


def describe(videos: VideoSet, *, partial: bool = False) -> SetReport:
    """Say what is in a set that is open."""
    parts = {"normal": videos.normal, "known": videos.known, "test": videos.test}
    every = [one for part in parts.values() for one in part]
    return SetReport(
        name=videos.name,
        kind=videos.kind,
        root=None if videos.root is None else str(videos.root),
        parts={name: _part(part) for name, part in parts.items() if part},
        abnormal_frames=dict(videos.abnormal_frames),
        conflicts=videos.conflicts,
        notes=(*videos.notes, *video_notes(every)),
        fingerprint=videos.fingerprint(),
        ground_truth=videos.ground_truth,
        missing=videos.missing,
        partial=partial,
        pixel_range=learn_pixel_range(one.video for one in videos.normal or every),
    )


def _part(videos: Sequence[LabelledVideo]) -> PartReport:
    return PartReport(
        videos=len(videos),
        frames=sum(one.video.frame_count for one in videos),
        abnormal=sum(int(one.labels.sum()) for one in videos if one.labels is not None),
        unlabelled=sum(one.labels is None for one in videos),
        masked=sum(one.masks is not None for one in videos),
        scenes=tuple(dict.fromkeys(one.scene for one in videos if one.scene)),
        sizes=tuple(dict.fromkeys(one.video.size for one in videos)),
        channels=tuple(dict.fromkeys(one.video.channels for one in videos)),
        fps=tuple(dict.fromkeys(one.video.fps for one in videos)),
    )


def _in_words(part: PartReport) -> str:
    words = [f"{_count(part.videos, 'video')}, {_count(part.frames, 'frame')}"]
    if part.unlabelled < part.videos:
        words.append(f"{part.abnormal} abnormal")
    if part.unlabelled:
        words.append(f"{part.unlabelled} without labels")
    if part.masked:
        words.append(f"{part.masked} with pixel masks")
    if part.scenes:
        words.append(f"{_count(len(part.scenes), 'scene')} ({', '.join(part.scenes[:5])})")
    words.append(" and ".join(f"{width}x{height}" for height, width in part.sizes[:4]))
    words.append(" and ".join({1: "grey", 3: "colour"}[channels] for channels in part.channels))
    words.append(" and ".join("no frame rate" if fps is None else f"{fps:g} fps" for fps in part.fps[:4]))
    return ", ".join(words)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
