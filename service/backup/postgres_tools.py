"""PostgreSQL's own programs: which to take, and how to call them without showing a password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from models.errors import BackupError, SetupError

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version: ``16/bin/pg_dump``."""
OLDEST_MAJOR = 12
LOCK_TIMEOUT = "10s"
_VERSION = re.compile(r"(\d+)(?:\.\d+)?")
_MAJOR = 10_000
"""A server's version number is 160003 for 16.3."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """Programs of one version, and the environment that leads them to a database."""

    folder: Path
    major: int
    environment: Mapping[str, str]
    """Has the password, which no command line shows."""

    def dump(self, target: Path, snapshot: str) -> None:
        """Write what a transaction with this exported snapshot sees."""
        self._run(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={target}",
        )

    def restore(self, dump: Path, first: Sequence[str]) -> None:
        """Run statements and then a dump in one transaction: all of it, or nothing."""
        with tempfile.TemporaryFile() as script:
            script.write("".join(f"{each};\n" for each in first).encode())
            script.flush()
            self._run("pg_restore", *_CLEAN, "--file=-", dump, out=script)
            script.seek(0)
            self._run("psql", *_ONE_TRANSACTION, source=script)

    def check(self, dump: Path) -> None:
        """Read a dump's list of contents; raises :class:`BackupError`."""
        self._run("pg_restore", "--list", dump)

    def _run(
        self,
        program: str,
        *arguments: object,
        source: IO[bytes] | int = subprocess.DEVNULL,
        out: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [str(self.folder / program), *map(str, arguments)],
            env={**os.environ, **self.environment},
            stdin=source,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise BackupError(f"{program} {self.major}: {lines[-1] if lines else 'failed'}")


_CLEAN = ("--clean", "--if-exists", "--no-owner", "--no-privileges")
_ONE_TRANSACTION = (
    "--no-psqlrc",
    "--quiet",
    "--single-transaction",
    "--set=ON_ERROR_STOP=1",
    "--output=/dev/null",
)


def tools_for(driver_connection: Any) -> Tools:
    """Programs that fit the server of a psycopg connection; raises :class:`SetupError`."""
    from psycopg.pq import Conninfo

    info = driver_connection.info
    wanted = info.server_version // _MAJOR
    parameters = {**info.get_parameters(), "password": info.password}
    environment = {
        option.envvar.decode(): str(parameters[option.keyword.decode()])
        for option in Conninfo.get_defaults()
        if option.envvar and parameters.get(option.keyword.decode())
    }
    options = environment.get("PGOPTIONS", "")
    environment["PGOPTIONS"] = f"{options} -c lock_timeout={LOCK_TIMEOUT}".strip()
    folder, major = find_tools(wanted)
    return Tools(folder=folder, major=major, environment=environment)


def find_tools(wanted: int, *, newest: bool = False) -> tuple[Path, int]:
    """Folder and version of the programs: the server's own, else the next newer (or the newest)."""
    found: dict[int, Path] = {}
    on_path = shutil.which("pg_dump")
    candidates = [*DEBIAN.glob("*/bin/pg_dump"), *([] if on_path is None else [Path(on_path)])]
    for program in candidates:
        major = _major_of(program)
        if major is not None and major >= wanted:
            found.setdefault(major, program.parent)
    if not found:
        raise SetupError(
            f"the programs pg_dump, pg_restore and psql of PostgreSQL {wanted} or newer are needed:"
            f" install the Debian package postgresql-client-{wanted}, or put them on PATH"
        )
    major = max(found) if newest else min(found)
    return found[major], major


def _major_of(program: Path) -> int | None:
    """Version of a program by what it says; None where it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, no shell
            [str(program), "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout)
    return int(match[1]) if done.returncode == 0 and match is not None else None
