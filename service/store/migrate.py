"""Brings a database to the version that this program works with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from models.errors import StoreError
from service.store.database import Database

_ONE_AT_A_TIME = threading.Lock()
"""Alembic keeps its context in a global variable. Processes are kept apart by the database."""
FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up, data kept; raises :class:`StoreError`."""
    _run(database, command.upgrade, revision)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to a revision, or to nothing with ``base``; what newer tables held is lost."""
    _run(database, command.downgrade, revision)


def is_current(database: Database) -> bool:
    """Whether the database is at the version that this program works with."""
    return revision_of(database) == ScriptDirectory.from_config(_config()).get_current_head()


def revision_of(database: Database) -> str | None:
    """The version that the database is at; None if it is empty."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def knows(revision: str | None) -> bool:
    """Whether this program can bring a database of that version up to its own."""
    if revision is None:
        return False
    known = {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision in known


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _run(database: Database, step: Callable[[Config, str], None], revision: str) -> None:
    config = _config()
    try:
        with _ONE_AT_A_TIME, database.write() as connection:
            config.attributes["connection"] = connection
            step(config, revision)
    except SQLAlchemyError as error:
        raise StoreError(f"the database cannot be migrated: {type(error).__name__}") from error
