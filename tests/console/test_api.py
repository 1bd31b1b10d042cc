"""The REST API over a real server: who may ask for what, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.console.conftest import PASSWORD, StandingSite
from tests.site.conftest import NOON, change, sink

from oddframe.cameras.state import Counts, Health, HealthState
from oddframe.console.app import make_app
from oddframe.console.server import Console
from oddframe.site.engine import EngineCounts
from oddframe.site.engine_process import SCORES, CameraStatus, EngineStatus
from oddframe.site.score_history import Peak, ScoreHistory
from oddframe.site.store.records import LineRecord

V1 = "/api/v1"
OPEN = {
    ("POST", f"{V1}/session"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/login"),
    ("GET", "/look/{of}/{name}"),
}
"""What needs no login."""

FOR = {
    "reviewer": {
        ("POST", f"{V1}/events/{{event}}/reviews"),
        ("DELETE", f"{V1}/events/{{event}}/reviews"),
        ("POST", f"{V1}/reviews/undo"),
        ("POST", f"{V1}/events/{{event}}/preview"),
        ("POST", f"{V1}/events/{{event}}/teach"),
        ("POST", f"{V1}/cameras/{{camera}}/lessons/{{number}}/preview"),
        ("DELETE", f"{V1}/cameras/{{camera}}/lessons/{{number}}"),
    },
    "admin": {
        ("POST", f"{V1}/cameras"),
        ("PATCH", f"{V1}/cameras/{{camera}}"),
        ("DELETE", f"{V1}/cameras/{{camera}}"),
        ("GET", f"{V1}/cameras/{{camera}}/settings"),
        ("PUT", f"{V1}/cameras/{{camera}}/line"),
        ("GET", f"{V1}/cameras/{{camera}}/line/preview"),
        ("PUT", f"{V1}/cameras/{{camera}}/detector"),
        ("POST", f"{V1}/cameras/trial"),
        ("GET", f"{V1}/cameras/trial/{{key}}"),
        ("GET", f"{V1}/settings"),
        ("PATCH", f"{V1}/settings"),
        ("POST", f"{V1}/sinks"),
        ("PATCH", f"{V1}/sinks/{{sink}}"),
        ("DELETE", f"{V1}/sinks/{{sink}}"),
        ("POST", f"{V1}/cameras/{{camera}}/learning"),
        ("PUT", f"{V1}/cameras/{{camera}}/learning"),
        ("POST", f"{V1}/cameras/{{camera}}/learning/left-out"),
        ("POST", f"{V1}/cameras/{{camera}}/improvement"),
        ("PUT", f"{V1}/cameras/{{camera}}/improvement"),
        ("GET", f"{V1}/outbox/dead"),
        ("POST", f"{V1}/outbox/again"),
        ("GET", f"{V1}/log"),
        ("GET", f"{V1}/users"),
        ("POST", f"{V1}/users"),
        ("PUT", f"{V1}/users/{{name}}/role"),
        ("POST", f"{V1}/users/{{name}}/password"),
        ("DELETE", f"{V1}/users/{{name}}/sessions"),
        ("DELETE", f"{V1}/users/{{name}}"),
    },
}
"""What a viewer may not."""


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of all that is served but static files."""
    found = [
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        for method in sorted(set(route.methods or ()) - {"HEAD"})
    ]
    return list(dict.fromkeys(found))


def asked(client: httpx.Client, method: str, path: str, **given: Any) -> httpx.Response:
    """A request to a route, with something for each of its parameters."""
    for name, value in (
        ("event", "01a22b19-fe2d-7595-82de-35f317ac8eee"),
        ("number", "1"),
        ("camera", "gate"),
        ("name", "viewer"),
        ("sink", "door"),
        ("key", "a-key-that-is-none"),
    ):
        path = path.replace(f"{{{name}}}", value)
    return client.request(method, path, json=None if method == "GET" else {}, **given)


@pytest.fixture
def all_routes(site) -> list[tuple[str, str]]:
    found = routes(make_app(site))
    assert len(found) > 30
    return found


def test_nothing_is_told_to_who_is_not_logged_in(nobody, all_routes):
    for method, path in all_routes:
        if (method, path) not in OPEN:
            answer = asked(nobody, method, path)
            assert (answer.status_code, path) == (401, path)
            assert answer.json()["kind"] == "NotLoggedInError"


