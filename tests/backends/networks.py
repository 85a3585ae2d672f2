"""Small OpenVINO networks whose answer is known: they measure the colour of what they are shown.

The score of the classes red, green and blue is the mean of that channel, 0 to 1, so that a wrong
order of channels, a wrong scale or mixed-up pictures give another answer. Boxes are constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.backends.openvino_runtime import ov
from models.seeing import Image

COLOURS = ("red", "green", "blue")
ANCHORS = 21
BOX_CXCYWH = (16.0, 24.0, 20.0, 10.0)
BOX_XYXY = (6.0, 19.0, 26.0, 29.0)
ANY_SIZE = (-1, 3, -1, -1)
FIXED_SIZE = (1, 3, 64, 64)


def plain(colour: tuple[int, int, int], width: int = 64, height: int = 64) -> Image:
    """A picture of one (red, green, blue) colour."""
    return np.full((height, width, 3), colour[::-1], dtype=np.uint8)


def raw_head(shape: Sequence[int] = ANY_SIZE, anchors: int = ANCHORS) -> Any:
    """(1, 7, anchors): the same box at every anchor; only the first two anchors have scores."""
    pixels, scores = _mean_colour(shape)
    mask = np.zeros((1, 1, anchors), dtype=np.float32)
    mask[0, 0, :2] = 1.0, 0.9
    op = ov.opset13
    column = op.multiply(op.reshape(scores, [1, 3, 1], special_zero=False), op.constant(mask))
    boxes = np.repeat(np.array(BOX_CXCYWH, np.float32)[None, :, None], anchors, axis=2)
    return _model(op.concat([op.constant(boxes), column], axis=1), pixels)


def end_to_end_head(shape: Sequence[int] = ANY_SIZE) -> Any:
    """(1, 3, 6): one row a colour, the same box each time; nothing is to be suppressed."""
    pixels, scores = _mean_colour(shape)
    op = ov.opset13
    boxes = np.repeat(np.array(BOX_XYXY, np.float32)[None, None], 3, axis=1)
    classes = np.arange(3, dtype=np.float32).reshape(1, 3, 1)
    column = op.reshape(scores, [1, 3, 1], special_zero=False)
    return _model(op.concat([op.constant(boxes), column, op.constant(classes)], axis=2), pixels)


def undefined_in_the_dark() -> Any:
    """Like ``raw_head``, but its scores are no numbers where a channel is below 0.2."""
    pixels, scores = _mean_colour(ANY_SIZE)
    op = ov.opset13
    rooted = op.sqrt(op.subtract(scores, op.constant(np.float32(0.2))))
    column = op.broadcast(op.reshape(rooted, [1, 3, 1], special_zero=False), [1, 3, ANCHORS])
    boxes = np.repeat(np.array(BOX_CXCYWH, np.float32)[None, :, None], ANCHORS, axis=2)
    return _model(op.concat([op.constant(boxes), column], axis=1), pixels)


def two_outputs() -> Any:
    """As a segmentation network has."""
    pixels, scores = _mean_colour(ANY_SIZE)
    op = ov.opset13
    return ov.Model([op.result(scores), op.result(op.relu(scores))], [pixels], "two")


def classifier() -> Any:
    """One score a class and no boxes."""
    pixels, scores = _mean_colour(ANY_SIZE)
    return _model(scores, pixels)


def save(
    network: Any, folder: Path, names: Sequence[str] | None = COLOURS, task: str = "detect"
) -> Path:
    """Write the graph, and ultralytics' metadata beside it unless there are no names."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "net.xml"
    ov.save_model(network, path, compress_to_fp16=False)
    if names is not None:
        listed = "".join(f"  {index}: {name}\n" for index, name in enumerate(names))
        text = f"task: {task}\nnames:\n{listed}"
        (folder / "metadata.yaml").write_text(text, encoding="utf-8")
    return path


def _mean_colour(shape: Sequence[int]) -> tuple[Any, Any]:
    op = ov.opset13
    pixels = op.parameter(ov.PartialShape(list(shape)), ov.Type.f32, name="images")
    return pixels, op.reduce_mean(pixels, op.constant([2, 3]), keep_dims=False)


def _model(output: Any, pixels: Any) -> Any:
    return ov.Model([ov.opset13.result(output)], [pixels], "net")
