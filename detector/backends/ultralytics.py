"""Whatever ultralytics can load: ``.pt`` weights, CUDA, and its exported forms.

Pictures are letterboxed here, as for OpenVINO, and handed over as tensors, so that the same weights
give the same boxes whichever backend runs them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.backends.decode import (
    MAX_DETECTIONS,
    NMS_IOU_RATIO,
    Candidates,
    to_detections,
)
from detector.backends.graph_metadata import names_of
from detector.backends.labels import make_label_table
from detector.backends.letterbox import PAD_VALUE, FloatArray, Letterbox, fit, fit_into
from detector.backends.torch_runtime import limit_torch_threads, load_ultralytics
from models.city import ModelChoice
from models.errors import InferenceError, WeightsError
from models.seeing import Detection, Image

PIXEL_MAX = 255.0
FOREIGN_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, AttributeError, OSError)
"""What torch and ultralytics raise for weights and devices they cannot use."""
LOADING_ERRORS = (*FOREIGN_ERRORS, ImportError, EOFError, SyntaxError, AssertionError)
"""Unpickling and the many formats behind ultralytics add these."""


class UltralyticsDetector:
    """One network behind ultralytics' predictor, which takes one caller at a time."""

    def __init__(self, path: Path, choice: ModelChoice, labels: Sequence[str] = ()) -> None:
        self._choice = choice
        self._lock = threading.Lock()
        self._model: Any = _load(path, load_ultralytics())
        self._fixed_size = _warm_up(self._model, choice, path)
        classes = _classes(self._model, path, labels)
        self._table = make_label_table(classes, choice.class_map)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a detection can carry."""
        return self._table.labels

    @property
    def image_size_px(self) -> int:
        """Longer side of what the network sees."""
        return self._choice.image_size_px

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """Boxes of each image, in its own pixels; images may differ in size."""
        with self._lock:
            if self._model is None:
                raise InferenceError("the detector is closed")
            return [self._detect(image) for image in images]

    def close(self) -> None:
        """Free the network, after a request under way has ended."""
        with self._lock:
            self._model = None

    def _detect(self, image: Image) -> tuple[Detection, ...]:
        letterbox = self._letterbox(image)
        try:
            found = _predict(self._model, letterbox.apply(image), self._choice)
        except FOREIGN_ERRORS as error:
            raise InferenceError(f"ultralytics failed on a frame: {error}") from error
        return to_detections(found, self._table, letterbox, overlaps=False)

    def _letterbox(self, image: Image) -> Letterbox:
        if self._fixed_size:
            return fit_into(image, *self._fixed_size)
        return fit(image, self._choice.image_size_px)


def _load(path: Path, ultralytics: Any) -> Any:
    # The folder, not the graph, is what ultralytics knows an OpenVINO model by.
    known_as = path.parent if path.suffix == ".xml" else path
    if not known_as.exists():
        raise WeightsError(f"there are no weights at {known_as}")
    if path.suffix == ".xml" and not known_as.name.endswith("_openvino_model"):
        raise WeightsError(
            f"ultralytics takes OpenVINO models only from folders named *_openvino_model, not"
            f" {known_as.name}; use model.backend: openvino"
        )
    try:
        model = ultralytics.YOLO(str(known_as), task="detect")
    except LOADING_ERRORS as error:
        raise WeightsError(f"ultralytics cannot load {path}: {error}") from error
    if model.task != "detect":
        raise WeightsError(f"{path} is for the task {model.task!r}; 'detect' is needed")
    return model


def _warm_up(model: Any, choice: ModelChoice, path: Path) -> tuple[int, int] | None:
    """Run once on grey; (width, height) of a network that was exported for one size only."""
    size = choice.image_size_px
    grey = np.full((size, size, 3), PAD_VALUE, dtype=np.uint8)
    try:
        _predict(model, grey, choice)
    except LOADING_ERRORS as error:
        raise WeightsError(
            f"ultralytics cannot run {path} at {size}x{size} on {choice.device}: {error}"
        ) from error
    finally:
        limit_torch_threads()
    network = model.predictor.model
    any_size = getattr(network, "format", "") == "pt" or getattr(network, "dynamic", False)
    return None if any_size else (size, size)


def _classes(model: Any, path: Path, labels: Sequence[str]) -> tuple[str, ...]:
    names = names_of(model.predictor.model.names)
    if labels and tuple(labels) != names:
        raise WeightsError(
            f"{path} knows {', '.join(names)}, but the registry lists {', '.join(labels)}:"
            " the two do not belong together"
        )
    return names


def _predict(model: Any, picture: Image, choice: ModelChoice) -> Candidates:
    import torch

    pixels = torch.from_numpy(np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1)))
    (result,) = model.predict(
        pixels[None].float() / PIXEL_MAX,
        imgsz=picture.shape[:2],
        device=choice.device,
        conf=choice.min_confidence,
        iou=NMS_IOU_RATIO,
        max_det=MAX_DETECTIONS,
        agnostic_nms=False,
        verbose=False,
        save=False,
    )
    table: FloatArray = result.boxes.data.cpu().numpy().astype(np.float32)
    if not np.isfinite(table).all():
        raise InferenceError("the network gave values that are not numbers")
    return Candidates(
        boxes=table[:, :4], confidences=table[:, 4], classes=table[:, 5].astype(np.int64)
    )
