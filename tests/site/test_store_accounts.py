"""Users, sessions and tokens, on every database: what ends with what, and who wrote it down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from tests.site.conftest import NOON, StandingClock, change

from oddframe.errors import ConflictError, UnknownNameError
from oddframe.site.store import Store
from oddframe.site.store.database import Database
from oddframe.site.store.migrate import _STEPS


@pytest.fixture
def ann(store: Store) -> str:
    store.users.add("ann", "hash of ann", "admin", one_time=True, author="oddframe")
    return "ann"


def told(store: Store) -> list[tuple[str, str, str]]:
    return [(one.author, one.action, one.subject) for one in reversed(store.journal.entries())]


def test_a_database_of_the_first_version_is_migrated_and_keeps_what_it_had(tmp_path, url):
    database = Database(url or f"sqlite:///{tmp_path / 'site.db'}")
    config = Config()
    config.set_main_option("script_location", str(_STEPS))
    with database.connection() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO cameras (id, name, address, masked, settings, added_at) "
            "VALUES (1, 'gate', '', '0', '{}', '2026-11-30 12:00:00')"
        )
    database.close()

    with Store.open(tmp_path, url) as store:
        store.events.write([change("end")])
        store.users.add("ann", "hash", "admin", one_time=False, author="oddframe")

        assert [one.name for one in store.cameras.all()] == ["gate"]
        assert len(store.events.page().events) == 1


def test_a_name_is_given_once_and_one_who_was_removed_can_come_back(store, ann):
    with pytest.raises(ConflictError, match="there is a user 'ann' already"):
        store.users.add("ann", "other", "viewer", one_time=False, author="ann")
    store.users.add("bob", "hash", "reviewer", one_time=False, author="ann")
    store.users.remove("bob", author="ann")

    assert store.users.password("bob") is None
    assert store.users.add("bob", "new hash", "viewer", one_time=True, author="ann").role == "viewer"
    assert [one.name for one in store.users.all()] == ["ann", "bob"]


def test_there_is_always_an_admin(store, ann):
    with pytest.raises(ConflictError, match="is the only admin"):
        store.users.remove("ann", author="ann")
    with pytest.raises(ConflictError, match="is the only admin"):
        store.users.set_role("ann", "viewer", author="ann")
    store.users.add("bob", "hash", "admin", one_time=False, author="ann")

    assert store.users.set_role("ann", "viewer", author="bob").role == "viewer"


def test_a_user_of_no_such_name_is_said_with_the_nearest(store, ann):
    with pytest.raises(UnknownNameError, match="there is no user 'anne'") as refused:
        store.users.remove("anne", author="ann")

    assert refused.value.hint == "did you mean ann?"


def test_a_session_ends_when_nobody_uses_it_and_after_a_month_in_any_case(store, ann, clock: StandingClock):
    begun = store.sessions.begin("id", "ann", address="10.0.0.9", agent="Firefox")
    clock.go(days=6)
    store.sessions.seen(begun)
    clock.go(days=6)
    found = store.sessions.find("id")

    assert found is not None
    assert found.used_at == NOON + timedelta(days=6)
    for _ in range(4):
        clock.go(days=5)
        store.sessions.seen(store.sessions.find("id") or begun)
    assert store.sessions.find("id") is None
    store.sessions.begin("other", "ann", address="10.0.0.9", agent="Firefox")
    clock.go(days=7)
    assert store.sessions.find("other") is None


def test_a_session_is_written_once_a_minute_at_most(store, ann, clock: StandingClock):
    begun = store.sessions.begin("id", "ann", address="", agent="")
    clock.go(seconds=59)
    store.sessions.seen(begun)

    assert store.sessions.find("id") == begun


def test_a_user_has_fifty_sessions_at_most_and_the_oldest_goes(store, ann, clock: StandingClock):
    for number in range(60):
        clock.go(seconds=1)
        store.sessions.begin(f"id {number}", "ann", address="", agent="")

    assert [one.id for one in store.sessions.of("ann")] == [f"id {number}" for number in reversed(range(10, 60))]


def test_another_password_ends_all_sessions_but_one(store, ann):
    for one in ("here", "there"):
        store.sessions.begin(one, "ann", address="", agent="")

    user = store.users.change_password("ann", "new", one_time=False, author="ann", keep="here")

    assert not user.one_time
    assert [one.id for one in store.sessions.of("ann")] == ["here"]


def test_who_is_removed_is_logged_out_and_no_token_holds(store, ann):
    store.users.add("bob", "hash", "reviewer", one_time=False, author="ann")
    store.sessions.begin("id", "bob", address="", agent="")
    store.tokens.add("bob", "script", "hash of it", "reviewer", NOON + timedelta(days=1), author="bob")
    store.users.remove("bob", author="ann")

    assert store.sessions.find("id") is None
    assert store.tokens.find("hash of it") is None
    store.users.add("bob", "hash", "reviewer", one_time=False, author="ann")
    assert store.sessions.find("id") is None
    assert store.tokens.find("hash of it") is None


def test_one_can_log_out_of_one_browser_or_of_all(store, ann):
    for one in ("here", "there", "elsewhere"):
        store.sessions.begin(one, "ann", address="", agent="")
    store.sessions.end("here")
    store.sessions.end("here")

    assert store.sessions.find("here") is None
    assert store.sessions.end_all("ann", author="ann") == 2
    assert store.sessions.of("ann") == []


def test_a_token_holds_until_its_end_or_until_it_is_revoked(store, ann, clock: StandingClock):
    first = store.tokens.add("ann", "script", "one", "viewer", NOON + timedelta(days=1), author="ann")
    second = store.tokens.add("ann", "scraper", "two", "metrics", NOON + timedelta(days=9), author="ann")
    store.tokens.seen(second)

    assert store.tokens.find("one") == first
    assert store.tokens.find("three") is None
    assert store.tokens.get(second.id).used_at == NOON
    clock.go(days=1)
    assert store.tokens.find("one") is None
    store.tokens.revoke(second.id, author="ann")
    assert store.tokens.find("two") is None
    assert [one.name for one in store.tokens.all("ann")] == ["script"]
    with pytest.raises(UnknownNameError, match="there is no token"):
        store.tokens.revoke(second.id, author="ann")


@pytest.mark.slow
def test_a_user_has_a_hundred_tokens_at_most(store, ann):
    for number in range(100):
        store.tokens.add("ann", "script", f"hash {number}", "viewer", NOON + timedelta(days=1), author="ann")
    with pytest.raises(ConflictError, match="100 tokens already"):
        store.tokens.add("ann", "script", "one more", "viewer", NOON + timedelta(days=1), author="ann")


def test_every_change_is_written_down_with_what_was_before(store, ann):
    store.users.add("bob", "hash", "viewer", one_time=True, author="ann")
    store.users.set_role("bob", "reviewer", author="ann")
    store.users.set_role("bob", "reviewer", author="ann")
    store.sessions.begin("id", "bob", address="10.0.0.9", agent="")
    store.users.change_password("bob", "new", one_time=False, author="bob")
    token = store.tokens.add("bob", "script", "secret hash", "viewer", NOON + timedelta(days=1), author="bob")
    store.tokens.revoke(token.id, author="ann")
    store.sessions.end_all("bob", author="ann")
    store.users.remove("bob", author="ann")

    assert told(store) == [
        ("oddframe", "added", "user ann"),
        ("ann", "added", "user bob"),
        ("ann", "changed", "user bob"),
        ("bob", "logged in", "user bob"),
        ("bob", "changed password", "user bob"),
        ("bob", "added", f"token {token.id}"),
        ("ann", "revoked", f"token {token.id}"),
        ("ann", "logged out everywhere", "user bob"),
        ("ann", "removed", "user bob"),
    ]
    changed = next(one for one in store.journal.entries() if one.action == "changed")
    assert changed.details == {"before": "viewer", "after": "reviewer"}
    assert "hash" not in str([dict(one.details) for one in store.journal.entries()])


def test_what_fails_is_not_in_the_log_either(store, ann):
    with pytest.raises(ConflictError):
        store.users.remove("ann", author="ann")

    assert told(store) == [("oddframe", "added", "user ann")]
