"""Fits a picture into what a network sees, and its boxes back.

The geometry is ultralytics' (scale to fit, centre, pad with grey), so that weights see pictures
as they did in training and both backends agree to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.backends.protocol import STRIDE_PX
from models.errors import InferenceError
from models.seeing import Image

PAD_VALUE = 114
"""Grey of the padding in training."""
ROUNDING = 0.1
"""Puts the odd pixel of uneven padding at the bottom and right, as in training."""

DIMENSIONS = 3
"""Height, width and channels."""
CHANNELS = 3
"""Blue, green and red."""

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Letterbox:
    """How pictures of one size lie in the network's input."""

    width_px: int
    """Of the picture."""
    height_px: int
    input_width_px: int
    input_height_px: int
    inner_width_px: int
    """Of the scaled picture within the input."""
    inner_height_px: int
    left_px: int
    top_px: int

    def apply(self, image: Image) -> Image:
        """The network's input: BGR, uint8, (input height, input width, 3)."""
        inner = (self.inner_width_px, self.inner_height_px)
        if inner != (self.width_px, self.height_px):
            image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        right = self.input_width_px - inner[0] - self.left_px
        bottom = self.input_height_px - inner[1] - self.top_px
        padded = cv2.copyMakeBorder(
            image,
            self.top_px,
            bottom,
            self.left_px,
            right,
            cv2.BORDER_CONSTANT,
            value=(PAD_VALUE,) * 3,
        )
        return np.ascontiguousarray(padded)

    def to_picture(self, boxes: FloatArray) -> FloatArray:
        """Boxes (n, 4) xyxy from the network's input to the picture, cut at its borders."""
        # Each side was rounded to whole pixels, so each has its own scale.
        x_scale = self.inner_width_px / self.width_px
        y_scale = self.inner_height_px / self.height_px
        moved = (boxes - np.tile([self.left_px, self.top_px], 2)) / np.tile([x_scale, y_scale], 2)
        limits = np.tile([self.width_px, self.height_px], 2)
        inside: FloatArray = np.clip(moved, 0, limits).astype(np.float32)
        return inside


def fit(image: Image, longer_side_px: int) -> Letterbox:
    """Letterbox with this longer side; the shorter one only as long as the stride asks for."""
    height, width = picture_size(image)
    inner = _scaled(width, height, longer_side_px / max(height, width))
    return _centred((width, height), inner, (_up(inner[0]), _up(inner[1])))


def fit_into(image: Image, input_width_px: int, input_height_px: int) -> Letterbox:
    """Letterbox of a fixed size, for networks that take no other."""
    height, width = picture_size(image)
    inner = _scaled(width, height, min(input_width_px / width, input_height_px / height))
    return _centred((width, height), inner, (input_width_px, input_height_px))


def picture_size(image: Image) -> tuple[int, int]:
    """(height, width) in pixels; :class:`InferenceError` if this is no BGR picture."""
    shape = image.shape
    if image.dtype != np.uint8 or len(shape) != DIMENSIONS or shape[2] != CHANNELS or 0 in shape:
        raise InferenceError(f"not a BGR picture of uint8: {image.dtype} {shape}")
    return int(shape[0]), int(shape[1])


def _scaled(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


def _up(side_px: int) -> int:
    return -(-side_px // STRIDE_PX) * STRIDE_PX


def _centred(
    size: tuple[int, int], inner: tuple[int, int], network_input: tuple[int, int]
) -> Letterbox:
    """All sizes are (width, height)."""
    return Letterbox(
        width_px=size[0],
        height_px=size[1],
        input_width_px=network_input[0],
        input_height_px=network_input[1],
        inner_width_px=inner[0],
        inner_height_px=inner[1],
        left_px=round((network_input[0] - inner[0]) / 2 - ROUNDING),
        top_px=round((network_input[1] - inner[1]) / 2 - ROUNDING),
    )
