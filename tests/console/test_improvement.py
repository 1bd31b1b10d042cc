"""A camera's detector is improved from its page and through the API: begun, watched, taken, and taken back."""

from __future__ import annotations

import pytest

from oddframe.records import write_record
from oddframe.site.learning import LearnSettings, ask
from oddframe.site.store.shelf import utc_now
from oddframe.teaching import asking_better, improving
from oddframe.teaching.asking_better import Improving, ImprovingState, improving_file
from oddframe.teaching.improving import FILE, Counted, Improvement, ImproveTask
from oddframe.teaching.record import FILE as LEARNING
from oddframe.teaching.record import Learning, State, learning_folder

from . import day

V1 = "/api/v1/cameras/gate/improvement"
HTML = {"Accept": "text/html"}


@pytest.fixture
def learned(site, tmp_path, monkeypatch):
    """Folder of the learning of a camera that has two confirmed alarms; lines are drawn elsewhere."""
    store = site.store
    gate = store.cameras.get("gate")
    ask(store, "gate", LearnSettings(), "ann")
    folder = learning_folder(store.folder, gate.id, 1)
    for name in ("attempt-1/run", "attempt-1/detector", "attempt-1/fitting"):
        (folder / name).mkdir(parents=True)
    store.cameras.put_detector("first", str(folder / "attempt-1" / "detector"))
    about = {"learning": 1, "attempt": 1, "private": []}
    store.cameras.fit("gate", "first", str(folder / "attempt-1" / "fitting"), about)
    live = Learning(number=1, camera="gate", state=State.LIVE, since=utc_now(), began_at=utc_now())
    write_record(folder / LEARNING, live)
    for _ in range(2):
        store.reviews.add(day.happen(store, day.an_event("gate", utc_now())).id, "ann", "alarm")
    task = ImproveTask(
        folder=str(folder / "improved-1"), attempt="a", run="r", detector="first", clips=(), false_alarms_per_day=1.0
    )
    monkeypatch.setattr(asking_better, "gather", lambda *_: task)
    return folder


def is_so_far(site, state: ImprovingState, **more) -> None:
    """As the site's process leaves it."""
    number = site.store.cameras.get("gate").id
    path = improving_file(site.store.folder, number)
    write_record(path, Improving(number=1, state=state, since=utc_now(), **more))


def is_made(folder, **more) -> Improvement:
    """As a training leaves it that has ended."""
    made = Improvement(
        made_at=utc_now(), trained_alarms=3, trained_normal=2, alarms=6, normal=3, hours=1.5,
        before=Counted(found=4, false_alarms=5), after=Counted(found=6, false_alarms=2),
        found_difference=(0.0, 0.67), false_difference=None, better=True,
        detector=str(folder / "improved-1" / "detector"), fitting=str(folder / "improved-1" / "fitting"),
        instead_of=str(folder / "attempt-1" / "detector"),
    ).changed(**more)  # fmt: skip
    for place in (made.detector, made.fitting):
        (folder / place).mkdir(parents=True)
    write_record(folder / "improved-1" / FILE, made)
    return made


def test_it_is_begun_watched_and_stopped(login, site, learned):
    client = login("admin")
    before = client.get(V1).json()
    begun = client.post(V1).json()
    is_so_far(site, ImprovingState.TRAINING, stage="training", percent=40.0, left_s=5400.0)
    told = client.get(V1)
    page = client.get("/cameras/gate/learning?part=learning-better", headers=HTML).text
    stopped = client.put(V1, json={"do": "stop"})
    log = [(one.author, one.action) for one in site.store.journal.entries()]

    assert (before["state"], before["why_not"], before["alarms"]) == ("", "", 2)
    assert (begun["state"], begun["words"]) == ("waiting", "it begins within seconds, where the site runs")
    assert (told.json()["words"], told.json()["percent"]) == ("training, 40 %", 40.0)
    assert str(site.store.folder) not in told.text
    assert '<progress max="100" value="40.0">' in page
    assert "about 1 h 30 min left" in page
    assert 'data-better="stop"' in page
    assert stopped.status_code == 200
    assert log[:2] == [("admin", "stop improving"), ("admin", "improve")]


def test_what_failed_says_why_in_a_sentence_and_what_to_do(login, site, learned):
    client = login("admin")
    client.post(V1)
    is_so_far(site, ImprovingState.FAILED, problem="the disk is full", hint="free some space, and begin again")
    page = client.get("/cameras/gate/learning?part=learning-better", headers=HTML).text

    assert client.get(V1).json()["words"] == "the disk is full. Do: free some space, and begin again"
    assert "The disk is full. Do: free some space, and begin again." in page
    assert 'data-better="begin" class="first">Go on</button>' in page


def test_both_detectors_are_compared_and_the_better_one_is_taken_and_taken_back(login, site, learned, monkeypatch):
    drawn = []
    monkeypatch.setattr(improving, "watch_by", lambda *given: drawn.append(given) or watch_by(*given))
    client = login("admin")
    client.post(V1)
    is_so_far(site, ImprovingState.MADE)
    made = is_made(learned)
    page = client.get("/cameras/gate/learning", headers=HTML).text
    looking = login("viewer").get("/cameras/gate/learning", headers=HTML).text
    compared = client.get(V1).json()["made"]
    taken = client.put(V1, json={"do": "take"}).json()
    watches = site.store.cameras.fittings("gate")[0].detector.folder
    back = client.put(V1, json={"do": "back"}).json()

    assert (compared["before"]["found"], compared["after"]["found"], compared["better"]) == (4, 6, True)
    assert "<td>4</td><td>6</td><td>+0 to +67 % of alarms</td>" in page
    assert "<td>5</td><td>2</td><td>too few clips to tell</td>" in page
    assert 'data-better="take"' in page
    assert "<td>4</td><td>6</td>" in looking
    assert "data-better=" not in looking
    assert (watches, taken["made"], taken["watched_before"]) == (made.detector, None, "first")
    assert site.store.cameras.fittings("gate")[0].detector.name == "first"
    assert back["made"]["better"] is True
    assert [given[-1] for given in drawn] == ["admin", "admin"]


def watch_by(store, camera, name, detector, fitting, about, author):
    """Without drawing lines, which takes a detector."""
    if detector not in {one.folder for one in store.cameras.detectors()}:
        store.cameras.put_detector(name, detector)
    store.cameras.fit(
        camera, next(one.name for one in store.cameras.detectors() if one.folder == detector), fitting, about
    )


def test_what_is_not_better_or_not_there_is_not_taken(login, site, learned):
    client = login("admin")

    assert client.put(V1, json={"do": "take"}).status_code == 422
    assert client.put(V1, json={"do": "back"}).status_code == 422
    assert client.put(V1, json={"do": "stop"}).status_code == 422
    assert client.put(V1, json={"do": "sing"}).status_code == 422
    is_made(learned, better=False)
    page = client.get("/cameras/gate/learning", headers=HTML).text
    assert client.put(V1, json={"do": "take"}).status_code == 409
    assert "The new one is not better" in page
    assert 'data-better="take"' not in page


def test_a_camera_that_has_not_learned_says_what_to_do_first(login, site):
    client = login("admin")
    page = client.get("/cameras/yard/learning", headers=HTML).text

    assert "It has to learn first" in page
    assert 'data-better="begin"' not in page
    assert client.post("/api/v1/cameras/yard/improvement").status_code == 422
    assert client.get("/api/v1/cameras/nobody/improvement").status_code == 404
