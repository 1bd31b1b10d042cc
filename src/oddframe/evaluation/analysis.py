"""What a detector's queries and memories look like: Sec. IV-F and IV-G of the paper (Fig. 6, Table IV, Eqs. 13-18).

Clips are normal when none of their frames is abnormal, abnormal when all are; mixed ones are left out. So many of
either are taken evenly over all test videos; memory grows with their number, never with the length of the videos.

Eqs. 13-18, as read here (the text calls two sets by one name, and Table IV's ratios are above 1 where Eqs. 15 and 18
give less than 1 for a detector that works):
- U^N are the normality head's queries of a normal clip, U^A the abnormality head's of an abnormal clip.
- d(U, M) is the largest distance (Euclidean, 0..2) of a clip's queries to their nearest item of M.
- `ratio` is the equation's, sum of own distances over sum of other ones; `inverse` the other way round, which is what
  Table IV must show. The heads have spaces of their own: nothing teaches an item of the other memory its place there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError, MissingExtraError, NothingToJudgeError, RunError
from oddframe.evaluation import testset
from oddframe.evaluation.analysed import Analysis, Distances, Kind, MemoryUse, Space
from oddframe.nn.memory import DEAD_SHARE, Memory
from oddframe.nn.pictures import to_unit_range
from oddframe.nn.precision import resolve_device
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.runs import Run
from oddframe.video.depth import ranged
from oddframe.video.picture import as_picture

if TYPE_CHECKING:
    from oddframe.data.open import Data
    from oddframe.data.videoset import LabelledVideo
    from oddframe.models.detector import Detector

Vectors = NDArray[np.float32]

NORMALITY, ABNORMALITY = "normality", "abnormality"

_ODD_SHARE = 0.25
"""Of a place's pixels, marked, that make it an odd place."""
_LEAST_POINTS = 5
_KINDS: tuple[Kind, Kind] = ("normal", "abnormal")


class _Clip(NamedTuple):
    """Where a clip lies: the number of its video, and of its first frame in that video."""

    video: int
    first: int
    abnormal: bool


