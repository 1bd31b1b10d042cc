"""What a run is judged on: its data, the test videos of its split, and where its figures come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from oddframe.data.open import Data, open_source
from oddframe.data.source import DataInfo, DataSource, source_in, unknown_in
from oddframe.data.videoset import FINGERPRINT, VideoSet
from oddframe.errors import MissingPathError, NothingToJudgeError, RunError, SettingsError
from oddframe.evaluation.event_figures import RATES
from oddframe.evaluation.figures import TrainedOn
from oddframe.origin import HostInfo, Versions
from oddframe.plain import Json
from oddframe.scoring.scores import AlarmLine
from oddframe.storage.place import local

if TYPE_CHECKING:
    from oddframe.artefact import Trained
    from oddframe.data.videoset import LabelledVideo


def trained_source(run: Trained, data: Sequence[Path | str] = (), **said: Any) -> DataSource:
    """How to open the data of a run as at its training, but for what is said otherwise.

    Args:
        run: a run or an artefact. data: where its data are, if no longer where they were.
        said: attributes of `DataSource`; None, False and nothing are not said.

    Raises:
        MissingPathError: the run does not know where its data were, or they are not there any more.
    """
    there = tuple(map(Path, data))
    kept = source_in(run.info.data, run.folder)
    if kept is None and not there:
        raise MissingPathError(
            "this run does not say where its training videos were",
            path=run.folder,
            wanted="a run of this version",
            hint="say where they are: --data FILE",
        )
    source = DataSource(paths=there, kind=run.info.data.kind) if kept is None else kept
    source = source.instead(there, **said)
    return source if there else _still_there(source)


def judged_source(run: Trained, data: Sequence[Path | str] = (), **said: Any) -> DataSource:
    """How to open what a run is judged on: the data of its training, but for what is said otherwise.

    A run of plain video files has no test videos. It is judged on `data` of its own, or on what its files hold behind
    the range that it was trained on.

    Args:
        run, said: as of `trained_source`. data: where its data are, or, for a run of plain video files, what to judge.

    Raises:
        MissingPathError: as `trained_source`.
        NothingToJudgeError: a run of plain video files that were trained on to their end, and no `data`.
    """
    if run.info.data.kind != "files":
        return trained_source(run, data, **said)
    kept = source_in(run.info.data, run.folder)
    if data:
        fps = None if kept is None else kept.fps
        return DataSource(paths=tuple(map(Path, data)), fps=fps, taken_as="test").instead(**said)
    if kept is None or (kept.end is None and not said.get("start")):
        raise NothingToJudgeError(
            "this run was trained on plain video files, which leave nothing to judge",
            path=run.folder,
            hint=f"name video with labels: oddframe eval {run.folder} --data VIDEO --labels labels.csv",
        )
    rest = kept.model_copy(update={"start": kept.end, "end": None, "taken_as": "test"})
    return _still_there(rest.instead(**said))


def _still_there(source: DataSource) -> DataSource:
    if gone := [path for path in source.paths if not path.exists()]:
        raise MissingPathError(
            "the data that this run was trained on are not there",
            path=gone[0],
            hint="say where they are now: --data PATH",
        )
    return source


def open_judged(run: Trained, data: Data | None = None) -> VideoSet:
    """Open what a run is judged on.

    Args:
        data: None for what it was trained with; a path, where that is elsewhere (or what to judge, see
            `judged_source`); a recipe, or an open set.

    Raises:
        SettingsError: the run was trained on frames of it. Otherwise as `judged_source` and `open_videoset`.
    """
    if isinstance(data, VideoSet):
        return data
    if not isinstance(data, DataSource):
        data = judged_source(run, () if data is None else [data] if isinstance(data, (str, Path)) else data)
    videos = open_source(data)
    _refuse_trained(run, videos)
    return videos


def _refuse_trained(run: Trained, videos: VideoSet) -> None:
    """Refuse frames of plain video files that the run was trained on."""
    trained = source_in(run.info.data, run.folder)
    if trained is None or not trained.loose or videos.source is None:
        return
    roots = [path.resolve() for path in trained.paths]
    judged = [video.video for video in videos.test if any(map(local(video.video.path).resolve().is_relative_to, roots))]
    normal = {local(video.video.path).resolve(): video.video for video in open_source(trained).normal} if judged else {}
    for one in judged:
        if (known := normal.get(local(one.path).resolve())) is None:
            continue
        first, last = known.first_index, known.first_index + known.frame_count
        if one.first_index < last and first < one.first_index + one.frame_count:
            raise SettingsError(
                f"frames of '{one.name}' were trained on, so it cannot be judged on them",
                path=one.path,
                seen=f"frames {one.first_index} to {one.first_index + one.frame_count - 1}",
                wanted=f"none of {first} to {last - 1}",
                hint=f"begin behind them: --start {trained.end or last}",
            )


def data_notes(run: Trained, videos: VideoSet) -> list[str]:
    """Sentences on what the run does not know of its data, and where these are not those of the training."""
    kept = run.info.data
    if kept.kind == "files":
        return unknown_in(kept)  # what is judged is other video in any case
    return [*unknown_in(kept), *differing(run, videos)]


def differing(run: Trained, videos: VideoSet) -> list[str]:
    """A sentence where the data are not those of the training."""
    then = run.info.data.ground_truth
    if then != videos.ground_truth:
        return [f"Trained with the labels of the ground truth '{then}', judged by those of '{videos.ground_truth}'."]
    wanted, seen = run.info.data.fingerprint, videos.fingerprint()
    if wanted == seen or not wanted.startswith(FINGERPRINT):
        return []
    return [f"The data differ from those of the training (fingerprint {seen[:12]}, then {wanted[:12]})."]


def other_data(run: Trained, videos: VideoSet) -> str | None:
    """The fingerprint of what is judged, where it is other data than the run names; None where it is the same.

    What has changed in its place since the training is the run's own (`differing` says so); so is the other ground
    truth of the same videos, which names its results by itself. A fingerprint of version 0.1 cannot be compared.
    """
    then = run.info.data.fingerprint
    if videos.fingerprint() == then or not then.startswith(FINGERPRINT):
        return None
    kept = source_in(run.info.data, run.folder)
    now = None if videos.source is None else videos.source.seen_from(run.folder).at(run.folder)
    if kept is not None and now is not None:
        free: Json = {"kind": None, "ground_truth": None, "partial": False}
        if kept.loose:  # what its files hold behind the range that was trained on
            free |= {"start": None, "end": None, "taken_as": "normal", "labels": ()}
        if kept.changed(**free) == now.changed(**free):
            return None
    return videos.fingerprint()


def known_kinds(run: Trained, videos: VideoSet) -> set[str]:
    """Kinds of anomaly that the split's known videos show. Some protocols take them from the test videos as well."""
    split = run.info.split
    moved = (video for video in videos.test if video.name not in split.test)
    spans = [span for video in (*videos.known, *moved) if video.name in split.known for span in video.classes]
    return {span.class_name for span in spans if span.class_name}


