"""One database, SQLite or PostgreSQL: connections, transactions, and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from models.errors import StoreError
from service.store.liveness import replace_dead
from service.store.scope import OPTION, WHOLE_CITY, Scope
from service.store.turns import Turns

BUSY_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 5
POOL_CONNECTIONS = 20
POOL_OVERFLOW = 30
"""Together above the 40 threads that serve requests, so that nobody waits for a connection."""
POOL_TIMEOUT_S = 20.0

_BEGIN = "streetwarden_begin"
_IMMEDIATE = {_BEGIN: "BEGIN IMMEDIATE"}


class Database:
    """Transactions on one database; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # SQLite takes one writer at a time and lets the others poll; a lock makes them queue.
        self._writers = Turns() if engine.dialect.name == "sqlite" else nullcontext()
        self._scope = WHOLE_CITY

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def scoped(self, scope: Scope) -> Self:
        """The same database as somebody of this scope sees it: its connections carry the scope."""
        if scope == self._scope:
            return self
        narrowed = copy(self)
        narrowed._scope = scope
        return narrowed

    def check(self) -> None:
        """Reach the database; raises :class:`StoreError`."""
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1"))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; sees one state of the database on SQLite."""
        with _mapped(), self._connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that only reads and sees one state of the database on PostgreSQL too."""
        level = {"isolation_level": "REPEATABLE READ"} if self._is_postgresql else {}
        with _mapped(), self._connect(**level) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, or not at all on an error."""
        with (
            _mapped(),
            self._writers,
            self._connect(**_IMMEDIATE) as connection,
            connection.begin(),
        ):
            yield connection

    @property
    def _is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def _connect(self, **options: object) -> Connection:
        return self.engine.connect().execution_options(**{OPTION: self._scope}, **options)


def open_database(url: str) -> Database:
    """Open a database by its SQLAlchemy URL; raises :class:`StoreError` for an unusable URL.

    ``postgresql://`` means psycopg 3. The folder of a SQLite file is made.
    """
    try:
        parsed = _with_driver(make_url(url))
        if parsed.get_backend_name() == "sqlite":
            return Database(_sqlite_engine(parsed))
        return Database(_postgresql_engine(parsed))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, OSError) as error:
        # The URL holds a password: it is not repeated.
        raise StoreError(f"the database URL cannot be used: {type(error).__name__}") from error


def open_sqlite(path: Path) -> Database:
    """Open a SQLite file, whatever characters its name has."""
    return open_database(sqlite_url(path))


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def _with_driver(url: URL) -> URL:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.set(drivername="sqlite+pysqlite")
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"the database must be sqlite or postgresql, not {backend}")


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("a SQLite database needs a file: sqlite:///path/to/file.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        pool_size=POOL_CONNECTIONS,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql_engine(url: URL) -> Engine:
    engine = sa.create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        pool_size=POOL_CONNECTIONS,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
    )
    # Instead of pool_pre_ping, which asks the server before each transaction.
    replace_dead(engine)
    sa.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late to take the write lock: it is sent by _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: what was acknowledged must survive a power cut, not only a killed process.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # A plan that was made once and for all while a table was empty reads all of it when it is not.
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(_told(error)) from error


def _told(error: SQLAlchemyError) -> str:
    # Without statement and parameters: they hold secrets and fill the log.
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"
