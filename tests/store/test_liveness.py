from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.store import liveness
from service.store.database import Database
from tests.support.dispatch import migrated

pytestmark = pytest.mark.needs_debian
MY_PROCESS = sa.text("SELECT pg_backend_pid()")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with migrated("postgresql", tmp_path) as database:
        yield database


def server_process(database: Database) -> int:
    with database.read() as connection:
        return int(connection.scalar(MY_PROCESS) or 0)


def test_a_connection_that_the_server_ended_in_the_pool_is_replaced(database: Database) -> None:
    with database.read() as first, database.read() as second:
        lost = int(first.scalar(MY_PROCESS) or 0)
        kept = int(second.scalar(MY_PROCESS) or 0)
    with database.engine.connect() as connection:
        mine = int(connection.scalar(MY_PROCESS) or 0)
        other = ({lost, kept} - {mine}).pop()
        # Waits until it is gone.
        ended = connection.scalar(sa.text("SELECT pg_terminate_backend(:id, 5000)"), {"id": other})
    assert ended

    with database.write() as first, database.write() as second:
        processes = {first.scalar(MY_PROCESS), second.scalar(MY_PROCESS)}
    assert mine in processes
    assert len(processes - {mine, other}) == 1


def test_a_connection_is_used_again_without_a_question_until_it_lay_idle_for_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    ping = database.engine.dialect.do_ping

    def noted(connection: Any) -> bool:
        asked.append(connection)
        return ping(connection)

    monkeypatch.setattr(database.engine.dialect, "do_ping", noted)
    process = server_process(database)
    assert server_process(database) == process
    assert not asked

    monkeypatch.setattr(liveness, "ASK_AFTER_S", -1.0)
    assert server_process(database) == process
    assert asked
