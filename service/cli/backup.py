"""``streetwarden backup`` and ``restore``: the dispatch service's data as one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from models.errors import SetupError
from service.backup.archive import SIGNING_KEY, Manifest
from service.backup.archive import verify as verify_archive
from service.backup.checking import check_databases
from service.backup.making import Made, Sources, make_backup, rotate
from service.backup.restoring import EDGE_FILE, Target
from service.backup.restoring import restore as put_back
from service.cli.stores import DatabaseOption, DataDirOption, dispatch_folder
from service.store.database import Database, open_database, open_sqlite
from service.store.files import FileStore

MEGABYTE_BYTES = 1_000_000

StateDirOption = Annotated[
    Path | None, typer.Option(help="A daemon's state folder: its state and outbox too.")
]


def backup(
    where: Annotated[
        Path, typer.Argument(help="Folder to write into; with --verify, or an archive to check.")
    ],
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete all but so many of the newest backups there.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every byte again and check it.")
    ] = False,
    state_dir: StateDirOption = None,
    with_signing_key: Annotated[
        bool,
        typer.Option(
            "--with-signing-key",
            help="The daemon's private key too, readable by whoever has the archive.",
        ),
    ] = False,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write orders, users, keys, webhooks and evidence to one archive, while the service runs.

    PostgreSQL needs its programs pg_dump, pg_restore and psql, of the server's version or newer.
    Not in it: STREETWARDEN_SECRET_KEY, which opens webhook secrets, and the YAML files.
    """
    if verify and where.is_file():
        _check(where)
        return
    if with_signing_key and state_dir is None:
        raise SetupError("--with-signing-key needs the daemon's --state-dir")
    folder = dispatch_folder(data_dir)
    with _existing(database_url, folder) as database:
        if database is None and state_dir is None:
            raise SetupError(f"there is no database in {folder}: see --data-dir, --database-url")
        files = None if database is None else FileStore(folder)
        daemon = _daemon_files(state_dir, with_key=with_signing_key)
        sources = Sources(database=database, files=files, **daemon)
        made = make_backup(sources, where, datetime.now(UTC))
    _tell(made)
    if verify:
        _check(made.path)
    for old in rotate(where, keep) if keep is not None else ():
        typer.echo(f"deleted {old}")


def restore(
    archive: Annotated[Path, typer.Argument(help="A backup.")],
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace what is there, and delete evidence that the backup does not know.",
        ),
    ] = False,
    state_dir: StateDirOption = None,
    only_state: Annotated[
        bool, typer.Option("--only-state", help="Leave the dispatch service's data alone.")
    ] = False,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Put a backup back, after checking all of it.

    Stop the service (and the daemon) first. A backup of an older version is migrated; one of a
    newer version is refused. Webhooks that were still to be sent when it was made are sent again,
    with the ids they had.
    """
    if only_state and state_dir is None:
        raise SetupError("--only-state needs the daemon's --state-dir")
    folder = dispatch_folder(data_dir)
    with nullcontext() if only_state else _opened(database_url, folder) as database:
        target = Target(database=database, data_dir=folder, state_dir=state_dir, force=force)
        done = put_back(archive, target, datetime.now(UTC))
    typer.echo(f"restored {archive}: {_content(done.manifest)}")
    if done.deleted:
        typer.echo(f"deleted {done.deleted} pieces of evidence that it does not know")
    if done.manifest.has_edge and not done.edge:
        typer.echo("left in it: the daemon's state, which --state-dir takes", err=True)


def _check(path: Path) -> None:
    manifest = verify_archive(path)
    with TemporaryDirectory(prefix="streetwarden-verify-") as work:
        left = check_databases(path, Path(work))
    typer.echo(f"ok  {path}: {_content(manifest)}")
    for each in left:
        typer.echo(each, err=True)


def _tell(made: Made) -> None:
    size = made.path.stat().st_size / MEGABYTE_BYTES
    typer.echo(f"{made.path}  {size:.1f} MB: {_content(made.manifest)}")
    if made.manifest.missing:
        typer.echo(
            f"warning: {len(made.manifest.missing)} pieces of evidence are not on disk as they were"
            " stored, and so are not in it; manifest.json names them",
            err=True,
        )
    if made.open_secrets:
        typer.echo(
            f"warning: {made.open_secrets} webhook secrets lie readable in it: set"
            " STREETWARDEN_SECRET_KEY for the service",
            err=True,
        )
    if made.manifest.has_signing_key:
        typer.echo(
            "warning: the daemon's private key lies readable in it: keep it accordingly", err=True
        )


def _content(manifest: Manifest) -> str:
    parts = [f"made {manifest.made_at:%Y-%m-%d %H:%M:%S}Z"]
    if manifest.backend is not None:
        parts.append(
            f"{manifest.backend} {manifest.server}, schema {manifest.revision},"
            f" {manifest.orders} orders, {manifest.files} pieces of evidence"
        )
    if manifest.has_edge:
        parts.append("a daemon's state")
    if manifest.has_signing_key:
        parts.append("its private key")
    return ", ".join(parts)


@contextmanager
def _existing(url: str | None, folder: Path) -> Iterator[Database | None]:
    """The service's database, or None where there is no file of it; it is never made here."""
    if url is None and not (folder / "dispatch.sqlite3").is_file():
        yield None
        return
    with _opened(url, folder) as database:
        if database.engine.dialect.name == "sqlite":
            _there(Path(database.engine.url.database or ""))
        yield database


def _daemon_files(state_dir: Path | None, *, with_key: bool) -> dict[str, Path | None]:
    if state_dir is None:
        return {}
    key = _there(state_dir / SIGNING_KEY) if with_key else None
    return {"edge": _there(state_dir / EDGE_FILE), "signing_key": key}


def _opened(url: str | None, folder: Path) -> Database:
    return open_sqlite(folder / "dispatch.sqlite3") if url is None else open_database(url)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise SetupError(f"{path}: there is no such file")
    return path
