"""A real PostgreSQL server from Debian's package, started once and only if a test wants it."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest

PROGRAMS = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"


@contextmanager
def postgres_database(template: str = "template1") -> Iterator[str]:
    """URL of a database of its own; the test is skipped where there is no PostgreSQL."""
    url = new_postgres_database(template)
    try:
        yield url
    finally:
        with _superuser(_server(durable=False)) as connection:
            connection.execute(f'DROP DATABASE "{database_name(url)}" WITH (FORCE)')


def new_postgres_database(template: str = "template1", *, durable: bool = False) -> str:
    """URL of a new database, a copy of a template, that stays until the server ends.

    ``durable``: on a server that syncs to disk, to measure on.
    """
    folder = _server(durable=durable)
    name = f"test_{uuid.uuid4().hex}"
    with _superuser(folder) as connection:
        # FILE_COPY is the faster way for small databases on a server without fsync.
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return f"postgresql://{SUPERUSER}@/{name}?host={folder}"


def database_name(url: str) -> str:
    """Name of the database that a URL of :func:`new_postgres_database` leads to."""
    return url.partition("@/")[2].partition("?")[0]


@contextmanager
def _superuser(folder: Path) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        host=str(folder), user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        yield connection


@cache
def _server(*, durable: bool = False) -> Path:
    """Start the server; the folder of its socket."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs the Debian package postgresql")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="streetwarden-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam(SUPERUSER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    _as_postgres(programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-N")
    # Only a socket, no port; without fsync, since no test pulls the plug on the server.
    fsync = "on" if durable else "off"
    options = f"-k {folder} -c listen_addresses='' -c fsync={fsync} -c max_connections=200"
    log = folder / "log"
    _as_postgres(programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
    atexit.register(_stop, programs, folder)
    return folder


def _stop(programs: Path, folder: Path) -> None:
    _as_postgres(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def _as_postgres(*command: object) -> None:
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", SUPERUSER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *map(str, command)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
