"""A process that scores one video after another for `score_videos`, or pieces of them.

Opening {"run", "backend", "device"}, and "fitting" where there is one. Each order names a video by {"video", "name",
"folder", "asked", "made"}, and what to do with it:

"score"   {"pieces"} score it: its {"summary"} back; or where it pays to cut it into so many, the {"pieces"}, and the
          {"backend"} that is to judge all of them
"piece"   {"piece", "number", "backend"} judge one of them, and leave it in the video's folder: {"digest"} back
"merge"   {"digests", "backend"} put all of them together: {"summary"} back
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple

from oddframe.footage import pieces
from oddframe.footage.course import Answer
from oddframe.footage.folder import Asked
from oddframe.footage.outputs import scene_of, score_into
from oddframe.footage.published import filled
from oddframe.footage.summary import Making
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.scoring.pieces import Piece, cut, judge_piece
from oddframe.scoring.scorer import Scorer
from oddframe.storage.place import place_of
from oddframe.video.source import Video


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Load the detector."""
    yield _Scoring(opening).do


class _Scoring:
    def __init__(self, opening: Order) -> None:
        self._opening = opening
        self._scorer = self._load(opening["backend"])
        self._cut: tuple[str, Video] | None = None

    def do(self, order: Order, watch: Watcher) -> Answer:
        """What an order says."""
        return {"score": self._score, "piece": self._judge, "merge": self._merge}[order["do"]](order, watch)

    def _score(self, order: Order, watch: Watcher) -> Answer:
        asked = Asked(**order["asked"])
        video, self._cut = asked.open(order["video"], order["name"]), None
        folder = place_of(order["folder"])
        pieces.clear(folder)
        if order["pieces"] > 1:
            scene, _ = scene_of(self._scorer, video, asked)
            if found := cut(self._scorer, video, scene, order["pieces"], watch):
                self._cut = order["video"], video
                return {"pieces": [astuple(one) for one in found], "backend": self._scorer.runtime.name}
        with filled(folder) as inside:
            scores = score_into(inside, self._scorer, video, asked, _made(order), watch)
        return {"summary": scores.to_dict()}

    def _judge(self, order: Order, watch: Watcher) -> Answer:
        asked, video, scorer = Asked(**order["asked"]), self._whole(order), self._by(order["backend"])
        scene, _ = scene_of(scorer, video, asked)
        judged = judge_piece(scorer, video, scene, Piece(*order["piece"]), watch)
        return {"digest": pieces.keep(judged, place_of(order["folder"]), order["number"])}

    def _merge(self, order: Order, watch: Watcher) -> Answer:
        asked, video, scorer = Asked(**order["asked"]), self._whole(order), self._by(order["backend"])
        folder = place_of(order["folder"])
        with filled(folder) as inside:
            judged = pieces.kept(folder, order["digests"])
            scores = score_into(inside, scorer, video, asked, _made(order), watch, judged)
        pieces.clear(folder)
        return {"summary": scores.to_dict()}

    def _whole(self, order: Order) -> Video:
        """A video that was cut. To know its frames, all of its file is read: once for all of its pieces here."""
        if self._cut is None or self._cut[0] != order["video"]:
            self._cut = order["video"], Asked(**order["asked"]).open(order["video"], order["name"])
        return self._cut[1]

    def _by(self, backend: str) -> Scorer:
        """The detector by this backend: each process finds out for itself which one is the fastest."""
        if backend != self._scorer.runtime.name:
            self._scorer = self._load(backend)
        return self._scorer

    def _load(self, backend: str) -> Scorer:
        opening = self._opening
        return Scorer(opening["run"], backend=backend, device=opening["device"], fitting=opening.get("fitting"))


def _made(order: Order) -> Making | None:
    return None if order["made"] is None else Making.model_validate(order["made"])


if __name__ == "__main__":
    serve(begin)
