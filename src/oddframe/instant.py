"""The newcomer's first minute: the detector that comes with the package scores a drawn video and leaves a page.

Nothing is trained, and torch is not needed: onnxruntime is, of the extra `runtime`. The detector was made from a run of
`oddframe demo` by `experiments/instant_model.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from oddframe.data.synthetic import plan
from oddframe.data.synthetic.render import Stage
from oddframe.data.synthetic.world import FPS
from oddframe.data.synthetic.write import spans
from oddframe.errors import StorageError
from oddframe.footage.folder import FILES
from oddframe.footage.outputs import score
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.scores import Scores
from oddframe.video.source import Frame
from oddframe.video.write import write_video

MODEL = Path(str(files("oddframe") / "instant_model"))
"""The folder of the artefact."""

_SCENE, _NUMBER, _SEED = "square", 1, 0


@dataclass(frozen=True)
class Instant:
    """What the first minute left behind.

    Attributes:
        video: the drawn one. scores: of it. page: shows them.
        labelled: (start, end, kind) of what is odd in it, in frames, `end` exclusive.
    """

    video: Path
    scores: Scores
    page: Path
    labelled: list[tuple[int, int, str]]


def instant(out: Path | str = "demo/instant", *, watch: Watcher = unwatched) -> Instant:
    """Draw a video of twelve seconds, score it with the detector of this package, and write its page.

    Args:
        out: folder for the video and its scores. watch: told of every step.

    Raises:
        MissingExtraError: onnxruntime is not installed. StorageError: the folder cannot be written.
    """
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, "the folder cannot be made", out) from None
    clip = next(one for one in plan.demo() if (one.part, one.scene, one.number) == ("test", _SCENE, _NUMBER))
    seen: list[tuple[str, ...]] = []

    def drawn() -> Iterator[Frame]:
        for index, (pixels, masks) in enumerate(Stage(_SCENE, _SEED).frames(clip)):
            watch(Progress("drawing a video", index + 1, clip.frames))
            seen.append(tuple(masks))
            yield Frame(index, index / float(FPS), pixels)

    video = write_video(out / f"{_SCENE}.mp4", drawn(), float(FPS))
    scores = score(MODEL, video, out=out / "scores", scene=_SCENE, backend="onnxruntime", watch=watch)
    return Instant(video, scores, out / "scores" / FILES["report"], spans(seen))
