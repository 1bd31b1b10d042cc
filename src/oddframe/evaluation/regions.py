"""Whether a detector finds the odd places, not just the odd frames: RBDC and TBDC.

Region-based and track-based detection criterion of Ramachandra and Jones, "Street Scene: A new dataset and evaluation
protocol for video anomaly detection", WACV 2020. Both are areas under a curve, 0..1, higher is better.

A map is cut at a line. What is at or above it falls into *detected regions*, its connected components; the mask falls
into *odd regions*, its own. (Places that touch at a corner are connected.)
- An odd region is found when its IoU with some detected region of the frame is at least 0.1.
- A detected region is a false positive when its IoU with every odd region of the frame is below 0.1.
- A track is found when at least a tenth of its odd regions is found.
- RBDC is the area under (share of odd regions found) over (false positives per judged frame) as the line falls, for 0
  to 1 false positives per frame; TBDC the same with the share of tracks found.

Three things that the definition leaves open, as read here:
- *Tracks.* Masks carry no identities. Regions of neighbouring frames are linked one to one, largest IoU first, if they
  share a pixel; a region without a partner begins a track, and a frame without a mask ends all of them. Two people
  who meet and part again are therefore three tracks or more.
- *The curve.* As the line falls regions merge, so neither rate is monotone. The line falls until more than one false
  positive a frame is met, and not further; at each rate of false positives the curve takes the best of the lines met
  that have no more than it. It is a staircase: nothing between two lines is taken for attained.
- *The grid.* A map is coarser than the picture. Each of its places stands for the rectangle of the picture that it
  covers, and areas count in places, an odd region with the shares of the places that it covers. So nothing is
  interpolated, and a map as large as the mask is judged pixel by pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.errors import RunError

Map = NDArray[np.float32]
Regions = NDArray[np.int32]

LEAST_IOU = 0.1
LEAST_OF_TRACK = 0.1

_SHIFT = 19
_FIRST, _LAST = (int(np.float32(value).view(np.uint32)) >> _SHIFT for value in (2.0**-20, 2.0**8))

LEVELS = (np.arange(_FIRST, _LAST + 1, dtype=np.uint32) << _SHIFT).view(np.float32)
"""Lines at which maps are cut: sixteen an octave from one in a million to 256 (errors are 0..1, distances 0..4, heat is
1 at the alarm line). Their lower bits are 0, so that the upper bits of a value say which of them it reaches."""

_STACK_PLACES = 4_000_000
"""Places whose components are found at once: 16 MB of labels."""


class OddRegions(NamedTuple):
    """The odd regions of one frame.

    Attributes:
        shares: (G, h, w) float32, how much of each place of the map each region covers, 0..1.
        tracks: (G,) the number of each one's track within the video.
    """

    shares: Map
    tracks: NDArray[np.int64]


class MaskTracks:
    """Cuts the masks of one video into regions, and links these to tracks."""

    def __init__(self) -> None:
        self._labels: Regions = np.zeros((0, 0), np.int32)
        self._areas: Regions = np.zeros(0, np.int32)
        self._tracks = np.zeros(0, np.int64)
        self.count = 0

    def next(self, mask: NDArray[np.bool_]) -> tuple[Regions, NDArray[np.int64]]:
        """Take the mask (H, W) of the next frame; return its regions, numbered from 1 (0 is normal), and their tracks.

        A mask without an odd pixel ends all tracks.
        """
        _, numbered, stats, _ = cv2.connectedComponentsWithStats(
            mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
        )
        labels, areas = np.asarray(numbered, np.int32), np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int32)
        tracks = np.full(len(areas), -1, np.int64)
        for before, now in _pairs(self._labels, self._areas, labels, areas):
            tracks[now] = self._tracks[before]
        fresh = np.flatnonzero(tracks < 0)
        tracks[fresh] = np.arange(self.count, self.count + len(fresh))
        self.count += len(fresh)
        self._labels, self._areas, self._tracks = labels, areas, tracks
        return labels, tracks


def _pairs(before: Regions, areas_before: Regions, now: Regions, areas_now: Regions) -> list[tuple[int, int]]:
    """Pairs of regions (counted from 0) of two frames that overlap, one to one, largest IoU first."""
    if not (len(areas_before) and len(areas_now)):
        return []
    common = (before > 0) & (now > 0)
    shared = np.zeros((len(areas_before), len(areas_now)))
    np.add.at(shared, (before[common] - 1, now[common] - 1), 1)
    iou = shared / (areas_before[:, None] + areas_now - shared)
    found: list[tuple[int, int]] = []
    while iou.max() > 0:
        one, other = np.unravel_index(int(iou.argmax()), iou.shape)
        found.append((int(one), int(other)))
        iou[one], iou[:, other] = 0, 0
    return found


def shares_of(labels: Regions, count: int, shape: tuple[int, int]) -> Map:
    """How much of each place of a map each region covers: regions (H, W) numbered from 1 → (count, h, w), 0..1."""
    shrinks = shape[0] <= labels.shape[0] and shape[1] <= labels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    shares = np.zeros((count, *shape), np.float32)
    for number in range(count):
        covered = (labels == number + 1).astype(np.float32)
        shares[number] = cv2.resize(covered, (shape[1], shape[0]), interpolation=method)
    return shares


class RegionCurve:
    """Counts regions found and false positives at every line, frame by frame; keeps no frame.

    Args:
        frames_at_most: how many frames may come. A line with more false positives than this can play no part in the
            figures, nor can those below it, and they are no longer looked at. Without it all of them are.
    """

    def __init__(self, frames_at_most: int | None = None) -> None:
        self._most = np.inf if frames_at_most is None else frames_at_most
        self._lowest = 0
        self._false = np.zeros(len(LEVELS), np.int64)
        self._regions_found = np.zeros(len(LEVELS), np.int64)
        self._tracks_found = np.zeros(len(LEVELS), np.int64)
        self._of_track: dict[int, tuple[int, NDArray[np.int64]]] = {}
        self.frames = self.regions = self.tracks = 0

    def add(self, values: Map, odd: OddRegions | None = None) -> None:
        """Take the map (h, w) of the next frame, never negative, and the frame's odd regions if it has any.

        Raises:
            RunError: a value is not a finite number.
        """
        self.frames += 1
        shares = np.zeros((0, *values.shape), np.float32) if odd is None else odd.shares
        found = np.zeros((len(LEVELS), len(shares)), bool)
        rank = ranks(values)  # a place is at or above line k when its rank is larger than k
        cuts = np.unique(rank[rank > self._lowest])
        # between two ranks that occur, all lines cut the map alike
        lines = np.diff(cuts, prepend=self._lowest)
        step = max(1, _STACK_PLACES // (rank.size + rank.shape[1]))
        for first in range(0, len(cuts), step):
            part = slice(first, first + step)
            false, hit = _judge_cuts(rank[None] >= cuts[part, None, None], shares)
            lowest = cuts[part][0] - lines[part][0]
            self._false[lowest : cuts[part][-1]] += np.repeat(false, lines[part])
            found[lowest : cuts[part][-1]] = np.repeat(hit, lines[part], axis=0)
        if odd is not None:
            self._count(found, odd.tracks)
        if (dead := np.flatnonzero(self._false[self._lowest :] > self._most)).size:
            self._lowest += int(dead[-1]) + 1

    def end_video(self) -> None:
        """End all tracks."""
        for length, found in self._of_track.values():
            self._tracks_found += found >= LEAST_OF_TRACK * length
        self.tracks += len(self._of_track)
        self._of_track = {}

    def rbdc(self) -> float | None:
        """Region-based detection criterion, 0..1; None where there was no odd region."""
        return self._area(self._regions_found, self.regions)

    def tbdc(self) -> float | None:
        """Track-based detection criterion, 0..1, over the videos that have ended; None where there was no track."""
        return self._area(self._tracks_found, self.tracks)

    def _count(self, found: NDArray[np.bool_], tracks: NDArray[np.int64]) -> None:
        self.regions += len(tracks)
        self._regions_found += found.sum(axis=1)
        for number, track in enumerate(tracks.tolist()):
            length, before = self._of_track.get(track, (0, np.zeros(len(LEVELS), np.int64)))
            self._of_track[track] = (length + 1, before + found[:, number])

    def _area(self, found: NDArray[np.int64], count: int) -> float | None:
        if not count:
            return None
        false, share = self._false[::-1] / self.frames, found[::-1] / count  # as the line falls
        too_many = np.flatnonzero(false > 1)
        met = slice(0, too_many[0] if len(too_many) else len(false))
        order = np.argsort(false[met], kind="stable")
        rates = np.append(false[met][order], 1.0)
        best = np.maximum.accumulate(share[met][order])
        return float((np.diff(rates) * best).sum())


def ranks(values: Map) -> NDArray[np.int64]:
    """How many of the `LEVELS` each value of a map reaches.

    Raises:
        RunError: a value is not a finite number.
    """
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise RunError(
            "maps with values that are not finite numbers cannot be judged",
            seen=f"{bad} of {values.size} places",
            wanted="a number for every place",
            hint="look at the losses in history.jsonl; train again with a smaller train.lr",
        )
    upper = np.ascontiguousarray(values, np.float32).view(np.int32) >> _SHIFT
    return np.clip(upper.astype(np.int64) - (_FIRST - 1), 0, len(LEVELS))


def _judge_cuts(above: NDArray[np.bool_], shares: Map) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Judge one map cut at S lines at once.

    Args:
        above: (S, h, w). shares: (G, h, w), see `OddRegions`.

    Returns:
        (S,) false positives, and (S, G) whether each odd region is found.
    """
    cuts, height, width = above.shape
    # one below the other, with an empty row between, so that one call finds the components of all cuts
    stack = np.zeros((cuts, height + 1, width), np.uint8)
    stack[:, :height] = above
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        stack.reshape(-1, width), connectivity=8, ltype=cv2.CV_32S
    )
    cut_of = stats[:, cv2.CC_STAT_TOP] // (height + 1)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    real = np.arange(count) > 0  # number 0 is what lies below the line
    useful = np.zeros(count, bool)
    found = np.zeros((cuts, len(shares)), bool)
    places = labels.reshape(cuts, height + 1, width)[:, :height].reshape(cuts, -1)
    for number, share in enumerate(shares.reshape(len(shares), height * width)):
        covered = np.flatnonzero(share)
        shared = np.bincount(places[:, covered].ravel(), np.tile(share[covered], cuts), minlength=count)
        hit = real & (shared >= LEAST_IOU * (area + share.sum(dtype=np.float64) - shared))
        useful |= hit
        found[cut_of[hit], number] = True
    return np.bincount(cut_of[real & ~useful], minlength=cuts), found
