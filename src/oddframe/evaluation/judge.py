"""Turn scores and labels into figures. Needs neither torch nor video."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import NothingToJudgeError
from oddframe.evaluation import metrics
from oddframe.evaluation.events import count_events, judge_events
from oddframe.evaluation.figures import (
    Auc,
    Classes,
    FrameCounts,
    KindFigures,
    KindGroup,
    Named,
    Row,
    SceneRow,
    Threshold,
    Undefined,
)
from oddframe.evaluation.metrics import Video
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.scores import COMPONENTS, AlarmLine
from oddframe.settings import ScoreSettings

FUSIONS = ("online", "paper", "learned")
_QUANTILE = 0.99
_INVERTED = 0.4
"""No score of a detector that has learnt nothing is below this on sound labels, but by the luck of very few videos."""


def judge(
    videos: Sequence[JudgedVideo],
    *,
    known_kinds: Collection[str] = (),
    heldout: Mapping[str, NDArray[Any]] | None = None,
    rule: AlarmRule | None = None,
    promised: Sequence[AlarmLine] = (),
    seed: int = 0,
) -> Result:
    """Compare scores with labels.

    Args:
        videos: scores of each test video beside its labels.
        known_kinds: kinds of anomaly that the training has seen.
        heldout: fusion or component → its values on held-out normal video, higher = odder.
        rule: what makes an alarm of scores, at other lines than the run's own; by default that of the default settings.
        promised: lines that held-out normal video gives for other rates of false alarms.
        seed: of the draws of videos behind each interval. All names are judged on the same draws.

    Raises:
        NothingToJudgeError: there is no judged frame.
    """
    videos = [video for video in videos if len(video.scores)]
    if not videos:
        raise NothingToJudgeError("there is no labelled test video to judge", wanted="test videos with labels")
    auc: dict[str, Auc] = {}
    threshold: dict[str, Threshold] = {}
    one_class: tuple[str, ...] = ()
    for name in _names(videos):
        beside = _beside_labels(videos, name)
        auc[name], one_class = _figures(beside, one_class, seed)
        held = (heldout or {}).get(name)
        if held is not None and len(held):
            threshold[name] = _threshold(metrics.pooled(list(beside.values())), held)
    undefined = tuple(video.name for video in videos if video.scores.paper is None)
    labels = np.concatenate([video.labels for video in videos])
    notes = _notes_of(videos)
    if not labels.any():
        notes.append("No judged frame is labelled abnormal: detection cannot be judged, false alarms can.")
    elif labels.all():
        notes.append("Every judged frame is labelled abnormal: no figure that needs normal frames is defined.")
    if undefined:
        notes.append(
            f"The paper's score is undefined on {len(undefined)} of {len(videos)} videos (all values equal); "
            "its figures leave them out."
        )
    notes += _inverted(auc)
    line = threshold["online"].quantile if "online" in threshold else None
    result = Result(
        auc=Named[Auc](auc),
        undefined_videos=Undefined(macro=one_class, paper=undefined),
        threshold=Named[Threshold](threshold),
        classes=_classes(videos, known_kinds, line),
        scenes=_scenes(videos),
        table=tuple(_row(video) for video in videos),
        events=judge_events(
            videos, rule or AlarmRule.of(ScoreSettings()), known_kinds=known_kinds, promised=promised, seed=seed
        ),
        frames=FrameCounts(videos=len(videos), judged=len(labels), abnormal=int(labels.sum())),
        notes=tuple(notes),
    )
    return result.with_scores(videos)


def _notes_of(videos: Sequence[JudgedVideo]) -> list[str]:
    """The notes of all scores, each once; one of a single video among several (frames that do not decode, another
    camera) says which."""
    said: dict[str, list[str]] = {}
    for video in videos:
        for note in dict.fromkeys(video.scores.notes):
            said.setdefault(note, []).append(video.name)
    alone = len(videos) > 1
    return [f"'{names[0]}': {note}" if alone and len(names) == 1 else note for note, names in said.items()]


def _inverted(auc: Mapping[str, Auc]) -> list[str]:
    """A note where every score is below chance by far: abnormal frames are then the calm ones."""
    areas = [one.micro for one in auc.values() if one.micro is not None]
    if not areas or max(areas) >= _INVERTED:
        return []
    return [
        f"The labels look inverted: no score has an AUC above {100 * max(areas):.1f} %, and 50 % is guessing. Frames "
        "that are labelled abnormal are the calmer ones; 1 means abnormal."
    ]


def _names(videos: Sequence[JudgedVideo]) -> list[str]:
    """Fusions and components that there are figures for, in the order of the tables."""
    shared = [name for name in COMPONENTS if all(name in video.scores.raw for video in videos)]
    return [name for name in FUSIONS if any(video.scores.fusion(name) is not None for video in videos)] + shared


def _beside_labels(videos: Sequence[JudgedVideo], name: str) -> dict[str, Video]:
    """Video → labels and scores of one name; without the videos on which it is undefined."""
    found = {}
    for number, video in enumerate(videos):
        values = video.scores.fusion(name)
        if values is not None:
            found[f"{number}/{video.name}"] = Video(video.labels, values)
    return found


def _figures(beside: Mapping[str, Video], seen: tuple[str, ...], seed: int) -> tuple[Auc, tuple[str, ...]]:
    together = metrics.pooled(list(beside.values()))
    macro, undefined = metrics.macro_auc(beside)
    interval = metrics.interval(list(beside.values()), np.random.default_rng(seed))
    figures = Auc(
        micro=metrics.auc(together),
        macro=macro,
        interval=None if interval is None else (interval[0], interval[1]),
        ap=metrics.average_precision(together),
        eer=metrics.equal_error_rate(together),
    )
    # a video has one class whatever is judged; `online` judges all videos, `paper` perhaps fewer
    return figures, seen or tuple(name.split("/", 1)[1] for name in undefined)


def _threshold(together: Video, heldout: NDArray[Any]) -> Threshold:
    quantile = float(np.quantile(heldout, _QUANTILE))
    normal_above, recall = metrics.at_line(together, quantile)
    return Threshold(quantile=quantile, heldout_frames=len(heldout), normal_above=normal_above, recall=recall)


def _classes(videos: Sequence[JudgedVideo], known_kinds: Collection[str], line: float | None) -> Classes:
    each: dict[str, KindFigures] = {}
    for kind in sorted({span.kind for video in videos for span in video.kinds if span.kind}):
        found = _of_kinds(videos, "online", [kind])
        each[kind] = KindFigures(
            auc=metrics.auc(found),
            recall=_recall(found, line),
            frames=int(found.labels.sum()),
            known=kind in known_kinds,
        )

    def group(known: bool) -> KindGroup:
        kinds = tuple(kind for kind, figures in each.items() if figures.known is known)
        found = _of_kinds(videos, "online", kinds)
        return KindGroup(
            online=metrics.auc(found),
            paper=metrics.auc(_of_kinds(videos, "paper", kinds)),
            distance=metrics.auc(_of_kinds(videos, "distance", kinds)),
            recall=_recall(found, line),
            frames=int(found.labels.sum()),
            kinds=kinds,
        )

    return Classes(known=group(True), unknown=group(False), each=Named[KindFigures](each)) if each else Classes()


def _of_kinds(videos: Sequence[JudgedVideo], name: str, kinds: Sequence[str]) -> Video:
    """The frames of some kinds, and all normal ones, of all videos together."""
    parts = [Video(np.zeros(0, bool), np.zeros(0))]
    for video in videos:
        if name in COMPONENTS and name not in video.scores.raw:
            continue
        values = video.scores.fusion(name)
        if values is None:
            continue
        odd = np.zeros(len(video.scores), bool)
        for kind in kinds:
            odd |= video.of_kind(kind)
        taken = odd | ~video.labels
        parts.append(Video(odd[taken], values[taken]))
    return metrics.pooled(parts)


def _recall(video: Video, line: float | None) -> float | None:
    return None if line is None else metrics.at_line(video, line).recall


def _scenes(videos: Sequence[JudgedVideo]) -> Named[SceneRow]:
    """Figures of each scene by itself; empty where there is only one."""
    of_scene: dict[str, list[JudgedVideo]] = {}
    for video in videos:
        of_scene.setdefault(video.scene, []).append(video)
    rows: dict[str, SceneRow] = {}
    for scene, members in sorted(of_scene.items() if len(of_scene) > 1 else ()):
        together = metrics.pooled(list(_beside_labels(members, "online").values()))
        rows[scene] = SceneRow(
            videos=len(members),
            frames=len(together.labels),
            abnormal=int(together.labels.sum()),
            online=metrics.auc(together),
        )
    return Named[SceneRow](rows)


def _row(video: JudgedVideo) -> Row:
    scores = video.scores
    found, missed, false = count_events(video)
    return Row(
        name=video.name,
        scene=video.scene,
        frames=len(scores),
        abnormal=int(video.labels.sum()),
        online=metrics.auc(Video(video.labels, scores.online)),
        paper=None if scores.paper is None else metrics.auc(Video(video.labels, scores.paper)),
        highest=float(scores.online.max()),
        events_found=found,
        events_missed=missed,
        false_events=false,
    )
