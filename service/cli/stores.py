"""The dispatch service's database, for the service and for the commands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.folders import data_folder
from service.store.database import Database, open_database
from service.store.migrate import upgrade

DATABASE_ENV = "STREETWARDEN_DATABASE_URL"

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        envvar=DATABASE_ENV,
        show_envvar=True,
        help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; default: a file in the"
        " data folder.",
    ),
]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Where evidence, and by default the database, are kept.")
]


def dispatch_folder(data_dir: Path | None) -> Path:
    """Where the dispatch service keeps its data, unless told otherwise."""
    return data_dir or data_folder() / "dispatch"


@contextmanager
def open_store(url: str | None, data_dir: Path | None) -> Iterator[Database]:
    """The database, migrated."""
    file = dispatch_folder(data_dir) / "dispatch.sqlite3"
    with open_database(url or f"sqlite:///{file}") as database:
        upgrade(database)
        yield database
