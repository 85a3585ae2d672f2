"""``streetwarden model calibrate``: thresholds for a rate of false alarms that somebody accepts."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from detector.backends.protocol import Detector
from detector.training.calibration import TRAFFIC, Calibration, calibrate, needed_pictures
from detector.training.evaluation import ClassScore, score_scenes
from detector.training.evaluation_data import EvaluationData, load_evaluation_data
from detector.training.pictures import CLIP_INTERVAL_S, pictures
from detector.training.rates import PER, RULE_OF_THREE
from detector.training.scenes import limited, look_at, scored_names
from detector.weights.registry import load_registry
from models.errors import SetupError
from service.cli.looking import (
    AsJson,
    ImageSize,
    Model,
    opened,
    operating_thresholds,
    print_tables,
    shown,
    spread,
)

Scores = Mapping[str, ClassScore]
Interval = Annotated[
    float, typer.Option("--every", min=0.04, help="Seconds between two pictures of a clip.")
]


def calibrate_model(
    negatives: Annotated[
        Path,
        typer.Option(
            help="Folder of pictures and clips (or one) with nothing to report.", exists=True
        ),
    ],
    rate: Annotated[
        float,
        typer.Option(
            "--false-alarms-per-1000", min=0.001, help="All classes together, per 1,000 pictures."
        ),
    ],
    model: Model = "street-n",
    data: Annotated[
        Path | None, typer.Option(help="Ultralytics data YAML: tells the recall that is left.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="Again for each; default: all but persons and vehicles."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the thresholds here, as a `model:` for city.yaml.")
    ] = None,
    every: Interval = CLIP_INTERVAL_S,
    imgsz: ImageSize = 640,
    json: AsJson = False,
) -> None:
    """Choose each class's threshold for a rate of false alarms on your own negative pictures."""
    labelled = None if data is None else load_evaluation_data(data)
    with opened(model, imgsz) as detector:
        names = _names(detector.labels, classes)
        found = _sightings(detector, negatives, every, names)
        known = operating_thresholds(model, None)
        listed = {name: value for name, value in known.items() if name in names}
        result = calibrate(*found, rate, listed)
        scores = {} if labelled is None else _scores(detector, labelled, result, names)
    if write is not None:
        _write(write, model, imgsz, result)
    if json:
        typer.echo(json_format.dumps(_as_json(model, result, scores)))
    else:
        _print(model, result, scores)


def _names(labels: Sequence[str], chosen: Sequence[str] | None) -> tuple[str, ...]:
    unknown = [name for name in chosen or () if name not in labels]
    names = tuple(chosen or (label for label in labels if label not in TRAFFIC))
    if unknown or not names:
        problem = f"unknown: {', '.join(unknown)}" if unknown else "give at least one class"
        raise typer.BadParameter(
            f"{problem}; the model knows {', '.join(labels)}", param_hint="--class"
        )
    return names


def _sightings(
    detector: Detector, negatives: Path, every_s: float, names: Sequence[str]
) -> tuple[dict[str, list[tuple[int, float]]], int]:
    """By class picture and confidence of all that was found; and how many pictures there are."""
    seen: dict[str, list[tuple[int, float]]] = {name: [] for name in names}
    count = 0
    for _, image in shown(pictures(negatives, every_s), "negatives"):
        (found,) = detector.detect([image])
        for detection in found:
            if detection.label in seen:
                seen[detection.label].append((count, detection.confidence))
        count += 1
    return seen, count


def _scores(
    detector: Detector, data: EvaluationData, result: Calibration, names: Sequence[str]
) -> Scores:
    scored = [name for name in scored_names(data, detector.labels) if name in names]
    scenes = limited(look_at(detector, shown(data.images, "data")).scenes, scored)
    return score_scenes(scenes, scored, result.thresholds).classes


def _as_json(model: str, result: Calibration, scores: Scores) -> dict[str, Any]:
    document = {"model": model, **result.as_json()}
    for name, score in scores.items():
        told = score.as_json()
        document["classes"][name]["on_data"] = {
            figure: told[figure]
            for figure in (
                "objects",
                "precision",
                "recall",
                "precision_interval",
                "recall_interval",
            )
        }
    return document


def _write(path: Path, model: str, image_size_px: int, result: Calibration) -> None:
    # A path in city.yaml counts from that file, not from where this command ran.
    weights = model if model in load_registry().names() else str(Path(model).resolve())
    block = {"weights": weights, "image_size": image_size_px, "thresholds": result.thresholds}
    head = (
        f"# {result.asked_per_1000:g} false alarms per 1,000 pictures asked for,"
        f" {result.rate.alarms} on {result.pictures} negatives;"
        " see docs/models/training.md, Calibrating\n"
    )
    try:
        path.write_text(head + yaml.safe_dump({"model": block}, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error}") from error


def _print(model: str, result: Calibration, scores: Scores) -> None:
    table = Table(
        "class", "threshold", "alarms", "allowed", "recall left", "precision", "objects",
        title=f"{model}: at most {result.asked_per_1000:g} false alarms per 1,000 pictures",
    )  # fmt: skip
    for name, limit in result.limits.items():
        row = [f"{limit.threshold:.3f}", str(limit.rate.alarms), str(limit.allowed)]
        if name in scores:
            score = scores[name]
            row += [
                spread(score.recall, score.recall_interval),
                spread(score.precision, score.precision_interval),
                str(score.objects),
            ]
        table.add_row(name, *row)
    print_tables(table, *_told(result))


def _told(result: Calibration) -> list[str]:
    told = [f"on these {result.pictures} pictures: {result.rate.alarms} alarms in all"]
    checked = result.cross_checked
    if checked.per_1000 is not None:
        told.append(
            "cross-check, each fifth held to what the other pictures chose:"
            f" {spread(checked.per_1000, checked.interval_per_1000)} per 1,000"
        )
    if not result.enough:
        told.append(_too_few(result.pictures, result.asked_per_1000))
    if not result.kept:
        told.append(
            "[red]The rate is not kept: something false is found with full confidence.[/red]"
        )
    return told


def _too_few(pictures: int, asked_per_1000: float) -> str:
    bound = RULE_OF_THREE * PER / pictures
    return (
        f"[yellow]Too few pictures to show {asked_per_1000:g} per 1,000:[/yellow] even without any"
        f" alarm it takes {needed_pictures(asked_per_1000)} (rule of three); {pictures} without any"
        f" would only show that the rate is below {bound:.1f}."
        " So no threshold goes below the one that the registry has for the model."
    )
