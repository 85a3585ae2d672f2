"""Puts a backup back: verified first, then the evidence, then the database in one step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from models.errors import BackupError
from service.backup import sqlite_files
from service.backup.archive import (
    EDGE,
    EVIDENCE,
    OWNER_ONLY,
    POSTGRESQL,
    SIGNING_KEY,
    SQLITE,
    Content,
    Manifest,
    members,
    verify,
)
from service.backup.postgres_tools import tools_for
from service.store import audit, schema
from service.store.audit import Action
from service.store.database import Database, open_sqlite
from service.store.files import FileStore
from service.store.migrate import knows, upgrade

ACTOR = "command line"
_VERSIONS = "alembic_version"
_FUNCTIONS = ("audit_log_refuse",)
"""That migrations made on PostgreSQL."""
EDGE_FILE = "edge.sqlite3"
_OTHER_SESSIONS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a backup goes; what is ``None`` is left in the archive."""

    database: Database | None = None
    data_dir: Path | None = None
    """Where the evidence of the database goes."""
    state_dir: Path | None = None
    """A daemon's folder, for its file of state and outbox and its key."""
    force: bool = False
    """Replace what is there, and delete evidence that the backup does not know."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What was put back."""

    manifest: Manifest
    database: bool
    edge: bool
    deleted: int
    """Pieces of evidence that belonged to no order of the backup."""


@dataclass(kw_only=True, slots=True)
class _Parts:
    """What came out of an archive and waits to be put in its place."""

    database: Path | None = None
    edge: Path | None = None
    key: Path | None = None
    evidence: set[str] = field(default_factory=set)
    """Names of files."""


def restore(archive: Path, target: Target, now: datetime) -> Restored:
    """Verify an archive and put it back; raises :class:`BackupError` before anything is touched."""
    manifest = verify(archive)
    with_database = target.database is not None and manifest.backend is not None
    with_edge = target.state_dir is not None and manifest.has_edge
    if not (with_database or with_edge):
        raise BackupError(f"{archive}: holds nothing that was asked for")
    if target.database is not None and with_database:
        _check_database(archive, manifest, target.database, force=target.force)
    if target.state_dir is not None and with_edge:
        _check_edge(target.state_dir, force=target.force)
    deleted = 0
    with _unpacked(archive, target) as parts:
        if target.database is not None and target.data_dir is not None and parts.database:
            _put_database(target.database, parts.database, manifest, now)
            deleted = _delete_others(target.data_dir, parts.evidence) if target.force else 0
        if target.state_dir is not None and parts.edge:
            _put_edge(target.state_dir, parts.edge, parts.key)
    return Restored(manifest=manifest, database=with_database, edge=with_edge, deleted=deleted)


def _check_database(archive: Path, manifest: Manifest, database: Database, *, force: bool) -> None:
    here = database.engine.dialect.name
    if here != manifest.backend:
        raise BackupError(
            f"{archive}: holds a database of {manifest.backend}, and it was to go to {here}:"
            " see --database-url"
        )
    if not knows(manifest.revision):
        raise BackupError(
            f"{archive}: was made by a newer Streetwarden, {manifest.program} (schema"
            f" {manifest.revision}): update this one first"
        )
    if here == "sqlite":
        _check_file(_file_of(database), force=force)
        return
    with database.read() as connection:
        is_empty = not sa.inspect(connection).get_table_names()
        others = connection.execute(_OTHER_SESSIONS).scalar_one()
    if not is_empty and not force:
        raise BackupError("the database holds tables already; --force replaces what is there")
    if others:
        raise BackupError(f"the database is in use by {others} connections: stop the service first")


def _check_edge(folder: Path, *, force: bool) -> None:
    for name in (EDGE_FILE, SIGNING_KEY):
        if (folder / name).exists() and not force:
            raise BackupError(f"{folder / name}: is there already; --force replaces it")
    sqlite_files.check_unused(folder / EDGE_FILE)


def _check_file(path: Path, *, force: bool) -> None:
    if path.exists() and path.stat().st_size > 0 and not force:
        raise BackupError(f"{path}: is there already; --force replaces it and its evidence")
    sqlite_files.check_unused(path)


@contextmanager
def _unpacked(archive: Path, target: Target) -> Iterator[_Parts]:
    """Evidence in its place, where more of it harms nobody; all else beside its place."""
    with ExitStack() as stack:
        parts = _Parts()
        for name, content in members(archive):
            if name.startswith(EVIDENCE) and target.database and target.data_dir:
                _put_file(FileStore(target.data_dir), name, content, parts)
            elif name in (SQLITE, POSTGRESQL) and target.database and target.data_dir:
                parts.database = _staged(stack, _home(target.database, target.data_dir))
                _take(name, content, parts.database)
            elif name == EDGE and target.state_dir:
                parts.edge = _staged(stack, target.state_dir)
                _take(name, content, parts.edge)
            elif name == SIGNING_KEY and target.state_dir:
                parts.key = _staged(stack, target.state_dir)
                _take(name, content, parts.key)
        yield parts


def _home(database: Database, data_dir: Path) -> Path:
    is_file = database.engine.dialect.name == "sqlite"
    return _file_of(database).parent if is_file else data_dir


def _staged(stack: ExitStack, folder: Path) -> Path:
    """A path of its own on the file system of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    work = tempfile.TemporaryDirectory(dir=folder, prefix=".part-streetwarden-")
    return Path(stack.enter_context(work)) / "staged"


def _put_file(files: FileStore, name: str, content: Content, parts: _Parts) -> None:
    path = PurePosixPath(name)
    if files.save_evidence(content.read(), path.suffix) != path.stem:
        raise BackupError(f"{name}: is not what its name says")
    parts.evidence.add(path.name)


def _take(name: str, content: Content, to: Path) -> None:
    if name.endswith(".gz"):
        sqlite_files.unpack(content, to)
        return
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "wb") as out:
        content.copy_to(out)


def _put_database(database: Database, staged: Path, manifest: Manifest, now: datetime) -> None:
    if database.engine.dialect.name == "sqlite":
        with open_sqlite(staged) as restored:
            _finish(restored, manifest, now)
        sqlite_files.replace(_file_of(database), staged)
        return
    with database.read() as connection:
        tools = tools_for(connection.connection.driver_connection)
    # What came later than the dump is not dropped by it.
    tables = (*schema.metadata.tables, _VERSIONS)
    drops = [f"DROP TABLE IF EXISTS {name} CASCADE" for name in tables]
    drops += [f"DROP FUNCTION IF EXISTS {name} CASCADE" for name in _FUNCTIONS]
    tools.restore(staged, drops)
    database.close()
    _finish(database, manifest, now)


def _finish(database: Database, manifest: Manifest, now: datetime) -> None:
    upgrade(database)
    with database.write() as connection:
        audit.append(
            connection,
            at=now,
            actor=ACTOR,
            action=Action.DATABASE_RESTORED,
            subject="database",
            detail={"made_at": manifest.made_at.isoformat(), "revision": manifest.revision},
        )


def _put_edge(folder: Path, edge: Path, key: Path | None) -> None:
    sqlite_files.replace(folder / EDGE_FILE, edge)
    if key is not None:
        key.replace(folder / SIGNING_KEY)


def _delete_others(data_dir: Path, kept: set[str]) -> int:
    """Delete evidence that no order names any more: nothing else would ever."""
    others = [
        path
        for path in (data_dir / "evidence").rglob("*")
        if path.is_file() and path.name not in kept
    ]
    for path in others:
        path.unlink(missing_ok=True)
    return len(others)


def _file_of(database: Database) -> Path:
    return Path(database.engine.url.database or "")
