"""Makes the detector that a city's configuration asks for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from detector.backends.protocol import STRIDE_PX, Detector
from detector.weights.form import ResolvedWeights, WeightsFormat
from detector.weights.registry import ANY_FORMAT, Registry, resolve, sha256_of
from models.city import ModelChoice
from models.errors import WeightsError

OPENVINO_FORMATS = (WeightsFormat.OPENVINO, WeightsFormat.ONNX)
ULTRALYTICS_FORMATS = (WeightsFormat.PYTORCH, WeightsFormat.ONNX, WeightsFormat.OPENVINO)
BACKENDS = ("auto", "openvino", "ultralytics")
MIN_SIZE_PX = 64
MAX_SIZE_PX = 4096
VERSION_CHARACTERS = 8


def load_detector(
    choice: ModelChoice,
    *,
    precision: str | None = None,
    streams: int | None = None,
    registry: Registry | None = None,
) -> Detector:
    """Find, verify and load the weights of ``choice``; they have run once when this returns.

    ``precision`` (``f32``, ``bf16``, ``f16``) and ``streams`` (images at once) are for OpenVINO.
    Raises :class:`WeightsError` with what to do about it.
    """
    _check(choice)
    weights = resolve(choice.weights, _formats(choice), registry)
    if _wants_openvino(choice, weights):
        from detector.backends.openvino import OpenVinoDetector, OpenVinoOptions

        options = OpenVinoOptions(precision=precision, streams=streams)
        return OpenVinoDetector(weights.path, choice, weights.labels, options)
    from detector.backends.ultralytics import UltralyticsDetector

    return UltralyticsDetector(weights.path, choice, weights.labels)


def weights_version(choice: ModelChoice, registry: Registry | None = None) -> str:
    """Name of the weights and the start of their hash, such as ``street-n@1f3a9c02``.

    A retrained model under the same name or path has another version.
    """
    weights = resolve(choice.weights, _formats(choice), registry)
    # Of a path only the last part: orders need not tell how an edge machine's disk is laid out.
    return f"{Path(weights.name).name}@{_digest(weights.path)[:VERSION_CHARACTERS]}"


def weights_sha256(choice: ModelChoice, registry: Registry | None = None) -> str:
    """SHA-256 over the SHA-256 (as bytes) of each file of the weights, in order of their names."""
    return _digest(resolve(choice.weights, _formats(choice), registry).path)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(bytes.fromhex(sha256_of(file)))
    return digest.hexdigest()


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        return tuple(sorted(file for file in path.iterdir() if file.is_file()))
    # The graph of an OpenVINO model hardly changes when it learns; its weights lie beside it.
    beside = path.with_suffix(".bin")
    return (path, beside) if path.suffix == ".xml" and beside.is_file() else (path,)


def _check(choice: ModelChoice) -> None:
    if choice.backend not in BACKENDS:
        raise WeightsError(f"model.backend is {choice.backend!r}: use {', '.join(BACKENDS)}")
    size = choice.image_size_px
    if size % STRIDE_PX or not MIN_SIZE_PX <= size <= MAX_SIZE_PX:
        raise WeightsError(
            f"model.image_size_px is {size}: use a multiple of {STRIDE_PX} from {MIN_SIZE_PX} to"
            f" {MAX_SIZE_PX}, such as 640"
        )
    if choice.backend == "openvino" and choice.device.startswith("cuda"):
        raise WeightsError("OpenVINO does not run on CUDA: use model.backend: ultralytics")


def _formats(choice: ModelChoice) -> tuple[WeightsFormat, ...]:
    if choice.backend == "openvino":
        return OPENVINO_FORMATS
    if choice.backend == "ultralytics" or choice.device.startswith("cuda"):
        return ULTRALYTICS_FORMATS
    return ANY_FORMAT


def _wants_openvino(choice: ModelChoice, weights: ResolvedWeights) -> bool:
    if choice.backend != "auto":
        return choice.backend == "openvino"
    return weights.format in OPENVINO_FORMATS and not choice.device.startswith("cuda")
