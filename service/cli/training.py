"""``streetwarden model train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.backends.torch_runtime import load_ultralytics


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