def analyse(
    run: Run | Path | str,
    data: Data | None = None,
    *,
    clips: int = 200,
    device: str = "auto",
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Analysis:
    """Look at the queries and memories of a trained detector on the test videos of its split.

    What is found is left in the run's folder, too, as `analysis.json`: its report shows it.

    Args:
        run: a trained run, or its folder.
        data: as of `evaluate`.
        clips: how many of either kind are looked at.
        device: "auto" | "cpu" | "cuda" | "cuda:1".
        seed: of t-SNE, and of the place that is drawn in each clip.
        watch: told after each clip.

    Raises:
        RunError: the detector has no queries, or the run is not finished.
        MissingExtraError: scikit-learn is not installed.
        NothingToJudgeError: no labels, or no whole clip of one kind. MissingPathError: the data are not there.
        StorageError: the run's folder cannot be written.
    """
    opened = run if isinstance(run, Run) else Run.open(Path(run))
    where = resolve_device(device)
    detector = opened.detector().to(where).eval()
    test = testset.labelled_test(opened, testset.open_judged(opened, data))
    chosen = _chosen(test, detector.window.frames, clips)
    if not chosen:
        raise NothingToJudgeError(
            "no test video has a clip that is all normal or all abnormal",
            wanted=f"{detector.window.frames} neighbouring frames of one label",
        )
    gathered = _Gathered(_memories(detector), np.random.default_rng(seed))
    with torch.inference_mode():
        for number, (clip, pictures, odd) in enumerate(_read(test, chosen, opened, detector)):
            watch(Progress("analysing", number, len(chosen), test[clip.video].name))
            pixels = to_unit_range(torch.from_numpy(pictures[None]).to(where), int(detector.settings.channels))
            queries = {name: found[0].float().cpu().numpy() for name, found in detector.queries(pixels).items()}
            if not queries:
                raise RunError(
                    f"'{opened.settings.detector}' has no queries that could be analysed",
                    path=opened.folder,
                    wanted="a detector with a memory",
                    hint="oddframe models",
                )
            gathered.take(queries, clip.abnormal, odd)
    found = gathered.analysis(opened, seed)
    found.save(opened.folder)
    return found


def _memories(detector: Detector) -> dict[str, Vectors]:
    """Branch → items (M, C): each `Memory` by the branch that it is part of."""
    found = {
        path.partition(".")[0]: module.items.float().cpu().numpy()
        for path, module in detector.named_modules()
        if isinstance(module, Memory)
    }
    return {NORMALITY: found["memory"]} if list(found) == ["memory"] else found


def _chosen(test: Sequence[LabelledVideo], frames: int, most: int) -> list[_Clip]:
    """At most so many clips of either kind, evenly over all videos, in the order of the videos."""
    chosen: list[_Clip] = []
    for abnormal in (False, True):
        starts = []
        for video in test:
            assert video.labels is not None
            windows = np.lib.stride_tricks.sliding_window_view(video.labels, min(frames, len(video.labels)))
            whole = (windows == abnormal).all(axis=1) if len(video.labels) >= frames else np.zeros(0, bool)
            starts.append(np.flatnonzero(whole))
        where = [_Clip(number, int(first), abnormal) for number, found in enumerate(starts) for first in found]
        taken = np.linspace(0, len(where) - 1, min(most, len(where))).round().astype(int)
        chosen += [where[index] for index in taken]
    return sorted(chosen)


def _read(
    test: Sequence[LabelledVideo], chosen: Sequence[_Clip], run: Run, detector: Detector
) -> Iterator[tuple[_Clip, NDArray[np.uint8], NDArray[np.bool_] | None]]:
    """Yield clips with their pictures (T, h, w, C) and the mask of the judged frame, where there is one."""
    size, channels, resize = detector.settings.size, int(detector.settings.channels), run.settings.data.resize
    for number, video in enumerate(test):
        left = deque(clip for clip in chosen if clip.video == number)
        held: deque[NDArray[np.uint8]] = deque(maxlen=detector.window.frames)
        try:
            shown, _ = ranged(video.video, run.settings.data.pixel_range)
            for position, frame in enumerate(shown.frames() if left else ()):
                held.append(as_picture(frame.pixels, size, channels, resize))
                if position == left[0].first + detector.window.frames - 1:
                    clip = left.popleft()
                    odd = None if video.masks is None else video.masks.read(clip.first + detector.window.before)
                    yield clip, np.stack(held), odd
                    if not left:
                        break
        except CutOffVideoError:
            continue  # what was readable has been looked at


class _Gathered:
    """What is kept of the clips: sums, and one mean query and one single query a clip and branch."""

    def __init__(self, memories: dict[str, Vectors], rng: np.random.Generator) -> None:
        self._memories, self._rng = memories, rng
        self._abnormal: list[bool] = []
        self._distances: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        self._nearest = {(name, kind): np.zeros(len(memories[name])) for name in memories for kind in (False, True)}
        self._points: dict[tuple[str, Literal["clips", "places"]], list[Vectors]] = {}
        self._unmasked = False

    def take(self, queries: dict[str, Vectors], abnormal: bool, odd: NDArray[np.bool_] | None) -> None:
        """Take the queries (C, h, w) of each branch, unit length along C, of one clip."""
        self._abnormal.append(abnormal)
        for name, found in queries.items():
            rows = found.reshape(len(found), -1).T  # (h*w, C)
            places = self._places(found.shape[1:], odd) if abnormal else np.arange(len(rows))
            mean = rows.mean(axis=0)
            self._points.setdefault((name, "clips"), []).append(mean / max(float(np.linalg.norm(mean)), 1e-12))
            self._points.setdefault((name, "places"), []).append(rows[self._rng.choice(places)])
            if name in self._memories:
                nearest = (rows @ self._memories[name].T).argmax(axis=1)
                self._nearest[name, abnormal] += np.bincount(nearest, minlength=len(self._memories[name]))
        if {NORMALITY, ABNORMALITY} <= {*self._memories} & {*queries}:
            own, other = (ABNORMALITY, NORMALITY) if abnormal else (NORMALITY, ABNORMALITY)
            rows = queries[own].reshape(len(queries[own]), -1).T
            self._distances[abnormal].append(
                (farthest(rows, self._memories[own]), farthest(rows, self._memories[other]))
            )

    def analysis(self, run: Run, seed: int) -> Analysis:
        """What it all comes to."""
        abnormal = np.array(self._abnormal, bool)
        clips: dict[Kind, int] = {"normal": int((~abnormal).sum()), "abnormal": int(abnormal.sum())}
        notes = [f"There is no clip that is {kind} throughout." for kind, count in clips.items() if not count]
        distances: dict[Kind, Distances] = {
            kind: _distances(np.array(found))
            for kind, found in zip(_KINDS, (self._distances[False], self._distances[True]), strict=True)
            if found
        }
        if not distances:
            notes.append("Eqs. 13-18 need a normality and an abnormality memory.")
        if self._unmasked:
            notes.append("Abnormal clips without masks: their single queries are drawn anywhere in the picture.")
        enough = len(abnormal) >= _LEAST_POINTS
        if not enough:
            notes.append(f"t-SNE needs {_LEAST_POINTS} clips.")
        return Analysis(
            detector=run.settings.detector,
            run=str(run.folder),
            clips=clips,
            distances=distances,
            memories={name: self._use(name) for name in self._memories},
            spaces=tuple(
                Space(branch=branch, of=of, points=_laid_out(np.stack(points), seed), abnormal=abnormal)
                for (branch, of), points in (self._points.items() if enough else ())
            ),
            notes=tuple(notes),
        )

    def _places(self, shape: tuple[int, ...], odd: NDArray[np.bool_] | None) -> NDArray[np.intp]:
        """The places of an abnormal clip that are odd, the oddest where none is by far; all where nobody knows."""
        if odd is None or not odd.any():
            self._unmasked = True
            return np.arange(shape[0] * shape[1])
        share = cv2.resize(odd.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_AREA).ravel()
        return np.flatnonzero(share >= min(_ODD_SHARE, float(share.max())))

    def _use(self, name: str) -> MemoryUse:
        items = self._memories[name]
        share: dict[Kind, tuple[float, ...]] = {
            kind: tuple((counts / counts.sum()).tolist())
            for kind, counts in zip(_KINDS, (self._nearest[name, False], self._nearest[name, True]), strict=True)
            if counts.sum()
        }
        served = np.max(list(share.values()), axis=0) if share else np.zeros(len(items))
        cosines = items @ items.T
        apart = cosines[~np.eye(len(items), dtype=bool)]
        return MemoryUse(
            share=share,
            dead=tuple(np.flatnonzero(served < DEAD_SHARE / len(items)).tolist()),
            similarity=tuple(map(tuple, cosines.tolist())),
            largest_similarity=float(apart.max()) if len(apart) else None,
        )


def farthest(queries: Vectors, items: Vectors) -> float:
    """d of Eqs. 13, 14, 16, 17: queries (K, C) and items (M, C), unit length → the largest distance to a nearest item.

    >>> farthest(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[:1]) ** 2
    2.0
    """
    nearest = items[(queries @ items.T).argmax(axis=1)]
    return float(np.linalg.norm(queries.astype(np.float64) - nearest, axis=1).max())


def _distances(found: NDArray[np.float64]) -> Distances:
    """(clips, 2): own and other distance of each clip."""
    own, other = found.mean(axis=0).tolist()
    return Distances(
        clips=len(found), own=own, other=other, ratio=own / max(other, 1e-12), inverse=other / max(own, 1e-12)
    )


def _laid_out(vectors: Vectors, seed: int) -> NDArray[np.float32]:
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise MissingExtraError("t-SNE", "train") from None
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    made = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)
    return np.asarray(made, np.float32)
