"""The commands under their names, and how an error ends: one message a person understands."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, ClassVar

import typer

from models.errors import ConfigError, StreetwardenError
from service.cli.lazy import Lazy, LazyGroup

EXIT_FAILED = 1


def _in(module: str, name: str, help_line: str) -> Lazy:
    return Lazy(module=f"service.cli.{module}", name=name, help=help_line)


class Commands(LazyGroup):
    """``streetwarden …``."""

    table: ClassVar[Mapping[str, Lazy]] = {
        "demo": _in(
            "demo", "demo",
            "Run everything on the sample videos: RTSP server, daemon, dispatch, webhook receiver.",
        ),
        "run": _in(
            "run", "run",
            "Watch the cameras of a city and post work orders for what is confirmed.",
        ),
        "inspect-reports": _in(
            "inspect_reports", "inspect_reports",
            "Look at the photos of citizens' reports: what they show, and blurred for people.",
        ),
        "serve": _in(
            "serve", "serve", "Take work orders, show them, and tell subscribers of them."
        ),
        "create-key": _in(
            "serve", "create_key",
            "Make an API key of the dispatch service and print it, this one time.",
        ),
        "list-keys": _in(
            "accounts", "list_keys", "Show all API keys by name, never the keys themselves."
        ),
        "rotate-key": _in(
            "accounts", "rotate_key", "Replace an API key and print the new one, this one time."
        ),
        "revoke-key": _in(
            "accounts", "revoke_key", "End an API key, its sessions and its webhooks at once."
        ),
        "export": _in(
            "export", "export",
            "Write work orders to a CSV or Parquet file, straight from the database.",
        ),
        "backup": _in(
            "backup", "backup",
            "Write orders, users, keys, webhooks and evidence to one archive, while the service"
            " runs.",
        ),
        "restore": _in(
            "backup", "restore", "Put a backup back, after checking all of it."
        ),
        "detect": _in(
            "evaluate", "detect", "Run a camera's rules over a recording, as fast as possible."
        ),
        "check": _in(
            "check", "check",
            "Check a city.yaml and print everything that is wrong with it, each with its line.",
        ),
        "eval": _in(
            "evaluate", "evaluate",
            "Run the whole pipeline on clips with ground truth, and count what it got right.",
        ),
        "doctor": _in(
            "doctor", "doctor",
            "Say what is wrong with the installation, and with a camera, model or city.yaml if"
            " named.",
        ),
        "replay": _in(
            "replay", "replay",
            "Run rules over what was recorded, and print what would be new, gone or changed.",
        ),
        "tune": _in(
            "tune", "tune",
            "Propose thresholds that would have avoided false alarms and kept the true ones.",
        ),
        "view": _in("upkeep", "view", "The home view of cameras."),
        "assets": _in("upkeep", "assets", "Watched assets."),
        "outbox": _in(
            "outbox", "outbox",
            "Requests that the dispatch service has not taken yet, or refused.",
        ),
        "evidence": _in(
            "evidence", "evidence",
            "Verify the evidence of an order; show the key it is signed with.",
        ),
        "audit": _in(
            "auditing", "audit",
            "The dispatch service's audit log: show it, verify that nobody changed it.",
        ),
        "user": _in("accounts", "user", "People who sign in by name and password."),
    }  # fmt: skip


class ModelCommands(LazyGroup):
    """``streetwarden model …``."""

    table: ClassVar[Mapping[str, Lazy]] = {
        "list": _in(
            "model", "list_models",
            "List the weights that are known by name: shipped ones, and those that were pulled.",
        ),
        "verify": _in(
            "model", "verify",
            "Check that weights are there and are what the registry says; exit code 1 if not.",
        ),
        "pull": _in(
            "model", "pull",
            "Add weights to this installation, from their URL or from a file that you brought.",
        ),
        "export": _in(
            "model", "export",
            "Turn .pt weights into OpenVINO (float16, INT8) or ONNX, which run without torch.",
        ),
        "train": _in(
            "training", "train", "Train a detector; needs the extra `ultralytics`."
        ),
        "paste": _in(
            "training", "paste",
            "Paste cut-out litter and rubbish bags onto streets; goes on where it was stopped.",
        ),
        "harvest": _in(
            "harvest", "harvest",
            "Turn orders that people confirmed or rejected as false alarms into a data set for"
            " training.",
        ),
        "eval": _in(
            "scoring", "evaluate_model",
            "Score a detector on labelled images, with classes matched by name.",
        ),
        "compare": _in(
            "scoring", "compare_models",
            "Show the same images to two detectors: what differs, and whether it may be chance.",
        ),
        "calibrate": _in(
            "calibrating", "calibrate_model",
            "Choose each class's threshold for a rate of false alarms on your own negative"
            " pictures.",
        ),
        "agree": _in(
            "inspecting", "agree",
            "Measure how much of a teacher's boxes a model finds, by size, on unlabelled"
            " pictures.",
        ),
        "gallery": _in(
            "inspecting", "gallery",
            "Show the worst failures on labelled images: missed, false, misplaced.",
        ),
    }  # fmt: skip


app = typer.Typer(
    name="streetwarden",
    cls=Commands,
    help="Watches a city's cameras and turns what it confirms into work orders.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # local variables hold keys and camera passwords
    add_completion=False,
)
model = typer.Typer(
    name="model",
    cls=ModelCommands,
    help="List, verify, fetch, export, train and evaluate detectors.",
    no_args_is_help=True,
)
app.add_typer(model)


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
