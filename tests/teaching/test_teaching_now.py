"""A review changes what a camera alarms of, as its preview said; and what is forgotten is as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import oddframe as odd
from oddframe.cameras.ring import Shot
from oddframe.cli.main import app
from oddframe.errors import StoreError
from oddframe.instant import MODEL
from oddframe.scoring.scorer import Scorer
from oddframe.site.cast import Cast
from oddframe.site.commands.line import line_for
from oddframe.site.engine import Engine
from oddframe.site.keeper import Keeper
from oddframe.site.remembered import REMEMBERED, Remembered, all_remembered, remembered_of
from oddframe.site.remembering import Scribe
from oddframe.site.store import Store
from oddframe.site.store.records import EventFilter
from oddframe.site.watch import Watch
from oddframe.teaching.lesson_records import Scope
from oddframe.teaching.lessons import Teaching, lessons_of

from ..conftest import _make_video
from ..site.conftest import NOON
from ..site.test_engine import FPS, DrawnCamera

pytestmark = pytest.mark.slow

pytest.importorskip("onnxruntime")

LAMP, DOOR = (slice(8, 34), slice(10, 40)), (slice(60, 90), slice(100, 136))


WIDE = Scope(reach="wide")


def street(number: int) -> np.ndarray:
    """(96, 144, 1): a square that walks to and fro on a ramp."""
    picture = np.tile(np.linspace(40, 160, 144).astype(np.uint8), (96, 1))
    left = int(60 + 40 * np.sin(number / 15))
    picture[40:56, left : left + 12] = 220
    return picture[:, :, None].copy()


def with_odd(number: int, place: tuple[slice, slice], begin: int) -> np.ndarray:
    """The street, and something that flickers somewhere for two seconds."""
    picture = street(number)
    if begin <= number < begin + 25:
        picture[place] = 255 if number % 2 else 0
    return picture


@pytest.fixture(scope="module")
def fitting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("fitted")
    calm = _make_video(home / "calm.mkv", 500, FPS, (96, 144), codec="ffv1", grey=True, pictures=street)
    return odd.calibrate(MODEL, calm, out=home / "fitting", backend="onnxruntime").folder


class Site:
    """A site with one camera, whose pictures a test draws; everything else is what it always is."""

    def __init__(self, home: Path, fitting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = Store.open(home / "site")
        self.fitting = fitting
        cameras = self.store.cameras
        cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/…")
        cameras.put_detector("tiny", str(MODEL))
        cameras.fit("gate", "tiny", str(fitting))
        cameras.set_line(line_for(MODEL, fitting, 24).record("gate", "", "ada"))
        self.begun = 0
        self.keeper = Keeper(self.store)
        self.scribe = Scribe(self.store.folder / REMEMBERED, 2**30)
        self.engine = Engine(self.keeper)
        self.cast = Cast(self.store, self.engine, backend="onnxruntime", scribe=self.scribe)
        self.drawn = DrawnCamera()
        monkeypatch.setattr("oddframe.site.cast.Camera", lambda *_, **__: self.drawn)
        self.keeper.start()
        self.scribe.start()

    def show(self, *scenes: tuple[tuple[slice, slice], int], frames: int = 120) -> list[str]:
        """Show the camera so many frames, after a gap, and return the ids of the events that came of it."""
        before = {one.event.id for one in self.store.events.page(EventFilter()).events}
        first = self.begun
        self.begun += frames + 50

        def pictures() -> Iterator[Shot]:
            for number in range(frames):
                picture = street(number)
                for place, begin in scenes:
                    if begin <= number < begin + 25:
                        picture = with_odd(number, place, begin)
                time_s = (first + number) / FPS
                yield Shot(picture, time_s, NOON + timedelta(seconds=time_s), first + number, number == 0, False)

        self.cast.look()
        self.drawn.shots.extend(pictures())
        self.engine.step()
        while self.drawn.shots:
            self.engine.step()
        for watch in self.engine.watches:
            self.keeper.happened(watch, watch.interrupt("gap"))
        self.settle()
        events = self.store.events.page(EventFilter()).events
        return [one.event.id for one in events if one.event.id not in before][::-1]

    def settle(self) -> None:
        """Wait until all is written."""
        self.keeper.stop(60)
        self.scribe.stop(60)
        self.keeper = Keeper(self.store)
        self.engine._recorder = self.keeper
        waiting, self.scribe._waiting = self.scribe._waiting, type(self.scribe._waiting)()
        assert waiting.empty()
        self.scribe._thread = type(self.scribe._thread)(target=self.scribe._run, daemon=True)
        self.keeper.start()
        self.scribe.start()

    def files(self) -> dict[str, bytes]:
        return {
            str(path): path.read_bytes() for path in self.fitting.rglob("*") if path.is_file() and path.name != ".lock"
        }

    def close(self) -> None:
        self.keeper.stop()
        self.scribe.stop()
        self.store.close()


@pytest.fixture
def site(tmp_path: Path, fitting: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    shutil.copytree(fitting, tmp_path / "fitting")
    opened = Site(tmp_path, tmp_path / "fitting", monkeypatch)
    yield opened
    opened.close()


def test_normal_silences_its_like_as_its_preview_said_and_is_forgotten_without_a_trace(site: Site):
    (first,) = site.show((LAMP, 40))
    (second,) = site.show((LAMP, 60))
    (other,) = site.show((DOOR, 50))
    untaught, line = site.files(), site.store.cameras.line("gate")
    teaching = Teaching(site.store, "gate")

    told = teaching.preview(first, "normal", WIDE)

    assert site.files() == untaught
    assert told.does == "lesson"
    assert [one.event for one in told.silenced] == [first, second]
    assert (told.remembered, told.lost) == (3, 0)
    assert told.in_words().startswith("2 of the last 3 events would not have come")

    review = site.store.reviews.add(first, "ada", "normal", scope={"reach": "wide"})
    done = teaching.carry_out(first)
    assert [one.event for one in done.silenced] == [first, second]
    assert (done.line, done.promise) == (told.line, told.promise)
    assert teaching.fitting.line.on == site.store.cameras.line("gate").on == done.line[""][1]
    assert teaching.carry_out(first).does == "nothing"
    watch = site.engine.watches[0]
    assert site.show((LAMP, 30)) == []
    assert site.engine.watches == [watch]  # its camera was not opened anew
    assert len(site.show((DOOR, 70))) == 1
    (lesson,) = teaching.lessons()
    assert (lesson.number, lesson.event, lesson.author, lesson.silenced) == (review.id, first, "ada", 1)

    back = teaching.forget(review.id)
    assert [one.verdict for one in back.back] == [None, "normal", None] or len(back.back) >= 1
    assert site.files() == untaught
    now = site.store.cameras.line("gate")
    assert (now.on, now.off) == (line.on, line.off)
    assert len(site.show((LAMP, 45))) == 1
    assert other


def test_a_preview_on_what_is_remembered_scores_bit_for_bit_as_live(site: Site):
    (event,) = site.show((LAMP, 40))
    teaching = Teaching(site.store, "gate")
    site.store.reviews.add(event, "ada", "normal", scope={"reach": "narrow"})
    remembered = remembered_of(site.store.folder / REMEMBERED, 1, event)
    untaught = teaching._trial.scores(remembered, type(teaching.said.lessons)())
    teaching.carry_out(event)

    taught = teaching._trial.scores(remembered, teaching.said.lessons)

    scorer = Scorer(MODEL, backend="onnxruntime", fitting=site.fitting)
    frames = [with_odd(number, LAMP, 40) for number in range(120)]
    live = {one.frame: one.online for one in scorer.stream(frames, fps=FPS)}
    first = int(remembered.frame[0])
    offset = min(live) + (first - _first_judged(site)) - first
    smooth = scorer.calibration.pooled.fused.smoothing
    wanted = [live[int(number) + offset] for number in remembered.frame]
    assert taught[smooth:].tolist() == wanted[smooth:]
    assert max(taught) < max(untaught)


def _first_judged(site: Site) -> int:
    return 1 + site.engine.watches[0].runtime.before


def test_an_alarm_joins_the_known_anomalies_and_changes_no_event(site: Site):
    pytest.importorskip("scipy")
    (event,) = site.show((LAMP, 40))
    teaching = Teaching(site.store, "gate")

    assert teaching.preview(event, "alarm").does == "weights"
    review = site.store.reviews.add(event, "ada", "alarm")
    assert teaching.carry_out(event).does == "weights"

    calibration = teaching.fitting.calibration()
    assert calibration.pooled.fused.learned.weights != calibration.pooled.fused.online.weights
    assert teaching.fitting.line == odd.Fitting.open(site.fitting, odd.Scorer(MODEL, backend="onnxruntime").run).line
    assert len(site.show((LAMP, 40))) == 1
    assert [(one.number, one.does) for one in teaching.lessons()] == [(review.id, "weights")]


def test_what_its_reviews_say_decides_whatever_was_said_before(site: Site):
    (event,) = site.show((LAMP, 40))
    teaching, reviews = Teaching(site.store, "gate"), site.store.reviews
    untaught = site.files()

    reviews.add(event, "ada", "normal")
    assert teaching.carry_out(event).does == "lesson"
    reviews.add(event, "bob", "alarm")
    assert teaching.carry_out(event).does == "forgets"  # they do not agree
    assert site.files() == untaught
    reviews.undo("bob", event)
    assert teaching.carry_out(event).does == "lesson"
    reviews.add(event, "ada", "unsure")
    assert teaching.carry_out(event).does == "forgets"
    reviews.undo("ada", event)
    assert teaching.carry_out(event).does == "lesson"
    reviews.add(event, "bob", "normal", scope={"teach": False})
    assert teaching.carry_out(event).does == "forgets"
    assert site.files() == untaught
    reviews.undo("bob")
    reviews.undo("ada")
    assert teaching.carry_out(event).note == "nobody says anything of it"


def test_a_lesson_for_other_hours_changes_nothing_now(site: Site):
    (event,) = site.show((LAMP, 40))
    local = NOON.astimezone().time()
    far = local.replace(hour=(local.hour + 6) % 24).isoformat()
    farther = local.replace(hour=(local.hour + 8) % 24).isoformat()
    teaching = Teaching(site.store, "gate")

    told = teaching.preview(event, "normal", Scope.of({"begin": far, "end": farther}))

    assert told.does == "lesson"
    assert told.silenced == ()
    with pytest.raises(StoreError, match="both a begin and an end"):
        Scope.of({"begin": far})
    with pytest.raises(StoreError, match="reach"):
        Scope.of({"reach": "endless"})


def test_confirmed_alarms_that_would_be_lost_are_told_first(site: Site):
    (first,) = site.show((LAMP, 40))
    (second,) = site.show((LAMP, 60))
    site.store.reviews.add(second, "ada", "alarm")

    told = Teaching(site.store, "gate").preview(first, "normal", WIDE)

    assert [(one.event, one.verdict) for one in told.silenced] == [(second, "alarm"), (first, None)]
    assert told.lost == 1


def test_what_is_not_remembered_any_more_teaches_nothing_and_says_so(site: Site):
    (event,) = site.show((LAMP, 40))
    for path in all_remembered(site.store.folder / REMEMBERED, 1):
        path.unlink()

    told = Teaching(site.store, "gate").preview(event, "normal")

    assert (told.does, told.note) == ("nothing", "its evidence is not remembered any more")


def test_what_a_stand_in_has_seen_teaches_nothing_and_is_left_out_of_previews(site: Site):
    of_stand_in, later = *site.show((LAMP, 40)), *site.show((LAMP, 40))
    folder = site.store.folder / REMEMBERED
    remembered = remembered_of(folder, site.store.cameras.get("gate").id, of_stand_in)
    assert remembered is not None
    fewer = {
        what: {name: one for name, one in getattr(remembered, what).items() if "distance" not in name}
        for what in ("values", "measures", "levels")
    }
    (path,) = folder.glob(f"*/{of_stand_in}.npz")
    replace(remembered, **fewer).save(path)

    teaching = Teaching(site.store, "gate")
    for verdict in ("normal", "alarm"):
        told = teaching.preview(of_stand_in, verdict, WIDE)
        assert told.does == "nothing"
        assert "another detector" in told.note
    tried = teaching.preview(later, "normal", WIDE)
    assert tried.does == "lesson"
    assert (tried.remembered, [one.event for one in tried.silenced]) == (1, [later])


def test_damage_of_what_is_remembered_is_told(site: Site):
    (event,) = site.show((LAMP, 40))
    (path,) = all_remembered(site.store.folder / REMEMBERED, 1)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(StoreError, match="what is remembered of an event"):
        Teaching(site.store, "gate").preview(event, "normal")


def test_a_camera_without_a_fitting_of_its_own_is_told_what_to_do(site: Site):
    site.store.cameras.fit("gate", "tiny", None)

    with pytest.raises(StoreError, match="calibration"):
        Teaching(site.store, "gate")
    assert lessons_of(site.store, "gate") == []


def test_memory_is_bounded_and_the_latest_is_kept(site: Site):
    site.scribe.most_bytes = 1
    events = [*site.show((LAMP, 40)), *site.show((DOOR, 40))]

    (path,) = all_remembered(site.store.folder / REMEMBERED, 1)

    assert Remembered.load(path).event == events[-1]


def test_nothing_is_written_on_a_full_disk_and_that_is_counted(site: Site):
    site.scribe._room = lambda: False
    site.show((LAMP, 40))

    assert all_remembered(site.store.folder / REMEMBERED, 1) == []
    assert site.scribe.skipped == 1


def test_a_long_event_is_remembered_with_every_other_frame(site: Site, monkeypatch):
    monkeypatch.setattr("oddframe.site.remembering.MOST_FRAMES", 12)
    (event,) = site.show((LAMP, 40))

    remembered = remembered_of(site.store.folder / REMEMBERED, 1, event)

    assert remembered.every > 1
    assert len(remembered) <= 13
    assert Teaching(site.store, "gate").preview(event, "normal", WIDE).does == "lesson"


def test_a_watch_that_is_taught_raises_alarms_where_its_fitting_says_and_remembers_by_that(site: Site, tmp_path):
    shutil.copytree(site.fitting, tmp_path / "rarer")
    odd.calibrate(MODEL, out=tmp_path / "rarer", false_alarms_per_day=20_000)
    scorer = Scorer(MODEL, backend="onnxruntime", fitting=site.fitting)
    watch = Watch("c", DrawnCamera(), scorer, scribe=site.scribe)
    other = scorer.with_fitting(tmp_path / "rarer")
    assert other.calibration.line.on != scorer.calibration.line.on

    assert watch.teach(other) == []

    assert watch.line == watch._memory._shown.line == other.calibration.line
    watch.set_line("", scorer.calibration.line)
    watch.teach(scorer.with_fitting(site.fitting))  # its line was set, and stays
    assert watch.line == watch._memory._shown.line == scorer.calibration.line
    assert watch._memory._shown.normal is watch._normal


def test_an_event_is_judged_again_where_its_file_is_another(site: Site):
    (event,) = site.show((LAMP, 40))
    teaching = Teaching(site.store, "gate")
    (path,) = all_remembered(site.store.folder / REMEMBERED, 1)
    assert [one.event for one in teaching.preview(event, "normal", WIDE).silenced] == [event]

    replace(Remembered.load(path), silenced=True).save(path)

    assert teaching.preview(event, "normal", WIDE).remembered == 0


def test_a_watch_without_a_scribe_remembers_nothing():
    watch = Watch("c", DrawnCamera(), Scorer(MODEL, backend="onnxruntime"))

    assert watch._memory is None


def test_all_of_it_can_be_done_by_commands(site: Site):
    (event,) = site.show((LAMP, 40))
    folder = str(site.store.folder)

    def said(*words: str) -> dict:
        told = CliRunner().invoke(app, ["site", *words, "--json"])
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    tried = said("teach", folder, event, "normal", "--reach", "wide", "--dry-run")
    assert [one["event"] for one in tried["silenced"]] == [event]
    assert said("lessons", folder, "gate") == {"lessons": []}
    assert said("teach", folder, event, "normal", "--author", "ada", "--hours", "06:00-05:59")["does"] == "lesson"
    (lesson,) = said("lessons", folder, "gate")["lessons"]
    assert (lesson["author"], lesson["reach"], lesson["begin"]) == ("ada", "middle", "06:00:00")
    assert "ada" in CliRunner().invoke(app, ["site", "lessons", folder, "gate"]).stdout
    assert said("forget", folder, "gate", str(lesson["number"]))["does"] == "forgets"
    assert said("lessons", folder, "gate") == {"lessons": []}

    wrong = CliRunner().invoke(app, ["site", "forget", folder, "gate", "99"])
    assert wrong.exit_code == 1
    assert "has taught camera 'gate' nothing" in wrong.stderr
    assert CliRunner().invoke(app, ["site", "teach", folder, event, "normal", "--hours", "noon"]).exit_code == 2