@pytest.mark.parametrize("way", ["session", "token"])
def test_a_viewer_looks_and_changes_nothing(console, login, all_routes, way):
    client = client_of(console, login, "viewer", way)
    for method, path in all_routes:
        if (method, path) in FOR["reviewer"] | FOR["admin"]:
            answer = asked(client, method, path)
            assert (answer.status_code, path) == (403, path)
            assert answer.json()["seen"] == "viewer"


def test_a_reviewer_reviews_and_changes_nothing_else(console, login, all_routes):
    client = login("reviewer")
    for method, path in all_routes:
        if (method, path) in FOR["admin"]:
            assert (asked(client, method, path).status_code, path) == (403, path)


def test_every_route_that_changes_something_is_known_here_with_who_may(all_routes):
    anybody = {
        ("DELETE", f"{V1}/session"),
        ("PUT", f"{V1}/session/password"),
        ("DELETE", f"{V1}/session/all"),
        ("POST", f"{V1}/tokens"),
        ("DELETE", f"{V1}/tokens/{{number}}"),
    }
    changing = {one for one in all_routes if one[0] != "GET" and one[1].startswith("/")}

    assert changing - OPEN - anybody - FOR["reviewer"] - FOR["admin"] == set()


@pytest.mark.slow
def test_no_change_goes_without_the_csrf_token_of_its_session(login, all_routes):
    client, other = login("admin"), login("viewer")
    for token in (None, other.headers["X-CSRF-Token"]):
        client.headers.pop("X-CSRF-Token", None)
        if token is not None:
            client.headers["X-CSRF-Token"] = token
        for method, path in all_routes:
            if method != "GET" and (method, path) not in OPEN:
                answer = asked(client, method, path)
                assert (answer.status_code, path) == (403, path)
                assert "CSRF" in answer.json()["problem"]


def client_of(console: Console, login: Any, role: str, way: str, **token: Any) -> httpx.Client:
    client = login(role)
    if way == "session":
        return client
    made = client.post(f"{V1}/tokens", json={"name": "a script", "scope": role} | token).json()
    client.cookies.clear()
    client.headers.pop("X-CSRF-Token")
    client.headers["Authorization"] = f"Bearer {made['text']}"
    return client


# Tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_holds_until_it_is_revoked(console, site, login):
    admin = login("admin")
    made = admin.post(f"{V1}/tokens", json={"name": "a script", "scope": "reviewer", "days": 7}).json()
    text, number = made["text"], made["token"]["id"]
    header = {"Authorization": f"Bearer {text}"}

    with httpx.Client(base_url=console.settings.url, headers=header, timeout=60) as script:
        assert script.get(f"{V1}/cameras").status_code == 200
        assert script.get(f"{V1}/users").status_code == 403  # less than its user may
        assert script.post(f"{V1}/tokens", json={"name": "another"}).status_code == 403
        assert script.delete(f"{V1}/session/all").status_code == 403
        assert script.put(f"{V1}/session/password", json={"old": PASSWORD, "new": "x" * 20}).status_code == 403
        assert text not in admin.get(f"{V1}/tokens").text
        assert text.encode() not in b"".join(path.read_bytes() for path in site.store.folder.glob("site.db*"))
        assert admin.delete(f"{V1}/tokens/{number}").status_code == 204
        assert script.get(f"{V1}/cameras").status_code == 401


def test_a_token_ends(console, site, login):
    client = client_of(console, login, "viewer", "token")
    assert client.get(f"{V1}/cameras").status_code == 200
    with site.store._database.writing() as session:
        from oddframe.site.store.models import TokenRow

        session.query(TokenRow).update({"ends_at": datetime.now(UTC) - timedelta(seconds=1)})

    answer = client.get(f"{V1}/cameras")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "has ended" in answer.json()["problem"]


def test_nobody_gives_a_token_more_than_he_may_himself(login):
    answer = login("viewer").post(f"{V1}/tokens", json={"name": "more", "scope": "admin"})

    assert answer.status_code == 403


def test_who_may_less_takes_his_tokens_along(console, site, login):
    client = client_of(console, login, "reviewer", "token")
    site.store.users.set_role("reviewer", "viewer", author="test")

    assert client.post(f"{V1}/reviews/undo").status_code == 403


