"""What every answer carries, what is refused before anybody looks at it, and how errors are told."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import httpx
import pytest

from oddframe.console import connection
from oddframe.console.headers import HEADERS
from oddframe.console.limits import BODY_BYTES, Places
from oddframe.console.server import Console
from oddframe.console.settings import ConsoleSettings
from oddframe.errors import SettingsError, TooOftenError


@pytest.mark.parametrize("path", ["/api/v1/session", "/nothing", "/look/any/console.css", "/api/v1/openapi.json"])
def test_every_answer_has_the_headers(nobody, path):
    headers = nobody.get(path).headers

    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "server" not in headers
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_a_fault_of_ours_is_told_without_its_insides_and_with_the_headers(console, site, login):
    client = login("admin")
    site.store.sessions.of = lambda name: 1 / 0  # type: ignore[method-assign]

    answer = client.get("/api/v1/session/all")

    assert answer.status_code == 500
    assert answer.json()["problem"] == "this is a fault of oddframe itself"
    assert "ZeroDivision" not in answer.text
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_a_database_that_is_locked_is_no_fault_of_who_asks(console, site, login):
    from oddframe.errors import StoreError

    client = login("admin")

    def locked(name: str) -> None:
        raise StoreError(
            "the site's database is locked", path="/srv/site.db", seen="user oddframe", hint="end the other program"
        )

    site.store.sessions.of = locked  # type: ignore[method-assign]
    answer = client.get("/api/v1/session/all")

    assert answer.status_code == 503
    assert answer.json()["hint"] == "end the other program"
    assert "/srv" not in answer.text
    assert "user oddframe" not in answer.text


def test_a_person_gets_a_page_and_a_program_gets_json(nobody):
    page = nobody.get("/nothing", headers={"Accept": "text/html"})

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "there is no such page" in page.text
    assert nobody.get("/nothing").json()["problem"] == "there is no such page"
    assert nobody.get("/api/v1/nothing", headers={"Accept": "text/html"}).json()["seen"] == "GET /api/v1/nothing"


def test_nothing_of_a_request_stands_in_a_page_as_markup(nobody):
    page = nobody.get("/<script>alert(1)</script>", headers={"Accept": "text/html"})

    assert "<script>" not in page.text


@pytest.mark.parametrize("way", ["announced", "in pieces"])
def test_ten_megabytes_are_refused(nobody, way):
    body = b'{"name": "' + b"x" * 10 * 2**20 + b'"}'
    content = body if way == "announced" else (body[at : at + 65536] for at in range(0, len(body), 65536))
    try:
        answer = nobody.post("/api/v1/session", content=content, headers={"Content-Type": "application/json"})
    except httpx.TransportError:
        return  # the connection was closed while it was being sent
    assert answer.status_code == 413
    assert f"{BODY_BYTES:,} bytes" in answer.json()["problem"]


def test_an_announced_length_is_refused_before_the_body_comes(console):
    with socket.create_connection(("127.0.0.1", console.settings.port), timeout=60) as direct:
        direct.sendall(
            b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 10485760\r\n\r\n"
        )
        assert direct.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"name": 1, "password": []}',
        b'{"name": "a", "password": "s3cret", "more": 1}',
    ],
)
def test_a_body_that_does_not_fit_is_told_by_its_place_and_not_repeated(nobody, body):
    answer = nobody.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["problem"] == "the request does not fit"
    assert "s3cret" not in answer.text


def test_json_that_is_not_called_so_is_told_how_to_be(nobody):
    answer = nobody.post("/api/v1/session", content=b"{}", headers={"Content-Type": "text/plain"})

    assert (answer.status_code, "Content-Type: application/json" in answer.json()["hint"]) == (422, True)


def test_a_body_that_is_deeply_nested_is_refused(nobody):
    answer = nobody.post("/api/v1/session", content=b"[" * 100_000, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.json()["problem"]


@pytest.mark.parametrize(
    "path", ["/cameras/%00", "/look/any/%7f", "/events.csv?camera=a%00", "/?%01=1", "/?next=a%0d%0ab"]
)
def test_an_address_with_control_characters_is_refused_wherever_it_leads(nobody, path):
    page = nobody.get(path, headers={"Accept": "text/html"})

    assert page.status_code == 422
    assert "text without control characters is wanted" in page.text
    assert nobody.get(f"/api/v1{path}").json()["seen"] == "the address"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"name": "a\\u0000"}'),
        ("application/json", b'{"a\\u001f": [{"b": 1}]}'),
        ("application/json", b'{"name": [["\\ud800"]]}'),
        ("application/x-www-form-urlencoded", b"csrf_token=a%00"),
    ],
)
def test_a_body_with_control_characters_is_refused_whatever_is_done_with_it(nobody, kind, body):
    answer = nobody.post("/api/v1/session", content=body, headers={"Content-Type": kind})
    harmless = nobody.post("/api/v1/session", json={"name": "a\n\tb\u202ec", "password": "\U0001f440"})

    assert answer.status_code == 422
    assert answer.json()["problem"] == "text without control characters is wanted"
    assert harmless.status_code == 401


def test_a_request_to_another_name_is_refused(nobody):
    answer = nobody.get("/api/v1/session", headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    for host in ("localhost", "127.0.0.1:1", "[::1]:8470"):
        assert nobody.get("/api/v1/session", headers={"Host": host}).status_code == 401


@pytest.mark.parametrize(
    "path", ["/look/any/../app.py", "/look/any/%2e%2e/app.py", "/look/any/..%2fapp.py", "/look/any//etc/passwd"]
)
def test_no_file_beside_those_of_pages_is_given(console, path):
    with socket.create_connection(("127.0.0.1", console.settings.port), timeout=60) as direct:
        direct.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert direct.recv(4096).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        (b"GET /api/v1/session HTTP/1.1\r\nHost: loc", "HEAD_S"),
        (b"", "HEAD_S"),
        (b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{", "BODY_S"),
    ],
)
@pytest.mark.slow
def test_a_client_that_sends_letter_by_letter_is_let_go_and_others_are_served(site, monkeypatch, sent, part):
    monkeypatch.setattr(connection, part, 2.0)  # the one that is served sends all it has at once
    with (
        Console(site, ConsoleSettings(port=0)) as console,
        socket.create_connection(("127.0.0.1", console.settings.port), timeout=60) as slow,
    ):
        slow.sendall(sent)
        assert httpx.get(f"{console.settings.url}/api/v1/session", timeout=60, verify=False).status_code == 401
        with pytest.raises(ConnectionError):
            send_for_ever(slow)


def send_for_ever(slow: socket.socket) -> None:
    """Letter by letter, as long as somebody takes it: a letter more does not prolong the time."""
    while True:
        slow.sendall(b"x")
        time.sleep(0.05)


def test_a_connection_that_is_kept_open_is_not_taken_for_a_slow_one(console, nobody):
    for _ in range(20):
        assert nobody.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("limit", "behind_proxy", "served"),
    [("MOST", False, False), ("MOST", True, False), ("EACH", False, False), ("EACH", True, True)],
)
def test_more_connections_than_there_may_be_are_closed_and_leave_room_again(
    site, monkeypatch, limit, behind_proxy, served
):
    monkeypatch.setattr(connection, limit, 20)
    with Console(site, ConsoleSettings(port=0, behind_proxy=behind_proxy)) as console:
        address = ("127.0.0.1", console.settings.port)
        many = [socket.create_connection(address, timeout=60) for _ in range(40)]
        assert any(is_served(one) for one in many[20:]) == served
        for one in many:
            one.close()
        with httpx.Client(base_url=console.settings.url, timeout=60, verify=False) as client:
            assert when_there_is_room(client, "/api/v1/session") == 401


@pytest.mark.slow
def test_a_thousand_open_streams_are_refused_and_others_are_served_meanwhile(console, login):
    """One user, as many streams as there can be; nothing is held up, and places come back when they are closed."""
    viewer, other = login("viewer"), login("reviewer")
    cookie = "; ".join(f"{name}={value}" for name, value in viewer.cookies.items())
    request = f"GET /events-stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode()
    streams = []
    for _ in range(1000):
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", console.settings.port), timeout=60)
            streams.append(one)
            one.sendall(request)
    answers = [answer_of(one) for one in streams]

    assert 0 < answers.count(b"HTTP/1.1 200") <= 24
    assert set(answers) <= {b"HTTP/1.1 200", b"HTTP/1.1 429", b""}
    assert when_there_is_room(other, "/api/v1/cameras") == 200
    for one in streams:
        one.close()
    for _ in range(600):
        with viewer.stream("GET", "/events-stream") as again:
            if again.status_code == 200:
                break
        time.sleep(0.1)
    else:
        pytest.fail("no place came back")


def when_there_is_room(client: httpx.Client, path: str) -> int:
    """The status of an answer, once there is one."""
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            return client.get(path).status_code
        time.sleep(0.1)
    pytest.fail("there was no room again")


def answer_of(one: socket.socket) -> bytes:
    """The first words of what a server answers; none where it has closed the connection."""
    try:
        return one.recv(12)
    except OSError:
        return b""


def is_served(one: socket.socket) -> bool:
    try:
        one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return one.recv(10) != b""
    except ConnectionError:
        return False


def test_streams_are_bounded_for_each_and_for_all():
    places = Places(3, each=2)
    with places.take("ann"), places.take("ann"):
        with pytest.raises(TooOftenError, match="'ann' has too many"):
            places.enter("ann")
        with places.take("bob"), pytest.raises(TooOftenError, match="too many streams are open"):
            places.enter("cem")
    assert places.taken == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "console.example"])
def test_where_others_could_listen_it_speaks_tls_or_stands_behind_a_proxy(host):
    with pytest.raises(SettingsError, match="cannot be opened like this") as refused:
        ConsoleSettings.of(host=host)
    assert "--behind-proxy" in str(refused.value)
    assert ConsoleSettings.of(host=host, behind_proxy=True).secure


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8470"),
        ("::1", "http://[::1]:8470"),
        ("0.0.0.0", f"http://{socket.gethostname()}:8470"),
    ],
)
def test_the_address_that_is_printed_can_be_opened(host, url):
    assert ConsoleSettings.of(host=host, behind_proxy=True).url == url


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_computer_alone_needs_none_of_both(host):
    assert not ConsoleSettings.of(host=host).secure


def test_a_certificate_needs_its_key():
    with pytest.raises(SettingsError, match="cannot be opened like this"):
        ConsoleSettings.of(tls_cert="cert.pem")


def test_files_that_are_no_certificate_are_said_to_be_none(site, tmp_path):
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match="cannot be used") as refused:
        Console(site, ConsoleSettings(port=0, tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "none.pem"))
    assert "two PEM files" in str(refused.value)


def test_a_port_that_is_taken_is_said_to_be(site, console):
    with pytest.raises(SettingsError, match="the console cannot be opened") as refused:
        Console(site, ConsoleSettings(port=console.settings.port))
    assert f"port {console.settings.port}" in str(refused.value)


@pytest.mark.slow
def test_the_description_of_the_api_is_for_who_has_come_in(nobody, login):
    assert nobody.get("/api/v1/openapi.json").status_code == 401
    described = login("viewer").get("/api/v1/openapi.json").json()

    assert described["info"]["title"] == "oddframe"
    assert "Problem" in json.dumps(described)


def test_the_body_of_an_answer_does_not_wait_until_its_head_is_acknowledged(console, nobody):
    nobody.get("/healthz")  # the connection stays open

    (connected,) = console._server.server_state.connections

    kept = connected.transport.get_extra_info("socket")
    assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.slow
def test_a_flood_of_logins_is_refused_and_others_are_served_meanwhile(costly_passwords, console, site, login):
    """Two hundred at once: nobody waits for them, and no more passwords are checked than may be."""
    from concurrent.futures import ThreadPoolExecutor

    viewer, passwords = login("viewer"), console.access._passwords
    checked, fits = [], passwords.fits
    passwords.fits = lambda *given: checked.append(given) or fits(*given)  # type: ignore[method-assign]

    def guess(number: int) -> int:
        body = {"name": f"user {number % 7}", "password": "wrong password"}
        return httpx.post(f"{console.settings.url}/api/v1/session", json=body, timeout=120, verify=False).status_code

    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(guess, number) for number in range(200)]
        assert viewer.get("/api/v1/cameras").status_code == 200
        codes = [one.result() for one in answers]

    assert set(codes) <= {401, 429}
    assert codes.count(429) > 150
    assert len(checked) < 50
