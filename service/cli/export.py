"""``streetwarden export``: work orders as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.errors import SetupError
from service.api.exporting import csv_pieces
from service.api.parquet import parquet_pieces
from service.cli.folders import data_folder
from service.cli.stores import DatabaseOption, DataDirOption
from service.config.categories import PACKAGED, load_categories
from service.store.database import open_database
from service.store.orders import OrderFilter


def export(
    out: Annotated[
        Path,
        typer.Argument(help="The file to write: .parquet, else CSV; - for CSV on standard output."),
    ],
    since: Annotated[
        datetime | None, typer.Option(help="Only orders made since then; UTC without a zone.")
    ] = None,
    categories: Annotated[
        Path, typer.Option(help="The table of categories, for their names.")
    ] = PACKAGED,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write work orders to a CSV or Parquet file, straight from the database."""
    aware = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    table = load_categories(categories)
    folder = data_dir or data_folder() / "dispatch"
    url = database_url or f"sqlite:///{folder / 'dispatch.sqlite3'}"
    wanted = OrderFilter(created_since=aware)
    with open_database(url) as database:
        if out.suffix == ".parquet":
            _write(out, parquet_pieces(database, wanted, table.get))
            return
        pieces = csv_pieces(database, wanted, table.get)
        if str(out) == "-":
            for piece in pieces:
                typer.echo(piece, nl=False)
            return
        _write(out, (piece.encode() for piece in pieces))


def _write(out: Path, pieces: Iterator[bytes]) -> None:
    try:
        with out.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise SetupError(f"{out}: cannot be written: {error.strerror}") from error
