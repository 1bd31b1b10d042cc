"""Scoring many videos: several at the same time, each into a folder of its own, and what is finished only once.

Worker processes score (`worker.py`); this hands out the videos and listens. A worker that dies takes the video that it
was at with it, and no other.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from oddframe.artefact import Trained, open_trained
from oddframe.errors import MissingPathError, OddframeError, RunError, SettingsError
from oddframe.footage.folder import FILES, Asked, finished, made_from, made_of, parts_of
from oddframe.processes import Processes, last_words
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting.words import count
from oddframe.video.source import VIDEO_SUFFIXES, list_pictures, natural_key

_DEEPEST = 3
"""Folders within the one that is named, in which videos are looked for."""


@dataclass(frozen=True)
class ScoredVideo:
    """What became of one video of several.

    Attributes:
        name: in tables. video: its file or folder of frames. folder: where its files are.
        summary: as of `Scores.to_dict`; None where it has failed.
        skipped: whether it was finished before. error: why it failed; None where it has not.
    """

    name: str
    video: Path
    folder: Path
    summary: Mapping[str, Any] | None = None
    skipped: bool = False
    error: OddframeError | None = None


def score_videos(
    run: Trained | Path | str,
    videos: Path | str | Sequence[Path | str],
    *,
    out: Path | str | None = None,
    jobs: int = 1,
    start: str | None = None,
    end: str | None = None,
    fps: float | None = None,
    scene: str = "",
    heat_video: bool = False,
    device: str = "auto",
    backend: str = "auto",
    watch: Watcher = unwatched,
) -> list[ScoredVideo]:
    """Score several videos, each as `score` does. Called again, it goes on with those that are not finished.

    A video is finished when the scores.json in its folder says that it was made from the same: the run's settings,
    weights and calibration, backend, version of oddframe, all that is asked here, and the name, size and time of change
    of the video's files. Remove its folder to have it scored again. A video that fails stops no other.

    Args:
        run: a trained run or an artefact of it, or its folder.
        videos: files, folders of frames, and folders with any of these in them.
        out: the parent of the videos' folders; `scores` in the run's folder without it.
        jobs: how many are scored at the same time, each by a process with its share of the cores.
        watch: told how far all of them are, in per cent of their bytes, and once of each video that has ended.

    Returns:
        What became of each, in the order given; in folders, in natural order.

    Raises:
        RunError: no finished run, or it cannot be scored with. SettingsError: backend or device do not fit; two videos
        would have one folder. MissingPathError: a folder with no video in it.
    """
    if jobs < 1:
        raise SettingsError("that is no number of jobs", seen=jobs, wanted="1 or more")
    opened = open_trained(run)
    parent = opened.folder / "scores" if out is None else Path(out)
    asked, shared = Asked(start, end, fps, scene, heat_video), made_from(opened, backend)
    listed = [videos] if isinstance(videos, Path | str) else videos
    found = [_Task(name, path, parent / name, _made(shared, path, asked)) for name, path in _named(listed)]
    done = {task.name: summary for task in found if (summary := finished(task.folder, task.made)) is not None}
    opening = {"run": str(opened.folder), "backend": backend, "device": device}
    tasks = [task for task in found if task.name not in done]
    crew = _Crew(tasks, opening, asked, min(jobs, len(tasks)))
    ended = crew.work(watch, len(done)) if tasks else {}
    return [
        ended[task.name] if task.name in ended else replace(task.ended(), summary=done[task.name], skipped=True)
        for task in found
    ]


def are_several(videos: Sequence[Path]) -> bool:
    """Whether these are several videos, or a folder that has videos in it, rather than one."""
    return len(videos) != 1 or (videos[0].is_dir() and not list_pictures(videos[0]))


@dataclass(frozen=True)
class _Task:
    name: str
    video: Path
    folder: Path
    made: Mapping[str, Any]

    def ended(self) -> ScoredVideo:
        return ScoredVideo(self.name, self.video, self.folder)

    def weight(self) -> int:
        """Bytes, at least one: what the time that it takes is guessed from."""
        try:
            return max(1, sum(part.stat().st_size for part in parts_of(self.video)))
        except OSError:
            return 1


class _Crew:
    """Workers, each with a thread that gives it orders and passes on its news to the one who called."""

    def __init__(self, tasks: Sequence[_Task], opening: Mapping[str, str], asked: Asked, jobs: int) -> None:
        self._tasks, self._waiting = tasks, deque(tasks)
        self._opening, self._asked, self._jobs = opening, asked, jobs
        self._processes = Processes(jobs)
        self._news: queue.SimpleQueue[tuple[_Task | None, str, Any]] = queue.SimpleQueue()

    def work(self, watch: Watcher, skipped: int) -> dict[str, ScoredVideo]:
        """Have all videos scored: name → what became of it."""
        ended: dict[str, ScoredVideo] = {}
        share = {task.name: 0.0 for task in self._tasks}
        weights = {task.name: task.weight() for task in self._tasks}
        stage = f"scoring {count(len(self._tasks), 'video')}, per cent"
        note = f", {skipped} finished before" if skipped else ""
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                for _ in range(self._jobs):
                    pool.submit(self._keep_a_worker)
                working, why = self._jobs, None
                while working:
                    task, kind, told = self._news.get()
                    if task is None:
                        working, why = working - 1, told or why
                    elif kind == "warning":
                        watch(Progress("warning", 0, 0, f"{task.name}: {told}"))
                    elif kind == "at":
                        share[task.name] = max(share[task.name], told)
                    else:
                        share[task.name] = 1.0
                        ended[task.name] = replace(task.ended(), **{kind: told})
                        watch(_last_word(task.name, ended[task.name]))
                    reached = sum(weights[name] * part for name, part in share.items()) / sum(weights.values())
                    watch(Progress(stage, int(100 * reached), 100, f"{len(ended)} of {len(self._tasks)} ended{note}"))
            except BaseException as error:
                self._processes.stop()
                if isinstance(error, KeyboardInterrupt):
                    watch(Progress("warning", 0, 0, "what is finished is kept; the same command goes on with the rest"))
                raise
        if len(ended) < len(self._tasks):  # no worker was left to score them
            raise why or RunError("the videos were not scored")
        return ended

    def _keep_a_worker(self) -> None:
        """Start a worker, and another one when it dies, until no video is waiting or none can be started."""
        why: BaseException | None = None
        try:
            while self._waiting and why is None and not self._processes.stopped:
                why = self._employ()
        except BaseException as error:
            why = error
        self._news.put((None, "left", why))

    def _employ(self) -> OddframeError | None:
        """Give orders to one worker for as long as it lives; return why it would not even begin."""
        with (
            tempfile.TemporaryFile() as said,
            self._processes.run(
                "oddframe.footage.worker", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
            ) as process,
            process,
        ):
            worker = _Worker(process, said)
            hello = next(worker.ask(self._opening), None)
            if hello is None:
                return worker.death("the process that scores ended before it began")
            if "refused" in hello:
                return OddframeError(**hello["refused"])
            while (task := self._take()) is not None:
                if not self._score(worker, task):
                    break
        return None

    def _take(self) -> _Task | None:
        try:
            return None if self._processes.stopped else self._waiting.popleft()
        except IndexError:
            return None

    def _score(self, worker: _Worker, task: _Task) -> bool:
        """Have a video scored; return whether the worker is still there."""
        order = {"video": str(task.video), "name": task.name, "folder": str(task.folder)}
        for news in worker.ask({**order, "asked": asdict(self._asked), "made": task.made}):
            if "at" in news:
                stage, done, total = news["at"]
                if stage.startswith("scoring"):  # the pictures that follow take little beside it
                    self._news.put((task, "at", min(done / total, 1.0) if total else 0.0))
            elif "warning" in news:
                self._news.put((task, "warning", news["warning"]))
            elif "scored" in news:
                self._news.put((task, "summary", news["scored"]))
                return True
            else:
                self._news.put((task, "error", OddframeError(**news["failed"])))
                return True
        if not self._processes.stopped:
            self._news.put((task, "error", worker.death("the process that scored this video died")))
        return False


class _Worker:
    """A process that takes orders."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._process, self._said = process, said

    def ask(self, order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give an order and yield the news; they end where the process does."""
        orders, news = self._process.stdin, self._process.stdout
        assert orders is not None
        assert news is not None
        try:
            orders.write(json.dumps(order).encode() + b"\n")
            orders.flush()
        except BrokenPipeError:
            with contextlib.suppress(BrokenPipeError):
                orders.close()  # else what could not be sent is tried once more at the end
            return
        for line in news:
            if line.endswith(b"\n"):  # else it died in the middle of it
                yield json.loads(line)

    def death(self, problem: str) -> RunError:
        """Why it ended, as far as that can be told."""
        code = self._process.wait()
        said = last_words(self._said)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        hint = "where memory ran out, fewer --jobs help" if code < 0 else None
        return RunError(problem, seen=f"{how}{f': {said}' if said else ''}", hint=hint)


def _last_word(name: str, video: ScoredVideo) -> Progress:
    if video.error is not None:
        return Progress("warning", 0, 0, f"{name}: {video.error.in_one_line()}")
    assert video.summary is not None
    frames, events = count(video.summary["frames"], "frame"), count(len(video.summary["events"]), "event")
    return Progress("finished", 0, 0, f"{name}: {frames} judged, {events}")


def _made(shared: Mapping[str, Any], video: Path, asked: Asked) -> dict[str, Any]:
    try:
        return made_of(shared, video, asked)
    except OSError:
        return {}  # gone: its worker will say so


def _named(paths: Sequence[Path | str]) -> list[tuple[str, Path]]:
    """Videos with names of their own, which their folders bear, too."""
    found = {path.resolve(): (name, path) for given in paths for name, path in _videos_at(Path(given))}
    alike = Counter(name for name, _ in found.values())
    named = [(name if alike[name] == 1 else name + path.suffix, path) for name, path in found.values()]
    taken: dict[str, Path] = {}
    for name, path in named:
        if (other := taken.setdefault(name, path)) != path:
            raise SettingsError(
                f"two videos are called '{name}', and would write into one folder",
                seen=f"{other} and {path}",
                hint="name the folder that both lie in, or score them with an --out of their own each",
            )
    return named


def _videos_at(path: Path) -> list[tuple[str, Path]]:
    if not path.is_dir():
        return [(path.stem, path)]
    if list_pictures(path):
        return [(path.resolve().name, path)]
    if inside := list(_inside(path, "")):
        return inside
    raise MissingPathError("there is no video in this folder", path=path, wanted="video files or folders of frames")


def _inside(folder: Path, within: str) -> Iterator[tuple[str, Path]]:
    for entry in sorted(folder.iterdir(), key=lambda one: natural_key(one.name)):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            if entry.suffix.lower() in VIDEO_SUFFIXES:
                yield within + entry.stem, entry
        elif (entry / FILES["scores"]).is_file():
            continue  # scores of a video: heat.mp4 is no video to score, nor curve.png a frame
        elif list_pictures(entry):
            yield within + entry.name, entry
        elif within.count("/") < _DEEPEST:
            yield from _inside(entry, f"{within}{entry.name}/")
