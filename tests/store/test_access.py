from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from service.store import access
from service.store.database import Database
from service.store.schema import api_keys, sessions
from tests.support.dispatch import START

IDLE = timedelta(hours=1)


def test_a_key_is_found_by_itself_and_stored_only_as_a_hash(database: Database) -> None:
    token = access.new_token()
    with database.write() as connection:
        access.save_key(connection, "crew", "client", token, START)
        found = access.find_key(connection, token, START)
        stored = connection.execute(sa.select(api_keys)).all()

    assert found is not None
    assert (found.name, found.role) == ("crew", "client")
    assert token not in repr(stored)


def test_a_new_key_of_a_name_replaces_the_old_one_and_ends_its_sessions(
    database: Database,
) -> None:
    with database.write() as connection:
        access.save_key(connection, "crew", "client", "old", START)
        key = access.find_key(connection, "old", START)
        assert key is not None
        session = access.open_session(connection, key, START, START + timedelta(hours=1))
        access.save_key(connection, "crew", "client", "new", START)

        assert access.find_key(connection, "old", START) is None
        assert access.find_key(connection, "new", START) is not None
        assert access.find_session(connection, session, START, IDLE) is None


def test_saving_the_same_key_again_keeps_its_sessions(database: Database) -> None:
    with database.write() as connection:
        access.save_key(connection, "crew", "client", "key", START)
        key = access.find_key(connection, "key", START)
        assert key is not None
        session = access.open_session(connection, key, START, START + timedelta(hours=1))
        access.save_key(connection, "crew", "client", "key", START)

        found = access.find_session(connection, session, START, IDLE)
        assert found is not None
        assert found.owner == key


def test_a_key_gets_its_new_role_and_name(database: Database) -> None:
    with database.write() as connection:
        access.save_key(connection, "crew", "client", "key", START)
        access.save_key(connection, "boss", "admin", "key", START)
        found = access.find_key(connection, "key", START)

    assert found is not None
    assert (found.name, found.role) == ("boss", "admin")


def test_ended_sessions_are_forgotten(database: Database) -> None:
    with database.write() as connection:
        access.save_key(connection, "crew", "client", "key", START)
        key = access.find_key(connection, "key", START)
        assert key is not None
        access.open_session(connection, key, START, START + timedelta(hours=1))
        later = START + timedelta(hours=2)
        access.open_session(connection, key, later, later + timedelta(hours=1))

        assert connection.scalar(sa.select(sa.func.count()).select_from(sessions)) == 1
