from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from models.errors import StoreError
from service.store.database import Database, open_database
from service.store.migrate import downgrade, is_current, upgrade
from service.store.schema import clock, metadata, sessions
from tests.support.dispatch import database_url


def test_times_come_back_as_utc_whatever_zone_they_had(database: Database) -> None:
    at = datetime(2026, 11, 24, 16, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as connection:
        connection.execute(sa.update(clock).values(at=at))
    with database.read() as connection:
        (stored,) = connection.scalars(sa.select(clock.c.at))

    assert stored == at
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 11, 24, 16, 0)  # noqa: DTZ001 - the very mistake
    with pytest.raises(StoreError), database.write() as connection:
        connection.execute(sa.update(clock).values(at=naive))


def test_an_error_within_a_transaction_undoes_all_of_it(database: Database) -> None:
    class Mistake(Exception):  # noqa: N818 - short
        pass

    def change_and_fail() -> None:
        with database.write() as connection:
            connection.execute(sa.update(clock).values(change_seq=7))
            raise Mistake

    with pytest.raises(Mistake):
        change_and_fail()

    with database.read() as connection:
        assert connection.scalar(sa.select(clock.c.change_seq)) == 0


def test_errors_of_the_database_become_ours_without_statement_and_values(
    database: Database,
) -> None:
    now = datetime.now(UTC)
    with pytest.raises(StoreError) as caught, database.write() as connection:
        connection.execute(
            sa.insert(sessions).values(
                token_sha256="secret-hash",
                key_id="nobody",
                created_at=now,
                seen_at=now,
                expires_at=now,
            )
        )

    assert "INSERT" not in str(caught.value)
    assert "secret-hash" not in str(caught.value)
    assert caught.value.__cause__ is not None


def test_many_writers_wait_for_each_other(database: Database) -> None:
    def count_up() -> None:
        for _ in range(10):
            with database.write() as connection:
                connection.execute(sa.update(clock).values(change_seq=clock.c.change_seq + 1))

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as connection:
        assert connection.scalar(sa.select(clock.c.change_seq)) == 80


def test_two_processes_may_write_one_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    with open_database(url) as one, open_database(url) as other:
        upgrade(one)

        def count_up(database: Database) -> None:
            for _ in range(20):
                with database.write() as connection:
                    connection.execute(sa.update(clock).values(change_seq=clock.c.change_seq + 1))

        threads = [threading.Thread(target=count_up, args=(each,)) for each in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with one.read() as connection:
            assert connection.scalar(sa.select(clock.c.change_seq)) == 40


def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    with (
        open_database(f"sqlite:///{tmp_path / 'new' / 'x.sqlite3'}") as database,
        database.read() as connection,
    ):
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://root:hunter2@db/x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////proc/nowhere/x.db",
        "oracle://u:hunter2@h/x",
    ],
)
def test_an_unusable_url_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_database(url)

    assert "hunter2" not in str(caught.value)


def test_a_database_that_is_not_there_is_a_store_error() -> None:
    with (
        open_database("postgresql://u:hunter2@127.0.0.1:1/x") as database,
        pytest.raises(StoreError) as caught,
    ):
        database.check()

    assert "hunter2" not in str(caught.value)


def test_migrations_make_exactly_the_tables_of_the_program(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert is_current(database)


def test_migrations_go_down_to_nothing_and_up_again(backend: str, tmp_path: Path) -> None:
    with database_url(backend, tmp_path) as url, open_database(url) as database:
        assert not is_current(database)
        for _ in range(2):
            upgrade(database)
            upgrade(database)
            assert is_current(database)
            downgrade(database, "base")
            tables = sa.inspect(database.engine).get_table_names()
            assert tables == ["alembic_version"]


def test_services_that_start_at_once_migrate_one_after_the_other(
    backend: str, tmp_path: Path
) -> None:
    program = (
        "import sys; from service.store.database import open_database;"
        " from service.store.migrate import upgrade;"
        " sys.stdin.readline(); upgrade(open_database(sys.argv[1]))"
    )
    with database_url(backend, tmp_path) as url:
        services = [
            subprocess.Popen([sys.executable, "-c", program, url], stdin=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        for service in services:
            assert service.stdin is not None
            service.stdin.write("go\n")
            service.stdin.flush()
        for service in services:
            service.communicate(timeout=60)
        with open_database(url) as database:
            assert is_current(database)

    assert [service.returncode for service in services] == [0, 0, 0]
