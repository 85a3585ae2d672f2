"""Files beside a clip: boxes of all frames (CSV) and ground truth (YAML)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import yaml

from sample_videos.render.spec import SceneSpec
from sample_videos.render.truth import Boxes, ground_truth

_LINE_LENGTH = 110


def write_boxes(path: Path, boxes: Boxes, labels: Mapping[str, str]) -> None:
    """Write one row for each thing in each frame."""
    rows = sorted(
        (number, name, labels[name], *box)
        for name, frames in boxes.items()
        for number, box in frames.items()
    )
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("frame", "name", "label", "x1", "y1", "x2", "y2"))
        writer.writerows(rows)


def read_boxes(path: Path) -> Boxes:
    """Read what :func:`write_boxes` wrote."""
    boxes: Boxes = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            box = (int(row["x1"]), int(row["y1"]), int(row["x2"]), int(row["y2"]))
            boxes.setdefault(row["name"], {})[int(row["frame"])] = box
    return boxes


def write_truth(path: Path, spec: SceneSpec, boxes: Boxes) -> None:
    """Write the ground truth that follows from the scene and its boxes."""
    text = yaml.safe_dump(
        ground_truth(spec, boxes),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=_LINE_LENGTH,
    )
    path.write_text(text, encoding="utf-8")
