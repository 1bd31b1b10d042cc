"""A site is saved while it runs, and comes back whole or not at all."""

from __future__ import annotations

import io
import shutil
import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.errors import MissingPathError, SettingsError, StorageError, StoreError
from oddframe.site.backup import MANIFEST, back_up, restore
from oddframe.site.store import Store

from .conftest import NOON, change

ADDRESS = "rtsp://me:p@ss@10.0.0.2/live"


def with_evidence(store: Store, content: bytes = b"a picture") -> str:
    new = change()
    store.events.write([new, change("end", 1, event=new.event.id)])
    path = store.folder / "evidence" / "2026-11-30" / new.event.id / "snapshot.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    store.evidence.add(new.event.id, "snapshot", str(path.relative_to(store.folder)), len(content))
    return new.event.id


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of a site with a camera, a detector of its own, two events and their evidence."""
    folder = tmp_path / "site"
    with Store.open(folder) as store:
        store.cameras.put("gate", ADDRESS, "rtsp://10.0.0.2/live")
        store.cameras.put_detector("learned", str(folder / "learned/gate"))
        store.cameras.put_detector("bought", "/srv/runs/gate")
        store.cameras.fit("gate", "learned", str(folder / "learned/fitting"))
        with_evidence(store)
        with_evidence(store, b"another")
    (folder / "learned/gate").mkdir(parents=True)
    (folder / "learned/gate/run.json").write_text("{}")
    (folder / "learned/.gate.12.tmp").write_text("half")
    (folder / "engine.log").write_text("said")
    (folder / "engine.log.1").write_text("said before")
    return folder


def names(backup: Path) -> list[str]:
    with tarfile.open(backup) as archive:
        return archive.getnames()


def test_a_site_comes_back_as_it_was_in_another_folder(tmp_path: Path, site: Path):
    saved = back_up(site, tmp_path / "depot.tar")
    shutil.rmtree(site)
    restored = restore(tmp_path / "depot.tar", tmp_path / "again")

    assert (tmp_path / "depot.tar").stat().st_mode & 0o777 == 0o600
    assert saved.elsewhere == ("/srv/runs/gate",)
    assert (saved.files, saved.without, restored.files) == (5, 0, 5)
    assert names(tmp_path / "depot.tar")[-1] == MANIFEST
    again = tmp_path / "again"
    assert again.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in again.iterdir()) == ["evidence", "learned", "site.db", "site.key"]
    with Store.open(again) as store:
        assert store.cameras.address("gate").get_secret_value() == ADDRESS
        events = store.events.page().events
        assert sorted((again / one.evidence[0].path).read_bytes() for one in events) == [b"a picture", b"another"]
        fitting = store.cameras.fittings("gate")[0]
        assert (fitting.folder, fitting.detector.folder) == (
            str(again / "learned/fitting"),
            str(again / "learned/gate"),
        )
        assert [one.folder for one in store.cameras.detectors()] == ["/srv/runs/gate", str(again / "learned/gate")]
        assert store.evidence.total_bytes() == 16


@pytest.mark.slow
def test_a_backup_that_is_made_while_events_are_written_is_of_one_moment(tmp_path: Path, site: Path):
    done = threading.Event()
    with Store.open(site) as store:

        def write() -> None:
            while not done.is_set():
                with_evidence(store)

        writing = threading.Thread(target=write)
        writing.start()
        try:
            for number in range(3):
                back_up(site, tmp_path / f"{number}.tar")
        finally:
            done.set()
            writing.join()

    for number in range(3):
        restore(tmp_path / f"{number}.tar", tmp_path / str(number))
        with Store.open(tmp_path / str(number)) as again:
            there = {one.path for event in again.events.page(limit=500).events for one in event.evidence}
            found = {str(path.relative_to(again.folder)) for path in (again.folder / "evidence").rglob("*.jpg")}
            assert there == found
            assert again.events.open() == []


def test_evidence_that_retention_takes_meanwhile_is_not_there_afterwards_either(tmp_path: Path, site: Path):
    gone = next((site / "evidence").rglob("*.jpg"))
    gone.unlink()

    assert back_up(site, tmp_path / "depot.tar").without == 1
    restore(tmp_path / "depot.tar", tmp_path / "again")

    with Store.open(tmp_path / "again") as store:
        assert sum(len(one.evidence) for one in store.events.page().events) == 1


def test_a_backup_without_evidence_keeps_events_and_says_that_their_pictures_are_gone(tmp_path: Path, site: Path):
    (site / "learning/gate/1").mkdir(parents=True)
    (site / "learning/gate/1/0007.mp4").write_bytes(b"video")
    (site / "learning/gate/1/run.json").write_text("{}")

    assert back_up(site, tmp_path / "depot.tar", evidence=False).without == 2
    assert {"learning/gate/1/run.json", "learning/gate/1/0007.mp4"} & {*names(tmp_path / "depot.tar")} == {
        "learning/gate/1/run.json"
    }
    restore(tmp_path / "depot.tar", tmp_path / "again")

    with Store.open(tmp_path / "again") as store:
        assert [one.evidence for one in store.events.page().events] == [(), ()]
        assert store.evidence.total_bytes() == 0
    with Store.open(site) as store:
        assert store.evidence.total_bytes() == 16, "the site itself is as it was"


def test_nothing_is_overwritten(tmp_path: Path, site: Path):
    back_up(site, tmp_path / "depot.tar")
    before = (tmp_path / "depot.tar").read_bytes()

    with pytest.raises(StorageError, match="something at this path already"):
        back_up(site, tmp_path / "depot.tar")
    with pytest.raises(StorageError, match="something in this folder"):
        restore(tmp_path / "depot.tar", site)
    assert (tmp_path / "depot.tar").read_bytes() == before
    with Store.open(site) as store:
        assert len(store.events.page().events) == 2


@pytest.mark.parametrize("part", [0.2, 0.6, 1.0])
def test_a_backup_that_was_cut_off_leaves_nothing(tmp_path: Path, site: Path, part: float):
    back_up(site, tmp_path / "depot.tar")
    whole = (tmp_path / "depot.tar").read_bytes()
    (tmp_path / "depot.tar").write_bytes(whole[: int(whole.rindex(MANIFEST.encode()) * part)])

    with pytest.raises(StoreError, match="no whole backup"):
        restore(tmp_path / "depot.tar", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_backup_in_which_a_byte_has_turned_leaves_nothing(tmp_path: Path, site: Path):
    back_up(site, tmp_path / "depot.tar")
    whole = (tmp_path / "depot.tar").read_bytes()
    (tmp_path / "depot.tar").write_bytes(whole.replace(b"a picture", b"a pocture"))

    with pytest.raises(StoreError, match=r"snapshot\.jpg is lacking, or other than it was"):
        restore(tmp_path / "depot.tar", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize(
    "of_it",
    [
        [entry("../outside")],
        [entry("/tmp/outside")],
        [entry("a/../../outside")],
        [entry("link", tarfile.SYMTYPE, "/etc"), entry("link/outside")],
        [entry("hard", tarfile.LNKTYPE, "../outside")],
        [entry("pipe", tarfile.FIFOTYPE)],
        [entry("twice"), entry("twice")],
        [entry("a"), entry("a/b")],
        [],
    ],
    ids=lambda of_it: " ".join(one.name for one in of_it) or "nothing",
)
def test_an_archive_of_somebody_else_goes_nowhere(tmp_path: Path, of_it: list[tarfile.TarInfo]):
    path = tmp_path / "in" / "foreign.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w") as archive:
        for one in of_it:
            archive.addfile(one, io.BytesIO())

    with pytest.raises(StoreError, match="no whole backup"):
        restore(path, tmp_path / "in" / "again")
    assert [one.name for one in path.parent.iterdir()] == ["foreign.tar"]
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("content", [b"", b"no archive at all", bytes(10240)])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "depot.tar").write_bytes(content)

    with pytest.raises(StoreError, match="no whole backup"):
        restore(tmp_path / "depot.tar", tmp_path / "again")


def test_a_backup_of_a_newer_version_is_refused_and_leaves_nothing(tmp_path: Path, site: Path):
    connection = sqlite3.connect(site / "site.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    back_up(site, tmp_path / "depot.tar")

    with pytest.raises(StoreError, match="newer version"):
        restore(tmp_path / "depot.tar", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_site_of_the_first_version_is_saved_as_it_is_and_comes_back_as_one_of_this(tmp_path: Path, made_by_0_1: Path):
    first = shutil.copytree(made_by_0_1 / "site", tmp_path / "first")
    (first / "site.key").chmod(0o600)
    before = (first / "site.db").read_bytes()
    back_up(first, tmp_path / "depot.tar")
    restore(tmp_path / "depot.tar", tmp_path / "again")

    assert (first / "site.db").read_bytes() == before
    for folder in (first, tmp_path / "again"):  # and one that is opened where it lies
        with Store.open(folder) as store:
            assert store.cameras.address("gate").get_secret_value() == "rtsp://me:s3cret@10.0.0.2/live"
            (hook,) = store.sinks.all()
            assert hook.url.get_secret_value() == "https://me:s3cret@example.org/x"
            events = store.events.page().events
            assert [one.event.ended_by for one in events] == ["crash", "calm", "calm"]
            assert [one.verdict for one in events] == [None, None, "alarm"]
            assert (folder / events[2].evidence[0].path).read_bytes() == b"a picture"
            assert store.health.now()["gate"].state == "online"
            assert store.watched.days(NOON.date(), NOON.date().replace(month=12, day=1))[0].watched_s == 3600
            assert len(store.outbox.counts()) == 1
            assert store.users.all() == []


def test_where_there_is_no_site_there_is_nothing_to_save(tmp_path: Path):
    with pytest.raises(MissingPathError, match="no site was run"):
        back_up(tmp_path, tmp_path / "depot.tar")
    with pytest.raises(MissingPathError, match="no backup"):
        restore(tmp_path / "depot.tar", tmp_path / "again")
    assert list(tmp_path.iterdir()) == []


def test_another_database_is_saved_by_its_own_means(tmp_path: Path):
    (tmp_path / "site.yaml").write_text("folder: site\ndatabase: postgresql://me:s3cret@host/oddframe\n")

    with pytest.raises(SettingsError, match="pg_dump") as refused:
        back_up(tmp_path / "site.yaml", tmp_path / "depot.tar")
    assert "s3cret" not in str(refused.value)


def test_on_the_command_line(tmp_path: Path, site: Path):
    (tmp_path / "site.yaml").write_text("folder: elsewhere\n")
    saved = CliRunner().invoke(app, ["site", "backup", str(site), str(tmp_path / "depot.tar")])
    restored = CliRunner().invoke(
        app, ["site", "restore", str(tmp_path / "depot.tar"), str(tmp_path / "site.yaml"), "--json"]
    )

    assert saved.exit_code == restored.exit_code == 0, saved.output + restored.output
    assert "5 files" in saved.output
    assert "not in it: /srv/runs/gate" in saved.output
    assert (tmp_path / "elsewhere/site.db").is_file()
