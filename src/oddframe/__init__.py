"""Finds what is out of the ordinary in video from fixed cameras.

    import oddframe as odd
    run = odd.train("demo/data", preset="tiny", out="runs/demo")
    result = odd.evaluate(run)
    scores = odd.score(run, "gate.mp4")
    for score in odd.Scorer(run).stream(pictures, fps=10): print(score.online, score.alarm)

Each public name is imported on first use (PEP 562), so that importing the package costs nothing and torch is loaded
only by those who need it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oddframe.artefact import Artefact
    from oddframe.artefact import open_trained as load
    from oddframe.benchmarking.bench import bench
    from oddframe.data.check import check
    from oddframe.data.open import open_videoset
    from oddframe.data.source import DataSource
    from oddframe.data.synthetic import generate
    from oddframe.data.synthetic.day import generate_day
    from oddframe.errors import OddframeError
    from oddframe.evaluation.analysis import analyse
    from oddframe.evaluation.compare import compare
    from oddframe.evaluation.evaluate import evaluate
    from oddframe.evaluation.result import Result
    from oddframe.exporting.make import export
    from oddframe.footage.archive import table
    from oddframe.footage.many import score_videos
    from oddframe.footage.outputs import score
    from oddframe.reporting.pages import report
    from oddframe.reporting.plot import plot
    from oddframe.reproduction.reproduce import reproduce
    from oddframe.runs import Run
    from oddframe.scoring.fit import calibrate
    from oddframe.scoring.fitting import Fitting
    from oddframe.scoring.regions import Regions
    from oddframe.scoring.scorer import Scorer
    from oddframe.scoring.scores import FrameScore, Scores
    from oddframe.scoring.session import Session
    from oddframe.settings import Settings
    from oddframe.settings_layers import load_settings
    from oddframe.training.train import train
    from oddframe.video.open import open_video
    from oddframe.video.source import Frame

    __version__: str

__all__ = [
    "Artefact",
    "DataSource",
    "Fitting",
    "Frame",
    "FrameScore",
    "OddframeError",
    "Regions",
    "Result",
    "Run",
    "Scorer",
    "Scores",
    "Session",
    "Settings",
    "__version__",
    "analyse",
    "bench",
    "calibrate",
    "check",
    "compare",
    "evaluate",
    "export",
    "generate",
    "generate_day",
    "load",
    "load_settings",
    "open_video",
    "open_videoset",
    "plot",
    "report",
    "reproduce",
    "score",
    "score_videos",
    "table",
    "train",
]

_PLACES = {
    "Artefact": "oddframe.artefact",
    "DataSource": "oddframe.data.source",
    "Fitting": "oddframe.scoring.fitting",
    "Frame": "oddframe.video.source",
    "FrameScore": "oddframe.scoring.scores",
    "OddframeError": "oddframe.errors",
    "Regions": "oddframe.scoring.regions",
    "Result": "oddframe.evaluation.result",
    "Run": "oddframe.runs",
    "Scorer": "oddframe.scoring.scorer",
    "Scores": "oddframe.scoring.scores",
    "Session": "oddframe.scoring.session",
    "Settings": "oddframe.settings",
    "analyse": "oddframe.evaluation.analysis",
    "bench": "oddframe.benchmarking.bench",
    "calibrate": "oddframe.scoring.fit",
    "check": "oddframe.data.check",
    "compare": "oddframe.evaluation.compare",
    "evaluate": "oddframe.evaluation.evaluate",
    "export": "oddframe.exporting.make",
    "generate": "oddframe.data.synthetic",
    "generate_day": "oddframe.data.synthetic.day",
    "load": "oddframe.artefact:open_trained",
    "load_settings": "oddframe.settings_layers",
    "open_video": "oddframe.video.open",
    "open_videoset": "oddframe.data.open",
    "plot": "oddframe.reporting.plot",
    "report": "oddframe.reporting.pages",
    "reproduce": "oddframe.reproduction.reproduce",
    "score": "oddframe.footage.outputs",
    "score_videos": "oddframe.footage.many",
    "table": "oddframe.footage.archive",
    "train": "oddframe.training.train",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("oddframe")
    elif name in _PLACES:
        try:
            module, _, called = _PLACES[name].partition(":")
            value = getattr(importlib.import_module(module), called or name)
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.partition(".")[0] == "torch":
                from oddframe.errors import MissingExtraError

                raise MissingExtraError(f"oddframe.{name}", "train") from None
            raise
    else:
        raise AttributeError(f"module 'oddframe' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
