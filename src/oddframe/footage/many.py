"""Scoring many videos: several at the same time, each into a folder of its own, and what is finished only once.

Worker processes score (`worker.py`); this hands out the videos, and the pieces of long ones (`course.py`), and listens.
A worker that dies takes the video that it was at with it, and no other.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from oddframe.artefact import Trained, open_trained
from oddframe.errors import OddframeError, SettingsError, WorkerError
from oddframe.footage.course import Answer, Course, Step
from oddframe.footage.folder import Asked, Means, ScoredVideo, finished, made_from, made_of, parts_of
from oddframe.footage.naming import named
from oddframe.footage.overview import write_overview
from oddframe.footage.summary import Making, Summary
from oddframe.processes.crew import CannotBeginError, Crew
from oddframe.processes.engine import PATIENCE_S, AskedWorker, Engine
from oddframe.processes.engines import Where
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting.words import count
from oddframe.scoring.fitting import Fitting, fitted
from oddframe.scoring.scenes import Scenes
from oddframe.storage.alone import alone_at
from oddframe.storage.place import Place, bytes_of, place_of
from oddframe.storage.remote import Remote
from oddframe.video.source import list_pictures

_LOCK = ".lock"

_PIECES_EACH = 4
"""A video is cut into so many pieces for each worker, if it were alone: the last of them leaves the others waiting."""


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

    With several jobs, a video that is a large part of the work is judged in pieces by several processes. Its scores are
    those of the uncut one, to the last digit. It stays whole where a frame of it does not decode, where its detector
    carries something over a video, and where it is short.

    Args:
        run: a trained run or an artefact of it, or its folder.
        videos: files, folders of frames, and folders with any of these in them; or URLs (s3://, gs://, file://) of
            files and of folders with files in them.
        out: the parent of the videos' folders, or its URL; `scores` in the run's folder without it. Beside them are
            events.csv with the events of all, and index.html, a page of all.
        scene: which of the trained scenes they all show; without it, each the one that its folder is called by.
        jobs: how many processes score at the same time, each with its share of the cores; without it one here, and one
            for each core of a cluster.
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
    asked = Asked(start, end, fps, scene, heat_video, clips, start_time)
    listed = [videos] if isinstance(videos, Path | Remote | str) else videos
    means, where = Means(device, backend, fitting), Where(engine, address, jobs)
    return score_all(open_trained(run), listed, asked, means, out, where, watch, patience_s)


def score_all(
    run: Trained,
    videos: Sequence[Place | str],
    asked: Asked,
    means: Means,
    out: Place | str | None,
    where: Where,
    watch: Watcher,
    patience_s: float = PATIENCE_S,
) -> list[ScoredVideo]:
    """`score_videos`, with what it is asked as records."""
    parent = run.folder / "scores" if out is None else place_of(out)
    opening, shared = _opening(run, means, asked.scene)
    found = named(videos)
    if asked.start_time is not None and len(found) > 1:
        raise SettingsError(
            "several videos do not begin at one time of day",
            seen=f"{len(found)} videos, and --start-time {asked.start_time}",
            hint="score each by itself with its own --start-time",
        )
    with _alone_in(parent):
        ended = _score_tasks(
            [_Task(name, path, parent / name, _made(shared, path, asked)) for name, path in found],
            opening, asked, where, patience_s, watch,
        )  # fmt: skip
        write_overview(parent, ended, watch)
    return ended


def score_together(
    run: Trained,
    video: Place | str,
    asked: Asked,
    means: Means,
    out: Place | str,
    where: Where,
    watch: Watcher = unwatched,
    patience_s: float = PATIENCE_S,
) -> ScoredVideo:
    """Score one video by several processes, with the outputs of `score` in `out`, also where it was finished before.

    Errors are those of `score_videos`; a video that fails is an error here.
    """
    opening, shared = _opening(run, means, asked.scene)
    place, folder = place_of(video), place_of(out)
    ((name, _),) = named([place])
    task = _Task(name, place, folder, _made(shared, place, asked))
    with _alone_in(folder):
        (ended,) = _score_tasks([task], opening, asked, where, patience_s, watch, anew=True)
    if ended.error is not None:
        raise ended.error
    return ended


def _opening(run: Trained, means: Means, scene: str) -> tuple[dict[str, str], dict[str, str]]:
    """What each worker begins with, and what the scores of every video rest on.

    Raises:
        SettingsError: the run does not know the scene. RunError: the fitting is damaged, or of another detector.
    """
    used = fitted(means.fitting, run)
    Scenes.of_run(run, used).check(scene)
    opening = {"run": str(run.folder), "backend": means.backend, "device": means.device}
    return opening | ({} if used is None else {"fitting": str(used.folder)}), made_from(run, means.backend, used)


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


def _alone_in(parent: Place) -> contextlib.AbstractContextManager[None]:
    """While two write into one folder, each would take the other's videos for finished, or write over them."""
    held = parent / _LOCK if isinstance(parent, Path) else parent
    return alone_at(parent, held=held, doing="scores into this folder")


