"""A camera is asked to learn through the API, and its learning is looked at."""

from __future__ import annotations

import pytest

from oddframe.records import write_record
from oddframe.site.learning import asked_of
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.record import CHECK, FILE, Check, Learning, OddPiece, State, learning_folder

V1 = "/api/v1/cameras/gate/learning"


@pytest.fixture
def gate(site):
    return site.store.cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/live")


@pytest.fixture
def looked_at(site, gate):
    """As the site's process leaves a learning whose video was looked at."""
    folder = learning_folder(site.store.folder, gate.id, 1)
    (folder / "odd").mkdir(parents=True)
    (folder / "odd" / "1.jpg").write_bytes(b"a picture")
    (folder / "secret.jpg").write_bytes(b"a secret")
    write_record(
        folder / FILE,
        Learning(
            number=1,
            camera="gate",
            state=State.TRAINING,
            since=utc_now(),
            began_at=utc_now(),
            percent=40.0,
            seconds=90.0,
        ),
    )
    odd = OddPiece(
        number=1,
        name="a.mp4",
        scene="",
        began=None,
        at_s=3,
        seconds=20,
        score=4,
        picture="odd/1.jpg",
        heat="secret.jpg",
    )
    of = {"pieces": 9, "seconds": 180, "light": (1.0, 2.0, 3.0), "active": 1, "infrared": 0}
    check = Check(**of, hours={9: 180.0}, notes=("so",), odd=(odd,))
    write_record(folder / CHECK, check)
    return folder


def test_a_camera_is_asked_to_learn_and_to_stop(login, site, gate):
    client = login("admin")

    before = client.get(V1).json()
    asked = client.post(V1, json={"for": "2h", "preset": "tiny"})
    ended = client.put(V1, json={"do": "collected"})
    client.put(V1, json={"do": "stop"})
    told = asked_of(site.store, gate.id)

    assert before["state"] == ""
    assert asked.json()["settings"] == {"for": "2h", "preset": "tiny"}
    assert (asked.json()["state"], ended.status_code) == ("waiting", 200)
    assert (told.author, told.collected, told.stopped) == ("admin", True, True)


def test_a_camera_learns_from_recordings_in_place_of_what_it_sends(login, site, gate, tmp_path):
    client = login("admin")
    recording = tmp_path / "normal.mp4"
    recording.write_bytes(b"a video")

    begun = client.post(V1, json={"preset": "tiny", "recordings": [str(recording)]})
    missing = client.post(V1, json={"recordings": [str(tmp_path / "none.mp4")]})
    relative = client.post(V1, json={"recordings": ["normal.mp4"]})

    assert (begun.json()["settings"], asked_of(site.store, gate.id).videos) == ({"preset": "tiny"}, (str(recording),))
    assert (missing.status_code, missing.json()["problem"]) == (422, "there is no such recording")
    assert (relative.status_code, "the whole path" in relative.json()["wanted"]) == (422, True)


def test_how_it_stands_is_told_with_pictures_and_without_paths(login, site, looked_at):
    client = login("admin")
    client.post(V1, json={})

    told = client.get(V1)
    (odd,) = told.json()["check"]["odd"]
    picture = client.get(odd["picture"])
    left_out = client.post(f"{V1}/left-out", json={"numbers": [1]}).json()

    assert told.json()["words"] == "training, 40 %"
    assert str(site.store.folder) not in told.text
    assert (picture.content, picture.headers["Content-Type"]) == (b"a picture", "image/jpeg")
    assert left_out["check"]["odd"][0]["left_out"] is True
    assert client.get(odd["heat"]).status_code == 404  # it lies beside the pictures
    assert client.get(f"{V1}/odd/7/picture").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "", {"for": "soon"}, 422),
        ("POST", "", {"preset": "life"}, 422),
        ("POST", "", {"strange": 1}, 422),
        ("PUT", "", {"do": "sing"}, 422),
        ("PUT", "", {"do": "stop"}, 422),
        ("POST", "/left-out", {"numbers": []}, 422),
        ("POST", "/left-out", {"numbers": [3]}, 422),
    ],
)
def test_what_does_not_fit_is_refused(login, gate, method, path, body, status):
    assert login("admin").request(method, V1 + path, json=body).status_code == status


def test_a_camera_that_is_not_there_or_is_the_files_does_not_learn(login, site, gate):
    site.store.cameras.belongs("gate", ("camera", "detector"))
    client = login("admin")

    assert client.post(V1, json={}).status_code == 409
    assert client.get("/api/v1/cameras/gat/learning").status_code == 404


HTML = {"Accept": "text/html"}


def test_the_page_says_how_it_stands_and_offers_what_can_be_done(login, looked_at):
    client = login("admin")
    client.post(V1, json={})

    page = client.get("/cameras/gate/learning", headers=HTML).text
    part = client.get("/cameras/gate/learning?part=learning-state", headers=HTML).text
    looking = login("viewer").get("/cameras/gate/learning", headers=HTML).text

    assert "Training, 40 %." in page
    assert '<progress max="100" value="40.0">' in page
    assert 'src="/api/v1/cameras/gate/learning/odd/1/heat"' in page
    assert 'data-leave-out="1"' in page
    assert 'data-do="stop"' in part
    assert "<html" not in part
    assert "Training, 40 %." in looking
    assert "data-do" not in looking
    assert 'id="learn"' not in looking
    assert "data-leave-out" not in looking


def test_a_training_that_failed_says_why_in_a_sentence_and_what_to_do(login, looked_at):
    client = login("admin")
    client.post(V1, json={})
    failed = {"state": State.FAILED, "since": utc_now(), "began_at": utc_now(), "failed_in": State.TRAINING}
    why = {"problem": "there is too little normal video", "hint": "let it collect longer"}
    write_record(looked_at / FILE, Learning(number=1, camera="gate", **failed, **why))

    page = client.get("/cameras/gate/learning?part=learning-state", headers=HTML).text

    assert "There is too little normal video. Do: let it collect longer." in page
    assert 'data-do="retry" class="first">Go on</button>' in page


def test_the_page_of_a_camera_that_does_not_learn_asks_it_to(login, site, gate):
    page = login("admin").get("/cameras/gate/learning", headers=HTML).text
    site.store.cameras.belongs("gate", ("camera", "detector"))
    named = login("admin").get("/cameras/gate/learning", headers=HTML).text

    assert "It does not learn." in page
    assert "Let it learn" in page
    assert "<option selected>live</option>" in page
    assert all(f"<dt>{preset}</dt><dd>" in page for preset in ("live", "cpu", "tiny"))
    assert "The site's file names the detector" in named
    assert 'href="/cameras/gate/learning"' in login("viewer").get("/cameras/gate", headers=HTML).text
