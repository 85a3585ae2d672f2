"""``streetwarden outbox``: what a daemon has still to tell the dispatch service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.errors import SetupError
from service.cli.folders import EDGE_STORE, data_folder
from service.daemon.edge import EdgeStore

StateDir = Annotated[Path | None, typer.Option(help="The state folder of the daemon.")]

outbox = typer.Typer(
    help="Requests that the dispatch service has not taken yet, or refused.", no_args_is_help=True
)


@outbox.command("show")
def show(state_dir: StateDir = None) -> None:
    """Print how many requests wait, and each one that was refused for good, with the answer."""
    with _store(state_dir) as store:
        counts, refused = store.counts(), store.refused()
    typer.echo(f"{counts.waiting} waiting, {counts.rejected} refused")
    for request in refused:
        at = datetime.fromtimestamp(request.refused_at_s, UTC).isoformat(timespec="seconds")
        typer.echo(
            f"{at}  incident {request.incident_id}  {request.method} {request.path}\n"
            f"    {request.reason}"
        )


@outbox.command("retry")
def retry(state_dir: StateDir = None) -> None:
    """Send all refused requests again, once their cause is mended; the daemon may be running.

    Such a cause is a category, camera or zone that the dispatch service did not know yet.
    """
    with _store(state_dir) as store:
        count = store.retry_rejected()
    typer.echo(f"{count} requests are sent again by the running daemon, or when it starts")


@contextmanager
def _store(state_dir: Path | None) -> Iterator[EdgeStore]:
    path = (state_dir or data_folder() / "daemon") / EDGE_STORE
    if not path.is_file():
        raise SetupError(f"{path}: no daemon has kept its state here; name its --state-dir")
    with EdgeStore(path) as store:
        yield store
