"""The commands under their names, and how an error ends: one message a person understands."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from models.errors import ConfigError, StreetwardenError
from service.cli.accounts import list_keys, revoke_key, rotate_key, user
from service.cli.auditing import audit
from service.cli.calibrating import calibrate_model
from service.cli.check import check
from service.cli.demo import demo
from service.cli.doctor import doctor
from service.cli.evaluate import detect, evaluate
from service.cli.evidence import evidence
from service.cli.export import export as export_orders
from service.cli.harvest import harvest
from service.cli.inspecting import agree, gallery
from service.cli.model import export, list_models, pull, verify
from service.cli.originals import decrypt, keygen
from service.cli.replay import replay
from service.cli.run import run
from service.cli.scoring import compare_models, evaluate_model
from service.cli.serve import create_key, serve
from service.cli.training import paste, train
from service.cli.tune import tune
from service.cli.upkeep import assets, view

EXIT_FAILED = 1

app = typer.Typer(
    name="streetwarden",
    help="Watches a city's cameras and turns what it confirms into work orders.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # local variables hold keys and camera passwords
    add_completion=False,
)
model = typer.Typer(
    help="List, verify, fetch, export, train and evaluate detectors.", no_args_is_help=True
)

_COMMANDS: dict[str, Callable[..., object]] = {
    "demo": demo,
    "run": run,
    "serve": serve,
    "create-key": create_key,
    "list-keys": list_keys,
    "rotate-key": rotate_key,
    "revoke-key": revoke_key,
    "export": export_orders,
    "detect": detect,
    "check": check,
    "eval": evaluate,
    "doctor": doctor,
    "replay": replay,
    "tune": tune,
}
_MODEL_COMMANDS: dict[str, Callable[..., object]] = {
    "list": list_models,
    "verify": verify,
    "pull": pull,
    "export": export,
    "train": train,
    "paste": paste,
    "harvest": harvest,
    "eval": evaluate_model,
    "compare": compare_models,
    "calibrate": calibrate_model,
    "agree": agree,
    "gallery": gallery,
}
for name, command in _COMMANDS.items():
    app.command(name)(command)
for name, command in _MODEL_COMMANDS.items():
    model.command(name)(command)
app.add_typer(model, name="model")
app.add_typer(view, name="view")
app.add_typer(assets, name="assets")
app.add_typer(evidence, name="evidence")
app.add_typer(audit, name="audit")
app.add_typer(user, name="user")
evidence.command("keygen")(keygen)
evidence.command("decrypt")(decrypt)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("streetwarden"))
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take options that belong to no command."""


def main() -> int:
    """Run one command; the exit code of a failure (success and usage errors exit by themselves)."""
    try:
        app()
    except ConfigError as error:
        typer.echo(str(error), err=True)
    except StreetwardenError as error:
        typer.echo(f"streetwarden: {error}", err=True)
    return EXIT_FAILED
