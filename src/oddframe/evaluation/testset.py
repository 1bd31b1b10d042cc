"""What a run is judged on: its data, the test videos of its split, and where its figures come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddframe.errors import MissingPathError, NothingToJudgeError
from oddframe.evaluation.figures import TrainedOn

if TYPE_CHECKING:
    from oddframe.artefact import Trained
    from oddframe.data.videoset import LabelledVideo, VideoSet


def open_data(run: Trained, data: Path | str | None = None, **how: Any) -> VideoSet:
    """Open the data of a run as at its training, but for what is said otherwise.

    Args:
        run: a run. data: where its data are, if no longer where they were.
        how: arguments of `open_videoset`; None is not said.

    Raises:
        NothingToJudgeError: the run was trained on loose files. Otherwise as `open_videoset`.
    """
    from oddframe.data.open import as_before, open_videoset

    named = run.info.data
    if data is None and not named.root:
        raise NothingToJudgeError(
            "this run was trained on loose video files, which have no test videos",
            path=run.folder,
            hint=f"oddframe eval {run.folder} --data FOLDER",
        )
    # a run keeps the way to its data relative to its own folder
    root = Path(data) if data is not None else (run.folder / (named.root or "")).resolve()
    if not root.exists():
        raise MissingPathError(
            "the data that this run was trained on are not there",
            path=root,
            hint=f"say where they are now: oddframe eval {run.folder} --data FOLDER",
        )
    said = {name: value for name, value in how.items() if value is not None}
    return open_videoset(root, **as_before(named.to_dict()) | said)


def fingerprint_note(run: Trained, videos: VideoSet) -> list[str]:
    """A sentence where the data are not those of the training."""
    then = run.info.data.ground_truth
    if then != videos.ground_truth:
        return [f"Trained with the labels of the ground truth '{then}', judged by those of '{videos.ground_truth}'."]
    wanted, seen = run.info.data.fingerprint, videos.fingerprint()
    if wanted in ("", seen):
        return []
    return [f"The data differ from those of the training (fingerprint {seen[:12]}, then {wanted[:12]})."]


def known_kinds(run: Trained, videos: VideoSet) -> set[str]:
    """Kinds of anomaly that the split's known videos show. Some protocols take them from the test videos as well."""
    split = run.info.split
    moved = (video for video in videos.test if video.name not in split.test)
    spans = [span for video in (*videos.known, *moved) if video.name in split.known for span in video.classes]
    return {span.class_name for span in spans if span.class_name}


def labelled_test(run: Trained, videos: VideoSet) -> list[LabelledVideo]:
    """Return the test videos of a run's split that have labels.

    Raises:
        MissingPathError: a test video is not in the data. NothingToJudgeError: none has labels.
    """
    names = list(run.info.split.test)
    there = {video.name: video for video in videos.test}
    lacking = [name for name in names if name not in there]
    if lacking:
        raise MissingPathError(
            "test videos of this run are not in the data",
            path=videos.root,
            seen=", ".join(lacking[:5]) + (" ..." if len(lacking) > 5 else ""),
            wanted=f"the {len(names)} test videos of the split",
            hint="give the data that the run was split on with --data",
        )
    labelled = [there[name] for name in names if there[name].labels is not None]
    if not labelled:
        raise NothingToJudgeError(
            "no test video of this run has labels",
            path=videos.root,
            seen=f"{len(names)} test videos",
            hint="write labels.csv (video,start,end), or look at single videos: oddframe score VIDEO --run RUN",
        )
    return labelled


def provenance(run: Trained, videos: VideoSet) -> dict[str, Any]:
    """The fields of `Result` that say where its figures come from."""
    info, split = run.info, run.info.split
    return {
        "detector": run.settings.detector,
        "protocol": split.protocol,
        "fold": split.fold,
        "folds": split.folds,
        "data": info.data.changed(**videos.described()),
        "run": str(run.folder),
        "trained_on": TrainedOn(
            normal=tuple(dict.fromkeys(section.video for section in split.normal)), known=split.known
        ),
        "settings": run.settings.to_dict(),
        "command": info.command,
        "versions": info.versions,
        "host": info.host,
        "parameters": info.parameters,
        "seconds_training": info.seconds_training,
        "peak_memory_mb": info.peak_memory_mb,
    }
