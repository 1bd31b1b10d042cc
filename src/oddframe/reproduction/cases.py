"""Fig. 7: frames of labelled anomalies beside what differs from their prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oddframe.data.videoset import VideoSet
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.outside import new_figure
from oddframe.reproduction.cells import Work, set_key
from oddframe.runs import Run
from oddframe.scoring.explanation import Explanation
from oddframe.scoring.scorer import Scorer

_CASES = 6


def draw_cases(path: Path, out: Path, work: Sequence[Work], device: str) -> tuple[Path, ...]:
    """Draw up to six frames of the first run that is done: the picture, and beside it the difference.

    The frames are the middle ones of the longest labelled stretch of videos that are spread over the test: nobody has
    chosen them for how they look.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    done = [one for one in work if not one.open_parts(out)]
    if not done:
        return ()
    cases = _explained(done[0].run_folder(out), done[0].videos, device)
    rows = -(-len(cases) // 2)
    figure = new_figure("a picture", (10, 2.1 * rows + 0.4))
    figure.suptitle(f"{done[0].row.label} on {set_key(done[0].videos)}: frame, and difference from its prediction")
    panels = figure.subplots(rows, 4, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for place, (name, case) in enumerate(cases):
        left, right = panels[2 * place], panels[2 * place + 1]
        left.imshow(case.picture if case.picture.shape[2] == 3 else case.picture[..., 0], cmap="gray")
        left.set_title(f"{name}, frame {case.frame}", fontsize="small")
        right.imshow(np.sqrt(case.error), cmap="magma", vmin=0, vmax=0.5)
    figure.savefig(path, dpi=110)
    return (path,)


def _explained(folder: Path, videos: VideoSet, device: str) -> list[tuple[str, Explanation]]:
    chosen = [(video.name, frame) for video in Result.load(folder).scored if (frame := _middle(video)) is not None]
    taken = np.unique(np.linspace(0, len(chosen) - 1, min(_CASES, len(chosen))).round().astype(int))
    scorer, by_name = Scorer(Run.open(folder), device=device), {video.name: video for video in videos.test}
    found = []
    for name, frame in (chosen[place] for place in taken):
        shown = scorer.explain(by_name[name].video, [frame], by_name[name].scene)
        found += [(name, one) for one in shown]
    return found


def _middle(video: JudgedVideo) -> int | None:
    """The middle frame of the longest labelled stretch."""
    stretches = video.stretches()
    if not stretches:
        return None
    start, end = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    return (start + end) // 2
