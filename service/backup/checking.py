"""Whether the databases in an archive can be opened again."""

from __future__ import annotations

from pathlib import Path

from models.errors import SetupError
from service.backup import sqlite_files
from service.backup.archive import EDGE, POSTGRESQL, SQLITE, members
from service.backup.postgres_tools import OLDEST_MAJOR, Tools, find_tools


def check_databases(archive: Path, work: Path) -> list[str]:
    """Open each database of an archive in a folder; what could not be looked at, in words.

    Raises :class:`BackupError` for one that is damaged.
    """
    left = []
    for name, content in members(archive):
        if name in (SQLITE, EDGE):
            sqlite_files.unpack(content, work / "database")
        elif name == POSTGRESQL:
            with (work / "dump").open("wb") as out:
                content.copy_to(out)
            left += _check_dump(work / "dump")
    return left


def _check_dump(dump: Path) -> list[str]:
    try:
        folder, major = find_tools(OLDEST_MAJOR, newest=True)
    except SetupError as error:
        return [f"hashes are right; the dump was not looked into: {error}"]
    Tools(folder=folder, major=major, environment={}).check(dump)
    return []
