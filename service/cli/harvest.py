"""``streetwarden model harvest``: from what people said of orders to a data set."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.training.harvest import harvest as write_harvest
from service.evaluation.verdicts import connect, fetch_judged

if TYPE_CHECKING:
    from detector.training.harvest import Harvest

PICTURES_FOLDER = ".pictures"
"""Below the output folder: what was fetched, so that the next harvest fetches only what is new."""


def _checked(name: str | None) -> str | None:
    """A name becomes a folder's and part of the sets' names, in which ``__`` ends the set."""
    if name is not None and (
        not name.replace("-", "").replace(".", "").isalnum() or name[0] == "."
    ):
        raise typer.BadParameter("use letters, digits, - and . only", param_hint="--name")
    return name


def harvest(
    output: Annotated[Path, typer.Option(help="Folder of harvests; each gets one of its own.")],
    key: Annotated[
        str,
        typer.Option(
            envvar="STREETWARDEN_API_KEY",
            help="Key with the role client or admin; better given by the variable.",
            show_default=False,
        ),
    ],
    dispatch: Annotated[str, typer.Option(help="Address of the dispatch service.")] = (
        "http://127.0.0.1:8080"
    ),
    since: Annotated[
        datetime | None, typer.Option(help="Only orders that changed since then (UTC).")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(callback=_checked, help="Name of this harvest instead of its version."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Turn orders that people confirmed or rejected as false alarms into a data set for training.

    The same orders give the same version; nothing is ever overwritten.
    """
    after = since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
    with connect(dispatch, key) as client:
        orders = list(fetch_judged(client, output / PICTURES_FOLDER, after))
    done = write_harvest(orders, output, name)
    if json:
        typer.echo(json_format.dumps(asdict(done), default=str))
    else:
        _tell(done)


def _tell(done: Harvest) -> None:
    state = "written" if done.is_new else "there already"
    typer.echo(f"{done.folder}: {state}")
    typer.echo(
        f"{done.confirmed} confirmed, {done.false_alarms} false alarms, {done.images} pictures"
    )
    for reason, count in sorted(done.unused.items()):
        typer.echo(f"not used: {count} ({reason})")
    typer.echo(f"train on it with `extra_sources: [{done.folder / 'sources.yaml'}]`")
