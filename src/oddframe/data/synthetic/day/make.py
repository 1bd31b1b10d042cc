"""A whole set on disk: drawn by several processes, gone on with after an interruption, and frozen."""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oddframe.data.synthetic.day.anomalies import KINDS
from oddframe.data.synthetic.day.moves import RATE
from oddframe.data.synthetic.day.sets import KNOWN, SETS, Script, SetName, frozen_digest, scripts
from oddframe.data.synthetic.day.write import DrawnVideo, record_of
from oddframe.data.synthetic.world import SIZE
from oddframe.errors import OddframeError, RunError, SettingsError, StorageError, WorkerError, nearest
from oddframe.files import HeldElsewhereError, clear_left, lock, write_text
from oddframe.processes.cores import usable_cores
from oddframe.processes.crew import CannotBeginError, Crew
from oddframe.processes.workers import Worker, Workers
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.records import FileRecord, read_record, write_record

DESCRIPTION = "synthetic.json"
BEGUN = "drawing.json"
"""The description while the set is not whole."""

BYTES_A_FRAME = 2600
"""Of video, rather more than less: rain and the noise of night need most."""
FRAMES_A_SECOND = 400
"""That a core draws, about (`benchmarks/day_drawing.py`)."""

_PROBLEM = "the synthetic set cannot be written"


class DaySet(FileRecord):
    """What is in the folder of a drawn set. `digest` is of all that is drawn where and when."""

    made: Literal["oddframe-day"] = "oddframe-day"
    version: int = 1
    set: str
    size: tuple[int, int]
    fps: float
    known: tuple[str, ...]
    kinds: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class Outlook:
    """What drawing a set takes, said beforehand.

    Attributes:
        videos, frames: that are still to be drawn. jobs: processes.
        seconds: about how long it takes. bytes: about how much room.
    """

    videos: int
    frames: int
    jobs: int
    seconds: float
    bytes: int

    def __str__(self) -> str:
        hours, minutes = self.frames / RATE / 3600, max(1, round(self.seconds / 60))
        return (
            f"{self.videos} videos, {self.frames:,} frames, {hours:.1f} hours of video: "
            f"about {minutes} min on {self.jobs} core{'s' if self.jobs > 1 else ''}, and {self.bytes / 1e9:.1f} GB"
        )


def generate_day(
    folder: Path | str, *, name: str = "develop", jobs: int | None = None, watch: Watcher = unwatched
) -> Path:
    """Draw hours of video of fixed cameras, normal and not, to a folder, and return it.

    The videos are 160x240 (height, width) at 10 frames a second. The same set gives the same frames, labels and masks
    on every machine, whatever the number of processes; how the frames are compressed depends on the encoder's version.
    Called again after an interruption, it goes on: finished videos are passed over.

    Args:
        folder: where the set goes; must not exist, be empty, or hold this very set, whole or begun.
        name: "develop", for choosing, or "judge", only for telling how good what was chosen is.
        jobs: processes that draw at the same time; as many as there are cores, if not given.
        watch: told how far it is, and first what is to be done.

    Raises:
        SettingsError: no such set, or no such number of jobs.
        StorageError: the folder holds something else, cannot be written, or the disk has too little room.
    """
    folder, chosen = Path(folder), _set_named(name)
    jobs = usable_cores() if jobs is None else jobs
    if jobs < 1:
        raise SettingsError("that is no number of jobs", seen=jobs, wanted="1 or more")
    description = _describe(chosen)
    if _holds(folder, description):
        return folder
    try:
        (folder / ".drawn").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, _PROBLEM, folder) from None
    try:
        with lock(folder / ".drawn" / "lock", wait=False):
            write_record(folder / BEGUN, description, _PROBLEM)
            _draw(folder, chosen, jobs, watch)
            write_record(folder / DESCRIPTION, description, _PROBLEM)
            (folder / BEGUN).unlink(missing_ok=True)
    except HeldElsewhereError:
        raise StorageError(
            "another process is drawing this set", path=folder, hint="wait for it, or choose another folder"
        ) from None
    shutil.rmtree(folder / ".drawn", ignore_errors=True)
    return folder


def outlook(folder: Path | str, *, name: str = "develop", jobs: int | None = None) -> Outlook:
    """What drawing a set to a folder would still take.

    Raises:
        SettingsError: no such set.
    """
    chosen = scripts(_set_named(name))
    jobs = usable_cores() if jobs is None else jobs
    return _outlook([one for one in chosen if _finished(Path(folder), one) is None], jobs)


def _outlook(waiting: Sequence[Script], jobs: int) -> Outlook:
    frames = sum(script.frames for script in waiting)
    jobs = max(1, min(jobs, len(waiting)))
    return Outlook(len(waiting), frames, jobs, frames / FRAMES_A_SECOND / jobs, frames * BYTES_A_FRAME)


def _set_named(name: str) -> SetName:
    for known in SETS:
        if known == name:
            return known
    raise SettingsError("no such set", seen=name, wanted=" or ".join(SETS), hint=nearest(name, SETS))