def _score_tasks(
    tasks: Sequence[_Task],
    opening: Mapping[str, str],
    asked: Asked,
    where: Where,
    patience_s: float,
    watch: Watcher,
    *,
    anew: bool = False,
) -> list[ScoredVideo]:
    """What became of each, those included that were finished before; `anew` scores these, too."""
    done = {task.name: summary for task in tasks if not anew and (summary := _finished(task, asked, watch)) is not None}
    waiting = [task for task in tasks if task.name not in done]
    ended: dict[str, ScoredVideo] = {}
    if waiting:
        with where.open(gpu=opening["device"].startswith("cuda")) as (engine, jobs):
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
        weights = {task.name: task.weight() for task in self._tasks}
        courses = {task.name: self._course(task, weights) for task in self._tasks}
        stage = f"scoring {count(len(self._tasks), 'video')}, per cent"
        note = f", {skipped} finished before" if skipped else ""
        crew = Crew(self._engine, self._jobs, self._hand, lambda step: step.leads)

        def say_how_far() -> None:
            shares = {name: 1.0 if name in ended else course.share for name, course in courses.items()}
            reached = sum(weights[name] * share for name, share in shares.items()) / sum(weights.values())
            watch(Progress(stage, int(100 * reached), 100, f"{len(ended)} of {len(self._tasks)} ended{note}"))

        def at(step: Step, moment: Progress) -> None:
            if moment.stage == "warning":
                watch(Progress("warning", 0, 0, f"{step.does['name']}: {moment.note}"))
            step.course.at(step, moment)
            say_how_far()

        def end(step: Step, answer: Answer | OddframeError) -> None:
            found = step.course.ended(step, answer)
            if isinstance(found, list):
                crew.add(found)
                say_how_far()
                return
            task = next(one for one in self._tasks if one.name == step.does["name"])
            if isinstance(found, OddframeError):
                ended[task.name] = replace(task.ended(), error=found)
            else:
                ended[task.name] = replace(task.ended(), summary=found)
            watch(_last_word(task.name, ended[task.name]))
            say_how_far()

        try:
            crew.work([course.begin() for course in courses.values()], at, end)
        except KeyboardInterrupt:
            watch(Progress("warning", 0, 0, "what is finished is kept; the same command goes on with the rest"))
            raise
        return ended

    def _course(self, task: _Task, weights: Mapping[str, int]) -> Course:
        """What a video goes through: cut, if it is more than its part of what one worker has to do."""
        made = task.made and task.made.to_dict()
        order = {"video": str(task.video), "name": task.name, "folder": str(task.folder)}
        share = weights[task.name] / sum(weights.values())
        pieces = 1 if self._jobs == 1 else math.ceil(_PIECES_EACH * self._jobs * share)
        return Course({**order, "asked": asdict(self._asked), "made": made}, pieces)

    @contextlib.contextmanager
    def _hand(self) -> Iterator[Callable[[Step, Watcher], Answer]]:
        """What takes one step after another: a worker, and another one when it has died."""
        with contextlib.ExitStack() as stack:
            worker: AskedWorker | None = None

            def take(step: Step, watch: Watcher) -> Answer:
                nonlocal worker
                if step.idle:
                    return {}
                if worker is None:
                    try:
                        worker = stack.enter_context(self._start())
                    except OddframeError as error:
                        raise CannotBeginError from error
                try:
                    found: Answer = worker.ask(step.does, watch)
                except WorkerError:
                    worker = None
                    stack.close()
                    raise
                return found

            yield take

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
