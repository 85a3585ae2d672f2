"""``streetwarden view`` and ``streetwarden assets``: what an operator tells of learnt pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.folders import REFERENCES, data_folder
from service.references import Asked, CameraReferences

CameraId = Annotated[str, typer.Argument(help="Id of the camera in the city.yaml.")]
StateDir = Annotated[Path | None, typer.Option(help="The state folder of the daemon.")]

view = typer.Typer(help="The home view of cameras.", no_args_is_help=True)
assets = typer.Typer(help="Watched assets.", no_args_is_help=True)


@view.callback()
def _view() -> None:
    """Keep ``accept`` a command of its own, though it is the only one."""


@assets.callback()
def _assets() -> None:
    """Keep ``relearn`` a command of its own, though it is the only one."""


@view.command("accept")
def accept(camera: CameraId, state_dir: StateDir = None) -> None:
    """Take what a camera shows now for its home view: rules that were suspended go on.

    Draw its zones anew first, if it was moved for good.
    """
    _references(camera, state_dir).ask(Asked(accept_view=True))
    typer.echo(f"{camera}: its view is learnt anew with the next frames")


@assets.command("relearn")
def relearn(
    camera: CameraId,
    asset: Annotated[
        str | None, typer.Argument(help="Id of the asset; default: all of the camera.")
    ] = None,
    state_dir: StateDir = None,
) -> None:
    """Learn anew how a watched asset looks, after it was replaced, painted or moved for good."""
    asked = Asked(relearn_all=True) if asset is None else Asked(relearn=frozenset({asset}))
    _references(camera, state_dir).ask(asked)
    what = "its assets are" if asset is None else f"{asset} is"
    typer.echo(f"{camera}: {what} learnt anew with the next frames")


def _references(camera: str, state_dir: Path | None) -> CameraReferences:
    folder = state_dir or data_folder() / "daemon"
    return CameraReferences(folder / REFERENCES, camera)
