"""Protocols: which videos are trained on, which are known anomalies, which are judged.

`standard` is the official split. The others move test videos to the known anomalies, and whole ones, so that no judged
frame has a neighbour that was trained on: `kfold` (Sec. IV-C) one block of them, `rate` (Sec. IV-E) half of those that
show an anomaly. `unseen` knows some classes of anomaly alone, so that the others are met in the test only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from oddframe.data.videoset import LabelledVideo, VideoSet, spans_of
from oddframe.errors import NothingToJudgeError, SettingsError, nearest
from oddframe.video.source import natural_key

Protocol = Literal["standard", "kfold", "rate", "unseen"]
Known = Literal["use", "leave-out"]
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


@dataclass(frozen=True, repr=False)
class Split:
    """Who learns what. Nothing stands in two of these, and no video that is trained on is judged.

    Attributes:
        protocol, fold, folds, rate, known_classes: what made it; what its protocol does not know is None or empty.
        normal: normal video to train on. Where a section's labels mark frames abnormal, these are not normal.
        known: videos with known anomalies to train on: abnormal where their labels say so.
        test: videos to judge.
        heldout: normal video for calibration, never trained on. Not one frame is abnormal.
        heldout_known: known anomalies kept for fitting a fusion, never trained on.
        known_normal: whether the normal frames of `known` are trained on as normal ("use") or not at all ("drop").
        rate: share of abnormal clips among all training clips. So many are drawn from those that there are; None for
            all of them.
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
    rate: float | None = None
    known_classes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fold = "" if self.fold is None else f" fold {self.fold} of {self.folds}"
        parts = ("normal", "known", "test", "heldout", "heldout_known")
        counts = ", ".join(f"{len(there)} {name}" for name in parts if (there := getattr(self, name)))
        return f"<Split {self.protocol}{fold}: {counts or 'no videos'}>"


def split(
    videos: VideoSet,
    protocol: str = "standard",
    *,
    fold: int | None = None,
    folds: int = 10,
    shuffle: int | None = None,
    rate: float | None = None,
    known_classes: Sequence[str] = (),
    known: str = "use",
    known_normal: str = "use",
    heldout: float = 0.1,
    heldout_known: float = 0.0,
    seed: int = 0,
) -> Split:
    """Divide a set. The same arguments always give the same split.

    Args:
        videos: the set.
        protocol: "standard", "kfold", "rate" or "unseen".
        fold: which block of the test videos is known, 0..folds-1; `kfold` only.
        folds: number of blocks. The test videos in natural order are cut as evenly as can be, larger blocks first.
        shuffle: seed by which the test videos are dealt into blocks instead of in natural order.
        rate: share of abnormal clips among the training clips, above 0 and below 1; `rate` only.
        known_classes: names of the anomalies that are known; `unseen` only.
        known: "use" the known anomalies that the set brings along, or "leave-out". Test videos that a protocol makes
            known are known all the same.
        known_normal: "use" or "drop" the normal frames of known videos, carried in the split. `rate` drops them: it
            adds abnormal clips to the normal training videos, and nothing else.
        heldout: share of the normal frames kept for calibration, about: whole videos, spread evenly over each scene;
            the end of a video where a whole one would be far too much.
        heldout_known: share of the known videos kept apart. Above 0 it is at least one, if two are there.
        seed: decides which known videos are kept apart, and which test videos `rate` and `unseen` move.

    Raises:
        SettingsError: an unknown protocol or class, a number out of range, or what belongs to another protocol.
        NothingToJudgeError: too few labels for the videos that are to be known.
    """
    for problem, word, known_words in (
        ("no such protocol", protocol, get_args(Protocol)),
        ("known cannot be this", known, get_args(Known)),
        ("known_normal cannot be this", known_normal, get_args(KnownNormal)),
    ):
        if word not in known_words:
            raise SettingsError(
                problem,
                seen=word,
                wanted=" or ".join(known_words),
                hint=nearest(word, known_words),
            )
    for name, share in (("heldout", heldout), ("heldout_known", heldout_known)):
        if not 0 <= share < 1:
            raise SettingsError(f"{name} is a share of what there is", seen=share, wanted="from 0 to below 1")
    owned = (("kfold", "fold", fold), ("rate", "rate", rate), ("unseen", "known_classes", tuple(known_classes)))
    for owner, name, given in owned:
        if protocol != owner and given not in (None, ()):
            raise SettingsError(
                f"{name} belongs to the protocol {owner}", seen=f"{name} {given}", hint=f"add --protocol {owner}"
            )
    if known == "leave-out":
        videos = replace(videos, known=())
    normal, taught, moved = list(videos.normal), list(videos.known), []
    if protocol == "kfold":
        moved = _fold(videos, fold, folds, shuffle)
    elif protocol == "rate":
        if rate is None or not 0 < rate < 1:
            raise SettingsError("rate needs a share of abnormal clips", seen=rate, wanted="for example --rate 0.05")
        moved = _half(_anomalous(videos), seed)
        known_normal = "drop"
    elif protocol == "unseen":
        normal, taught, moved = _of_classes(videos, known_classes, seed)
    test = [one for one in videos.test if one not in moved]
    taught += moved
    training, apart = _hold_out_normal(normal, heldout)
    taught, taught_apart = _hold_out_known(taught, heldout_known, seed)
    return Split(
        protocol=next(one for one in get_args(Protocol) if one == protocol),
        fold=fold,
        folds=folds if protocol == "kfold" else None,
        normal=tuple(training),
        known=tuple(taught),
        test=tuple(test),
        heldout=tuple(apart),
        heldout_known=tuple(taught_apart),
        known_normal="use" if known_normal == "use" else "drop",
        rate=rate,
        known_classes=tuple(known_classes),
    )


