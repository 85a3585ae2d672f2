"""``streetwarden model eval`` and ``streetwarden model compare``."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from detector.training.coco import SIZES, CocoFigures, coco_figures
from detector.training.comparison import Difference, compare
from detector.training.evaluation import Report, score_scenes
from detector.training.evaluation_data import EvaluationData, load_evaluation_data
from detector.training.latency import Latency, latency
from detector.training.plots import write_plots
from detector.training.scenes import Scene, limited, scored_names
from models.errors import SetupError
from service.cli.looking import (
    AsJson,
    Data,
    ImageSize,
    Model,
    Thresholds,
    looked,
    operating_thresholds,
    print_tables,
    spread,
)

Coco = Mapping[str, Mapping[str, CocoFigures | None]]
SIDES = ("a", "b")


def evaluate_model(
    data: Data,
    model: Model = "street-n",
    imgsz: ImageSize = 640,
    thresholds: Thresholds = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for precision-recall curves and confusion, PNG.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Score a detector on labelled images, with classes matched by name."""
    labelled = load_evaluation_data(data)
    given = operating_thresholds(model, thresholds)
    labels, seen = looked(model, imgsz, labelled)
    names = scored_names(labelled, labels)
    scenes = limited(seen.scenes, names)
    report = score_scenes(scenes, names, given)
    coco, times = _coco(scenes, names), latency(seen.timings)
    if plots is not None:
        write_plots(scenes, report, plots)
    if json:
        typer.echo(json_format.dumps(_as_json(report, coco, times)))
    else:
        _print(report, coco, times)


def compare_models(
    a: Annotated[str, typer.Argument(help="Name in the registry, or path.")],
    b: Annotated[str, typer.Argument(help="The other one.")],
    data: Data,
    imgsz: ImageSize = 640,
    json: AsJson = False,
) -> None:
    """Show the same images to two detectors: what differs, and whether it may be chance."""
    labelled = load_evaluation_data(data)
    seen = [looked(model, imgsz, labelled) for model in (a, b)]
    names, alone = _common_names(labelled, seen[0][0], seen[1][0])
    scenes = [limited(side.scenes, names) for _, side in seen]
    reports = [
        score_scenes(side, names, operating_thresholds(model, None))
        for model, side in zip((a, b), scenes, strict=True)
    ]
    comparison = compare(scenes[0], scenes[1], names)
    times = [latency(side.timings) for _, side in seen]
    document = {
        "images": len(scenes[0]),
        "models": {"a": a, "b": b},
        "map50": comparison.map50.as_json(),
        "classes": {
            name: {**difference.as_json(), **_sides(reports, name)}
            for name, difference in comparison.classes.items()
        },
        "false_alarms_per_100_images": _by_side(
            [report.as_json()["false_alarms_per_100_images"] for report in reports]
        ),
        "latency": _by_side([None if one is None else one.as_json() for one in times]),
        "not_compared": alone,
    }
    if json:
        typer.echo(json_format.dumps(document))
    else:
        _print_comparison(document, {"mean": comparison.map50, **comparison.classes})


