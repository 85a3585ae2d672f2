"""Makes a backup: one state of the database, the evidence it names, and what was asked for."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.errors import BackupError, StoreError
from service.backup import sqlite_files
from service.backup.archive import (
    EDGE,
    EVIDENCE,
    OWNER_ONLY,
    POSTGRESQL,
    SIGNING_KEY,
    SQLITE,
    ArchiveWriter,
    Backend,
    Manifest,
)
from service.backup.postgres_tools import tools_for
from service.decisions.evidence_kinds import kind_of_name
from service.store import schema
from service.store.database import Database, open_sqlite
from service.store.files import FileStore
from service.store.migrate import knows, revision_of
from service.store.secrets import SEALED

PREFIX = "streetwarden-"
SUFFIX = ".tar"
_OURS = re.compile(rf"{PREFIX}\d{{8}}T\d{{6}}Z\{SUFFIX}")
_PART = ".part-streetwarden-"
STALE_S = 86_400.0
"""What a killed backup left is deleted after so long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """What a backup is made of."""

    database: Database | None = None
    files: FileStore | None = None
    """Evidence of the database."""
    edge: Path | None = None
    """A daemon's file of state and outbox."""
    signing_key: Path | None = None
    """A daemon's private key, which will lie readable in the archive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A finished backup."""

    path: Path
    manifest: Manifest
    open_secrets: int
    """Webhook secrets that lie readable in it."""


@dataclass(kw_only=True, slots=True)
class _Seen:
    """What the state of the database that is in a backup holds."""

    backend: Backend
    server: str
    revision: str
    orders: int = 0
    open_secrets: int = 0
    evidence: list[tuple[str, str]] = field(default_factory=list)
    """SHA-256 and suffix of each file."""


def make_backup(sources: Sources, folder: Path, now: datetime) -> Made:
    """Write an archive into a folder, whole or not at all; raises :class:`BackupError`."""
    path = folder / f"{PREFIX}{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise BackupError(f"{path}: is there already")
        with tempfile.TemporaryDirectory(dir=folder, prefix=_PART) as work:
            made = _write(sources, Path(work), now)
            (Path(work) / "archive").replace(path)
        _sync(folder)
    except OSError as error:
        raise BackupError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return Made(path=path, manifest=made[0], open_secrets=made[1])


def rotate(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups, and what killed ones left; the deleted archives."""
    ours = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name))
    old = ours[:-keep]
    for path in old:
        path.unlink(missing_ok=True)
    for part in folder.glob(f"{_PART}*"):
        if time.time() - part.stat().st_mtime > STALE_S:
            for file in part.iterdir():
                file.unlink(missing_ok=True)
            part.rmdir()
    return old


def _write(sources: Sources, work: Path, now: datetime) -> tuple[Manifest, int]:
    seen, missing = None, []
    with _new_file(work / "archive") as file:
        archive = ArchiveWriter(file, now)
        if sources.database is not None and sources.files is not None:
            seen = _add_database(archive, sources.database, work)
            missing = _add_evidence(archive, sources.files, seen.evidence)
        if sources.edge is not None:
            _add_sqlite(archive, EDGE, sources.edge, work)
        if sources.signing_key is not None:
            archive.add_file(SIGNING_KEY, sources.signing_key)
        manifest = Manifest(
            made_at=now,
            program=version("streetwarden"),
            backend=None if seen is None else seen.backend,
            server=None if seen is None else seen.server,
            revision=None if seen is None else seen.revision,
            orders=0 if seen is None else seen.orders,
            files=0 if seen is None else len(seen.evidence) - len(missing),
            missing=tuple(missing),
            has_edge=sources.edge is not None,
            has_signing_key=sources.signing_key is not None,
        )
        archive.finish(manifest)
    return manifest, 0 if seen is None else seen.open_secrets


def _add_database(archive: ArchiveWriter, database: Database, work: Path) -> _Seen:
    revision = revision_of(database)
    if not knows(revision):
        raise BackupError(
            f"the database is at version {revision or 'none'}, which this program does not know:"
            " start the service once, or update Streetwarden"
        )
    if database.engine.dialect.name == "sqlite":
        return _add_whole_sqlite(archive, database, work)
    dump = work / "dump"
    with database.snapshot() as connection:
        tools = tools_for(connection.connection.driver_connection)
        tools.dump(dump, connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one())
        seen = _look(connection, "postgresql")
    archive.add_file(POSTGRESQL, dump)
    dump.unlink()
    return seen


def _add_whole_sqlite(archive: ArchiveWriter, database: Database, work: Path) -> _Seen:
    copy = work / "copy"
    sqlite_files.copy_live(Path(database.engine.url.database or ""), copy)
    with open_sqlite(copy) as copied, copied.read() as connection:
        seen = _look(connection, "sqlite")
    _add_packed(archive, SQLITE, copy)
    return seen


def _add_sqlite(archive: ArchiveWriter, name: str, source: Path, work: Path) -> None:
    copy = work / "copy"
    sqlite_files.copy_live(source, copy)
    _add_packed(archive, name, copy)


def _add_packed(archive: ArchiveWriter, name: str, copy: Path) -> None:
    packed = copy.with_suffix(".gz")
    sqlite_files.compress(copy, packed)
    copy.unlink()
    archive.add_file(name, packed)
    packed.unlink()


def _look(connection: Connection, backend: Backend) -> _Seen:
    statement = "sqlite_version()" if backend == "sqlite" else "current_setting('server_version')"
    server = connection.execute(sa.text(f"SELECT {statement}")).scalar_one()
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    orders = connection.execute(sa.select(sa.func.count()).select_from(schema.orders)).scalar_one()
    secret = schema.subscriptions.c.secret
    is_open = sa.select(sa.func.count()).where(~secret.startswith(SEALED, autoescape=True))
    named = sa.select(schema.evidence.c.sha256, schema.evidence.c.name).distinct()
    files = {(str(digest), kind_of_name(name).suffix) for digest, name in connection.execute(named)}
    return _Seen(
        backend=backend,
        server=str(server),
        revision=str(revision),
        orders=int(orders),
        open_secrets=int(connection.execute(is_open).scalar_one()),
        evidence=sorted(files),
    )


def _add_evidence(
    archive: ArchiveWriter, files: FileStore, wanted: list[tuple[str, str]]
) -> list[str]:
    """Add each file that is there and as it was stored; names of the others."""
    missing = []
    for digest, suffix in wanted:
        try:
            content = files.load_evidence(digest, suffix)
        except StoreError:
            # Deleted by retention since the database was copied, lost or altered: it is told of.
            missing.append(f"{digest}{suffix}")
        else:
            archive.add_bytes(f"{EVIDENCE}{digest[:2]}/{digest}{suffix}", content)
    return missing


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that only its owner may read, on disk for good at the end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
