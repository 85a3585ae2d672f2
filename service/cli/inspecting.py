"""``streetwarden model agree`` and ``streetwarden model gallery``."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from detector.training.agreement import PRECISION, SIZE_LIMITS_PX, Agreement, agreement
from detector.training.evaluation import score_scenes
from detector.training.evaluation_data import load_evaluation_data
from detector.training.gallery import write_gallery
from detector.training.pictures import CLIP_INTERVAL_S, pictures
from detector.training.scenes import limited, scored_names
from models.seeing import Image
from service.cli.calibrating import Interval
from service.cli.looking import (
    AsJson,
    Data,
    ImageSize,
    Model,
    Thresholds,
    looked,
    opened,
    operating_thresholds,
    print_tables,
    shown,
    spread,
)


def agree(
    teacher: Annotated[str, typer.Option(help="Model whose boxes should be found again.")],
    model: Model = "street-n",
    clips: Annotated[
        list[Path] | None,
        typer.Option(help="Clip, or folder of clips and pictures; again for more.", exists=True),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Ultralytics data YAML; the images of its `val`.")
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Again for each; default: what both know.")
    ] = None,
    every: Interval = CLIP_INTERVAL_S,
    imgsz: ImageSize = 640,
    json: AsJson = False,
) -> None:
    """Measure how much of a teacher's boxes a model finds, by size, on unlabelled pictures."""
    if (clips is None) == (data is None):
        raise typer.BadParameter("give one of them", param_hint="--clips or --data")
    images = _images(clips, every) if data is None else _images_of_data(data)
    with opened(model, imgsz) as student, opened(teacher, imgsz) as knowing:
        labels = _common(student.labels, knowing.labels, classes)
        result = agreement(student, knowing, shown(images, "pictures"), labels, imgsz)
    if json:
        document = {"model": model, "teacher": teacher, **result.as_json()}
        typer.echo(json_format.dumps(document))
    else:
        _print(result)


def gallery(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for one contact sheet a class.")],
    model: Model = "street-n",
    thresholds: Thresholds = None,
    imgsz: ImageSize = 640,
) -> None:
    """Show the worst failures on labelled images: missed, false, misplaced."""
    labelled = load_evaluation_data(data)
    given = operating_thresholds(model, thresholds)
    labels, seen = looked(model, imgsz, labelled)
    names = scored_names(labelled, labels)
    report = score_scenes(limited(seen.scenes, names), names, given)
    chosen = {name: score.threshold for name, score in report.classes.items()}
    written = write_gallery(seen.scenes, chosen, out)
    for name, path in written.items():
        typer.echo(f"{name}: {path}")
    for name in chosen:
        if name not in written:
            typer.echo(f"{name}: nothing failed")


def _images(clips: Sequence[Path] | None, every_s: float) -> Iterator[Image]:
    named = chain.from_iterable(pictures(clip, every_s) for clip in clips or ())
    return (image for _, image in named)


def _images_of_data(data: Path) -> Iterator[Image]:
    return (item.read()[0] for item in load_evaluation_data(data).images)


def _common(
    student: Sequence[str], teacher: Sequence[str], chosen: Sequence[str] | None
) -> tuple[str, ...]:
    common = tuple(label for label in student if label in teacher)
    unknown = [name for name in chosen or () if name not in common]
    if unknown or not common:
        raise typer.BadParameter(
            f"both must know a class; they share {', '.join(common) or 'none'}",
            param_hint="--class",
        )
    return tuple(chosen or common)


def _print(result: Agreement) -> None:
    small, large = SIZE_LIMITS_PX
    table = Table(
        "group", "teacher's boxes", "found again",
        title=f"small: below {small:g} px as the network sees it; large: from {large:g} px",
    )  # fmt: skip
    for name, group in {**result.by_size, **result.by_label}.items():
        recall = "-" if group.recall is None else f"{group.recall:.3f}"
        table.add_row(name, str(group.objects), recall)
    print_tables(
        table,
        f"{result.pictures} pictures: recall {spread(result.recall, result.recall_interval)}"
        f" at precision {result.precision:.3f} (asked: {PRECISION:g}),"
        f" threshold {result.threshold:.3f}",
    )
