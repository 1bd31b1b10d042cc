"""Scoring many videos: several at the same time, each into a folder of its own, and what is finished only once.

Worker processes score (`worker.py`); this hands out the videos and listens. A worker that dies takes the video that it
was at with it, and no other.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from oddframe.artefact import Trained, open_trained
from oddframe.errors import MissingPathError, OddframeError, SettingsError, StorageError, WorkerError
from oddframe.files import HeldElsewhereError, lock
from oddframe.footage.folder import Asked, ScoredVideo, finished, made_from, made_of, parts_of
from oddframe.footage.overview import write_overview
from oddframe.footage.summary import Making, Summary
from oddframe.processes.crew import CannotBeginError, Crew
from oddframe.processes.engine import PATIENCE_S, AskedWorker, Engine
from oddframe.processes.engines import Where
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting.words import count
from oddframe.scoring.fitting import Fitting, fitted
from oddframe.scoring.scenes import Scenes
from oddframe.storage.alone import alone_in
from oddframe.storage.place import Place, bytes_of, place_of
from oddframe.storage.remote import Remote
from oddframe.video.discover import find_remote, find_videos, printable
from oddframe.video.source import list_pictures

_LOCK = ".lock"


def score_videos(
    run: Trained | Path | str,
    videos: Place | str | Sequence[Place | str],
    *,
    out: Place | str | None = None,
    jobs: int | None = None,
    engine: str = "local",
    address: str | None = None,
    start: str | None = None,
    end: str | None = None,
    fps: float | None = None,
    scene: str = "",
    heat_video: bool = False,
    clips: int = 0,
    start_time: str | None = None,
    device: str = "auto",
    backend: str = "auto",
    fitting: Fitting | Path | str | None = None,
    patience_s: float = PATIENCE_S,
    watch: Watcher = unwatched,
) -> list[ScoredVideo]:
    """Score several videos, each as `score` does. Called again, it goes on with those that are not finished.

    A video is finished when the scores.json in its folder says that it was made from the same: the run's settings,
    weights and calibration, backend, version of oddframe, all that is asked here, and the name, size and time of change
    of the video's files. Remove its folder to have it scored again. A video that fails stops no other.

    Args:
        run: a trained run or an artefact of it, or its folder.
        videos: files, folders of frames, and folders with any of these in them; or URLs (s3://, gs://, file://) of
            files and of folders with files in them.
        out: the parent of the videos' folders, or its URL; `scores` in the run's folder without it. Beside them are
            events.csv with the events of all, and index.html, a page of all.
        scene: which of the trained scenes they all show; without it, each the one that its folder is called by.
        jobs: how many are scored at the same time, each by a process with its share of the cores; without it one at a
            time here, and one for each core of a cluster.
        engine: "local", processes of this machine; or "ray", those of a Ray cluster, whose machines see run, videos
            and `out` under the same paths. There a video whose process dies is tried three times.
        address: of the cluster's head, HOST:PORT; without it, a Ray of this machine alone.
        fitting: of the detector to the camera, or its folder.
        patience_s: a process that tells of no progress for so long is ended, and its video has failed: as where a
            decoder hangs in a damaged file.
        watch: told how far all of them are, in per cent of their bytes, and once of each video that has ended.

    Returns:
        What became of each, in the order given; in folders, in natural order.

    Raises:
        RunError: no finished run, or it cannot be scored with. SettingsError: backend or device do not fit; two videos
        would have one folder. MissingPathError: a folder with no video in it.
        StorageError: another process scores into the same folder. ClusterError, MissingExtraError: see `Where`.
    """
    where = Where(engine, address, jobs)
    opened = open_trained(run)
    parent = opened.folder / "scores" if out is None else place_of(out)
    used = fitted(fitting, opened)
    asked, shared = Asked(start, end, fps, scene, heat_video, clips, start_time), made_from(opened, backend, used)
    Scenes.of_run(opened, used).check(scene)
    listed = [videos] if isinstance(videos, Path | Remote | str) else videos
    named = _named(listed)
    if start_time is not None and len(named) > 1:
        raise SettingsError(
            "several videos do not begin at one time of day",
            seen=f"{len(named)} videos, and --start-time {start_time}",
            hint="score each by itself with its own --start-time",
        )
    with _alone_in(parent):
        ended = _score_all(
            [_Task(name, path, parent / name, _made(shared, path, asked)) for name, path in named],
            {"run": str(opened.folder), "backend": backend, "device": device}
            | ({} if used is None else {"fitting": str(used.folder)}),
            asked, where, patience_s, watch,
        )  # fmt: skip
        write_overview(parent, ended, watch)
    return ended


def are_several(videos: Sequence[Place]) -> bool:
    """Whether these are several videos, or a folder that has videos in it, rather than one.

    Raises:
        StorageError: storage cannot be asked.
    """
    if len(videos) != 1 or isinstance(one := videos[0], Remote):
        return len(videos) != 1 or videos[0].facts() is None  # type: ignore[union-attr]
    return one.is_dir() and not list_pictures(one)


@dataclass(frozen=True)
class _Task:
    name: str
    video: Place
    folder: Place
    made: Making | None

    def ended(self) -> ScoredVideo:
        return ScoredVideo(self.name, self.video, self.folder)

    def weight(self) -> int:
        """Bytes, at least one: what the time that it takes is guessed from."""
        try:
            return max(1, sum(bytes_of(part) for part in parts_of(self.video)))
        except OSError:
            return 1


@contextlib.contextmanager
def _alone_in(parent: Place) -> Iterator[None]:
    """While two write into one folder, each would take the other's videos for finished, or write over them.

    Raises:
        StorageError: another process is at it, or the folder cannot be written.
    """
    if isinstance(parent, Path):
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError.of(error, "the folder cannot be made", parent) from None
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(parent / _LOCK, wait=False) if isinstance(parent, Path) else alone_in(parent))
        except HeldElsewhereError:
            raise StorageError(
                "another process scores into this folder", path=parent, hint="wait for its end, or give another --out"
            ) from None
        yield


def _score_all(
    tasks: Sequence[_Task],
    opening: Mapping[str, str],
    asked: Asked,
    where: Where,
    patience_s: float,
    watch: Watcher,
) -> list[ScoredVideo]:
    """What became of each, those included that were finished before."""
    done = {task.name: summary for task in tasks if (summary := _finished(task, asked, watch)) is not None}
    waiting = [task for task in tasks if task.name not in done]
    ended: dict[str, ScoredVideo] = {}
    if waiting:
        with where.open(tasks=len(waiting), gpu=opening["device"].startswith("cuda")) as (engine, jobs):
            ended = _Scoring(waiting, opening, asked, engine, jobs, patience_s).run(watch, len(done))
    return [
        ended[task.name] if task.name in ended else replace(task.ended(), summary=done[task.name], skipped=True)
        for task in tasks
    ]


class _Scoring:
    """The scoring of many videos, from the tasks to what became of each.

    Args:
        opening: what each worker begins with.
    """

    def __init__(
        self,
        tasks: Sequence[_Task],
        opening: Mapping[str, str],
        asked: Asked,
        engine: Engine,
        jobs: int,
        patience_s: float,
    ) -> None:
        self._tasks, self._opening, self._asked, self._jobs = tasks, opening, asked, jobs
        self._patience_s, self._engine = patience_s, engine

    def run(self, watch: Watcher, skipped: int) -> dict[str, ScoredVideo]:
        """Have all videos scored: name → what became of it."""
        ended: dict[str, ScoredVideo] = {}
        share = {task.name: 0.0 for task in self._tasks}
        weights = {task.name: task.weight() for task in self._tasks}
        stage = f"scoring {count(len(self._tasks), 'video')}, per cent"
        note = f", {skipped} finished before" if skipped else ""

        def say_how_far() -> None:
            reached = sum(weights[name] * part for name, part in share.items()) / sum(weights.values())
            watch(Progress(stage, int(100 * reached), 100, f"{len(ended)} of {len(self._tasks)} ended{note}"))

        def at(task: _Task, moment: Progress) -> None:
            if moment.stage == "warning":
                watch(Progress("warning", 0, 0, f"{task.name}: {moment.note}"))
            elif moment.stage.startswith("scoring") and moment.total:  # the pictures that follow take little beside it
                share[task.name] = max(share[task.name], min(moment.done / moment.total, 1.0))
            say_how_far()

        def end(task: _Task, found: Summary | OddframeError) -> None:
            share[task.name] = 1.0
            if isinstance(found, OddframeError):
                ended[task.name] = replace(task.ended(), error=found)
            else:
                ended[task.name] = replace(task.ended(), summary=found)
            watch(_last_word(task.name, ended[task.name]))
            say_how_far()

        try:
            Crew(self._engine, self._jobs, self._hand).work(self._tasks, at, end)
        except KeyboardInterrupt:
            watch(Progress("warning", 0, 0, "what is finished is kept; the same command goes on with the rest"))
            raise
        return ended

    @contextlib.contextmanager
    def _hand(self) -> Iterator[Callable[[_Task, Watcher], Summary]]:
        """What scores one video after another: a worker, and another one when it has died."""
        with contextlib.ExitStack() as stack:
            worker: AskedWorker | None = None

            def score(task: _Task, watch: Watcher) -> Summary:
                nonlocal worker
                order = {"video": str(task.video), "name": task.name, "folder": str(task.folder)}
                made = task.made and task.made.to_dict()
                if worker is None:
                    try:
                        worker = stack.enter_context(self._start())
                    except OddframeError as error:
                        raise CannotBeginError from error
                try:
                    found = worker.ask({**order, "asked": asdict(self._asked), "made": made}, watch)
                except WorkerError:
                    worker = None
                    stack.close()
                    raise
                return Summary.model_validate(found)

            yield score

    def _start(self) -> contextlib.AbstractContextManager[AskedWorker]:
        return self._engine.start(
            "oddframe.footage.worker", self._opening, does="scores this video", patience_s=self._patience_s
        )


def _last_word(name: str, video: ScoredVideo) -> Progress:
    if video.error is not None:
        return Progress("warning", 0, 0, f"{name}: {video.error.in_one_line()}")
    assert video.summary is not None
    frames, events = count(video.summary.frames, "frame"), count(len(video.summary.events), "event")
    return Progress("finished", 0, 0, f"{name}: {frames} judged, {events}")


def _finished(task: _Task, asked: Asked, watch: Watcher) -> Summary | None:
    try:
        return finished(task.folder, task.made, asked)
    except OddframeError as error:
        watch(Progress("warning", 0, 0, f"{task.name}: {error.problem} ({error.seen}): the video is scored again"))
        return None


def _made(shared: Mapping[str, str], video: Place, asked: Asked) -> Making | None:
    try:
        return made_of(shared, video, asked)
    except OSError:
        return None  # gone: its worker will say so


def _named(paths: Sequence[Place | str]) -> list[tuple[str, Place]]:
    """Videos with names of their own, which their folders bear, too."""
    found: dict[Place, tuple[str, Place]] = {
        path.resolve() if isinstance(path, Path) else path: (name, path)
        for given in paths
        for name, path in _videos_at(place_of(given))
    }
    alike = Counter(name for name, _ in found.values())
    named = [(name if alike[name] == 1 else name + path.suffix, path) for name, path in found.values()]
    taken: dict[str, Place] = {}
    for name, path in named:
        if (other := taken.setdefault(name, path)) != path:
            raise SettingsError(
                f"two videos are called '{name}', and would write into one folder",
                seen=f"{other} and {path}",
                hint="name the folder that both lie in, or score them with an --out of their own each",
            )
    return named


def _videos_at(path: Place) -> Sequence[tuple[str, Place]]:
    if isinstance(path, Remote):
        if path.facts() is not None:
            return [(printable(path.stem), path)]
        if remote := find_remote(path):
            return [(one.name, one.path) for one in remote]
        raise MissingPathError("there is no video at this address", path=str(path), wanted="video files in a folder")
    if not path.is_dir():
        return [(printable(path.stem), path)]
    if list_pictures(path):
        return [(printable(path.resolve().name), path)]
    if inside := find_videos(path).videos:
        return [(one.name, one.path) for one in inside]
    raise MissingPathError("there is no video in this folder", path=path, wanted="video files or folders of frames")