@pytest.mark.slow
def test_a_token_for_metrics_is_good_for_nothing_else(console, login, all_routes):
    client = client_of(console, login, "viewer", "token", scope="metrics")

    assert client.get("/metrics").status_code == 200
    for method, path in all_routes:
        if path.startswith(V1) and "session" not in path and "openapi" not in path:
            assert (asked(client, method, path).status_code, path) == (403, path)


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer odd_x", "Bearer " + "x" * 5000, "odd_x", ""])
def test_what_is_no_token_lets_nobody_in(nobody, header):
    assert nobody.get(f"{V1}/cameras", headers={"Authorization": header}).status_code == 401


def test_no_token_is_taken_from_an_address(console, login):
    text = login("viewer").post(f"{V1}/tokens", json={"name": "a script"}).json()["text"]
    for name in ("token", "access_token", "authorization"):
        assert httpx.get(f"{console.settings.url}{V1}/cameras?{name}={text}", timeout=60).status_code == 401


def test_one_sees_and_revokes_his_own_tokens_and_an_admin_all(login):
    ann, bob, admin = login("viewer", "ann"), login("reviewer", "bob"), login("admin")
    number = ann.post(f"{V1}/tokens", json={"name": "of ann"}).json()["token"]["id"]

    assert [one["name"] for one in ann.get(f"{V1}/tokens").json()] == ["of ann"]
    assert bob.get(f"{V1}/tokens").json() == []
    assert [one["user"] for one in admin.get(f"{V1}/tokens").json()] == ["ann"]
    assert bob.delete(f"{V1}/tokens/{number}").status_code == 403
    assert admin.delete(f"{V1}/tokens/{number}").status_code == 204
    assert ann.delete(f"{V1}/tokens/{number}").status_code == 404


# Users ----------------------------------------------------------------------------------------------------------


def test_an_admin_adds_somebody_who_takes_a_password_of_his_own(console, login, nobody):
    admin = login("admin")
    made = admin.post(f"{V1}/users", json={"name": "Bob", "role": "reviewer"}).json()
    entered = nobody.post(f"{V1}/session", json=made).json()

    assert made["name"] == "bob"
    assert (entered["may"], entered["one_time"]) == ("reviewer", True)
    assert admin.post(f"{V1}/users", json={"name": "BOB"}).status_code == 409
    assert admin.put(f"{V1}/users/bob/role", json={"role": "admin"}).json()["role"] == "admin"
    again = admin.post(f"{V1}/users/bob/password").json()
    assert nobody.get(f"{V1}/session").status_code == 401
    assert nobody.post(f"{V1}/session", json=made).status_code == 401
    assert nobody.post(f"{V1}/session", json=again).status_code == 200
    assert admin.delete(f"{V1}/users/bob/sessions").status_code == 204
    assert nobody.get(f"{V1}/session").status_code == 401
    assert admin.delete(f"{V1}/users/bob").status_code == 204
    assert [one["name"] for one in admin.get(f"{V1}/users").json()] == ["admin"]
    gone = admin.delete(f"{V1}/users/admn")
    assert (gone.status_code, gone.json()["hint"]) == (404, "did you mean admin?")
    assert admin.delete(f"{V1}/users/admin").status_code == 409


@pytest.mark.parametrize("name", ["<b>bob</b>", "bob bob", "bob\u202e", "=1+1", "bob/../ann", "", " ", "\0", "x" * 65])
@pytest.mark.slow
def test_names_that_could_deceive_are_refused(login, name):
    assert login("admin").post(f"{V1}/users", json={"name": name}).status_code == 422


def test_the_log_says_who_changed_what(login):
    admin = login("admin")
    admin.post(f"{V1}/users", json={"name": "bob"})
    admin.put(f"{V1}/users/bob/role", json={"role": "reviewer"})
    log = admin.get(f"{V1}/log", params={"limit": 2}).json()

    assert [(one["author"], one["action"], one["subject"]) for one in log] == [
        ("admin", "changed", "user bob"),
        ("admin", "added", "user bob"),
    ]
    assert log[0]["details"] == {"before": "viewer", "after": "reviewer"}
    older = admin.get(f"{V1}/log", params={"before": log[1]["id"]}).json()
    assert all(one["id"] < log[1]["id"] for one in older)


# Events, reviews, evidence --------------------------------------------------------------------------------------


