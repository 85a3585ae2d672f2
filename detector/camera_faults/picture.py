"""One picture of a camera, made small, and what can be measured in it alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.seeing import Image

SMALL_PX = 320
"""Longer side of the picture from which all others are made."""
EDGES_PX = 160
"""Longer side of the picture in which edges are compared: a pixel is 0.6 % of the view, more than
masts sway."""
COARSE_PX = 32
CELLS_ACROSS = 16
"""Cells along the longer side; what is lost or differs is counted in cells."""
EDGE_SOFTNESS = 3.0
"""Grey levels a pixel: weaker edges count for less, so that noise counts for nothing."""
DARK_LEVEL, BRIGHT_LEVEL = 18, 236
COLOURLESS_LEVELS = 3.0
"""Mean difference of the colour channels below which a camera sees by infrared (or has no colour).
"""

Grey = NDArray[np.uint8]
Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Picture:
    """What is measured of one picture. Maps are (height, width) of their own size."""

    samples: Grey
    """Single pixels of the picture, not averaged: a sensor's noise is in them."""
    edges: NDArray[np.complex64]
    """Direction of light to dark at each pixel of the edge picture, length 0 to 1 by strength."""
    energy: Map
    """Strength of edges in each cell, grey levels a pixel."""
    fine: Map
    """Root mean square of the gradient in each cell, at a finer scale: sinks where focus is lost.
    """
    level: Map
    """Mean brightness of each cell, grey levels."""
    coarse: Map
    """The picture, very small."""
    mean: float
    dark_ratio: float
    bright_ratio: float
    has_colour: bool


def measure(image: Image) -> Picture:
    """Measure a BGR picture of any size; takes about half a millisecond."""
    small = _small(image)
    edge_size = _fit(small.shape, EDGES_PX)
    cell_size = _fit(small.shape, CELLS_ACROSS)
    edge_picture = cv2.resize(small, edge_size, interpolation=cv2.INTER_AREA)
    gradient_x = cv2.Sobel(edge_picture, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    gradient_y = cv2.Sobel(edge_picture, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    strength = cv2.magnitude(gradient_x, gradient_y)
    softened = 1.0 / (strength + EDGE_SOFTNESS)
    edges = np.empty(strength.shape, np.complex64)
    edges.real, edges.imag = gradient_x * softened, gradient_y * softened
    fine_x = cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    fine_y = cv2.Sobel(small, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    power = cv2.resize(fine_x * fine_x + fine_y * fine_y, cell_size, interpolation=cv2.INTER_AREA)
    return Picture(
        samples=samples_of(image),
        edges=edges,
        energy=cv2.resize(strength, cell_size, interpolation=cv2.INTER_AREA),
        fine=np.sqrt(power),
        level=cv2.resize(small, cell_size, interpolation=cv2.INTER_AREA).astype(np.float32),
        coarse=cv2.resize(small, _fit(small.shape, COARSE_PX), interpolation=cv2.INTER_AREA).astype(
            np.float32
        ),
        mean=float(small.mean()),
        dark_ratio=float(np.count_nonzero(small < DARK_LEVEL) / small.size),
        bright_ratio=float(np.count_nonzero(small > BRIGHT_LEVEL) / small.size),
        has_colour=_has_colour(image),
    )


def samples_of(image: Image) -> Grey:
    """The samples of a picture, without all the rest."""
    stride = _stride(image)
    longer = -(-max(image.shape[:2]) // stride)
    each = stride * max(1, longer // EDGES_PX)
    return np.ascontiguousarray(image[::each, ::each, 1])


def _small(image: Image) -> Grey:
    """An averaged picture, of the green channel (most of luma)."""
    stride = _stride(image)
    thin = np.ascontiguousarray(image[::stride, ::stride, 1])
    small: Grey = cv2.resize(thin, _fit(thin.shape, SMALL_PX), interpolation=cv2.INTER_AREA)
    return small


def _stride(image: Image) -> int:
    longer = max(int(side) for side in image.shape[:2])
    return max(1, longer // (2 * SMALL_PX))


def _fit(shape: tuple[int, ...], longer_px: int) -> tuple[int, int]:
    """(width, height) with this longer side."""
    height, width = shape[:2]
    scale = longer_px / max(height, width)
    return max(4, round(width * scale)), max(4, round(height * scale))


def _has_colour(image: Image) -> bool:
    stride = max(1, max(image.shape) // 64)
    few = image[::stride, ::stride].astype(np.int16)
    spread = np.abs(few[..., 0] - few[..., 1]) + np.abs(few[..., 2] - few[..., 1])
    return float(spread.mean()) > COLOURLESS_LEVELS