def _describe(name: SetName) -> DaySet:
    kinds = sorted({kind for script in scripts(name) for kind, _ in script.events}, key=list(KINDS).index)
    return DaySet(set=name, size=SIZE, fps=float(RATE), known=KNOWN, kinds=tuple(kinds), digest=frozen_digest(name))


def _holds(folder: Path, description: DaySet) -> bool:
    """Whether the folder holds this set already; raises where something else is in the way."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    for file, whole in ((DESCRIPTION, True), (BEGUN, False)):
        with contextlib.suppress(RunError):
            if read_record(folder / file, DaySet, file) == description:
                return whole
    raise StorageError(
        "the folder for the synthetic set is taken",
        path=folder,
        seen="another set, or files that are no synthetic set",
        wanted="a new or empty folder",
        hint="choose another folder, or remove this one",
    )


def _finished(root: Path, script: Script) -> DrawnVideo | None:
    """The record of a video that is there; None where it is to be drawn."""
    if not (root / script.part / script.plan.name / f"{script.name}.mp4").is_file():
        return None
    try:
        return read_record(record_of(root, script.name), DrawnVideo, "the record of a drawn video")
    except RunError:
        return None


def _draw(root: Path, name: SetName, jobs: int, watch: Watcher) -> None:
    all_of_them = scripts(name)
    done = {script.name: drawn for script in all_of_them if (drawn := _finished(root, script)) is not None}
    waiting = [script for script in all_of_them if script.name not in done]
    if waiting:
        ahead = _outlook(waiting, jobs)
        _refuse_full_disk(root, ahead)
        for place in {root / script.part / script.plan.name for script in waiting} | {root / "masks"}:
            if place.is_dir():
                clear_left(place)
        watch(Progress("finished", 0, 0, f"to draw: {ahead}"))
        done |= _Drawing(root, name, ahead.jobs).run(waiting, watch)
    videos = [done[script.name] for script in all_of_them]
    write_text(root / "conditions.csv", _table(("video", "light", "weather"), _conditions(videos)), _PROBLEM)
    write_text(root / "labels.csv", _table(("video", "start", "end", "class"), _labels(videos)), _PROBLEM)


def _conditions(videos: Sequence[DrawnVideo]) -> Iterator[tuple[object, ...]]:
    for video in videos:
        yield video.video, video.light, video.weather


def _labels(videos: Sequence[DrawnVideo]) -> Iterator[tuple[object, ...]]:
    for video in videos:
        for span in video.spans:
            yield video.video, span.start, span.end, span.kind


def _table(head: Sequence[str], rows: Iterator[tuple[object, ...]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _refuse_full_disk(root: Path, ahead: Outlook) -> None:
    free = shutil.disk_usage(root).free
    if free < ahead.bytes:
        raise StorageError(
            "there is too little room on the disk for the synthetic set",
            path=root,
            seen=f"{free / 1e9:.1f} GB free",
            wanted=f"about {ahead.bytes / 1e9:.1f} GB",
            hint="choose a folder on another disk",
        )


class _Drawing:
    """Several processes that draw the videos of a set."""

    def __init__(self, root: Path, name: SetName, jobs: int) -> None:
        self._opening = {"folder": str(root), "set": name}
        self._jobs, self._workers = jobs, Workers(jobs)

    def run(self, waiting: Sequence[Script], watch: Watcher) -> dict[str, DrawnVideo]:
        """Have all of them drawn: name → its record.

        Raises:
            OddframeError: a video that cannot be drawn; those that are finished are kept.
        """
        drawn: dict[str, DrawnVideo] = {}
        share: dict[str, int] = {}
        total = sum(script.frames for script in waiting)
        failed: list[OddframeError] = []

        def at(script: Script, moment: Progress) -> None:
            share[script.name] = moment.done
            watch(Progress("drawing", sum(share.values()), total, f"{len(drawn)} of {len(waiting)} videos"))

        def end(script: Script, found: DrawnVideo | OddframeError) -> None:
            share[script.name] = script.frames
            if isinstance(found, OddframeError):
                failed.append(found)
                self._workers.stop()
            else:
                drawn[script.name] = found
                watch(Progress("drawing", sum(share.values()), total, f"{len(drawn)} of {len(waiting)} videos"))

        try:
            Crew(self._workers, self._jobs, self._hand).work(waiting, at, end)
        except KeyboardInterrupt:
            watch(Progress("warning", 0, 0, "what is finished is kept; the same command goes on with the rest"))
            raise
        if failed:
            raise failed[0]
        return drawn

    @contextlib.contextmanager
    def _hand(self) -> Iterator[Callable[[Script, Watcher], DrawnVideo]]:
        """What draws one video after another."""
        with contextlib.ExitStack() as stack:
            worker: Worker | None = None

            def draw(script: Script, watch: Watcher) -> DrawnVideo:
                nonlocal worker
                if worker is None:
                    try:
                        worker = stack.enter_context(
                            self._workers.start(
                                "oddframe.data.synthetic.day.worker", self._opening, does="draws this video"
                            )
                        )
                    except OddframeError as error:
                        raise CannotBeginError from error
                try:
                    found = DrawnVideo.model_validate(worker.ask({"name": script.name}, watch))
                except WorkerError:
                    worker = None
                    stack.close()
                    raise
                return found

            yield draw