def _common_names(
    data: EvaluationData, a: Sequence[str], b: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """Classes to compare, and by side those that the other does not know."""
    names = data.score or tuple(name for name in data.names if name in a and name in b)
    return names, {
        side: [name for name in data.names if name in ours and name not in (*theirs, *names)]
        for side, ours, theirs in (("a", a, b), ("b", b, a))
    }


def _by_side(values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(SIDES, values, strict=True))


def _sides(reports: Sequence[Report], name: str) -> dict[str, Any]:
    """What is at the operating thresholds, side by side."""
    scores = [report.classes[name].as_json() for report in reports]
    figures = ("precision", "recall", "threshold", "false_alarms_per_1000_negative_images")
    return {figure: _by_side([score[figure] for score in scores]) for figure in figures}


def _coco(scenes: Sequence[Scene], names: Sequence[str]) -> Coco | str:
    """The figures, or why there are none: all else can be told without them."""
    try:
        return coco_figures(scenes, names)
    except SetupError as error:
        return str(error)


def _as_json(report: Report, coco: Coco | str, times: Latency | None) -> dict[str, Any]:
    document = report.as_json()
    for name, score in document["classes"].items():
        by_size = {} if isinstance(coco, str) else coco[name]
        score["coco"] = {
            size: None if figures is None else figures.as_json()
            for size, figures in by_size.items()
        }
    document["coco_missing"] = coco if isinstance(coco, str) else None
    document["latency"] = None if times is None else times.as_json()
    return document


def _print(report: Report, coco: Coco | str, times: Latency | None) -> None:
    alarms = report.false_alarms_per_100_images
    told = "no negative images" if alarms is None else f"{alarms:.1f} false alarms per 100 of them"
    print_tables(
        _score_table(report),
        coco if isinstance(coco, str) else _coco_table(coco),
        _confusion_table(report),
        f"{report.images} images, mAP50 {spread(report.map50, report.map50_interval)};"
        f" {report.negative_images} without objects, {told}",
        "no times" if times is None else _told(times),
    )


def _told(times: Latency) -> str:
    return (
        f"a picture takes {times.median_ms:.1f} ms (95 % of them below {times.p95_ms:.1f} ms),"
        f" {times.median_process_cpu_ms:.1f} ms of processor time; {times.machine}"
    )


def _score_table(report: Report) -> Table:
    table = Table(
        "class", "objects", "mAP50", "precision", "recall", "threshold", "false/1,000",
        title="at the operating thresholds; 95 % intervals",
    )  # fmt: skip
    for name, score in report.classes.items():
        rate = score.false_alarms
        told = "" if rate.per_1000 is None else spread(rate.per_1000, rate.interval_per_1000)
        table.add_row(
            name,
            str(score.objects),
            spread(score.map50, score.map50_interval),
            spread(score.precision, score.precision_interval),
            spread(score.recall, score.recall_interval),
            f"{score.threshold:.3f} {score.threshold_from}",
            told,
        )
    return table


def _coco_table(coco: Coco) -> Table:
    table = Table(
        "class", *SIZES, title="COCO: AP50 / AP50-95 / AR (objects), by size as the network sees it"
    )
    for name, by_size in coco.items():
        table.add_row(name, *(_cell(by_size[size]) for size in SIZES))
    return table


def _cell(figures: CocoFigures | None) -> str:
    if figures is None:
        return "-"
    return f"{figures.ap50:.2f} / {figures.ap50_95:.2f} / {figures.ar:.2f} ({figures.objects})"


def _confusion_table(report: Report) -> Table:
    labels = report.confusion.labels
    table = Table("there \\ found", *labels, title="confusion at the operating thresholds")
    for label, row in zip(labels, report.confusion.counts, strict=True):
        table.add_row(label, *(str(count) if count else "" for count in row))
    return table


def _print_comparison(document: dict[str, Any], differences: Mapping[str, Difference]) -> None:
    models = document["models"]
    table = Table(
        "class", "AP50 a", "AP50 b", "b - a [95 %]", "better", "recall a | b", "false/1,000 a | b",
        title=f"{document['images']} images; a: {models['a']}, b: {models['b']}",
    )  # fmt: skip
    for name, difference in differences.items():
        score = document["classes"].get(name, {})
        rates = score.get("false_alarms_per_1000_negative_images", {})
        table.add_row(
            name,
            f"{difference.a:.3f}",
            f"{difference.b:.3f}",
            spread(difference.b - difference.a, difference.interval),
            models[difference.better] if difference.better else "may be chance",
            _pair(score.get("recall", {})),
            _pair({side: rate["per_1000"] for side, rate in rates.items()}),
        )
    print_tables(table, *_asides(document))


def _pair(values: Mapping[str, float | None]) -> str:
    return " | ".join("-" if value is None else f"{value:.2f}" for value in values.values())


def _asides(document: dict[str, Any]) -> list[str]:
    told = [
        f"{side}: {times['median_ms']:.1f} ms a picture, {times['median_process_cpu_ms']:.1f} ms"
        f" of processor time"
        for side, times in document["latency"].items()
        if times is not None
    ]
    return told + [
        f"{side} alone knows, not compared: {', '.join(names)}"
        for side, names in document["not_compared"].items()
        if names
    ]
