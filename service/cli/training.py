"""``streetwarden model train`` and ``streetwarden model eval``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from detector.backends.loading import load_detector
from detector.backends.torch_runtime import load_ultralytics
from detector.training.evaluation import evaluate
from detector.training.evaluation_data import load_evaluation_data
from models.city import ModelChoice

if TYPE_CHECKING:
    from detector.training.evaluation import Report

LOWEST_CONFIDENCE = 0.001
"""Average precision needs the unsure detections too."""


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


def evaluate_model(
    data: Annotated[Path, typer.Option(help="Ultralytics data YAML; its `val` is scored.")],
    model: Annotated[str, typer.Option(help="Name in the registry, or path.")] = "street-n",
    imgsz: Annotated[int, typer.Option(help="Longer side that the network sees, in px.")] = 640,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score a detector on labelled images, with classes matched by name."""
    labelled = load_evaluation_data(data)
    choice = ModelChoice(weights=model, image_size_px=imgsz, min_confidence=LOWEST_CONFIDENCE)
    detector = load_detector(choice)
    try:
        report = evaluate(detector, labelled)
    finally:
        detector.close()
    if json:
        typer.echo(json_format.dumps(report.as_json()))
    else:
        _print(report)


def _print(report: Report) -> None:
    table = Table("class", "objects", "mAP50", "precision", "recall", "threshold")
    for name, score in report.classes.items():
        figures = (score.map50, score.precision, score.recall, score.threshold)
        table.add_row(name, str(score.objects), *(f"{figure:.3f}" for figure in figures))
    console = Console()
    console.print(table)
    alarms = report.false_alarms_per_100_images
    told = "no negative images" if alarms is None else f"{alarms:.1f} false alarms per 100 of them"
    console.print(
        f"{report.images} images, mAP50 {report.map50:.3f};"
        f" {report.negative_images} without objects, {told}"
    )
