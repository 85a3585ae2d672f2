from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.backup import making, postgres_tools
from service.backup.archive import ArchiveWriter, verify
from service.store import schema
from service.store.database import open_database
from service.store.migrate import downgrade, is_current
from tests.backup.conftest import Place, Site
from tests.support.dispatch import Service, jpeg_picture, order_body, wait_for

OLD_REVISION = "0010"
FIRST_REVISION = "0001"
POSTERS = 2


def put_picture(service: Service, incident_id: str, name: str = "opened-wide") -> None:
    answer = service.detector.put(
        f"/api/v1/incidents/{incident_id}/evidence/{name}",
        content=jpeg_picture(),
        headers={"Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 201, answer.text


def fill(service: Service) -> dict[str, Any]:
    order = service.post_order()
    put_picture(service, order["incident_id"])
    answer = service.client.post("/api/v1/subscriptions", json={"url": "https://city.example/hook"})
    assert answer.status_code == 201, answer.text
    service.post_order()  # has a delivery
    return order


def rows(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    with open_database(place.url) as database, database.read() as connection:
        return {
            name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for name, table in schema.metadata.tables.items()
        }


def evidence_of(place: Place) -> dict[str, bytes]:
    files = (place.folder / "evidence").rglob("*")
    return {path.name: path.read_bytes() for path in files if path.is_file()}


def test_all_rows_and_evidence_come_back(site: Site) -> None:
    with site.full.served() as service:
        fill(service)
        made = site.backup("--verify")  # while the service runs

    done = site.run("restore", made, *site.empty.options)

    assert done.exit_code == 0, done.output
    before, after = rows(site.full), rows(site.empty)
    assert all(before[name] for name in ("orders", "history", "evidence", "deliveries", "api_keys"))
    noted = [each for each in after["audit_log"] if each not in before["audit_log"]]
    assert [each[3] for each in noted] == ["database.restored"]
    assert len(after["audit_log"]) == len(before["audit_log"]) + 1
    assert {**after, "audit_log": []} == {**before, "audit_log": []}
    assert evidence_of(site.empty) == evidence_of(site.full) != {}
    assert made.stat().st_mode & 0o077 == 0
    assert [path.name for path in site.backups.iterdir()] == [made.name]


@contextmanager
def load(service: Service) -> Iterator[list[str]]:
    """Posters that add orders with pictures as fast as they can; ids that were acknowledged."""
    stopping, acknowledged = threading.Event(), list[str]()

    def post() -> None:
        while not stopping.is_set():
            body = order_body()
            answer = service.detector.post("/api/v1/work-orders", json=body)
            assert answer.status_code == 201, answer.text
            put_picture(service, body["incident_id"])
            acknowledged.append(body["incident_id"])

    threads = [threading.Thread(target=post) for _ in range(POSTERS)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def test_a_backup_under_load_is_one_state_with_all_that_was_acknowledged(site: Site) -> None:
    with site.full.served() as service, load(service) as acknowledged:
        wait_for(lambda: len(acknowledged) >= 5)
        sure = set(acknowledged)
        made = site.backup()
        at_the_end = len(acknowledged)
        wait_for(lambda: len(acknowledged) > at_the_end)  # nobody was stopped by it

    done = site.run("restore", made, *site.empty.options)

    assert done.exit_code == 0, done.output
    found, pictures = rows(site.empty), evidence_of(site.empty)
    with open_database(site.empty.url) as database, database.read() as connection:
        orders = set(connection.execute(sa.select(schema.orders.c.incident_id)).scalars())
        told = set(
            connection.execute(
                sa.select(schema.orders.c.incident_id).join(
                    schema.history, schema.history.c.order_id == schema.orders.c.order_id
                )
            ).scalars()
        )
        named = set(connection.execute(sa.select(schema.evidence.c.sha256)).scalars())
    assert sure <= orders == told
    assert len(found["orders"]) < len(rows(site.full)["orders"])
    assert named == {name.partition(".")[0] for name in pictures}
    assert verify(made).missing == ()


def test_what_is_there_is_replaced_only_by_force(site: Site) -> None:
    with site.full.served() as service:
        fill(service)
    made = site.backup()
    with site.full.served() as service:
        put_picture(service, service.post_order()["incident_id"])
    later = rows(site.full)

    refused = site.run("restore", made, *site.full.options)

    assert refused.exit_code == 1
    assert "--force" in str(refused.exception)
    assert rows(site.full) == later
    done = site.run("restore", made, "--force", *site.full.options)
    assert done.exit_code == 0, done.output
    assert "deleted 1 pieces of evidence" in done.output
    assert len(rows(site.full)["orders"]) == len(later["orders"]) - 1
    assert len(evidence_of(site.full)) == 1


def test_a_database_in_use_is_not_replaced(site: Site) -> None:
    made = site.backup()
    with site.full.served() as service:
        service.post_order()
        refused = site.run("restore", made, "--force", *site.full.options)
        assert refused.exit_code == 1
        assert "in use" in str(refused.exception)
        service.post_order()


def test_an_older_backup_is_migrated(site: Site) -> None:
    with open_database(site.full.url) as database:
        downgrade(database, OLD_REVISION)
    made = site.backup()
    assert verify(made).revision == OLD_REVISION

    done = site.run("restore", made, *site.empty.options)

    assert done.exit_code == 0, done.output
    with open_database(site.empty.url) as database:
        assert is_current(database)
    with open_database(site.full.url) as database:
        assert not is_current(database)


def test_an_old_backup_replaces_all_that_came_later(site: Site) -> None:
    with open_database(site.full.url) as database:
        downgrade(database, FIRST_REVISION)
    made = site.backup()
    assert site.run("restore", made, *site.empty.options).exit_code == 0

    done = site.run("restore", made, "--force", *site.empty.options)

    assert done.exit_code == 0, str(done.exception)
    with open_database(site.empty.url) as database:
        assert is_current(database)


def test_what_is_missing_or_lies_readable_is_told_of(site: Site) -> None:
    with site.full.served() as service:
        fill(service)
    (name,) = evidence_of(site.full)
    next(site.full.folder.rglob(name)).write_bytes(b"altered")

    done = site.run("backup", site.backups, *site.full.options)

    assert done.exit_code == 0
    assert "warning: 1 pieces of evidence" in done.output
    assert "warning: 1 webhook secrets lie readable" in done.output
    (made,) = site.backups.iterdir()
    assert verify(made).missing == (name,)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_only_the_newest_are_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.backups.mkdir()
    others = [site.backups / name for name in ("notes.tar", "streetwarden-old.tar")]
    stale = site.backups / ".part-streetwarden-1"
    for path in others:
        path.touch()
    stale.mkdir()
    (stale / "archive").touch()
    monkeypatch.setattr(making, "STALE_S", -1.0)
    names = [f"streetwarden-202611{day:02}T000000Z.tar" for day in range(1, 5)]
    for name in names:
        (site.backups / name).touch()

    done = site.run("backup", site.backups, "--keep", 2, *site.full.options)

    assert done.exit_code == 0, done.output
    left = {path.name for path in site.backups.iterdir()}
    assert {names[-1], *(path.name for path in others)} < left
    assert len(left) == 4
    assert not left & {*names[:-1], stale.name}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_an_archive_is_there_whole_or_not_at_all(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ArchiveWriter, "finish", fail)
    done = site.run("backup", site.backups, *site.full.options)
    assert done.exit_code == 1
    assert "No space left on device" in str(done.exception)
    assert list(site.backups.iterdir()) == []


@pytest.mark.parametrize("backend", [pytest.param("postgresql", marks=pytest.mark.needs_debian)])
def test_a_missing_program_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres_tools, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = site.run("backup", site.backups, *site.full.options)
    assert done.exit_code == 1
    assert "install the Debian package postgresql-client-" in str(done.exception)


@pytest.mark.needs_debian
def test_programs_of_the_servers_version_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for major in (15, 16, 17):
        folder = tmp_path / str(major) / "bin"
        folder.mkdir(parents=True)
        program = folder / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {major}.3 (Debian)'\n")
        program.chmod(0o755)
    monkeypatch.setattr(postgres_tools, "DEBIAN", tmp_path)
    assert postgres_tools.find_tools(16)[1] == 16
    assert postgres_tools.find_tools(14)[1] == 15
    assert postgres_tools.find_tools(14, newest=True)[1] >= 17


class _Info:
    server_version = 160_003
    password = "not-to-be-seen"

    def get_parameters(self) -> dict[str, str]:
        return {"host": "db.city.example", "user": "dispatch", "dbname": "d", "options": "-c a=b"}


class _Connection:
    info = _Info()


@pytest.mark.needs_debian
def test_programs_get_the_password_by_their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_tools, "find_tools", lambda _wanted: (Path("/bin"), 16))
    called: list[list[str]] = []

    def run(command: list[str], **settings: Any) -> subprocess.CompletedProcess[bytes]:
        called.append(command)
        assert settings["env"]["PGPASSWORD"] == _Info.password
        assert settings["env"]["PGHOST"] == "db.city.example"
        assert settings["env"]["PGOPTIONS"].startswith("-c a=b -c lock_timeout")
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", run)
    tools = postgres_tools.tools_for(_Connection())
    tools.dump(Path("/tmp/dump"), "snapshot-1")  # noqa: S108 - never written
    tools.restore(Path("/tmp/dump"), ["SELECT 1"])  # noqa: S108

    assert [Path(each[0]).name for each in called] == ["pg_dump", "pg_restore", "psql"]
    assert not any(_Info.password in word for command in called for word in command)