@pytest.fixture
def happened(site: StandingSite) -> list[str]:
    """Three events of the gate and one of the yard, the latest first."""
    changes = [
        change("end", at=NOON + timedelta(minutes=minute), camera=camera, score=score)
        for minute, camera, score in ((0, "gate", 4.0), (1, "yard", 5.0), (2, "gate", 6.0), (3, "gate", 3.5))
    ]
    site.store.events.write(changes)
    return [one.event.id for one in reversed(changes)]


def test_events_come_by_pages_and_filters(login, happened):
    client = login("viewer")
    first = client.get(f"{V1}/events", params={"limit": 3}).json()
    rest = client.get(f"{V1}/events", params={"limit": 3, "before": first["before"]}).json()

    assert [one["id"] for one in (*first["events"], *rest["events"])] == happened
    assert rest["before"] is None
    assert first["events"][0]["severity"] == "once in 3,200 frames"

    def found(**wanted: Any) -> list[str]:
        answer = client.get(f"{V1}/events", params=wanted)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["events"]]

    assert found(camera="yard") == [happened[2]]
    assert found(camera=["yard", "gate"]) == happened
    assert found(camera="nowhere") == []
    assert found(least_score=5) == [happened[1], happened[2]]
    assert found(since="2026-11-30T13:02:00+01:00") == happened[:2]
    assert found(until="2026-11-30T12:01:00Z") == happened[3:]
    assert found(open=True) == []
    assert found(reviewed=False) == happened


def test_one_event_is_told_with_all_that_belongs_to_it(login, site, happened):
    client = login("reviewer")
    client.post(f"{V1}/events/{happened[0]}/reviews", json={"verdict": "alarm", "note": "a cart"})
    told = client.get(f"{V1}/events/{happened[0]}").json()

    assert (told["verdict"], told["reviews"][0]["note"]) == ("alarm", "a cart")
    assert [one["kind"] for one in client.get(f"{V1}/events/{happened[0]}/history").json()] == ["end"]
    assert "start_frame" not in told


def test_reviews_are_added_and_taken_back(login, happened):
    ann, bob = login("reviewer", "ann"), login("reviewer", "bob")
    place = f"{V1}/events/{happened[0]}/reviews"
    assert ann.post(place, json={"verdict": "normal", "scope": {"hours": [8, 17]}}).status_code == 201
    assert bob.post(place, json={"verdict": "alarm"}).status_code == 201

    assert ann.get(f"{V1}/events/{happened[0]}").json()["verdict"] == "disputed"
    assert bob.post(f"{V1}/reviews/undo").json()["verdict"] == "alarm"
    assert ann.get(f"{V1}/events", params={"verdict": "normal"}).json()["events"][0]["id"] == happened[0]
    assert ann.delete(place).json()["undone_at"] is not None
    assert ann.delete(place).status_code == 404
    assert [one["author"] for one in ann.get(place).json()] == ["ann", "bob"]
    assert ann.get(f"{V1}/reviews").json() == []


def test_a_review_of_an_event_that_is_gone_says_so(login):
    answer = login("reviewer").post(
        f"{V1}/events/01a22b19-fe2d-7595-82de-35f317ac8eee/reviews", json={"verdict": "normal"}
    )

    assert answer.status_code == 404
    assert answer.json()["hint"] == "retention may have removed it"


@pytest.mark.parametrize(
    "note",
    ["<script>alert(1)</script>", '=HYPERLINK("http://evil")', "שלום \u202eabc", "ملاحظة", "👀 two\nlines", "x" * 2000],
)
@pytest.mark.slow
def test_notes_are_kept_as_they_are(login, happened, note):
    client = login("reviewer")
    place = f"{V1}/events/{happened[0]}/reviews"
    assert client.post(place, json={"verdict": "normal", "note": note}).status_code == 201
    answer = client.get(place)

    assert answer.json()[0]["note"] == note
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        '{"verdict": "odd"}',
        '{"verdict": "normal", "note": "' + "x" * 2001 + '"}',
        '{"verdict": "normal", "note": "\\u0000"}',
        '{"verdict": "normal", "note": "\\ud800"}',
        '{"verdict": "normal", "scope": {"a": NaN}}',
        '{"verdict": "normal", "scope": {"a": "\\u0000"}}',
        '{"verdict": "normal", "scope": {"a": "\\ud800"}}',
        '{"verdict": "normal", "scope": {"a": "' + "x" * 5000 + '"}}',
        '{"verdict": "normal", "scope": {"a": ' + "[" * 3000 + "]" * 3000 + "}}",
        '{"verdict": "normal", "author": "ann"}',
    ],
)
@pytest.mark.slow
def test_reviews_that_no_store_could_keep_are_refused(login, happened, body):
    answer = login("reviewer").post(
        f"{V1}/events/{happened[0]}/reviews", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=9999",
        "since=yesterday",
        "since=2026-11-30T12:00:00",
        "since=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:59-14:00",
        "before=../../etc",
        "least_score=NaN",
        "verdict=x",
        "camera=%00",
        "profile=" + "x" * 65,
        "wanted=1",
    ],
)
@pytest.mark.slow
def test_a_question_that_does_not_fit_is_refused(login, query):
    assert login("viewer").get(f"{V1}/events?{query}").status_code == 422


