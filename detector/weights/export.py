"""Turns ``.pt`` weights into what a city runs: OpenVINO (float16, INT8) or ONNX.

Shapes stay dynamic, so that one export serves every aspect ratio. Needs the extra
``[ultralytics]``.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector.backends.graph_metadata import METADATA_NAME
from detector.backends.letterbox import FloatArray, fit
from detector.backends.torch_runtime import INSTALL_HINT, load_ultralytics
from models.errors import WeightsError

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
CALIBRATION_IMAGES = 300
"""As many as NNCF looks at by default; more change the ranges little."""
MIN_CALIBRATION_IMAGES = 10
"""Fewer give ranges of activations that the next street exceeds."""
PIXEL_MAX = 255.0


class ExportForm(StrEnum):
    """What is made."""

    OPENVINO_FLOAT16 = "openvino-float16"
    OPENVINO_INT8 = "openvino-int8"
    ONNX = "onnx"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOrder:
    """What to export, to what, and where to."""

    source: Path
    """A ``.pt`` file."""
    target: Path
    """Folder that is made for the files; it must not exist yet or be empty."""
    form: ExportForm = ExportForm.OPENVINO_FLOAT16
    image_size_px: int = 640
    """Longer side of calibration images, and the size that the export is tried with."""
    calibration: Path | None = None
    """Folder of pictures such as the cameras give, for INT8."""


def export_weights(order: ExportOrder) -> tuple[Path, ...]:
    """Write the exported files; the first is the one to open.

    Nothing is left at the target if it fails. Raises :class:`WeightsError`.
    """
    _check(order)
    with _workshop(order.target) as folder:
        source = folder / order.source.name
        shutil.copyfile(order.source, source)
        made = folder / "made"
        made.mkdir()
        if order.form is ExportForm.ONNX:
            files = _export_onnx(source, made, order)
        else:
            files = _export_openvino(source, made, order)
        order.target.parent.mkdir(parents=True, exist_ok=True)
        if order.target.exists():
            order.target.rmdir()
        made.rename(order.target)
        return tuple(order.target / name for name in files)


def calibration_inputs(folder: Path, longer_side_px: int) -> Iterator[FloatArray]:
    """Pictures of a folder as a network takes them: (1, 3, h, w), RGB, 0 to 1."""
    for path in _spread(_images(folder), CALIBRATION_IMAGES):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise WeightsError(f"{path} is not a picture that can be read")
        pixels = image.astype(np.uint8)
        seen = fit(pixels, longer_side_px).apply(pixels)
        planes: FloatArray = seen[..., ::-1].transpose(2, 0, 1).astype(np.float32) / PIXEL_MAX
        yield np.ascontiguousarray(planes[np.newaxis])


def _check(order: ExportOrder) -> None:
    if order.source.suffix != ".pt" or not order.source.is_file():
        raise WeightsError(f"{order.source} is no .pt file; only those can be exported")
    if order.target.exists() and (not order.target.is_dir() or any(order.target.iterdir())):
        raise WeightsError(f"{order.target} exists already: choose another --out, or remove it")
    if order.form is not ExportForm.OPENVINO_INT8:
        return
    if order.calibration is None or not order.calibration.is_dir():
        raise WeightsError(
            "INT8 needs --calibration: a folder of pictures such as the cameras give"
        )
    count = len(_images(order.calibration))
    if count < MIN_CALIBRATION_IMAGES:
        raise WeightsError(
            f"{order.calibration} holds {count} pictures; INT8 needs {MIN_CALIBRATION_IMAGES} or"
            f" more, better {CALIBRATION_IMAGES}, from the cameras it will serve"
        )


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """A temporary folder on the target's file system, so that the result only has to be renamed."""
    parent = target.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise WeightsError(f"{target} cannot be written: {error}") from error


def _export_onnx(source: Path, made: Path, order: ExportOrder) -> list[str]:
    written = _ultralytics_export(source, "onnx", order.image_size_px, simplify=False)
    name = f"{source.stem}.onnx"
    written.rename(made / name)
    return [name]


def _export_openvino(source: Path, made: Path, order: ExportOrder) -> list[str]:
    from detector.backends.openvino_runtime import ov

    written = _ultralytics_export(source, "openvino", order.image_size_px)
    network = ov.Core().read_model(written / f"{source.stem}.xml")
    if order.form is ExportForm.OPENVINO_INT8 and order.calibration is not None:
        inputs = list(calibration_inputs(order.calibration, order.image_size_px))
        network = quantise(network, inputs)
    name = f"{source.stem}.xml"
    ov.save_model(network, made / name, compress_to_fp16=True)
    (written / METADATA_NAME).rename(made / METADATA_NAME)
    return [name, f"{source.stem}.bin", METADATA_NAME]


def _ultralytics_export(source: Path, form: str, image_size_px: int, **options: Any) -> Path:
    ultralytics = load_ultralytics()

    def work() -> str:
        model = ultralytics.YOLO(str(source), task="detect")
        if model.task != "detect":
            raise WeightsError(f"{source.name} is for the task {model.task!r}, not for detection")
        with warnings.catch_warnings():
            # Ultralytics still traces with TorchScript, which torch calls out of date, in many
            # words and places; nothing but the export runs here.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return str(model.export(format=form, dynamic=True, imgsz=image_size_px, **options))

    return Path(_mapped(work, f"{source.name} cannot be exported"))


def _mapped(work: Callable[[], Any], what: str) -> Any:
    try:
        return work()
    except WeightsError:
        raise
    except ImportError as error:
        raise WeightsError(f"{what}: {error}; {INSTALL_HINT}") from error
    except Exception as error:
        raise WeightsError(f"{what}: {type(error).__name__}: {error}") from error


def quantise(network: Any, inputs: Sequence[FloatArray]) -> Any:
    """INT8 form of an OpenVINO network, its ranges taken from these inputs.

    What follows the head's convolutions (joining, box arithmetic, the scores' sigmoid) stays in
    floating point: boxes reach hundreds of pixels and scores 0 to 1 in one tensor, for which one
    INT8 range is too coarse.
    """

    def work() -> Any:
        import logging

        import nncf

        nncf.set_log_level(logging.ERROR)
        return nncf.quantize(
            model=network,
            calibration_dataset=nncf.Dataset(inputs),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(inputs),
            ignored_scope=nncf.IgnoredScope(names=_head_arithmetic(network)),
        )

    return _mapped(work, "the network cannot be quantised")


def _head_arithmetic(network: Any) -> list[str]:
    operations = network.get_ordered_ops()
    sigmoids = [op.get_friendly_name() for op in operations if op.get_type_name() == "Sigmoid"]
    if not sigmoids:
        raise WeightsError("the network does not end as a YOLO detector does (no sigmoid)")
    head = sigmoids[-1].split("/", 1)[0]
    names = [op.get_friendly_name() for op in operations if op.get_type_name() != "Constant"]
    return [
        name for name in names if name in sigmoids or name.startswith((f"{head}/", f"{head}.dfl"))
    ]


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _spread(paths: Sequence[Path], limit: int) -> Iterable[Path]:
    """At most so many, from all over the list: neighbours in a folder look alike."""
    if len(paths) <= limit:
        return paths
    return [paths[index * len(paths) // limit] for index in range(limit)]
