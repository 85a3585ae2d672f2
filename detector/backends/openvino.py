"""YOLO networks on OpenVINO: the default, and all that a base installation has.

Each image is one request on one thread: on CPUs batches gain nothing, and two one-thread requests
are faster than one on two threads. ``NUM_STREAMS`` says how many run at once; more callers wait.
Instead of OpenVINO's ``PERFORMANCE_HINT`` the streams are given outright: LATENCY would use every
core for one image, THROUGHPUT would choose streams by core count without regard to the decoders
that run beside it. Precision is left to OpenVINO (bfloat16 where the processor has it) unless it is
given. Threads are not pinned to cores, for other processes would be pinned to the same ones.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.backends.decode import Head, decode, head_of, to_detections
from detector.backends.graph_metadata import read_metadata
from detector.backends.labels import make_label_table
from detector.backends.letterbox import PAD_VALUE, Letterbox, fit, fit_into
from detector.backends.openvino_runtime import ov
from detector.cores import usable_cores
from models.city import ModelChoice
from models.errors import InferenceError, WeightsError
from models.seeing import Detection, Image

MAX_SHAPES = 8
"""Compiled forms kept: one for each aspect ratio of cameras, the least recently used goes."""
MAX_STREAMS = 8
"""Streams cost memory each, and more cameras than these can serve belong on more processes."""
USUAL_ASPECT = (16, 9)
"""Of cameras: the shape that is compiled before the first frame comes."""
PIXEL_MAX = 255.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenVinoOptions:
    """What the configuration leaves to the program."""

    streams: int | None = None
    """Images looked at at once; ``None``: one for each core, at most ``MAX_STREAMS``."""
    precision: str | None = None
    """``f32``, ``bf16`` or ``f16``; ``None``: what is fastest on this processor."""


class OpenVinoDetector:
    """One network, compiled once for each shape that cameras need; thread-safe."""

    def __init__(
        self,
        path: Path,
        choice: ModelChoice,
        labels: Sequence[str] = (),
        options: OpenVinoOptions | None = None,
    ) -> None:
        self._choice = choice
        self._core = ov.Core()
        network = _read(self._core, path)
        classes = _classes(network, path, labels)
        self._head = head_of(_output_shape(network), len(classes))
        self._table = make_label_table(classes, choice.class_map)
        self._fixed_size = _fixed_size(network, choice.image_size_px)
        self._network = _with_preprocessing(network)
        self._settings = _settings(choice.device, options or OpenVinoOptions())
        self._lock = threading.Lock()
        self._requests: OrderedDict[tuple[int, int], _RequestPool] = OrderedDict()
        self._closed = False
        self._try_out()

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
        if self._closed:
            raise InferenceError("the detector is closed")
        return [self._detect(image) for image in images]

    def close(self) -> None:
        """Free the network; a request under way still ends well."""
        with self._lock:
            self._closed = True
            self._requests.clear()

    def _detect(self, image: Image) -> tuple[Detection, ...]:
        letterbox = self._letterbox(image)
        shape = (letterbox.input_width_px, letterbox.input_height_px)
        output = self._pool(shape).infer(letterbox.apply(image))
        found = decode(self._head, output, self._choice.min_confidence)
        overlaps = self._head is Head.RAW
        return to_detections(found, self._table, letterbox, overlaps=overlaps)

    def _try_out(self) -> None:
        """Look once: a network that cannot is known at the start, and cameras need not wait."""
        width, height = USUAL_ASPECT
        try:
            self._detect(np.full((height, width, 3), PAD_VALUE, dtype=np.uint8))
        except InferenceError as error:
            raise WeightsError(f"the network does not run: {error}") from error

    def _letterbox(self, image: Image) -> Letterbox:
        if self._fixed_size:
            return fit_into(image, *self._fixed_size)
        return fit(image, self._choice.image_size_px)

    def _pool(self, shape: tuple[int, int]) -> _RequestPool:
        """Requests for this (width, height); compiled under the lock, so only once."""
        with self._lock:
            pool = self._requests.get(shape)
            if pool is None:
                pool = self._requests[shape] = self._compile(*shape)
                if len(self._requests) > MAX_SHAPES:
                    self._requests.popitem(last=False)
            self._requests.move_to_end(shape)
            return pool

    def _compile(self, width: int, height: int) -> _RequestPool:
        try:
            network = self._network.clone()
            network.reshape([1, height, width, 3])
            compiled = self._core.compile_model(network, *self._settings)
        except RuntimeError as error:
            raise WeightsError(
                f"OpenVINO cannot run the network at {width}x{height} on"
                f" {self._settings[0]}: {_first_line(error)}"
            ) from error
        return _RequestPool(compiled)


class _RequestPool:
    """Requests of one compiled network; there come to be as many as callers at once."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()

    def infer(self, image: Image) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The output (rows, columns) for one input, a copy that the caller owns."""
        try:
            with self._borrowed() as request:
                request.infer([image[np.newaxis]], share_inputs=True)
                return np.array(request.get_output_tensor(0).data[0], dtype=np.float32)
        except RuntimeError as error:
            raise InferenceError(f"OpenVINO failed on a frame: {_first_line(error)}") from error

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        try:
            request = self._free.get_nowait()
        except queue.Empty:
            request = self._compiled.create_infer_request()
        yield request
        # A request that failed is not put back: its state is unknown.
        self._free.put(request)


def _read(core: Any, path: Path) -> Any:
    try:
        network = core.read_model(path)
    except RuntimeError as error:
        raise WeightsError(
            f"{path} is not a network that OpenVINO can read: {_first_line(error)}"
        ) from error
    inputs, outputs = len(network.inputs), len(network.outputs)
    if inputs != 1 or outputs != 1:
        raise WeightsError(
            f"{path} has {inputs} inputs and {outputs} outputs; a YOLO detection model has one"
            " of each (segmentation, pose and other tasks cannot be used)"
        )
    shape = network.input(0).partial_shape
    if shape.rank.is_dynamic or len(shape) != 4 or (shape[1].is_static and len(shape[1]) != 3):
        raise WeightsError(f"{path} takes {shape}; a YOLO detection model takes (1, 3, h, w)")
    return network


def _classes(network: Any, path: Path, labels: Sequence[str]) -> tuple[str, ...]:
    metadata = read_metadata(network, path)
    if metadata.task not in {"", "detect"}:
        raise WeightsError(f"{path} is for the task {metadata.task!r}; 'detect' is needed")
    if labels and metadata.names and tuple(labels) != metadata.names:
        raise WeightsError(
            f"{path} knows {', '.join(metadata.names)}, but the registry lists"
            f" {', '.join(labels)}: the two do not belong together"
        )
    classes = tuple(labels) or metadata.names
    if not classes:
        raise WeightsError(
            f"{path} does not say the names of its classes: put ultralytics' metadata.yaml with"
            " `names:` beside it"
        )
    return classes


def _output_shape(network: Any) -> list[int | None]:
    shape = network.output(0).partial_shape
    return [side.get_length() if side.is_static else None for side in shape]


def _fixed_size(network: Any, image_size_px: int) -> tuple[int, int] | None:
    """(width, height) of a network that was exported for one size only."""
    height, width = network.input(0).partial_shape[2], network.input(0).partial_shape[3]
    if height.is_dynamic or width.is_dynamic:
        return None
    size = (width.get_length(), height.get_length())
    if max(size) != image_size_px:
        raise WeightsError(
            f"these weights were exported for {size[0]}x{size[1]} only, model.image_size_px is"
            f" {image_size_px}: set it to {max(size)}, or export them again with dynamic shapes"
            " (`streetwarden model export`)"
        )
    return size


def _with_preprocessing(network: Any) -> Any:
    """The network taking BGR pixels of uint8: OpenVINO converts five times faster than numpy."""
    steps = ov.preprocess.PrePostProcessor(network)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(
        ov.Layout("NHWC")
    ).set_color_format(ov.preprocess.ColorFormat.BGR)
    steps.input().preprocess().convert_color(ov.preprocess.ColorFormat.RGB).convert_element_type(
        ov.Type.f32
    ).scale(PIXEL_MAX)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    try:
        return steps.build()
    except RuntimeError as error:
        raise WeightsError(f"the network takes no pictures: {_first_line(error)}") from error


def _settings(device: str, options: OpenVinoOptions) -> tuple[str, dict[str, Any]]:
    name = device.upper()
    settings: dict[str, Any] = {}
    if name == "CPU":
        streams = options.streams or min(MAX_STREAMS, usable_cores())
        settings = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams,
            "ENABLE_CPU_PINNING": False,
        }
    if options.precision:
        settings["INFERENCE_PRECISION_HINT"] = options.precision
    return name, settings


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
