"""Hours of drawn video: frozen, exactly labelled, odd with respect to its own place, and gone on with after a kill."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import math
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from oddframe.data.mask_volumes import PackedMasks
from oddframe.data.open import open_videoset
from oddframe.data.synthetic.day import generate_day, make, outlook, sets
from oddframe.data.synthetic.day.anomalies import KINDS, fits, happens
from oddframe.data.synthetic.day.draw import MASK_PIXELS, Places, frames
from oddframe.data.synthetic.day.moves import RATE, Story
from oddframe.data.synthetic.day.places import PLANS
from oddframe.data.synthetic.day.sets import KNOWN, ONLY_IN_JUDGE, Script, scripts
from oddframe.data.synthetic.day.write import joined, write_video
from oddframe.errors import FrameSizeError, IncompleteSetError, LabelError, SettingsError, StorageError
from oddframe.progress import unwatched

FROZEN = json.loads((files("oddframe.data.synthetic.day") / "frozen.json").read_text("utf-8"))


def short(part: str, place: int, count: int, events: tuple[tuple[str, int], ...] = (), number: int = 1) -> Script:
    """A short video of one of the places of `develop`."""
    return Script(5, PLANS["develop"][place], place, part, number, count, "day", "clear", events)


@pytest.fixture(scope="module")
def places() -> Places:
    return Places()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> tuple[Script, ...]:
    """A set of three short videos instead of hours; one process draws it, in this one."""
    there = (short("normal", 3, 12), short("abnormal", 3, 30, (("cart", 0),)), short("test", 3, 40, (("cyclist", 5),)))
    monkeypatch.setattr(make, "scripts", lambda name: there)
    return there


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch, places: Places) -> list[str]:
    """Names of the videos that are drawn, in this process."""
    drawn: list[str] = []

    def run(self: object, waiting: list[Script], watch: object) -> dict[str, object]:
        drawn.extend(script.name for script in waiting)
        root = Path(self._opening["folder"])  # type: ignore[attr-defined]
        return {script.name: write_video(root, script, places, unwatched) for script in waiting}

    monkeypatch.setattr(make._Drawing, "run", run)
    return drawn


@pytest.mark.parametrize("name", sets.SETS)
def test_each_set_has_four_hours_of_normal_test_video_and_three_hundred_anomalies_of_fifteen_kinds_or_more(name):
    tests = [script for script in scripts(name) if script.part == "test"]
    kinds = Counter(kind for script in tests for kind, _ in script.events)
    hours = sum(script.frames for script in tests) / RATE / 3600

    assert sum(kinds.values()) == 320
    assert min(kinds.values()) >= 18
    # Anomalies last 40 s at most.
    assert hours - 320 * 40 / 3600 > 2.3
    assert hours == pytest.approx(5.87, abs=0.01)
    assert len({script.name for script in scripts(name)}) == len(scripts(name)) == 141
    assert sum(script.frames for script in scripts(name) if script.part == "normal") == RATE * 3600


def test_judge_has_other_places_and_two_kinds_that_develop_lacks():
    there = {name: {kind for script in scripts(name) for kind, _ in script.events} for name in sets.SETS}

    assert there["judge"] - there["develop"] == set(ONLY_IN_JUDGE)
    assert there["develop"] < there["judge"] == set(KINDS)
    assert not {plan.name for plan in PLANS["develop"]} & {plan.name for plan in PLANS["judge"]}


@pytest.mark.parametrize("name", sets.SETS)
def test_known_clips_are_five_of_four_kinds_and_light_and_weather_of_the_test_are_in_the_normal_video(name):
    there = scripts(name)
    known = [script.events[0][0] for script in there if script.part == "abnormal"]
    skies = {
        part: {(script.place, script.light, script.weather) for script in there if script.part == part}
        for part in ("normal", "test")
    }

    assert len(known) == 5
    assert set(known) == set(KNOWN)
    assert skies["test"] == skies["normal"]
    assert {light for _, light, _ in skies["test"]} == {"day", "dusk", "night"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sets.SETS)
def test_sets_are_frozen_by_what_happens_in_them(name):
    assert sets.set_digest(name) == FROZEN[name]["plan"]


@pytest.mark.slow
@pytest.mark.parametrize("name", sets.SETS)
def test_sets_are_frozen_by_frames_and_masks_before_they_are_encoded(name):
    for script in scripts(name):
        if script.name not in FROZEN[name]["frames"]:
            continue
        sha = hashlib.sha256()
        for t, (pixels, masks) in enumerate(frames(script)):
            if t == 240:
                break
            if t % 12 == 0:
                sha.update(pixels.tobytes())
                for kind in sorted(masks):
                    sha.update(kind.encode() + np.packbits(masks[kind]).tobytes())
        assert sha.hexdigest() == FROZEN[name]["frames"][script.name], script.name


@pytest.mark.slow
def test_video_does_not_depend_on_what_was_drawn_before_it(places: Places):
    script = short("test", 3, 6, (("runner", 0),))
    for _ in frames(short("test", 3, 6, number=2), places):
        pass

    again = [pixels.tobytes() for pixels, _ in frames(script, places)]

    assert again == [pixels.tobytes() for pixels, _ in frames(script)]


@pytest.mark.slow
def test_nothing_normal_is_labelled(places: Places):
    for place in range(4):
        script = scripts("develop")[12 * place]
        assert script.part == "normal"
        assert not any(mover.kind or mover.odd.any() for mover in script.movers)
    assert not any(masks for _, masks in frames(short("normal", 3, 10), places))


@pytest.mark.slow
def test_mask_is_where_the_thing_is(places: Places):
    script = short("test", 3, 40, (("runner", 0),))
    (runner,) = (mover for mover in script.movers if mover.kind)
    camera = script.plan.camera
    masks = [masks for _, masks in frames(script, places)]

    x, z = runner.at(25)
    rows, columns = np.nonzero(masks[25]["runner"])
    # The feet stand on the ground's row, and its middle is at its column.
    assert rows.max() == pytest.approx(camera.row(z), abs=4)
    assert columns.mean() == pytest.approx(120 + x * camera.scale(z), abs=5)
    assert len(rows) >= MASK_PIXELS


@pytest.mark.slow
def test_frames_without_their_anomaly_differ_only_where_it_its_shadow_or_its_encounter_is(places: Places):
    script = short("test", 3, 30, (("cart", 0),))
    without = dataclasses.replace(script, events=())
    for (pixels, masks), (empty, _) in zip(frames(script, places), frames(without, places), strict=True):
        if not masks:
            continue
        changed = (pixels != empty).any(axis=2)
        assert changed[masks["cart"]].mean() > 0.9
        assert changed.mean() < 0.1


@pytest.mark.parametrize("name", sets.SETS)
def test_who_is_odd_by_place_alone_is_where_nobody_walks_and_at_walking_pace(name):
    for plan in PLANS[name]:
        for seed in range(4):
            (mover,) = happens("off-path", plan, 100, np.random.default_rng(seed))
            roles = {plan.role(x, z) for x, z in zip(mover.x[mover.odd], mover.z[mover.odd], strict=True)}
            assert mover.odd.any()
            assert "walk" not in roles
            assert set(mover.figures) == {"walk"}
            assert np.hypot(np.diff(mover.x), np.diff(mover.z)).max() * RATE < 1.8


@pytest.mark.parametrize("name", sets.SETS)
def test_wrong_way_goes_against_a_flow_that_all_others_follow(name):
    plans = [plan for plan in PLANS[name] if fits("wrong-way", plan)]
    assert len(plans) == 1
    (mover,) = happens("wrong-way", plans[0], 0, np.random.default_rng(1))
    (way,) = (way for way in plans[0].walks() if way.one_way)
    (x0, z0), (x1, z1) = way.points[-2:]
    ahead = (math.copysign(1, x1 - x0), 0) if math.isinf(x1 - x0) else (x1 - x0, z1 - z0)

    gone = (mover.x[-1] - mover.x[0], mover.z[-1] - mover.z[0])
    assert gone[0] * ahead[0] + gone[1] * ahead[1] < 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_odd_in_the_picture_for_a_second_at_least_at_every_place_that_it_fits(kind):
    for plans in PLANS.values():
        for plan in plans:
            if not fits(kind, plan):
                continue
            movers = [m for m in happens(kind, plan, 300, np.random.default_rng(3)) if m.kind]
            seen = 0
            for mover in movers:
                half = np.array([plan.camera.half_width(z) for z in mover.z])
                rows = plan.camera.horizon + plan.camera.focal * plan.camera.height / mover.z
                seen = max(seen, int((mover.odd & (np.abs(mover.x) < half) & (rows < 160)).sum()))
            assert {mover.kind for mover in movers} == {kind}
            assert seen >= RATE, plan.name


def test_story_walks_at_its_speed_and_waits_where_it_is():
    told = Story(20, (0.0, 10.0), 0).go([(3.0, 14.0)], 1.0).stay(2.0).told()

    assert (told.start, told.end) == (20, 90)  # 5 m at 1 m/s, then 2 s
    assert told.at(69) == told.at(89) == (3.0, 14.0)
    assert told.at(44) == pytest.approx((1.5, 12.0))


def test_what_is_hidden_for_a_moment_is_one_anomaly():
    assert joined([(10, 20, "cart"), (29, 40, "cart"), (25, 30, "runner"), (50, 60, "cart")]) == [
        (10, 40, "cart"),
        (25, 30, "runner"),
        (50, 60, "cart"),
    ]


@pytest.mark.slow
def test_set_is_read_back_with_masks_kinds_light_and_weather(tmp_path: Path, small, at_once):
    folder = generate_day(tmp_path / "day")

    videos = open_videoset(folder)
    (test,) = videos.test
    assert [one.name.rpartition("/")[2] for one in (*videos.normal, *videos.known, test)] == at_once
    assert test.conditions == {"light": "day", "weather": "clear"}
    assert test.scene == "gate"
    (span,) = test.classes
    assert span.class_name == "cyclist"
    drawn = [masks for _, masks in frames(small[2])]
    assert isinstance(test.masks, PackedMasks)
    for index, masks in enumerate(drawn):
        read = test.masks.read(index)
        assert (read is None) == (not masks)
        if masks:
            assert np.array_equal(read, masks["cyclist"])
            assert test.labels is not None
            assert test.labels[index]


@pytest.mark.slow
def test_interrupted_set_goes_on_with_what_is_missing_and_a_whole_one_is_left_alone(tmp_path: Path, small, at_once):
    folder = tmp_path / "day"
    generate_day(folder)
    whole = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # As a kill would have left it: one video without its record, no table yet.
    (folder / "labels.csv").unlink()
    (folder / "synthetic.json").rename(folder / "drawing.json")
    (folder / ".drawn").mkdir()
    for script in small[:2]:
        record = write_video(tmp_path / "other", script, Places(), unwatched)
        (folder / ".drawn" / f"{script.name}.json").write_text(record.model_dump_json())
    at_once.clear()
    with pytest.raises(IncompleteSetError, match="synth FOLDER --scale day"):
        open_videoset(folder)
    assert any("not whole" in note for note in open_videoset(folder, partial=True).notes)

    generate_day(folder)
    assert at_once == [small[2].name]
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == whole
    at_once.clear()
    generate_day(folder)
    assert at_once == []


@pytest.mark.long
@pytest.mark.slow
def test_number_of_processes_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small):
    # Processes of their own read the real set: of its shortest videos, the two that are drawn soonest.
    there = tuple(script for script in scripts("develop") if script.part == "abnormal" and script.place == 1)
    monkeypatch.setattr(make, "scripts", lambda name: there)
    made = []
    for jobs in (1, 2):
        folder = generate_day(tmp_path / str(jobs), jobs=jobs)
        made.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})

    assert len(there) == 2
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("name", "jobs", "words"), [("develp", None, "did you mean develop"), ("judge", 0, "1 or more")]
)
def test_unknown_set_and_no_jobs_are_refused_before_anything_is_written(tmp_path: Path, name, jobs, words):
    with pytest.raises(SettingsError, match=words):
        generate_day(tmp_path / "day", name=name, jobs=jobs)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_folder_with_other_things_and_another_set_are_refused(tmp_path: Path, small, at_once):
    (tmp_path / "holiday.txt").write_text("")
    with pytest.raises(StorageError, match="is taken"):
        generate_day(tmp_path)
    day = generate_day(tmp_path / "day")
    with pytest.raises(StorageError, match="is taken"):
        generate_day(day, name="judge")


def test_full_disk_is_refused_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small, at_once):
    usage = make.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(make.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(StorageError, match="too little room"):
        generate_day(tmp_path / "day")
    assert at_once == []
    assert not list((tmp_path / "day").rglob("*.mp4"))


def test_what_it_takes_is_said_beforehand(tmp_path: Path, small):
    ahead = outlook(tmp_path, jobs=2)
    assert (ahead.videos, ahead.frames, ahead.jobs) == (3, 82, 2)
    assert "3 videos, 82 frames" in str(ahead)


def test_packed_masks_of_another_size_or_for_no_frame_are_refused(tmp_path: Path):
    path = tmp_path / "one.npz"
    masks = np.zeros((1, 16, 3), np.uint8)
    np.savez_compressed(path, frames=np.array([7]), masks=masks, width=np.array(24))

    assert PackedMasks.of(path, 8, (16, 24)).paths == {7: path}
    with pytest.raises(FrameSizeError, match="24x16"):
        PackedMasks.of(path, 8, (16, 32))
    with pytest.raises(LabelError, match="frames that are not there"):
        PackedMasks.of(path, 7, (16, 24))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("light,weather\nday,rain\n", "no column video"),
        ("file;light\ngate-t01;day\n", "call the column video instead of file"),
        ("video,light,light\ngate-t01,day,day\n", "two columns are called light"),
        ("video,start,end,class\ngate-t01,0,1,run\n", r"column start is of labels[\s\S]*labels.csv"),
        ("video,light\nnobody,day\n", "no video is called 'nobody'"),
        ("video,light\ngate-t01\n", "another number of cells"),
        ("video,light\ngate-t01,day\ngate-t01,night\n", "two lines are for"),
    ],
)
@pytest.mark.slow
def test_conditions_that_fit_no_video_are_one_clear_error(tmp_path: Path, small, at_once, content, words):
    folder = generate_day(tmp_path / "day")
    (folder / "conditions.csv").write_text(content)
    with pytest.raises(LabelError, match=words):
        open_videoset(folder)


@pytest.mark.slow
def test_labels_name_every_test_video_also_the_quiet_ones(tmp_path: Path, small, at_once):
    folder = generate_day(tmp_path / "day")
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["video"] for row in rows} == {script.name for script in small if script.events}


@pytest.mark.slow
def test_a_camera_that_sends_fewer_frames_sees_the_same_at_the_same_time():
    known = next(one for one in scripts("develop") if one.part == "abnormal")
    script = dataclasses.replace(known, frames=100)
    places = Places()
    every, some = list(frames(script, places)), list(frames(script, places, every=4))

    assert len(some) == 25
    assert any(masks for _, masks in some)
    for (pixels, masks), (whole, others) in zip(some, every[::4], strict=True):
        assert masks.keys() == others.keys()
        assert all((masks[kind] == others[kind]).all() for kind in masks)
        assert np.abs(pixels.astype(int) - whole).mean() < 6  # each frame has noise of its own
