"""COCO's metrics by class and size of the object, by COCO's own pycocotools."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from detector.training.scenes import Scene
from models.errors import SetupError

SIZE_LIMITS_PX = (32.0, 96.0)
"""COCO's limits between small, medium and large: square root of the area of the box."""
SIZES = ("all", "small", "medium", "large")
MAX_DETECTIONS = 100
"""Of one class in one picture, as in COCO."""
_FAR_PX = 1e5


@dataclass(frozen=True, kw_only=True, slots=True)
class CocoFigures:
    """Figures of one class and size."""

    objects: int
    ap50: float
    ap50_95: float
    ar: float
    """Average recall over IoU 0.5 to 0.95."""

    def as_json(self) -> dict[str, Any]:
        """The figures as they are written for other programs."""
        return {
            name: value if name == "objects" else round(value, 4)
            for name, value in asdict(self).items()
        }


def coco_figures(
    scenes: Sequence[Scene], names: Sequence[str]
) -> dict[str, Mapping[str, CocoFigures | None]]:
    """By class, then by size; None where there are no objects of that size.

    Sizes are those that the network sees, whatever the resolution of the picture. Raises
    :class:`SetupError` without pycocotools.
    """
    try:
        api = importlib.import_module("pycocotools.coco").COCO
        evaluation = importlib.import_module("pycocotools.cocoeval").COCOeval
    except ImportError as error:
        message = "pycocotools is not installed: pip install 'streetwarden[ultralytics]'"
        raise SetupError(message) from error
    with redirect_stdout(io.StringIO()):  # it reports each of its steps
        truth, found = (_index(api, scenes, names, _boxes(scenes, names, kind)) for kind in (0, 1))
        run = evaluation(truth, found, "bbox")
        _set(run.params)
        run.evaluate()
        run.accumulate()
    return {name: _by_size(run, number) for number, name in enumerate(names)}


def _boxes(scenes: Sequence[Scene], names: Sequence[str], kind: int) -> Iterator[dict[str, Any]]:
    """Annotations (kind 0) or results (kind 1), numbered from 1 as COCO wants it."""
    number = 0
    for picture, scene in enumerate(scenes, 1):
        labelled = [(label, box, 1.0) for label, box in scene.truth]
        shown = [(d.label, d.box, d.confidence) for d in scene.found]
        for label, box, confidence in shown if kind else labelled:
            number += 1
            yield {
                "id": number,
                "image_id": picture,
                "category_id": names.index(label) + 1,
                "bbox": [box.x1, box.y1, box.width, box.height],
                "area": box.area * scene.scale**2,
                "score": confidence,
                "iscrowd": 0,
            }


def _index(
    api: Any, scenes: Sequence[Scene], names: Sequence[str], boxes: Iterator[dict[str, Any]]
) -> Any:
    index = api()
    index.dataset = {
        "images": [{"id": number} for number in range(1, len(scenes) + 1)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        "annotations": list(boxes),
    }
    index.createIndex()
    return index


def _set(params: Any) -> None:
    small, large = (limit**2 for limit in SIZE_LIMITS_PX)
    params.areaRng = [[0, _FAR_PX**2], [0, small], [small, large], [large, _FAR_PX**2]]
    params.areaRngLbl = list(SIZES)
    params.maxDets = [MAX_DETECTIONS]


def _by_size(run: Any, number: int) -> dict[str, CocoFigures | None]:
    """``precision``: (IoU, recall level, class, size, 1); ``recall`` the same without level."""
    precision = run.eval["precision"][:, :, number, :, -1]
    recall = run.eval["recall"][:, number, :, -1]
    counts = _objects(run, number + 1)
    return {
        size: CocoFigures(
            objects=counts[row],
            ap50=float(precision[0, :, row].mean()),
            ap50_95=float(precision[:, :, row].mean()),
            ar=float(recall[:, row].mean()),
        )
        if counts[row]
        else None
        for row, size in enumerate(SIZES)
    }


def _objects(run: Any, category: int) -> list[int]:
    areas = [
        box["area"] for box in run.cocoGt.dataset["annotations"] if box["category_id"] == category
    ]
    ranges = run.params.areaRng
    return [int(np.sum([low <= area <= high for area in areas])) for low, high in ranges]
