"""The newcomer's ten minutes: a small world, a detector that learns it, its figures, and a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from oddframe.data.open import open_videoset
from oddframe.data.synthetic import generate
from oddframe.evaluation.evaluate import evaluate
from oddframe.evaluation.result import Result
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.reporting.pages import report
from oddframe.runs import Run


@dataclass(frozen=True)
class Demo:
    """What the demo left behind."""

    data: Path
    run: Run
    result: Result
    report: Path


def demo(
    out: Path | str = "demo",
    *,
    preset: str = "tiny",
    scale: str = "demo",
    overrides: Iterable[str] = (),
    device: str = "auto",
    watch: Watcher = unwatched,
) -> Demo:
    """Make the synthetic set, train on it, judge the run and write its report. Called again, it goes on.

    Args:
        out: folder for `data`, `run` and the report.
        preset: of the settings. overrides: of them, as in `load_settings`. scale: of the synthetic set.
        device: as everywhere.
        watch: told of every step.

    Raises:
        StorageError: the folder holds something else, or cannot be written.
    """
    out = Path(out)
    data = generate(
        out / "data",
        scale=scale,
        progress=lambda done, total: watch(Progress("drawing the synthetic set", done, total)),
    )
    videos = open_videoset(data)
    run = _trained(out / "run")
    if run is None:
        from oddframe.training.train import train  # torch is loaded here

        run = train(
            videos,
            out=out / "run",
            preset=preset,
            overrides=overrides,
            device=None if device == "auto" else device,
            watch=watch,
        )
    result = evaluate(run, videos, device=device, watch=watch)
    return Demo(data, run, result, report(result, watch=watch))


def _trained(folder: Path) -> Run | None:
    if not (folder / "run.json").is_file():
        return None
    run = Run.open(folder, finished=False)
    return run if run.finished else None
