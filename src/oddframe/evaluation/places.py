"""Maps of test videos beside their masks, one frame after another: the figures of `evaluate(places=True)`.

Judged are the heat behind `online` (`heat_of`, which boxes are drawn around) and the raw map of each local component.
They come from the same pass as the scores, and none is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from oddframe.evaluation.figures import Named, PlaceFigures, Places
from oddframe.evaluation.pixels import PixelCurve
from oddframe.evaluation.regions import Map, MaskTracks, OddRegions, RegionCurve, shares_of

if TYPE_CHECKING:
    from oddframe.data.videoset import LabelledVideo


class PlaceJudge:
    """Judges the maps of one video after another.

    Labels say whether a frame is odd, masks say where. An abnormal frame without a mask is left out, for nobody knows
    where it is odd; so are all abnormal frames of a set without masks.

    Args:
        frames_at_most: how many frames may come, see `RegionCurve`.
    """

    def __init__(self, frames_at_most: int) -> None:
        self._most = frames_at_most
        self._curves: dict[str, tuple[RegionCurve, PixelCurve]] = {}
        self._left_out = 0
        self._video: LabelledVideo | None = None
        self._tracks = MaskTracks()

    def begin(self, video: LabelledVideo) -> None:
        """Turn to the next video; it has labels."""
        self._end()
        self._video, self._tracks = video, MaskTracks()

    def take(self, frame: int, maps: Mapping[str, Map]) -> None:
        """Take the maps of the next judged frame (its number in the source): name → (h, w), never negative.

        Raises:
            LabelError: a mask does not decode. FrameSizeError: it has another size than its frame.
            RunError: a value is not a finite number.
        """
        video = self._video
        assert video is not None
        assert video.labels is not None
        position = frame - video.video.first_index
        mask = video.masks.read(position) if video.labels[position] and video.masks is not None else None
        labels, tracks = self._tracks.next(np.zeros((1, 1), bool) if mask is None else mask)
        if video.labels[position] and not len(tracks):
            self._left_out += 1
            return
        for name, values in maps.items():
            if name not in self._curves:
                self._curves[name] = RegionCurve(self._most), PixelCurve()
            regions, pixels = self._curves[name]
            if not len(tracks):
                regions.add(values)
                pixels.add(values)
                continue
            shares = shares_of(labels, len(tracks), (values.shape[0], values.shape[1]))
            regions.add(values, OddRegions(shares, tracks))
            pixels.add(values, shares.sum(axis=0))

    def finish(self) -> tuple[Places | None, list[str]]:
        """Return the figures, None where no mask was met, and what a reader must know."""
        self._end()
        some = next((regions for regions, _ in self._curves.values()), None)
        if some is None or not some.regions:
            return None, ["No judged frame has a mask: whether the odd places are found cannot be judged."]
        notes = []
        if self._left_out:
            many = "frame without a mask is" if self._left_out == 1 else "frames without a mask are"
            notes.append(f"{self._left_out} abnormal {many} left out of the figures on places.")
        figures = {
            name: PlaceFigures(
                rbdc=regions.rbdc(), tbdc=regions.tbdc(), pixel_auc=pixels.auc(), covered_auc=pixels.covered_auc()
            )
            for name, (regions, pixels) in self._curves.items()
        }
        found = Places(
            frames=some.frames,
            left_out=self._left_out,
            regions=some.regions,
            tracks=some.tracks,
            figures=Named[PlaceFigures](figures),
        )
        return found, notes

    def _end(self) -> None:
        for regions, _ in self._curves.values():
            regions.end_video()