@pytest.fixture
def clip(site: StandingSite, happened: list[str]) -> int:
    """The number of a clip of the latest event."""
    path = site.store.folder / "evidence" / "2026-11-30" / happened[0] / "clip.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(250)) * 4)
    site.store.evidence.add(happened[0], "clip", str(path.relative_to(site.store.folder)), 1000)
    return site.store.evidence.of(happened[0])[0].id


def test_a_clip_is_given_whole_or_in_parts(login, happened, clip):
    client = login("viewer")
    told = client.get(f"{V1}/events/{happened[0]}").json()["evidence"][0]
    whole = client.get(told["url"])
    part = client.get(told["url"], headers={"Range": "bytes=100-199"})
    beyond = client.get(told["url"], headers={"Range": "bytes=5000-"})

    assert "path" not in told
    assert (whole.status_code, whole.headers["content-type"], len(whole.content)) == (200, "video/mp4", 1000)
    assert whole.headers["Cache-Control"] == "private, max-age=300"
    assert whole.headers["content-disposition"].startswith("inline; filename=")
    assert (part.status_code, part.content) == (206, bytes(range(100, 200)))
    assert part.headers["content-range"] == "bytes 100-199/1000"
    assert beyond.status_code == 416


@pytest.mark.parametrize(
    "number", ["0", "-1", "99999", "../site.key", "..%2fsite.key", "1/../../site.key", "1e3", "9" * 40, "%00", "1.mp4"]
)
@pytest.mark.slow
def test_a_number_of_evidence_never_becomes_a_path(login, clip, number):
    answer = login("viewer").get(f"{V1}/evidence/{number}")

    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("path", ["site.key", "evidence/../site.key", "/etc/passwd", "evidence/link.mp4"])
def test_nothing_but_evidence_is_given_even_if_the_store_says_so(login, site, happened, path):
    (site.store.folder / "evidence").mkdir()
    (site.store.folder / "evidence/link.mp4").symlink_to(site.store.folder / "site.key")
    site.store.evidence.add(happened[0], "clip", path, 10)
    number = site.store.evidence.of(happened[0])[0].id

    answer = login("viewer").get(f"{V1}/evidence/{number}")

    assert answer.status_code == 404
    assert answer.json()["hint"] == "retention may have removed it"


def test_evidence_that_retention_has_removed_is_not_there(login, site, clip):
    site.store.evidence.removed([clip])

    assert login("viewer").get(f"{V1}/evidence/{clip}").status_code == 404


# Cameras, lines, sinks, system ----------------------------------------------------------------------------------


def running(**of_gate: Any) -> EngineStatus:
    facts = {
        "name": "gate",
        "health": Health(state=HealthState.ONLINE, since=NOON),
        "profile": "day",
        "line": 3.0,
        "score": 1.5,
        "scored_at": NOON,
        "lately": (0.5, 1.0, 2.0),
        "alarm": False,
        "judged": 120,
        "dropped": {"not online": 3, "failed": 0},
        "doubted": 7,
        "counts": Counts(received=130, decoded=128, given=125, dropped={"late": 2}, opened=1),
        "notes": (),
    }
    return EngineStatus(
        engine=EngineCounts(judged=120, latency_s=(0.02, 0.05)),
        cameras=(CameraStatus(**facts | of_gate),),
        waiting=1,
        lost=0,
        evidence_waiting=2,
        without_evidence={"busy": 4},
        disk_full=False,
        trouble={},
    )


