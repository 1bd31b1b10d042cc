"""Protocols: which videos are trained on, which are known anomalies, which are judged.

`standard` is the official split. `kfold` (Sec. IV-C) moves one block of the test videos to the known anomalies. Whole
videos move, so that no judged frame has a neighbour that was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from oddframe.data.videoset import LabelledVideo, VideoSet, spans_of
from oddframe.errors import NothingToJudgeError, SettingsError, nearest
from oddframe.video.source import natural_key

Protocol = Literal["standard", "kfold"]
KnownNormal = Literal["use", "drop"]

_SHORTEST_HELDOUT = 16
"""Frames of a held-out piece at least; shorter ones hold hardly a window and a sample of one moment only."""

_LARGEST_SHARE = 3.0
"""A whole video is held out if it is at most so many times longer than wanted; else its last part is."""


@dataclass(frozen=True)
class Section:
    """Frames start..stop-1 of a video, as positions in its labels and stored pictures."""

    video: LabelledVideo
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Split:
    """Who learns what. Nothing stands in two of these, and no video that is trained on is judged.

    Attributes:
        protocol, fold, folds: what made it; fold and folds are None but for `kfold`.
        normal: normal video to train on. Where a section's labels mark frames abnormal, these are not normal.
        known: videos with known anomalies to train on: abnormal where their labels say so.
        test: videos to judge.
        heldout: normal video for calibration, never trained on. Not one frame is abnormal.
        heldout_known: known anomalies kept for fitting a fusion, never trained on.
        known_normal: whether the normal frames of `known` are trained on as normal ("use") or not at all ("drop").
    """

    protocol: Protocol
    fold: int | None
    folds: int | None
    normal: tuple[Section, ...]
    known: tuple[LabelledVideo, ...]
    test: tuple[LabelledVideo, ...]
    heldout: tuple[Section, ...]
    heldout_known: tuple[LabelledVideo, ...]
    known_normal: KnownNormal = "use"


def split(
    videos: VideoSet,
    protocol: str = "standard",
    *,
    fold: int | None = None,
    folds: int = 10,
    shuffle: int | None = None,
    known_normal: str = "use",
    heldout: float = 0.1,
    heldout_known: float = 0.0,
    seed: int = 0,
) -> Split:
    """Divide a set. The same arguments always give the same split.

    Args:
        videos: the set.
        protocol: "standard" or "kfold".
        fold: which block of the test videos is known, 0..folds-1; `kfold` only.
        folds: number of blocks. The test videos in natural order are cut as evenly as can be, larger blocks first.
        shuffle: seed by which the test videos are dealt into blocks instead of in natural order.
        known_normal: "use" or "drop" the normal frames of known videos, carried in the split.
        heldout: share of the normal frames kept for calibration, about: whole videos, spread evenly over each scene;
            the end of a video where a whole one would be far too much.
        heldout_known: share of the known videos kept apart. Above 0 it is at least one, if two are there.
        seed: decides which known videos are kept apart.

    Raises:
        SettingsError: an unknown protocol, or a number out of range.
        NothingToJudgeError: `kfold` without labels for the videos that are to be known.
    """
    for word, known_words in ((protocol, get_args(Protocol)), (known_normal, get_args(KnownNormal))):
        if word not in known_words:
            raise SettingsError(
                "no such protocol" if known_words is get_args(Protocol) else "known_normal cannot be this",
                seen=word,
                wanted=" or ".join(known_words),
                hint=nearest(word, known_words),
            )
    for name, share in (("heldout", heldout), ("heldout_known", heldout_known)):
        if not 0 <= share < 1:
            raise SettingsError(f"{name} is a share of what there is", seen=share, wanted="from 0 to below 1")
    known, test = list(videos.known), list(videos.test)
    if protocol == "kfold":
        chosen = _block(len(test), fold, folds, shuffle)
        ordered = sorted(test, key=lambda one: natural_key(one.name))
        moved = [ordered[place] for place in chosen]
        if unlabelled := [one.name for one in moved if one.labels is None]:
            raise NothingToJudgeError(
                "a fold of the test videos cannot be known anomalies without labels",
                path=videos.root,
                seen=f"no labels for {', '.join(unlabelled)}",
                hint="add their labels, or use the protocol standard",
            )
        names = {id(one) for one in moved}
        test = [one for one in test if id(one) not in names]
        known += moved
    elif fold is not None:
        raise SettingsError("only the protocol kfold has folds", seen=f"fold {fold}", hint="add --protocol kfold")
    training, apart = _hold_out_normal(videos.normal, heldout)
    known, known_apart = _hold_out_known(known, heldout_known, seed)
    return Split(
        protocol="kfold" if protocol == "kfold" else "standard",
        fold=fold,
        folds=folds if protocol == "kfold" else None,
        normal=tuple(training),
        known=tuple(known),
        test=tuple(test),
        heldout=tuple(apart),
        heldout_known=tuple(known_apart),
        known_normal="use" if known_normal == "use" else "drop",
    )


def _block(count: int, fold: int | None, folds: int, shuffle: int | None) -> list[int]:
    if not 2 <= folds <= count:
        raise SettingsError(
            "so many folds cannot be cut", seen=f"{folds} folds, {count} test videos", wanted=f"2 to {count} folds"
        )
    if fold is None or not 0 <= fold < folds:
        raise SettingsError("kfold needs a fold", seen=fold, wanted=f"0 to {folds - 1}", hint="give --fold")
    order = np.arange(count) if shuffle is None else np.random.default_rng(shuffle).permutation(count)
    return sorted(int(place) for place in np.array_split(order, folds)[fold])


def _hold_out_normal(videos: Sequence[LabelledVideo], share: float) -> tuple[list[Section], list[Section]]:
    """Return sections to train on and sections kept apart, both in the order of the set."""
    scenes: dict[str, list[LabelledVideo]] = {}
    for one in videos:
        scenes.setdefault(one.scene, []).append(one)
    apart_from: dict[int, int] = {}  # id of a video -> its first frame that is kept apart
    if share > 0:
        for scene in scenes.values():
            pieces = 1 if len(scenes) > 1 else 2
            apart_from.update(_hold_out_in_scene(scene, share, pieces))
    training, apart = [], []
    for one in videos:
        length = one.video.frame_count
        cut = apart_from.get(id(one), length)
        if cut > 0:
            training.append(Section(one, 0, cut))
        if cut < length:
            odd = np.zeros(length, bool) if one.labels is None else one.labels
            quiet = ~odd
            quiet[:cut] = False
            apart += [Section(one, start, stop) for start, stop in spans_of(quiet)]
    return training, apart


def _hold_out_in_scene(scene: Sequence[LabelledVideo], share: float, least: int) -> dict[int, int]:
    lengths = [one.video.frame_count for one in scene]
    pieces = min(max(least, round(share * len(scene))), len(scene))
    wanted = share * sum(lengths) / pieces
    chosen = [int((piece + 0.5) * len(scene) / pieces) for piece in range(pieces)]
    cuts = {}
    whole = 0
    for place in chosen:
        length = lengths[place]
        if length <= _LARGEST_SHARE * wanted and whole < len(scene) - 1:
            whole += 1
            cuts[id(scene[place])] = 0
        else:
            kept = min(max(round(wanted), _SHORTEST_HELDOUT), length // 2)
            cuts[id(scene[place])] = length - kept
    return cuts


def _hold_out_known(
    known: Sequence[LabelledVideo], share: float, seed: int
) -> tuple[list[LabelledVideo], list[LabelledVideo]]:
    apart_count = min(max(1, round(share * len(known))), len(known) - 1) if share > 0 else 0
    if apart_count < 1:
        return list(known), []
    apart = set(np.random.default_rng(seed).permutation(len(known))[:apart_count].tolist())
    return (
        [one for place, one in enumerate(known) if place not in apart],
        [one for place, one in enumerate(known) if place in apart],
    )
