"""``streetwarden model train`` and ``streetwarden model paste``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.backends.torch_runtime import load_ultralytics
from detector.training.paste import paste as paste_objects


def train(
    config: Annotated[Path, typer.Option(help="YAML of the training run.", exists=True)],
    data: Annotated[Path, typer.Option(help="Folder that the YAML's paths start from.")],
    output: Annotated[Path, typer.Option(help="Folder for checkpoints and the result.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in the output folder.")
    ] = False,
) -> None:
    """Train a detector; needs the extra `ultralytics`."""
    load_ultralytics()  # offline, or says how to install it; before anything else imports it
    from detector.training.trainer import train as run_training

    weights = run_training(config, data, output, resume=resume)
    typer.echo(str(weights))


def paste(
    config: Annotated[Path, typer.Option(help="YAML of the training run.", exists=True)],
    data: Annotated[Path, typer.Option(help="Folder that the YAML's paths start from.")],
    output: Annotated[Path, typer.Option(help="Folder for the generated sets.")],
    count: Annotated[int, typer.Option(min=1, help="Pictures over all sets.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same pictures.")] = 1,
) -> None:
    """Paste cut-out litter and rubbish bags onto streets; goes on where it was stopped."""
    for name, pictures in paste_objects(config, data, output, count=count, seed=seed).items():
        typer.echo(f"{name}: {pictures} pictures")
