"""Curves of precision over recall and the confusion matrix, as PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from detector.training.confusion import Confusion
from detector.training.curves import outcome, precision_recall, rank
from detector.training.evaluation import Report
from detector.training.scenes import Scene
from models.errors import SetupError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
PANEL_IN = 3.0
DPI = 120
_INK = "#1f5f8b"
_MARK = "#c0392b"


def write_plots(scenes: Sequence[Scene], report: Report, folder: Path) -> tuple[Path, ...]:
    """Write ``pr_curves.png`` and ``confusion.png``; raises :class:`SetupError` if it cannot."""
    try:
        figures = {
            "pr_curves.png": _curves(scenes, report),
            "confusion.png": _matrix(report.confusion),
        }
    except ImportError as error:
        message = "matplotlib is not installed: pip install 'streetwarden[ultralytics]'"
        raise SetupError(message) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            figure.savefig(folder / name, dpi=DPI)
    except OSError as error:
        raise SetupError(f"{folder}: the plots cannot be written: {error}") from error
    return tuple(folder / name for name in figures)


def _figure(width_in: float, height_in: float) -> Figure:
    # Not pyplot, which keeps every figure and looks for a screen.
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def _curves(scenes: Sequence[Scene], report: Report) -> Figure:
    columns = min(COLUMNS, max(1, len(report.classes)))
    rows = max(1, math.ceil(len(report.classes) / columns))
    figure = _figure(PANEL_IN * columns, PANEL_IN * rows)
    for number, name in enumerate(report.classes, 1):
        _curve(figure.add_subplot(rows, columns, number), scenes, report, name)
    return figure


def _curve(axes: Axes, scenes: Sequence[Scene], report: Report, name: str) -> None:
    ranked, score = rank(scenes, name), report.classes[name]
    precision, recall = precision_recall(ranked)
    axes.plot(recall, precision, color=_INK)
    shown = int(outcome(ranked, score.threshold).shown.sum())
    if shown:
        axes.plot(recall[shown - 1], precision[shown - 1], "o", color=_MARK)
    axes.set_title(f"{name}  AP50 {score.map50:.2f}  ● {score.threshold:.2f}", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.grid(visible=True, alpha=0.3)


def _matrix(matrix: Confusion) -> Figure:
    size = len(matrix.labels)
    figure = _figure(3 + 0.5 * size, 2 + 0.5 * size)
    axes = figure.add_subplot()
    rows = matrix.counts.sum(axis=1, keepdims=True)
    shares = matrix.counts / np.maximum(rows, 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(size), matrix.labels, rotation=90)
    axes.set_yticks(range(size), matrix.labels)
    axes.set(xlabel="found", ylabel="there")
    for (row, column), count in np.ndenumerate(matrix.counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=7)
    return figure
