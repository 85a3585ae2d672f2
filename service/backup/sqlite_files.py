"""SQLite files: copied while others write, put in place of others, checked."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from models.errors import BackupError
from service.backup.archive import CHUNK_BYTES, OWNER_ONLY, Content

BUSY_TIMEOUT_S = 20.0
IN_USE_TIMEOUT_S = 1.0
COMPRESSION = 6
_SIDE_FILES = ("-wal", "-shm", "-journal")


def copy_live(source: Path, target: Path) -> None:
    """Copy a database by SQLite's online backup: one state of it, while others read and write.

    All pages in one step: writers go on in the write-ahead log and the copy need not begin again.
    """
    with (
        _told(source),
        closing(_open(source, BUSY_TIMEOUT_S)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(OWNER_ONLY)


def compress(source: Path, target: Path) -> None:
    """Write a gzip file; the same content gives the same bytes."""
    with (
        source.open("rb") as plain,
        target.open("wb") as out,
        gzip.GzipFile("", "wb", COMPRESSION, out, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed, CHUNK_BYTES)


def unpack(content: Content, target: Path) -> None:
    """Write a database from its compressed form, and check it."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with (
        _told(target),
        os.fdopen(handle, "wb") as out,
        gzip.GzipFile(fileobj=content, mode="rb") as plain,
    ):
        shutil.copyfileobj(plain, out, CHUNK_BYTES)
    check_whole(target)


def check_whole(path: Path) -> None:
    """Let SQLite check a database; raises :class:`BackupError`."""
    with _told(path), closing(_open(path, BUSY_TIMEOUT_S)) as connection:
        (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise BackupError(f"{path.name}: the database is damaged: {said}")


def check_unused(path: Path) -> None:
    """Raise :class:`BackupError` if another process has a database open.

    A database leaves its write-ahead log only when nobody else has it open; the log is merged into
    the file by this, so that the file can be replaced.
    """
    if not path.exists():
        return
    try:
        with closing(_open(path, IN_USE_TIMEOUT_S)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise BackupError(f"{path}: is in use ({error}): stop the process first") from error
    except sqlite3.DatabaseError:
        return  # no database any more: whoever replaces it wants that


def replace(path: Path, new: Path) -> None:
    """Put a complete database in the place of another one that nobody uses, all or nothing."""
    check_unused(path)
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    _sync(new)
    new.replace(path)
    _sync(path.parent)


def _open(path: Path, timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=timeout_s)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, EOFError) as error:
        raise BackupError(f"{path}: {error}") from error
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror or error}") from error
