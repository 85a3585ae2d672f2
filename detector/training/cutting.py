"""Cuttings of pictures around one place, with the place as a YOLO label has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.errors import SourceReadError
from models.geometry import Box
from models.seeing import Image

MIN_CUTTING_PX = 224
"""Smaller ones would be enlarged beyond what a camera ever shows."""
NEUTRAL = (114, 114, 114)
"""The grey with which detectors fill what is beside a picture: it means nothing to them."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cutting:
    """A picture, and where in it the place is that it is about."""

    name: str
    image: Image
    box: Box
    """Pixels of this picture."""

    @property
    def label_line(self) -> str:
        """Centre and size as ratios of the sides, as a label file has them."""
        height, width = self.image.shape[:2]
        ratios = self.box.scaled(1 / width, 1 / height).clipped(1, 1)
        x, y = ratios.center
        return f"{x:.6f} {y:.6f} {ratios.width:.6f} {ratios.height:.6f}"


def read_picture(path: Path) -> Image:
    """A picture from disk; raises :class:`SourceReadError`."""
    image: Image | None = cv2.imread(str(path))
    if image is None:
        raise SourceReadError(f"{path} is no image that can be read")
    return image


def painted(image: Image, places: Iterable[Box]) -> Image:
    """A copy in which these places (ratios of the sides) are plain grey."""
    copy: Image = image.copy()
    height, width = copy.shape[:2]
    for place in places:
        box = place.scaled(width, height).clipped(width, height)
        copy[int(box.y1) : round(box.y2 + 0.5), int(box.x1) : round(box.x2 + 0.5)] = NEUTRAL
    return copy


def whole(image: Image, place: Box, name: str) -> Cutting:
    """The picture as it is; ``place``: ratios of its sides."""
    height, width = image.shape[:2]
    return Cutting(name=name, image=image, box=place.scaled(width, height))


def alone(image: Image, place: Box, context: float, name: str) -> Cutting:
    """The picture in its own size, but plain grey except for what is around a place.

    So a detector sees the place as large as it sees it in service.
    """
    x1, y1, x2, y2 = _window(image, place, context)
    grey: Image = np.full_like(image, NEUTRAL)
    grey[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    return whole(grey, place, name)


def around(image: Image, place: Box, context: float, name: str) -> Cutting:
    """What is around a place: ``context`` times its sides, within the picture."""
    height, width = image.shape[:2]
    box = place.scaled(width, height)
    x1, y1, x2, y2 = _window(image, place, context)
    part: Image = image[y1:y2, x1:x2].copy()
    return Cutting(
        name=name, image=part, box=Box(box.x1 - x1, box.y1 - y1, box.x2 - x1, box.y2 - y1)
    )


def _window(image: Image, place: Box, context: float) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    box = place.scaled(width, height)
    x1, x2 = _span(box.x1, box.x2, context, width)
    y1, y2 = _span(box.y1, box.y2, context, height)
    return x1, y1, x2, y2


def _span(low: float, high: float, context: float, limit: int) -> tuple[int, int]:
    length = min(round(max((high - low) * context, MIN_CUTTING_PX)), limit)
    start = min(max(round((low + high - length) / 2), 0), limit - length)
    return start, start + length