def labelled_test(run: Trained, videos: VideoSet) -> list[LabelledVideo]:
    """Return the test videos of a run's split that have labels; those of the data where the split has none.

    Raises:
        MissingPathError: a test video is not in the data. NothingToJudgeError: none has labels.
    """
    names = list(run.info.split.test) or [video.name for video in videos.test]
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
    if not names:
        raise NothingToJudgeError(
            "there is no test video", path=videos.root, wanted="a folder test/, or video files named with --data"
        )
    if not labelled:
        raise NothingToJudgeError(
            "no test video of this run has labels",
            path=videos.root,
            seen=f"{len(names)} test videos",
            hint="write labels.csv (video,start,end) and name it with --labels if it lies elsewhere, "
            f"or look at single videos: oddframe score VIDEO --run {run.folder}",
        )
    return labelled


def promised_lines(run: Trained) -> tuple[list[AlarmLine], list[str]]:
    """The lines that held-out normal video gives for each of `RATES`, as `calibrate` would draw them, and notes.

    There are none for an artefact and for a run of an earlier version, which keep no evidence. Evidence that is damaged
    or gone takes no other figure with it.
    """
    from oddframe.runs import Run
    from oddframe.scoring.calibrate import fit_calibration
    from oddframe.scoring.judged_file import load_judged

    if not isinstance(run, Run) or run.info.evidence is None:
        return [], []
    try:
        judged = load_judged(run.folder, run.info.evidence)
    except RunError as error:
        return [], [f"Alarm lines for other rates cannot be drawn: {error.problem}."]
    score = run.settings.score
    each = [score.model_copy(update={"false_alarms_per_hour": rate}) for rate in RATES]
    return [fit_calibration(judged, one).line for one in each], []


class Provenance(TypedDict):
    """The fields of `Result` that say where its figures come from."""

    detector: str
    protocol: str
    fold: int | None
    folds: int | None
    data: DataInfo
    run: str
    trained_on: TrainedOn
    settings: Json
    command: str
    versions: Versions
    host: HostInfo | None
    parameters: int | None
    seconds_training: float | None
    peak_memory_mb: float | None


def provenance(run: Trained, videos: VideoSet) -> Provenance:
    """Where figures of a run on these videos come from."""
    info, split = run.info, run.info.split
    return {
        "detector": run.settings.detector,
        "protocol": split.protocol,
        "fold": split.fold,
        "folds": split.folds,
        "data": videos.described(run.folder),
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
