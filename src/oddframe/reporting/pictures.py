"""Pictures for the page: small frames to move along a curve, heat over them, and what a moment's score rests on."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from oddframe.errors import CutOffVideoError, DataError
from oddframe.reporting.moments import Moment
from oddframe.scoring.scores import Scores
from oddframe.video import draw
from oddframe.video.draw import Picture
from oddframe.video.source import Video

if TYPE_CHECKING:
    from oddframe.scoring.explanation import Explanation
    from oddframe.scoring.scorer import Scorer

_THUMB_WIDTH, _ALONE_WIDTH = 160, 320
"""Of frames along a curve: beside many curves, and beside a single one, where they are shown larger."""

_HEAT_WIDTH = 40
_PANEL_WIDTHS = (300, 640)
"""Least and most of pictures of a moment, which are shown in a row, and larger when one is clicked."""

_COLUMNS, _SHEET = 10, 100
"""Pictures in a row and on a sheet: browsers refuse very large ones."""

_MOST_THUMBS, _MOST_ALONE = 900, 300
_LEAST_STEP = 4
_MOST_HEAT = 300
"""Frames of a page with heat: each costs the detector a window."""

_MOST_BYTES = 4_500_000
"""Of all small frames, before base64 adds a third."""

_HELD_BYTES = 400_000_000
"""Of full frames in memory at once."""


class PictureSource(Protocol):
    """Where the page gets its pictures from."""

    def frames(self, video: str, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        """Yield (frame number in the source, (H, W, C) uint8) of the frames that can be read, in order."""
        ...

    def explain(self, video: str, wanted: Sequence[int]) -> Sequence[Explanation]:
        """What the scores of some frames rest on; nothing where the detector is not at hand."""
        ...


@dataclass(frozen=True)
class VideoPictures:
    """Pictures from videos by name, explained by a scorer where there is one."""

    videos: Mapping[str, Video]
    scorer: Scorer | None = None
    scenes: Mapping[str, str] = field(default_factory=dict)

    def frames(self, video: str, wanted: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        """See `PictureSource`."""
        left = set(wanted)
        shown = self.videos[video] if self.scorer is None else self.scorer.as_trained(self.videos[video])
        try:
            for frame in shown.frames() if left else ():
                if frame.index in left:
                    yield frame.index, frame.pixels
                    left.remove(frame.index)
                    if not left:
                        return
        except CutOffVideoError:
            return

    def explain(self, video: str, wanted: Sequence[int]) -> Sequence[Explanation]:
        """See `PictureSource`."""
        if self.scorer is None or not wanted:
            return ()
        return self.scorer.explain(self.videos[video], wanted, self.scenes.get(video, ""))


@dataclass(frozen=True)
class Thumbs:
    """Small frames along the curve of a video, in sheets, and their heat in the same grid.

    Attributes:
        width, height: of a frame in its sheet. columns: of a sheet. sheet: frames in each. frames: their numbers.
        sheets, heat: pictures as data addresses; no heat where none was computed.
        heat_width, heat_height: of the heat of a frame, 0 without any.
    """

    width: int
    height: int
    columns: int
    sheet: int
    frames: list[int]
    sheets: list[str]
    heat: list[str]
    heat_width: int
    heat_height: int


@dataclass
class Album:
    """The pictures of a page, as the templates and the script take them.

    Attributes:
        thumbs: video → sheets of small frames, with heat. panels: moment → its pictures as data addresses.
        notes: what could not be shown.
    """

    thumbs: dict[str, Thumbs] = field(default_factory=dict)
    panels: dict[Moment, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def album(source: PictureSource, videos: Sequence[Scores], moments: Sequence[Moment]) -> Album:
    """Gather the pictures of a page.

    Frames along the curves are every fourth, or so many fewer that a page stays small. Heat is computed for the
    oddest of them, and for the moments.
    """
    made = Album()
    width, most = (_ALONE_WIDTH, _MOST_ALONE) if len(videos) == 1 else (_THUMB_WIDTH, _MOST_THUMBS)
    step = max(_LEAST_STEP, -(-sum(len(scores) for scores in videos) // most))
    small: dict[str, dict[int, Picture]] = {}
    heat: dict[str, dict[int, Picture]] = {}
    hot = _hot(videos, step)
    for scores in videos:
        own = [moment for moment in moments if moment.video == scores.video]
        try:
            small[scores.video] = _small_frames(source, scores, step, width)
            heat[scores.video] = _explained(source, scores, hot[scores.video], own, made)
        except (DataError, KeyError) as error:
            problem = error.problem if isinstance(error, DataError) else "it is not in the data"
            made.notes.append(f"No pictures of '{scores.video}': {problem}.")
            small.pop(scores.video, None)
    _pack(small, heat, made)
    return made


def data_address(content: bytes, kind: str) -> str:
    """A picture as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _small_frames(source: PictureSource, scores: Scores, step: int, width: int) -> dict[int, Picture]:
    wanted = scores.frame[::step].tolist()
    return {number: draw.fit(picture, width) for number, picture in source.frames(scores.video, wanted)}


