"""Who comes in: passwords, sessions, CSRF tokens, and how often one may try."""

from __future__ import annotations

import httpx
import pytest
from tests.console.conftest import PASSWORD, person

from oddframe.console.access.limiter import LoginLimiter
from oddframe.console.access.passwords import Passwords, refuse_weak
from oddframe.errors import SettingsError, TooOftenError

SESSION = "/api/v1/session"


def test_the_first_password_is_good_for_another_one_and_for_nothing_else(console, nobody):
    password = console.access.first_password()
    assert password is not None
    assert console.access.first_password() is None
    me = nobody.post(SESSION, json={"name": "admin", "password": password}).json()
    csrf = {"X-CSRF-Token": me["csrf"]}

    assert me["one_time"]
    assert nobody.get("/api/v1/cameras").status_code == 403
    weak = nobody.put(f"{SESSION}/password", json={"old": password, "new": "short"}, headers=csrf)
    assert (weak.status_code, weak.json()["seen"]) == (422, "5 letters")
    same = nobody.put(f"{SESSION}/password", json={"old": password, "new": password}, headers=csrf)
    assert same.status_code == 422
    wrong = nobody.put(f"{SESSION}/password", json={"old": "something else", "new": PASSWORD}, headers=csrf)
    assert wrong.status_code == 403
    assert nobody.put(f"{SESSION}/password", json={"old": password, "new": PASSWORD}, headers=csrf).status_code == 204
    assert nobody.get("/api/v1/cameras").status_code == 200
    assert not console.access.nobody_came_yet()


def test_a_cookie_is_seen_by_no_script_and_sent_by_no_other_site(console, login):
    client = login("viewer")
    set_cookie = httpx.post(f"{console.settings.url}{SESSION}", json={"name": "viewer", "password": PASSWORD}).headers[
        "set-cookie"
    ]

    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(set_cookie.split("; "))
    assert client.get(SESSION).json()["name"] == "viewer"


def test_what_the_store_keeps_lets_nobody_in(console, site, login):
    client = login("admin")
    secret = client.cookies["oddframe"]
    everything = b"".join(path.read_bytes() for path in site.store.folder.glob("site.db*"))

    assert secret.encode() not in everything
    assert PASSWORD.encode() not in everything
    assert b"$argon2id$" in everything
    stolen = site.store.sessions.of("admin")[0].id
    assert httpx.get(f"{console.settings.url}{SESSION}", cookies={"oddframe": stolen}).status_code == 401


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("viewer", "wrong password"),
        ("nobody", PASSWORD),
        ("\u202e", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("VIEWER ", "x"),
    ],
)
def test_a_wrong_name_and_a_wrong_password_are_told_alike(console, site, nobody, name, password):
    person(console.access, site.store, "viewer", "viewer")

    answer = nobody.post(SESSION, json={"name": name, "password": password})

    assert answer.status_code == 401
    assert answer.json()["problem"] == "the name or the password is wrong"
    assert not nobody.cookies


def test_a_name_may_be_typed_in_capital_letters(console, site, nobody):
    person(console.access, site.store, "viewer", "viewer")

    assert nobody.post(SESSION, json={"name": " Viewer", "password": PASSWORD}).status_code == 200


def test_logging_out_ends_the_session_on_the_server(console, login):
    client = login("viewer")
    cookie = dict(client.cookies)

    assert client.delete(SESSION).status_code == 204
    assert not client.cookies
    assert httpx.get(f"{console.settings.url}{SESSION}", cookies=cookie).status_code == 401


def test_one_can_log_out_everywhere(login):
    here, there = login("viewer"), login("viewer")

    assert [one["here"] for one in here.get(f"{SESSION}/all").json()] == [False, True]
    assert here.delete(f"{SESSION}/all").status_code == 204
    assert there.get(SESSION).status_code == 401


def test_another_password_ends_the_other_sessions(login):
    here, there = login("viewer"), login("viewer")
    here.put(f"{SESSION}/password", json={"old": PASSWORD, "new": f"another {PASSWORD}"})

    assert here.get(SESSION).status_code == 200
    assert there.get(SESSION).status_code == 401


@pytest.mark.parametrize("token", ["", "0" * 64, "of another", None])
def test_a_change_needs_the_csrf_token_of_its_own_session(login, token):
    client, other = login("viewer"), login("reviewer")
    client.headers.pop("X-CSRF-Token")
    given = {} if token is None else {"X-CSRF-Token": other.headers["X-CSRF-Token"] if "of" in token else token}

    answer = client.delete(SESSION, headers=given)

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["problem"]
    assert client.get(SESSION).status_code == 200


def test_what_a_proxy_asks_for_itself_is_its_own_business(login):
    assert login("viewer").get(SESSION, headers={"Authorization": "Basic YTpi"}).status_code == 200