def _fold(videos: VideoSet, fold: int | None, folds: int, shuffle: int | None) -> list[LabelledVideo]:
    """Return the test videos of one block."""
    ordered = sorted(videos.test, key=lambda one: natural_key(one.name))
    if len(ordered) < 2:
        raise SettingsError(
            "there are no folds to cut: a fold is a part of the test videos",
            seen="1 test video" if ordered else "no test video",
            wanted="at least 2 test videos",
        )
    if not 2 <= folds <= len(ordered):
        raise SettingsError(
            "so many folds cannot be cut", seen=f"{folds} folds, {len(ordered)} test videos",
            wanted="2 folds" if len(ordered) == 2 else f"2 to {len(ordered)} folds", hint="--set data.folds=2",
        )  # fmt: skip
    if fold is None or not 0 <= fold < folds:
        raise SettingsError("kfold needs a fold", seen=fold, wanted=f"0 to {folds - 1}", hint="give --fold")
    if shuffle is not None:
        ordered = [ordered[place] for place in np.random.default_rng(shuffle).permutation(len(ordered))]
    block = np.array_split(np.arange(len(ordered)), folds)[fold]
    moved = sorted((ordered[place] for place in block), key=lambda one: natural_key(one.name))
    if unlabelled := [one.name for one in moved if one.labels is None]:
        raise NothingToJudgeError(
            "a fold of the test videos cannot be known anomalies without labels",
            path=videos.root,
            seen=f"no labels for {', '.join(unlabelled)}",
            hint="add their labels, or use the protocol standard",
        )
    return moved


def _anomalous(videos: VideoSet) -> list[LabelledVideo]:
    """Return the test videos that show an anomaly: at least two, so that there is one for each side."""
    found = [one for one in videos.test if one.labels is not None and one.labels.any()]
    if len(found) < 2:
        raise NothingToJudgeError(
            "half of the anomalous test videos cannot be known",
            path=videos.root,
            seen=f"{len(found)} test videos with frames that are labelled abnormal",
            wanted="at least 2",
        )
    return found


def _half(videos: Sequence[LabelledVideo], seed: int) -> list[LabelledVideo]:
    """Draw half of the videos, the smaller half of an odd number, in the order of the set."""
    drawn = np.random.default_rng(seed).permutation(len(videos))[: len(videos) // 2]
    return [videos[place] for place in sorted(drawn)]


def _of_classes(
    videos: VideoSet, known_classes: Sequence[str], seed: int
) -> tuple[list[LabelledVideo], list[LabelledVideo], list[LabelledVideo]]:
    """Return normal videos, known ones, and test videos to move, all of which show no other anomaly than the known."""
    there = sorted({kind for one in (*videos.known, *videos.test) for kind in _classes(one) if kind})
    for kind in known_classes:
        if kind not in there:
            raise SettingsError(
                "no anomaly of the set has this class", seen=kind, wanted=", ".join(there) or "classes in labels.csv",
                hint=nearest(kind, there),
            )  # fmt: skip
    unknown = {kind for one in videos.test for kind in _classes(one)} - {None, *known_classes}
    if not known_classes or not unknown:
        raise SettingsError(
            "unseen needs classes that are known, and others in the test",
            seen=", ".join(known_classes) or "no known class",
            wanted=f"some of {', '.join(there)}, not all" if there else "a set with classes in labels.csv",
            hint="give --known-class",
        )

    def only_known(of: Sequence[LabelledVideo]) -> list[LabelledVideo]:
        return [one for one in of if _classes(one) <= set(known_classes)]

    known = only_known(videos.known)
    if known:
        return only_known(videos.normal), known, []
    moved = _half([one for one in only_known(videos.test) if _classes(one)], seed)
    if not moved:
        raise NothingToJudgeError(
            "no video can teach the known classes",
            path=videos.root,
            seen=f"no known anomaly, and fewer than 2 test videos, show {' or '.join(known_classes)} and nothing else",
            wanted="videos in abnormal/, or two test videos, of these classes alone",
        )
    return only_known(videos.normal), [], moved


def _classes(video: LabelledVideo) -> set[str | None]:
    """Return the classes of the anomalies of a video; None is among them where one has no name."""
    named = {span.class_name for span in video.classes}
    if not video.classes and video.labels is not None and video.labels.any():
        return {None}
    return named


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
