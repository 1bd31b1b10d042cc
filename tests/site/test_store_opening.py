"""A store is opened, migrated and closed; and all that can be wrong with it is said in words."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.site.conftest import change

from oddframe.errors import MissingExtraError, SecretsError, SettingsError, StorageError, StoreError
from oddframe.site.secrets import Vault
from oddframe.site.store import Store
from oddframe.site.store.database import Database
from oddframe.site.store.migrate import migrate, newest
from oddframe.site.store.models import Table


def test_migrations_make_the_tables_of_the_models(tmp_path, url):
    database = Database(url or f"sqlite:///{tmp_path / 'site.db'}")
    migrate(database)
    migrate(database)
    with database.connection() as connection:
        seen = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Table.metadata)
    database.close()

    assert seen == []


def test_a_database_outlives_its_process(tmp_path):
    with Store.open(tmp_path) as store:
        store.cameras.put("gate", "0", "USB 0")
        store.events.write([change("end")])
    with Store.open(tmp_path) as store:
        assert len(store.events.page().events) == 1
        assert store.recovered == []
        assert (tmp_path / "site.key").stat().st_mode & 0o777 == 0o600


def test_another_process_joins_what_is_open_and_both_write(tmp_path):
    with Store.open(tmp_path) as store, Store.join(tmp_path) as engine:
        store.cameras.put("gate", "rtsp://x", "rtsp://x")
        new = change()
        engine.events.write([new])

        assert [one.id for one in store.events.open()] == [new.event.id]
        with pytest.raises(SecretsError, match="this process has no key"):
            engine.cameras.address("gate")


def test_many_threads_write_at_the_same_time_and_nothing_is_lost(tmp_path):
    with Store.open(tmp_path) as store, Store.join(tmp_path) as engine:
        store.cameras.put("gate", "0", "USB 0")
        changes = [change("end") for _ in range(40)]

        def work(of: Store, mine: list) -> None:
            for one in mine:
                of.events.write([one])

        threads = [
            threading.Thread(target=work, args=((store, engine)[part % 2], changes[part::4])) for part in range(4)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert {one.event.id for one in store.events.page().events} == {one.event.id for one in changes}


def test_a_second_site_in_the_same_folder_is_refused(tmp_path):
    with Store.open(tmp_path), pytest.raises(StoreError, match="another site works in this folder"):
        Store.open(tmp_path)
    Store.open(tmp_path).close()


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path):
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "site.db") as direct:
        direct.execute("UPDATE alembic_version SET version_num = '9999'")
    for way in (Store.open, Store.join):
        with pytest.raises(StoreError, match="newer version than this program") as refused:
            way(tmp_path)
        assert (refused.value.seen, refused.value.wanted) == ("9999", f"{newest()} or older")


def test_a_database_of_something_else_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "site.db") as direct:
        direct.execute("CREATE TABLE songs (name TEXT)")

    with pytest.raises(StoreError, match="not one of a site") as refused:
        Store.open(tmp_path)
    assert refused.value.seen == "a table 'songs'"


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "site.db").write_bytes(b"rows of letters " * 500)

    with pytest.raises(StoreError, match="is damaged, or is none"):
        Store.open(tmp_path)


def test_a_locked_database_is_said_to_be_and_works_again_after_it(tmp_path):
    with Store.open(tmp_path, busy_s=0.05) as store:
        store.cameras.put("gate", "0", "USB 0")
        direct = sqlite3.connect(tmp_path / "site.db", isolation_level=None)
        direct.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="the site's database is locked"):
            store.events.write([change()])
        assert store.events.page().events == ()  # reading goes on
        direct.execute("ROLLBACK")
        direct.close()
        store.events.write([change()])
        assert len(store.events.page().events) == 1


@pytest.mark.slow
def test_a_locked_table_of_a_server_is_said_to_be_and_works_again_after_it(tmp_path, postgresql):
    url = postgresql()
    with Store.open(tmp_path, url, busy_s=0.2) as store, Database(url).connection() as other:
        store.cameras.put("gate", "0", "USB 0")
        other.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="the site's database is locked"):
            store.events.write([change()])
        other.rollback()
        store.events.write([change()])
        assert len(store.events.page().events) == 1


def test_a_full_disk_is_said_to_be_and_what_was_stored_is_kept(tmp_path):
    with Store.open(tmp_path) as store:
        store.cameras.put("gate", "0", "USB 0")
        first = change("end")
        store.events.write([first])
        with store._database.connection() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        store._database.engine.dispose()

        from sqlalchemy import event

        event.listen(
            store._database.engine, "connect", lambda opened, _: opened.execute(f"PRAGMA max_page_count={pages}")
        )
        with pytest.raises(StorageError, match="the disk is full"):
            store.journal.set("much", {"text": "x" * 2**20})
        assert store.events.get(first.event.id).event == first.event


def test_a_database_that_cannot_be_written_is_said_to_be(tmp_path):
    Store.open(tmp_path).close()
    (tmp_path / "other").mkdir()

    with pytest.raises(StorageError, match="cannot be opened"):
        Store.open(tmp_path / "other", f"sqlite:///{tmp_path}/none/site.db")
    store = Store.open(tmp_path / "other", f"sqlite:///file:{tmp_path}/site.db?mode=ro&uri=true")
    with store, pytest.raises(StorageError, match="cannot be written"):
        store.cameras.put("gate", "0", "USB 0")


def test_a_folder_that_cannot_be_made_is_said_to_be(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="folder cannot be made"):
        Store.open(tmp_path / "file" / "site")


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("me:s3cret@nowhere", SettingsError, "no address of a database"),
        ("orakel://me:s3cret@host/db", SettingsError, "not known"),
        ("mssql+pyodbc://me:s3cret@host/db", MissingExtraError, "needs an extra"),
    ],
)
def test_a_url_that_is_wrong_is_not_shown_with_its_password(tmp_path, url, kind, words):
    with pytest.raises(kind, match=words) as refused:
        Store.open(tmp_path, url)

    assert "s3cret" not in str(refused.value)


def test_a_server_that_is_not_there_is_said_to_be(tmp_path):
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        Store.open(tmp_path, "postgresql://me:s3cret@127.0.0.1:1/db")

    assert "s3cret" not in str(refused.value)


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    Store.open(tmp_path).close()
    (tmp_path / "site.key").chmod(0o640)

    with pytest.raises(SecretsError, match="can be read by others") as refused:
        Store.open(tmp_path)
    assert refused.value.seen == "mode 0640"


def test_secrets_of_another_key_do_not_open_and_say_so(tmp_path):
    with Store.open(tmp_path) as store:
        store.cameras.put("gate", "rtsp://me:s3cret@host", "rtsp://host")
    assert b"s3cret" not in (tmp_path / "site.db").read_bytes()
    (tmp_path / "site.key").unlink()
    with Store.open(tmp_path) as store, pytest.raises(SecretsError, match="does not open with this key"):
        store.cameras.address("gate")
    (tmp_path / "site.key").write_text("rubbish")
    with pytest.raises(SecretsError, match="holds no key"):
        Store.open(tmp_path)


def test_a_vault_shows_nothing():
    assert repr(Vault(b"A" * 43 + b"=")) == "<Vault>"
