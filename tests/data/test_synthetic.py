"""The synthetic set: frozen, exactly labelled, and not to be solved by frame differences."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from oddframe.data.synthetic import KNOWN, UNKNOWN, generate, plan
from oddframe.data.synthetic.render import MASK_PIXELS, Stage
from oddframe.data.synthetic.world import Camera, Canvas
from oddframe.data.synthetic.write import spans
from oddframe.errors import SettingsError, StorageError

# Detectors are tuned on these very frames: whoever changes them raises VERSION and reruns what was measured.
TINY = "d08e9fc595a04ab6"
DEMO = "c48ddea7c03e0775"


def as_bytes(pixels: np.ndarray, masks: dict[str, np.ndarray]) -> bytes:
    """All that is frozen of a frame."""
    parts = [pixels.tobytes()]
    for kind, mask in sorted(masks.items()):
        parts += [kind.encode(), np.packbits(mask).tobytes()]
    return b"".join(parts)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage("passage", seed=0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("synthetic") / "set", scale="tiny")


def label_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_rendered_frames_and_masks_are_frozen(stage: Stage) -> None:
    sha = hashlib.sha256()
    for clip in plan.tiny():
        if clip.part == "test":
            for frame in stage.frames(clip):
                sha.update(as_bytes(*frame))
    assert sha.hexdigest()[:16] == TINY


@pytest.mark.slow
def test_another_seed_is_another_world(stage: Stage) -> None:
    clip = plan.tiny()[-1]
    one, other = (next(each.frames(clip))[0] for each in (stage, Stage("passage", seed=1)))
    assert one.shape == other.shape == (160, 240, 3)
    assert np.mean(one != other) > 0.5


def test_set_has_the_layout_of_peoples_own_video(tiny: Path) -> None:
    videos = sorted(str(path.relative_to(tiny)) for path in tiny.rglob("*.mp4"))
    assert videos == [
        "abnormal/passage/passage-a01.mp4",
        *(f"normal/passage/passage-n0{k}.mp4" for k in (1, 2, 3)),
        *(f"test/passage/passage-t0{k}.mp4" for k in (1, 2)),
    ]
    with av.open(str(tiny / videos[-1])) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        assert file.streams.video[0].average_rate == 12.5
    assert len(frames) == 28
    assert frames[0].shape == (160, 240, 3)


@pytest.mark.slow
def test_encoded_video_shows_what_was_rendered(tiny: Path, stage: Stage) -> None:
    clip = plan.tiny()[-1]
    drawn = np.stack([pixels for pixels, _ in stage.frames(clip)])
    with av.open(str(tiny / "test/passage/passage-t02.mp4")) as file:
        read = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
    assert np.abs(drawn.astype(int) - read).mean() < 4


def test_labels_masks_and_description_agree(tiny: Path) -> None:
    rows = label_rows(tiny)
    assert {row["class"] for row in rows} == {"cyclist", "wrong-way"}
    labelled = {(row["video"], frame) for row in rows for frame in range(int(row["start"]), int(row["end"]))}
    masks = {(path.parent.name, int(path.stem)): path for path in (tiny / "masks").rglob("*.png")}
    assert set(masks) == labelled
    for path in masks.values():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (160, 240)
        assert set(np.unique(mask)) == {0, 255}
        assert (mask > 0).sum() >= MASK_PIXELS
    description = json.loads((tiny / "synthetic.json").read_text(encoding="utf-8"))
    assert description["known"] == list(KNOWN)
    assert description["unknown"] == list(UNKNOWN)


def test_slow_trains_on_the_same_clips_as_demo_and_tests_cyclists_at_walking_pace() -> None:
    trained = [[clip for clip in made() if clip.part != "test"] for made in (plan.demo, plan.slow)]
    tested = [clip for clip in plan.slow() if clip.part == "test"]

    assert trained[0] == trained[1]
    assert {clip.scene for clip in tested if clip.events} == {"street", "passage", "square"}
    assert any(not clip.events for clip in tested)
    # people walk at up to 1.55 m/s
    assert all(event.kind == "cyclist" and event.pace <= 1.55 for clip in tested for event in clip.events)


def test_set_that_is_already_there_is_kept(tiny: Path) -> None:
    def progress(done: int, total: int) -> None:
        raise AssertionError("rendered again")

    assert generate(tiny, scale="tiny", progress=progress) == tiny


def test_progress_counts_every_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = plan.Clip("normal", "passage", 1, 3, ((0, 0.0),))
    monkeypatch.setattr("oddframe.data.synthetic.write.SCALES", {"tiny": lambda: (clip,)})
    seen: list[tuple[int, int]] = []
    generate(tmp_path / "set", scale="tiny", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def progress(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "set", scale="tiny", progress=progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["holiday.txt", "synthetic.json"])
def test_folder_with_other_things_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / content).write_text('{"seed": 7}', encoding="utf-8")
    with pytest.raises(StorageError, match="new or empty folder"):
        generate(tmp_path, scale="tiny")
    assert [path.name for path in tmp_path.iterdir()] == [content]


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(b"")
    with pytest.raises(StorageError, match="taken"):
        generate(tmp_path / "set", scale="tiny")


def test_unknown_scale_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean tiny"):
        generate(tmp_path / "set", scale="tinny")


def test_scale_of_hours_is_pointed_to_its_own_function(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="generate_day draws it"):
        generate(tmp_path / "set", scale="day")
    with pytest.raises(SettingsError, match="demo or slow or tiny or day"):
        generate(tmp_path / "set", scale="daily")


def test_unknown_kinds_appear_only_in_the_test() -> None:
    by_part: dict[str, set[str]] = {"normal": set(), "abnormal": set(), "test": set()}
    for clip in plan.demo():
        by_part[clip.part] |= {event.kind for event in clip.events}
    assert by_part == {"normal": set(), "abnormal": set(KNOWN), "test": {*KNOWN, *UNKNOWN}}


def test_demo_has_three_scenes_with_wholly_normal_test_videos() -> None:
    clips = plan.demo()
    assert len(clips) == len({clip.name for clip in clips}) == 30
    assert sum(clip.frames for clip in clips) == 5156
    quiet = [clip.scene for clip in clips if clip.part == "test" and not clip.events]
    assert quiet == ["street", "passage", "square"]


def test_spans_follow_each_kind_by_itself() -> None:
    assert spans([[], ["cart"], ["cart", "runner"], ["runner"], []]) == [(1, 3, "cart"), (2, 4, "runner")]
    assert spans([["cart"], [], ["cart"]]) == [(0, 1, "cart"), (2, 3, "cart")]


def test_camera_sees_two_metres_at_twenty_as_twenty_four_pixels() -> None:
    camera = Camera(horizon=20, height=4, focal=240)
    assert camera.row(20) == 68  # 20 + 240 * 4 / 20
    pixels = np.zeros((320, 480), np.uint8)
    Canvas(camera, pixels).polygon([(-1, 0, 20), (1, 0, 20), (1, 2, 20), (-1, 2, 20)], (255, 255, 255))
    rows, columns = np.nonzero(pixels)
    # Twice the size, and OpenCV draws the border pixel on either side of an outline.
    assert rows.min() == pytest.approx(2 * 44, abs=1)
    assert rows.max() == pytest.approx(2 * 68 - 1, abs=1)
    assert columns.min() == pytest.approx(2 * 108, abs=1)
    assert columns.max() == pytest.approx(2 * 132 - 1, abs=1)


def test_mask_leaves_out_what_is_hidden() -> None:
    camera = Camera(horizon=20, height=4, focal=240)
    canvas = Canvas(camera, np.zeros((320, 480, 3), np.uint8))
    canvas.tags, canvas.tag = np.zeros((320, 480), np.uint8), 1
    canvas.polygon([(-1, 0, 20), (1, 0, 20), (1, 2, 20), (-1, 2, 20)], (255, 0, 0))
    whole = int((canvas.tags == 1).sum())
    canvas.tag = 0
    canvas.polygon([(0, 0, 20), (2, 0, 20), (2, 2, 20), (0, 2, 20)], (0, 255, 0))
    assert int((canvas.tags == 1).sum()) == pytest.approx(whole / 2, rel=0.03)


@pytest.mark.long
@pytest.mark.slow
def test_demo_is_frozen_and_not_solved_by_frame_differences() -> None:
    sha = hashlib.sha256()
    scores: list[float] = []
    labels: list[bool] = []
    for scene in plan.SCENES:
        stage = Stage(scene, seed=0)
        for clip in plan.demo():
            if clip.scene != scene or clip.part == "normal":
                continue
            last = np.zeros((160, 240), np.float32)
            for t, (pixels, masks) in enumerate(stage.frames(clip)):
                sha.update(as_bytes(pixels, masks))
                grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
                if clip.part == "test" and t >= 4:
                    windows = cv2.boxFilter((grey - last) ** 2, -1, (16, 16))[8:-7:8, 8:-7:8]
                    scores.append(float(windows.max()))
                    labels.append(bool(masks))
                last = grey
    odd, even = np.array(scores)[labels], np.array(scores)[np.logical_not(labels)]
    auc = np.mean(odd[:, None] > even[None]) + 0.5 * np.mean(odd[:, None] == even[None])
    assert 0.55 < auc < 0.72
    assert 0.25 < np.mean(labels) < 0.42
    assert sha.hexdigest()[:16] == DEMO


@pytest.mark.parametrize("content", ["[" * 50_000, "{", '{"seed": NaN}', '"' + "x" * 70_000 + '"'])
def test_a_folder_with_a_damaged_description_is_taken_and_nothing_of_it_is_touched(tmp_path, content):
    (tmp_path / "synthetic.json").write_text(content)

    with pytest.raises(StorageError, match=r"(?s)is taken.*files that are no synthetic set"):
        generate(tmp_path, scale="tiny")

    assert (tmp_path / "synthetic.json").read_text() == content
