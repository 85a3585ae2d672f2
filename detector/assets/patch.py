"""The picture around an asset, always at one scale, and what is compared in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Box, Points
from models.seeing import Image

ASSET_PX = 48
"""Longer side of the asset in the patch."""
MARGIN_RATIO = 0.8
"""So much of the asset's longer side is looked at around it: its surroundings, and where it may
have been moved to."""
EDGE_SOFTNESS = 4.0
"""Grey levels a pixel: weaker edges count for less."""
BAND_PX = 3
"""Half the width of the outline, pixels of the patch."""
DARK, DIM = 40.0, 85.0
COLOURLESS_LEVELS = 3.0

Map = NDArray[np.float32]
Mask = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Place:
    """Where an asset is in pictures of one size, and its shape in the patch."""

    region: Box
    """The part of the picture that is cut out; may reach beyond it."""
    size: tuple[int, int]
    """(width, height) of the patch."""
    whole: Mask
    """1 in the asset with its outline, else 0."""
    outline: Mask
    inside: Mask
    ring: Mask
    """Its surroundings."""


def place_of(corners: Points) -> Place:
    """The place of an asset with these corners, in pixels of the picture."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    box = Box(min(xs), min(ys), max(xs), max(ys))
    longer = max(box.width, box.height, 1.0)
    margin = MARGIN_RATIO * longer
    region = Box(box.x1 - margin, box.y1 - margin, box.x2 + margin, box.y2 + margin)
    scale = ASSET_PX / longer
    size = (max(8, round(region.width * scale)), max(8, round(region.height * scale)))
    points = np.array([[(x - region.x1) * scale, (y - region.y1) * scale] for x, y in corners])
    filled = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(filled, [np.round(points).astype(np.int32)], 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND_PX + 1, 2 * BAND_PX + 1))
    grown, shrunk = cv2.dilate(filled, disc), cv2.erode(filled, disc)
    far = cv2.dilate(grown, disc)
    return Place(
        region=region,
        size=size,
        whole=grown.astype(np.float32),
        outline=(grown - shrunk).astype(np.float32),
        inside=(shrunk if shrunk.any() else filled).astype(np.float32),
        ring=(1 - far).astype(np.float32),
    )


def cut(image: Image, place: Place) -> Image:
    """The patch; what lies outside the picture repeats its border."""
    height, width = image.shape[:2]
    region = place.region
    left, top = int(np.floor(region.x1)), int(np.floor(region.y1))
    right, bottom = int(np.ceil(region.x2)), int(np.ceil(region.y2))
    inner = image[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    before = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
    if any(before):
        inner = cv2.copyMakeBorder(inner, *before, cv2.BORDER_REPLICATE)
    patch: Image = cv2.resize(inner, place.size, interpolation=cv2.INTER_AREA)
    return patch


def edges(patch: Image) -> NDArray[np.float32]:
    """Direction of light to dark at each pixel, (height, width, 2), length 0 to 1 by strength."""
    grey = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    x = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    y = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    softened = 1.0 / (cv2.magnitude(x, y) + EDGE_SOFTNESS)
    return np.dstack((x * softened, y * softened))


def chroma(patch: Image) -> NDArray[np.float32]:
    """Colour without brightness, (height, width, 2): logarithms of blue and red to green."""
    soft = cv2.GaussianBlur(patch, (5, 5), 0).astype(np.float32) + 16.0
    logs = np.log(soft)
    return np.dstack((logs[..., 0] - logs[..., 1], logs[..., 2] - logs[..., 1]))


def tone(patch: Image) -> str:
    """The kind of light on the patch: references are kept apart by it."""
    mean = float(patch.mean())
    spread = patch.max(axis=2).astype(np.int16) - patch.min(axis=2)
    name = "dark" if mean < DARK else "dim" if mean < DIM else "bright"
    return name if float(spread.mean()) > COLOURLESS_LEVELS else f"{name}-grey"
