"""What is normal at a place: the mean and spread of what is seen there, or how often so much is seen there?

    oddframe data synth DAY --scale day --which develop
    python experiments/place_normals.py DAY --name day-develop --scenes gate --videos 12
    python experiments/place_normals.py PED2 --name ped2

Of each pair of frames the movement along eight directions is measured at every place (`direction`), nothing is learned.
Both ways turn it into how odd it is there: deviations of its logarithm, as the scorer has it (`places.py`), and the
rarity of so much at that place and close by. A frame's score is the mean over the oddest places and three frames.
Alarms are counted at lines chosen on the test itself, which compares ways and promises nothing. Nothing is chosen on
Ped2: its test shows whether what was chosen on drawn video holds on real video.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import oddframe as odd
from oddframe.data.videoset import LabelledVideo
from oddframe.evaluation.judge import judge
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.scoring.components import log_scale, of_places
from oddframe.scoring.fusion import CausalScore
from oddframe.scoring.places import LEVELS, PlaceNormal
from oddframe.scoring.scores import AlarmLine, Scores
from oddframe.video.flow import directions_of, vectors_between
from oddframe.video.motion import oddest
from oddframe.video.picture import as_picture
from oddframe.video.source import Video
from ways import figures, parser_of_part, part_of

RESULTS = Path(__file__).parent / "results" / "place-normals"
PRIOR_FRAMES = 100
SHARES, BLURS = (0.01, 0.03), (1.0, 1.75)

Map = NDArray[np.float32]
Oddness = Callable[[Map], Map]


def main() -> None:
    """Measure, judge each way, print, and leave one JSON: way → event figures."""
    given = parser_of_part(__doc__).parse_args()
    videos = part_of(odd.open_videoset(given.data), given.scenes, given.videos)
    normal = np.concatenate([moving(one.video) for one in videos.normal])
    test = [(one, moving(one.video)) for one in videos.test]
    found = {}
    for way, of_map in ways(normal).items():
        for share in SHARES:
            name = f"{way}, oddest {100 * share:.0f} %"
            found[name] = figures(judge([judged(one, maps, of_map, share) for one, maps in test]))
            print(name, f"AUC {100 * found[name]['auc']:.1f}", counts(found[name]["at"]), flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    about = {"data": videos.name, "videos": [one.name for one in videos.test], "normal_frames": len(normal)}
    (RESULTS / f"{given.name}.json").write_text(json.dumps(about | {"ways": found}, indent=1) + "\n", "utf-8")


def ways(normal: Map) -> dict[str, Oddness]:
    """Way → how odd a map is, place by place: (h, w, 8) becomes the same."""
    placed = PlaceNormal.fit(normal)
    assert placed is not None
    return {"mean and spread": placed.odd} | {
        f"how often, blurred by {blur:g}": how_often(normal, blur) for blur in BLURS
    }


def how_often(normal: Map, blur: float) -> Oddness:
    """Rarity of so much movement at each place: -log10 of the share of normal frames that had as much, or more.

    Places lend each other what they have seen, and all of them a little of what the whole picture has.
    """
    count, shape = len(normal), normal.shape[1:]
    shares = [np.ones(shape)]
    for level in LEVELS:
        above = (normal >= level).mean(axis=0)
        shares.append(cv2.GaussianBlur(above, (0, 0), blur, borderType=cv2.BORDER_REPLICATE))
    seen = np.stack(shares)
    whole = seen.mean(axis=(1, 2, 3), keepdims=True)
    shrunk = (count * seen + PRIOR_FRAMES * whole) / (count + PRIOR_FRAMES)
    rarity = -np.log10(shrunk + 1 / count).astype(np.float32).reshape(len(seen), -1)

    def oddness(values: Map) -> Map:
        level = np.searchsorted(LEVELS, values.ravel(), side="right")
        return np.asarray(rarity[level, np.arange(values.size)].reshape(shape), np.float32)

    return oddness


def moving(video: Video) -> Map:
    """(N, h, w, 8) of `direction`, in logarithms; of the first frame, which has none before it, that of the second."""
    before, maps = None, []
    for frame in video.frames():
        picture = as_picture(frame.pixels, video.size, 1, "area")
        if before is not None:
            maps.append(log_scale("direction", directions_of(vectors_between(before, picture))))
        before = picture
    return np.stack([maps[0], *maps])


def judged(video: LabelledVideo, maps: Map, of_map: Oddness, share: float) -> JudgedVideo:
    """The scores of a test video by one way, beside its labels."""
    sums, odd_by = CausalScore({"direction": 1.0}, 3), [oddest(of_places(of_map(one)), share) for one in maps]
    online = np.array([sums.take({"direction": value}) for value in odd_by], np.float32)
    frames, first = np.arange(len(maps)) + video.video.first_index, video.video.first_index
    times = video.video.times_s() if video.video.own_clock else None
    nowhere = float(online.max()) + 1
    scores = Scores(
        video=video.name,
        size=video.video.size,
        fps=video.video.fps,
        frame=frames,
        time_s=None if times is None else times[: len(maps)],
        raw={"direction": online},
        calibrated={"direction": online},
        online=online,
        paper=None,
        learned=online,
        line=AlarmLine(nowhere, nowhere, per_hour=None, asked_per_hour=1.0),
    )
    kinds = tuple(Span(span.start + first, span.end + first, span.class_name) for span in video.classes)
    assert video.labels is not None
    return JudgedVideo(video.name, video.scene, scores, video.labels[: len(maps)], kinds, video.conditions)


def counts(at: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Line → found of labelled, and how many alarms were false."""
    return {rate: f"{one['found']} of {one['labelled']}, {one['false']} false" for rate, one in at.items()}


if __name__ == "__main__":
    main()