def _hot(videos: Sequence[Scores], step: int) -> dict[str, list[int]]:
    """Frames along the curves that are worth heat: at least half way to the alarm line, the highest first."""
    ranked = [
        (float(score), scores.video, int(frame))
        for scores in videos
        for frame, score in zip(scores.frame[::step], scores.online[::step], strict=True)
        if score >= scores.line.on / 2
    ]
    chosen: dict[str, list[int]] = {scores.video: [] for scores in videos}
    for _, video, frame in sorted(ranked, reverse=True)[:_MOST_HEAT]:
        chosen[video].append(frame)
    return chosen


def _explained(
    source: PictureSource, scores: Scores, hot: Sequence[int], moments: Sequence[Moment], made: Album
) -> dict[int, Picture]:
    """Fill the panels of the moments of one video; return the heat of the frames along its curve."""
    frame_bytes = scores.size[0] * scores.size[1] * 3
    of_moments = {moment.frame: moment for moment in moments}
    room = max(0, _HELD_BYTES // frame_bytes - len(of_moments))
    heat = {}
    for shown in source.explain(scores.video, sorted({*of_moments, *hot[:room]})):
        if shown.frame in of_moments:
            made.panels[of_moments[shown.frame]] = _panels(shown)
        shape = (max(1, round(scores.size[0] * _HEAT_WIDTH / scores.size[1])), _HEAT_WIDTH)
        heat[shown.frame] = draw.resize(draw.heat_layer(shown.heat), shape)
    unexplained = [moment for moment in moments if moment not in made.panels]
    for number, picture in source.frames(scores.video, [moment.frame for moment in unexplained]):
        made.panels[of_moments[number]] = {"frame": _panel(picture)}
    return heat


def _panels(shown: Explanation) -> dict[str, str]:
    """Pictures of the detector's size take the shape of the source's."""
    shape = _as_panel(shown.picture).shape[:2]
    return {
        "frame": _panel(draw.annotated(shown.picture, box=shown.box)),
        "compared": _panel(draw.resize(shown.predicted, shape)),
        "error": _panel(draw.resize(draw.error_picture(shown.error), shape)),
        "heat": _panel(draw.annotated(shown.picture, shown.heat, shown.box)),
    }


def _panel(picture: Picture) -> str:
    return data_address(draw.jpeg(_as_panel(picture), 72), "jpeg")


def _as_panel(picture: Picture) -> Picture:
    least, most = _PANEL_WIDTHS
    return draw.fit(picture, min(max(picture.shape[1], least), most))


def _pack(small: dict[str, dict[int, Picture]], heat: dict[str, dict[int, Picture]], made: Album) -> None:
    """Small frames become sheets; every second one goes until all fit, or one of each video is left."""
    while True:
        sheets = {video: _sheets(list(frames.values())) for video, frames in small.items() if frames}
        size = sum(len(sheet) for group in sheets.values() for sheet in group)
        if size <= _MOST_BYTES or all(len(frames) <= 1 for frames in small.values()):
            break
        small = {video: dict(list(frames.items())[::2]) for video, frames in small.items()}
    for video, group in sheets.items():
        numbers = list(small[video])
        first = small[video][numbers[0]]
        of_heat = next(iter(heat[video].values()), None)
        made.thumbs[video] = Thumbs(
            width=first.shape[1],
            height=first.shape[0],
            columns=_COLUMNS,
            sheet=_SHEET,
            frames=numbers,
            sheets=[data_address(sheet, "jpeg") for sheet in group],
            heat=[] if of_heat is None else _heat_sheets(numbers, heat[video], np.zeros_like(of_heat)),
            heat_width=0 if of_heat is None else of_heat.shape[1],
            heat_height=0 if of_heat is None else of_heat.shape[0],
        )


def _sheets(pictures: Sequence[Picture]) -> list[bytes]:
    groups = [pictures[begin : begin + _SHEET] for begin in range(0, len(pictures), _SHEET)]
    return [draw.jpeg(draw.sheet(group, _COLUMNS), 62) for group in groups]


def _heat_sheets(numbers: Sequence[int], heat: Mapping[int, Picture], empty: Picture) -> list[str]:
    """Heat in the same grid as the frames; empty places are transparent."""
    cells = [heat.get(number, empty) for number in numbers]
    groups = [cells[begin : begin + _SHEET] for begin in range(0, len(cells), _SHEET)]
    return [data_address(draw.png(draw.sheet(group, _COLUMNS)), "png") for group in groups]
