"""``streetwarden model list|verify|pull|export``: the weights of detectors."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from detector.weights.export import ExportForm, ExportOrder, export_weights
from detector.weights.form import Listed, WeightsEntry, WeightsFormat, WeightsVariant
from detector.weights.pull import UNKNOWN_LICENCE, PullOrder
from detector.weights.pull import pull as pull_weights
from detector.weights.registry import Registry, load_registry, resolve
from detector.weights.registry import verify as verify_variant
from models.errors import WeightsError

EXIT_FAILED = 1
TARGET_SUFFIX = "_openvino_model"
"""What ultralytics knows the folder of an OpenVINO model by."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def list_models(*, as_json: Json = False) -> None:
    """List the weights that are known by name: shipped ones, and those that were pulled."""
    registry = load_registry()
    if as_json:
        _print_json([_described(item) for item in registry.listed])
        return
    table = Table("name", "status", "formats", "size", "mAP50", "licence", "files")
    for item in registry.listed:
        entry = item.entry
        table.add_row(
            entry.name,
            entry.status,
            ", ".join(f"{v.format} {v.precision}" for v in entry.variants),
            f"{entry.image_size_px} px" if entry.image_size_px else "",
            f"{entry.figures['map50']:.2f}" if "map50" in entry.figures else "",
            entry.licence,
            "here" if _is_here(item) else "[red]missing[/red]",
        )
    console = Console()
    console.print(table if registry.listed else "no weights are listed")
    for item in registry.listed:
        console.print(f"{item.entry.name}: {item.entry.description}")
        console.print(f"  {_classes(item.entry)}", style="dim", highlight=False)


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names to check; without any, all are.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Check that weights are there and are what the registry says; exit code 1 if not."""
    results = list(_verified(load_registry(), names or []))
    if as_json:
        _print_json(results)
    else:
        for result in results:
            problem = result["problem"]
            typer.echo(f"{result['name']} ({result['format']}): {problem or 'OK'}")
    if any(result["problem"] for result in results):
        raise typer.Exit(EXIT_FAILED)


def pull(
    name: Annotated[str, typer.Argument(help="Name that the weights have or shall have.")],
    source: Annotated[
        str | None,
        typer.Option("--from", help="A .pt or .onnx, the folder of an OpenVINO model, or a URL."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="What the file must be; required with a URL.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = UNKNOWN_LICENCE,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace weights of this name pulled before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add weights to this installation, from their URL or from a file that you brought.

    A .pt file can run code when it is loaded: take it only from a publisher you trust.
    """
    order = PullOrder(name=name, source=source, sha256=sha256, licence=licence, replace=replace)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=_errors(),
        transient=True,
    ) as bar:
        task = bar.add_task(name)
        listed = pull_weights(
            order, lambda there, total: bar.update(task, completed=there, total=total)
        )
    if as_json:
        _print_json(_described(listed))
    else:
        typer.echo(f"{name}: verified and ready; use it with `model: {{weights: {name}}}`")


def export(
    weights: Annotated[str, typer.Argument(help="Name in the registry, or a .pt file.")],
    form: Annotated[
        ExportForm, typer.Option("--to", help="What to make.")
    ] = ExportForm.OPENVINO_FLOAT16,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the files; default: beside where you are.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of pictures from your cameras, for INT8.")
    ] = None,
    image_size_px: Annotated[
        int, typer.Option("--size", help="Longer side in pixels, a multiple of 32.")
    ] = 640,
    *,
    as_json: Json = False,
) -> None:
    """Turn .pt weights into OpenVINO (float16, INT8) or ONNX, which run without torch."""
    found = resolve(weights, (WeightsFormat.PYTORCH,))
    order = ExportOrder(
        source=found.path,
        target=out or Path(f"{found.path.stem}_{form}{TARGET_SUFFIX}"),
        form=form,
        image_size_px=image_size_px,
        calibration=calibration,
    )
    with redirect_stdout(sys.stderr):  # quantisation draws its progress on the output
        files = export_weights(order)
    if as_json:
        _print_json({"form": form, "files": [str(path) for path in files]})
    else:
        typer.echo(f"written: {files[0]}; use it with `model: {{weights: {files[0]}}}`")


def _verified(registry: Registry, names: Iterable[str]) -> Iterable[dict[str, Any]]:
    chosen = [registry.find(name) for name in names] or registry.listed
    for item in chosen:
        for variant in item.entry.variants:
            problem = _problem(item, variant)
            yield {"name": item.entry.name, "format": variant.format, "problem": problem}


def _problem(item: Listed, variant: WeightsVariant) -> str | None:
    try:
        verify_variant(item, variant)
    except WeightsError as error:
        return str(error)
    return None


def _classes(entry: WeightsEntry) -> str:
    return ", ".join(
        f"{label} (experimental)" if label in entry.experimental else label
        for label in entry.labels or entry.experimental
    )


def _is_here(item: Listed) -> bool:
    return all(
        item.path(file).is_file() for variant in item.entry.variants for file in variant.files
    )


def _described(item: Listed) -> dict[str, Any]:
    return {**asdict(item.entry), "shipped": item.shipped, "here": _is_here(item)}


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _errors() -> Console:
    """Progress belongs beside the result, not in it."""
    return Console(stderr=True)