def test_cameras_are_told_without_their_passwords_and_as_the_engine_has_them(login, site):
    site.status = running()
    site.store.health.changed("gate", "online")
    answer = login("viewer").get(f"{V1}/cameras")
    gate, yard = answer.json()

    assert "s3cret" not in answer.text
    assert (gate["name"], gate["address"], gate["state"]) == ("gate", "rtsp://10.0.0.2/gate", "online")
    assert gate["now"]["dropped"] == {"not online": 3, "late": 2}
    assert yard["now"] is None


def test_a_camera_that_is_not_there_is_said_with_the_nearest(login, site):
    client = login("viewer")
    answer = client.get(f"{V1}/cameras/gatte")
    site.store.cameras.remove("yard")

    assert (answer.status_code, answer.json()["hint"]) == (404, "did you mean gate?")
    assert client.get(f"{V1}/cameras/yard").status_code == 404


def test_health_days_and_lines_of_a_camera_are_told(login, site):
    site.store.health.changed("gate", "online")
    site.store.watched.add("gate", "", 3600.0, 1.0)
    for asked_per_day in (1.0, 2.0):
        site.store.cameras.set_line(
            LineRecord(camera="gate", since=NOON, on=3.0, off=2.0, asked_per_day=asked_per_day, author="ann")
        )
    client = login("viewer")

    assert client.get(f"{V1}/cameras/gate").json()["name"] == "gate"
    assert [one["state"] for one in client.get(f"{V1}/cameras/gate/health").json()] == ["online"]
    assert client.get(f"{V1}/cameras/gate/days").json()[0]["watched_s"] == 3600.0
    assert [one["asked_per_day"] for one in client.get(f"{V1}/cameras/gate/lines").json()] == [2.0]
    assert [one["asked_per_day"] for one in client.get(f"{V1}/cameras/gate/lines/history").json()] == [2.0, 1.0]


def test_scores_of_a_camera_are_told_up_to_a_day_at_once(login, site):
    history = ScoreHistory(site.store.folder / SCORES)
    history.add(site.store.cameras.get("gate").id, [Peak(NOON, 4.0, 3.0), Peak(NOON + timedelta(seconds=25), 1.5, 3.0)])
    place, client = f"{V1}/cameras/gate/scores", login("viewer")
    told = client.get(place, params={"since": "2026-11-30T12:00:04Z", "until": "2026-11-30T12:00:30Z"}).json()

    assert told["since"] == "2026-11-30T12:00:00Z"
    assert (told["scores"], told["lines"]) == ([4.0, None, 1.5], [3.0, None, 3.0])
    assert len(client.get(place).json()["scores"]) in (360, 361)
    too_long = client.get(place, params={"since": "2026-11-28T12:00:00Z", "until": "2026-11-30T12:00:00Z"})
    assert (too_long.status_code, "up to a day" in too_long.json()["wanted"]) == (422, True)
    backwards = client.get(place, params={"since": "2026-11-30T12:00:00Z", "until": "2026-11-30T11:00:00Z"})
    assert backwards.status_code == 422
    assert client.get(f"{V1}/cameras/gatte/scores").status_code == 404


def test_dead_messages_are_seen_and_sent_again(login, site):
    site.store.sinks.put(sink())
    site.store.events.write([change("new")])
    site.wrong["sink hook"] = "it does not answer"
    waiting = site.store.outbox.due("hook")
    site.store.outbox.died(waiting.id, "it said 404")
    admin = login("admin")
    told = admin.get(f"{V1}/sinks").json()[0]
    dead = admin.get(f"{V1}/outbox/dead").json()

    assert "s3cret" not in admin.get(f"{V1}/sinks").text
    assert (told["dead"], told["waiting"], told["problem"]) == (1, 0, "it does not answer")
    assert (dead[0]["problem"], dead[0]["message"]["kind"]) == ("it said 404", "event")
    assert admin.post(f"{V1}/outbox/again", json={"messages": [dead[0]["id"] + 1]}).status_code == 404
    assert admin.post(f"{V1}/outbox/again", json={"sink": "hook"}).json() == {"messages": 1}
    assert site.woken == 1
    assert admin.get(f"{V1}/log").json()[0]["action"] == "sent again"