@pytest.mark.parametrize("token", [b"\xff\xfe", "é".encode()])
def test_a_csrf_token_may_be_anything_but_right(login, token):
    assert login("viewer").delete(SESSION, headers={"X-CSRF-Token": token}).status_code == 403


@pytest.mark.parametrize("header", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_no_page_of_another_site_logs_in_or_changes_anything(console, site, login, nobody, header):
    client = login("viewer")

    assert client.delete(SESSION, headers=header).status_code == 403
    answer = nobody.post(SESSION, json={"name": "viewer", "password": PASSWORD}, headers=header)
    assert answer.status_code == 403
    assert "another site" in answer.json()["problem"]


def test_guesses_are_slowed_down_and_the_right_password_as_well(console, site, nobody):
    person(console.access, site.store, "viewer", "viewer")
    wrong, right = ({"name": "viewer", "password": one} for one in ("wrong password", PASSWORD))
    for _ in range(5):
        assert nobody.post(SESSION, json=wrong).status_code == 401

    answer = nobody.post(SESSION, json=right)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert ("oddframe", "slowed down logins") in [(one.author, one.action) for one in site.store.journal.entries()]


def test_pauses_double_up_to_a_quarter_of_an_hour_and_end():
    now_s = 0.0
    limiter = LoginLimiter(lambda: now_s)
    pauses = []
    for _ in range(20):
        limiter.attempt("ann", "10.0.0.9")
        try:
            limiter.attempt("ann", "10.0.0.9")
        except TooOftenError as error:
            pauses.append(error.after_s)
            now_s += error.after_s

    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == 900.0


def test_an_attempt_during_a_pause_does_not_prolong_it():
    now_s = 0.0
    limiter = LoginLimiter(lambda: now_s)
    for _ in range(5):
        limiter.attempt("ann", "10.0.0.9")
    for _ in range(100):
        with pytest.raises(TooOftenError):
            limiter.attempt("ann", "10.0.0.9")
    now_s += 1.0

    limiter.attempt("ann", "10.0.0.9")


def test_attempts_at_the_same_time_do_not_slip_through():
    limiter = LoginLimiter(lambda: 0.0)
    let_in = 0
    for _ in range(200):
        try:
            limiter.attempt("ann", "10.0.0.9")  # none of them has been looked at yet
            let_in += 1
        except TooOftenError:
            pass

    assert let_in == 5


def test_many_accounts_from_one_address_are_slowed_down_and_so_is_a_whole_network_of_ipv6():
    for addresses in (["10.0.0.9"] * 100, [f"2001:db8::{number:x}" for number in range(100)]):
        limiter = LoginLimiter(lambda: 0.0)
        let_in = 0
        for number, address in enumerate(addresses):
            try:
                limiter.attempt(f"user {number}", address)
                let_in += 1
            except TooOftenError:
                pass

        assert let_in == 20


def test_who_has_come_in_from_an_address_is_not_kept_out_by_the_guesses_of_others():
    limiter = LoginLimiter(lambda: 0.0)
    limiter.attempt("ann", "10.0.0.2")
    limiter.succeeded("ann", "10.0.0.2")
    for _ in range(5):
        limiter.attempt("ann", "10.6.6.6")
    with pytest.raises(TooOftenError):
        limiter.attempt("ann", "10.6.6.6")

    limiter.attempt("ann", "10.0.0.2")


def test_a_failure_is_forgotten_after_a_day_and_after_a_login():
    now_s = 0.0
    limiter = LoginLimiter(lambda: now_s)
    for _ in range(4):
        limiter.attempt("ann", "10.0.0.2")
    now_s += 25 * 3600
    for _ in range(4):
        limiter.attempt("ann", "10.0.0.2")
    limiter.succeeded("ann", "10.0.0.2")
    for _ in range(4):
        limiter.attempt("ann", "10.0.0.2")


def test_only_a_few_passwords_wait_to_be_checked():
    passwords = Passwords()
    with passwords._one:  # somebody's is being checked
        for _ in range(8):
            passwords._places.acquire()
        with pytest.raises(TooOftenError, match="at the same time"):
            passwords.fits("x", None)


@pytest.mark.parametrize(
    "weak", ["short", "aaaaaaaaaaaaaaaa", "abababababababab", "ann-ann1", "x" * 300, "margarete-4711"]
)
def test_a_weak_password_is_refused(weak):
    with pytest.raises(SettingsError):
        refuse_weak(weak, "margarete")


def test_hashes_of_former_days_are_made_anew_at_a_login(costly_passwords, console, site, nobody):
    from argon2 import PasswordHasher

    person(console.access, site.store, "viewer", "viewer")
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    site.store.users.rehash("viewer", site.store.users.password("viewer")[1], old)

    assert nobody.post(SESSION, json={"name": "viewer", "password": PASSWORD}).status_code == 200
    assert "m=19456,t=2,p=1" in site.store.users.password("viewer")[1]
