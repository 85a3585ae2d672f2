"""``streetwarden audit``: shows the audit log and finds out whether anybody changed it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.errors import SetupError, StoreError
from service.cli.folders import data_folder
from service.store import audit as log
from service.store.database import Database, open_database
from service.store.migrate import is_current

audit = typer.Typer(
    help="The dispatch service's audit log: show it, verify that nobody changed it.",
    no_args_is_help=True,
)

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        envvar="STREETWARDEN_DATABASE_URL",
        show_envvar=True,
        help="Of the dispatch service; default: the file in its data folder.",
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(help="The dispatch service's --data-dir; default: where it usually is."),
]
TimeOption = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
]


@audit.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(help="SEQ:HASH that was kept elsewhere: that entry must still be the same."),
    ] = None,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Check every entry against its hash and the entry before it; exit code 1 if any is wrong.

    Prints the head of the log. Keep it where the administrator of the database cannot change it:
    with it, the next `audit verify --head` also finds that entries were removed at the end.
    """
    kept = None if head is None else _head(head)
    with _database(database_url, data_dir) as database, database.read() as connection:
        end, wrong = log.verify(connection, kept)
    if wrong:
        raise StoreError("the audit log was changed\n" + "\n".join(wrong))
    typer.echo(f"ok  {end.seq} entries, head {end}")


@audit.command("show")
def show(
    since: TimeOption = None,
    until: TimeOption = None,
    actor: Annotated[str | None, typer.Option(help="Such as user:li or 'key:crew app'.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as original.read, or original.")] = None,
    subject: Annotated[str | None, typer.Option(help="Such as order:7f3c….")] = None,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Print entries as JSON, one a line, oldest first. Times without an offset are UTC."""
    wanted = log.AuditFilter(
        since=_in_utc(since), until=_in_utc(until), actor=actor, action=action, subject=subject
    )
    with _database(database_url, data_dir) as database, database.read() as connection:
        for entry in log.entries(connection, wanted):
            values = asdict(entry) | {"at": entry.at.isoformat()}
            typer.echo(json.dumps(values, ensure_ascii=False))


def _head(text: str) -> log.Head:
    try:
        return log.Head.read(text)
    except ValueError as error:
        raise SetupError(str(error)) from error


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


@contextmanager
def _database(url: str | None, data_dir: Path | None) -> Iterator[Database]:
    """The service's database as it is; only the service itself migrates it."""
    path = (data_dir or data_folder() / "dispatch") / "dispatch.sqlite3"
    if url is None and not path.exists():
        raise SetupError(f"{path}: there is no database (--database-url, --data-dir)")
    with open_database(url or f"sqlite:///{path}") as database:
        if not is_current(database):
            raise SetupError("the database is of another version: start `streetwarden serve` once")
        yield database