def test_the_system_says_how_it_is(login, site):
    client = login("viewer")
    without = client.get(f"{V1}/system").json()
    site.status, site.restarts, site.wrong = running(), 2, {"engine": "it died"}
    told = client.get(f"{V1}/system").json()

    assert (without["engine"]["up"], told["engine"]["up"]) == (False, True)
    assert (told["engine"]["restarts"], told["engine"]["evidence_waiting"]) == (2, 2)
    assert told["problems"] == {"engine": "it died"}
    assert told["disk_free_bytes"] > 0


def test_probes_say_alive_and_ready_and_nothing_else(nobody, site):
    assert nobody.get("/healthz").json() == {"status": "alive"}
    not_ready = nobody.get("/readyz")
    site.status = running()

    assert (not_ready.status_code, not_ready.json()["problem"]) == (503, "the engine gives no answer")
    assert nobody.get("/readyz").json() == {"status": "ready"}


def test_metrics_are_what_prometheus_reads(login, site, happened):
    from prometheus_client.parser import text_string_to_metric_families

    site.status = running()
    site.store.sinks.put(sink())
    site.store.events.write([change("new", camera="yard")])
    answer = login("viewer").get("/metrics")
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    assert answer.headers["content-type"].startswith("text/plain")
    assert found["oddframe_engine_up",] == 1
    assert found["oddframe_frames_judged_total", "gate"] == 120
    assert found["oddframe_frames_dropped_total", "gate", "late"] == 2
    assert found["oddframe_events_doubted_total", "gate"] == 7
    assert found["oddframe_latency_seconds", "0.95"] == 0.05
    assert found["oddframe_score", "0.99", "gate"] == 2.0
    assert found["oddframe_camera_state", "gate", "online"] == 1
    assert found["oddframe_camera_state", "gate", "offline"] == 0
    assert found["oddframe_writes_waiting",] == 1
    assert found["oddframe_outbox_messages", "hook", "waiting"] == 1
    assert found["oddframe_events_open", "yard"] == 1
    assert found["oddframe_disk_free_bytes",] > 0
    assert found["oddframe_evidence_skipped_total", "busy"] == 4


def test_every_figure_of_the_metrics_is_in_the_documentation(login, site):
    page = (Path(__file__).parents[2] / "docs/how-to/api.md").read_text("utf-8")
    site.status = running()
    site.wrong = {"engine": "it died"}
    site.store.sinks.put(sink())
    samples = login("viewer").get("/metrics").text.splitlines()
    names = {line.partition("{")[0].partition(" ")[0] for line in samples if not line.startswith("#")}

    assert len(names) > 20
    assert {name for name in names if f"`{name}" not in page} == set()


def test_metrics_without_an_engine_say_that_there_is_none(login):
    assert "oddframe_engine_up 0.0" in login("viewer").get("/metrics").text


@pytest.mark.slow
def test_every_route_is_described_with_its_errors(login, all_routes):
    described = login("viewer").get(f"{V1}/openapi.json").json()

    assert described["security"] == [{"token": []}, {"session": []}]
    for method, path in all_routes:
        is_page = not path.startswith(V1) and path not in ("/healthz", "/readyz", "/metrics")
        if not is_page and not path.endswith("openapi.json"):
            route = described["paths"][path][method.lower()]
            assert route["description"], path
            assert {"4XX", "5XX"} <= route["responses"].keys(), path
            needed = next((role for role, those in FOR.items() if (method, path) in those), None)
            assert route["x-role"] in ([needed] if needed else [None, "viewer"]), path
            assert ("security" in route) == ((method, path) in OPEN), path


def test_a_camera_without_a_fitting_of_its_own_has_no_lessons_and_says_why(site, login):
    client = login("reviewer")
    site.store.cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/…")
    event = change("new")
    site.store.events.write([event])

    assert client.get(f"{V1}/cameras/gate/lessons").json() == []
    told = client.post(f"{V1}/events/{event.event.id}/preview", json={"verdict": "normal"})
    assert told.status_code >= 400
    assert "nothing to teach" in told.json()["problem"]
    assert client.delete(f"{V1}/cameras/gate/lessons/1").status_code >= 400
    assert client.post(f"{V1}/events/{event.event.id}/preview", json={"verdict": "odd"}).status_code == 422
