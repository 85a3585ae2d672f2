"""What the commands that measure a detector share: opening it, thresholds, progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from detector.backends.loading import load_detector
from detector.backends.protocol import Detector
from detector.training.evaluation_data import EvaluationData
from detector.training.scenes import Looked, look_at
from detector.weights.registry import load_registry
from models.city import ModelChoice
from models.errors import ConfigError, Problem

LOWEST_CONFIDENCE = 0.001
"""Average precision needs the unsure detections too."""
PIPED_WIDTH = 160
"""Of tables where no terminal says how wide it is."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ImageSize = Annotated[
    int, typer.Option("--imgsz", help="Longer side that the network sees, in px.")
]
Data = Annotated[Path, typer.Option("--data", help="Ultralytics data YAML; its `val` is used.")]
Model = Annotated[str, typer.Option("--model", help="Name in the registry, or path.")]
Thresholds = Annotated[
    Path | None,
    typer.Option(help="YAML of `model calibrate`; default: the registry's, else that of best F1."),
]

Item = TypeVar("Item")


@contextmanager
def opened(model: str, image_size_px: int) -> Iterator[Detector]:
    """A detector that also tells what it is unsure of; closed in the end."""
    choice = ModelChoice(
        weights=model, image_size_px=image_size_px, min_confidence=LOWEST_CONFIDENCE
    )
    detector = load_detector(choice)
    try:
        yield detector
    finally:
        detector.close()


def looked(model: str, image_size_px: int, data: EvaluationData) -> tuple[tuple[str, ...], Looked]:
    """Labels of a detector, and all of a data set as it saw it."""
    with opened(model, image_size_px) as detector:
        return detector.labels, look_at(detector, shown(data.images, model))


def shown(items: Iterable[Item], text: str) -> Iterable[Item]:
    """The items, with a bar on stderr where somebody looks at it."""
    console = Console(stderr=True)
    total = len(items) if isinstance(items, Sequence) else None
    return track(items, text, total=total, console=console, disable=not console.is_terminal)


def operating_thresholds(model: str, file: Path | None) -> Mapping[str, float]:
    """Per-class thresholds: the file's, or the registry's for a model that it lists."""
    if file is not None:
        return _read_thresholds(file)
    registry = load_registry()
    return registry.find(model).entry.thresholds if model in registry.names() else {}


def print_tables(*tables: Table | str) -> None:
    """Print for people, wide enough where the output is piped."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    for table in tables:
        console.print(table, highlight=False)


def spread(value: float, interval: Sequence[float] | None) -> str:
    """A figure with its interval."""
    return f"{value:.3f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def _read_thresholds(file: Path) -> dict[str, float]:
    """``model.thresholds`` of a file as ``model calibrate`` writes it."""
    try:
        document: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in document["model"]["thresholds"].items()}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"no thresholds can be read from it: {error!r}"
        problem = Problem(file=str(file), line=1, where="model.thresholds", message=message)
        raise ConfigError([problem]) from error
