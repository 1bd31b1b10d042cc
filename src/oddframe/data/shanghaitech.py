"""ShanghaiTech Campus (Luo, Liu and Gao, ICCV 2017), in the two layouts in which it is about.

    official    training/videos/01_001.avi    testing/frames/01_0014/000.jpg
                testing/test_frame_mask/01_0014.npy    (0 or 1 a frame)
                testing/test_pixel_mask/01_0014.npy    (optional: where)
    community   the same with training/frames/01_001/000.jpg; frame_labels_shanghai.npy anywhere

A name begins with the number of its camera: thirteen scenes, one of them in the training alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from oddframe.data.known_counts import SHANGHAITECH_TEST
from oddframe.data.label_files import read_vector
from oddframe.data.labels import LabelSource, Reading, differences, settle, shown_by
from oddframe.data.mask_volumes import VolumeMasks
from oddframe.data.public_sets import (
    Place,
    accept_missing,
    assemble,
    at_or_below,
    by_precedence,
    files_below,
    fitting,
    not_as_published,
    open_side,
    read_label_files,
    relative,
    strangers,
    video_files,
    video_folders,
)
from oddframe.data.videoset import Labels, VideoSet
from oddframe.errors import LabelCountError, MissingPathError
from oddframe.video.source import Video

KIND = "shanghaitech"

TRAINING_VIDEOS = 330

_NAME = re.compile(r"(\d\d)_\d{3,4}")
_FRAME_MASKS, _PIXEL_MASKS = "test_frame_mask", "test_pixel_mask"


def find(path: Path) -> list[Place]:
    """Return the ShanghaiTech sets at a folder or right below it."""
    return at_or_below(path, _place)


def read(place: Place, how: Reading) -> VideoSet:
    """Read the set with all label files that lie below it, and those given.

    Pixel masks say where, and take no part in the labels but where `on_conflict` is "note", which compares them.

    Args:
        place: from `find`.
        how: `masks` is the folder of pixel masks.

    Raises:
        IncompleteSetError: videos, or labels of some videos, are missing.
        LabelError: labels or masks that do not fit, contradict each other, or are pickles.
        FrameSizeError: masks of another size than their frames.
    """
    trained, videos = open_side(place.training, how.fps), open_side(place.testing, how.fps)
    names = [video.name for video in videos]
    notes: list[str] = []
    frame_masks = _arrays(place.testing.parent / _FRAME_MASKS)
    vectors = {name: read_vector(file) for name, file in frame_masks.items()}
    sources: list[LabelSource] = []
    altered = not_as_published("test video", videos, SHANGHAITECH_TEST)
    with fitting(place, altered):
        if vectors:
            said = tuple(_fitting(vectors.get(video.name), frame_masks, video) for video in videos)
            sources.append(LabelSource(relative(place.testing.parent / _FRAME_MASKS, place.root), said))
        whole = {name: len(vectors.get(name, ())) for name in sorted({*vectors, *names})}
        lists = [file for file in files_below(place) if re.search("shanghai|label|gt", file.stem, re.I)]
        listed = read_label_files(by_precedence(lists), place, videos, whole)
        given = read_label_files(how.labels, place, videos, whole)
        sources += [*listed, *given]
        drawn = _match_masks(videos, _pixel_masks(place, how.masks), notes)
    if any(drawn) and (how.on_conflict == "note" or not sources):
        shown = shown_by(_PIXEL_MASKS, videos, drawn)
        if sources:
            notes += [str(one) for source in sources[:1] for one in differences(source, shown, names)]
        else:
            sources = [shown]
    settled, conflicts = settle(sources, names, how.on_conflict)
    missing = [*_missing(trained, names, vectors), *altered]
    if silent := [name for name, said in zip(names, settled, strict=True) if said is None]:
        missing.append(f"labels of test videos {', '.join(silent)}")
    notes += accept_missing(place, missing, how.partial)
    return assemble(
        place, trained, videos, settled, drawn, sources, conflicts, notes=notes, missing=missing, scene_of=_scene
    )


def _place(root: Path) -> Place | None:
    training, testing = root / "training" / "videos", root / "testing" / "frames"
    if not video_files(training):
        training = root / "training" / "frames"
    names = [path.stem for path in (video_files(training) or video_folders(training)) + video_folders(testing)]
    return Place(root, KIND, training, testing) if names and all(map(_NAME.fullmatch, names)) else None


def _scene(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match[1] if match else ""


def _arrays(folder: Path) -> dict[str, Path]:
    """Name of a video -> its .npy in a folder."""
    return {file.stem: file for file in sorted(folder.glob("*.npy")) if not file.name.startswith(".")}


def _fitting(labels: Labels | None, files: Mapping[str, Path], video: Video) -> Labels | None:
    if labels is not None and len(labels) != video.frame_count:
        raise LabelCountError(
            f"the labels of video {video.name} do not fit it",
            path=files[video.name],
            seen=f"{len(labels)} labels, {video.frame_count} frames",
            wanted="one a frame",
            hint="frames are missing from the video's folder, or the labels are of another set",
        )
    return labels


def _pixel_masks(place: Place, masks: Path | None) -> dict[str, Path]:
    found = _arrays(place.testing.parent / _PIXEL_MASKS if masks is None else masks)
    if masks is not None and not found:
        raise MissingPathError("there are no masks here", path=masks, wanted="files such as 01_0014.npy")
    return found


def _match_masks(videos: Sequence[Video], files: dict[str, Path], notes: list[str]) -> list[VolumeMasks | None]:
    """Give each video the masks of its name, and note the files left over."""
    matched = [
        VolumeMasks.of(files.pop(video.name), video.frame_count, video.size) if video.name in files else None
        for video in videos
    ]
    notes += strangers("pixel masks", files.values())
    return matched


def _missing(trained: Sequence[Video], names: Sequence[str], vectors: Mapping[str, Labels]) -> list[str]:
    missing = []
    if len(trained) < TRAINING_VIDEOS:
        missing.append(f"training videos ({len(trained)} of {TRAINING_VIDEOS} are here)")
    if len(names) < len(SHANGHAITECH_TEST):
        without = sorted(set(vectors) - set(names))
        named = f" {', '.join(without)}" if without else ""
        missing.append(f"test videos{named} ({len(names)} of {len(SHANGHAITECH_TEST)} are here)")
    return missing
