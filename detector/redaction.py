"""What nobody may recognise in a picture that leaves the machine: faces and licence plates.

No network finds them: one that misses a face shows it. The boxes of persons and vehicles say where
faces and plates must be, and all of that place is left with a few coarse blocks. A redactor that
fails, whosever it is, releases nothing: :func:`released` turns whatever it raises into
:class:`~models.errors.RedactionError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import cv2
import numpy as np

from models.errors import RedactionError
from models.evidence import Privacy
from models.geometry import Box, Points
from models.seeing import Detection, Image, Track

PERSON = "person"
VEHICLES = frozenset({"bicycle", "car", "motorcycle", "bus", "truck", "van"})
HEAD_RATIO = 1 / 3
"""Upper part of a person's box that is made unrecognisable: the head, with room for a bad box."""
HEAD_MARGIN_RATIO = 0.1
HEAD_BLOCKS = (5, 5)
"""A head is left with so many blocks across and down: no face can be made out in them."""
PLATE_BAND = (0.35, 1.0)
"""Part of a vehicle's height where its plates are, from above; seen obliquely they are at its ends,
so the band goes over the whole width."""
PLATE_BLOCKS = (7, 4)
"""A car 1.8 m wide is left with blocks of 26 cm by 25 cm; a plate is 44 cm by 14 cm, so that all of
its letters fall into two of them."""
MASKED = (128, 128, 128)

Seen = Detection | Track


class Redactor(Protocol):
    """Makes faces and plates unrecognisable; a city may bring its own."""

    def redact(self, image: Image, seen: Sequence[Seen], privacy: Privacy) -> Image:
        """A copy of the picture, of the same size, in which nobody is recognised.

        ``seen``: every box of a person or vehicle in this picture or just before, sure or not.
        """
        ...


class BlockRedactor:
    """The one that is always there: coarse blocks over heads and the lower part of vehicles."""

    def redact(self, image: Image, seen: Sequence[Seen], privacy: Privacy) -> Image:
        """A copy of the picture with blocks."""
        return redact(image, seen, privacy)


def released(redactor: Redactor, image: Image, seen: Iterable[Seen], privacy: Privacy) -> Image:
    """What a redactor made of a picture; raises :class:`RedactionError` if it failed."""
    try:
        picture = redactor.redact(image, tuple(seen), privacy)
    except Exception as error:  # whatever a foreign redactor raises, the picture must not leave
        raise RedactionError(f"a picture could not be redacted: {error!r}") from error
    if picture is image or picture.shape != image.shape or picture.dtype != image.dtype:
        raise RedactionError("a redactor gave no picture of its own, of the same size")
    return picture


def redact(image: Image, seen: Iterable[Seen], privacy: Privacy | None = None) -> Image:
    """A copy of the picture in which no head and no plate can be recognised."""
    wanted = privacy or Privacy()
    picture: Image = image.copy()
    for item in seen:
        if item.label == PERSON and wanted.blur_faces:
            pixelate(picture, head_of(item.box), HEAD_BLOCKS)
        elif item.label in VEHICLES and wanted.blur_plates:
            pixelate(picture, plates_of(item.box), PLATE_BLOCKS)
    return picture


def masked(image: Image, masks: Iterable[Points]) -> Image:
    """The picture with polygons (ratios 0 to 1 of the sides) painted over; itself without any."""
    polygons = tuple(masks)
    if not polygons:
        return image
    height, width = image.shape[:2]
    picture: Image = image.copy()
    for corners in polygons:
        points = np.round(np.array(corners) * (width, height)).astype(np.int32)
        cv2.fillPoly(picture, [points], MASKED)
    return picture


def hidden_regions(seen: Iterable[Seen]) -> tuple[Box, ...]:
    """What nobody may recognise in a picture that is kept for training: heads and plates."""
    items = tuple(seen)
    heads = (head_of(item.box) for item in items if item.label == PERSON)
    return (*heads, *(plates_of(item.box) for item in items if item.label in VEHICLES))


def without(image: Image, regions: Iterable[Box]) -> Image:
    """A copy of the picture in which these regions are a few coarse blocks each."""
    picture: Image = image.copy()
    for box in regions:
        pixelate(picture, box, HEAD_BLOCKS)
    return picture


def head_of(box: Box) -> Box:
    """Where the head of a person in this box is."""
    margin = HEAD_MARGIN_RATIO * box.width
    top = box.y1 - HEAD_MARGIN_RATIO * HEAD_RATIO * box.height
    return Box(box.x1 - margin, top, box.x2 + margin, box.y1 + HEAD_RATIO * box.height)


def plates_of(box: Box) -> Box:
    """Where the plates of a vehicle in this box are."""
    top, bottom = (box.y1 + ratio * box.height for ratio in PLATE_BAND)
    return Box(box.x1, top, box.x2, bottom)


def pixelate(image: Image, region: Box, blocks: tuple[int, int]) -> None:
    """Leave a region of the picture, in place, with so many blocks across and down."""
    box = region.clipped(image.shape[1], image.shape[0])
    x1, y1 = int(box.x1), int(box.y1)
    x2, y2 = int(np.ceil(box.x2)), int(np.ceil(box.y2))
    if x2 <= x1 or y2 <= y1:
        return
    part = image[y1:y2, x1:x2]
    size = (min(blocks[0], x2 - x1), min(blocks[1], y2 - y1))
    coarse = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    image[y1:y2, x1:x2] = cv2.resize(coarse, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
