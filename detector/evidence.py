"""Pictures that people see: annotated, cut out, and with what they show written on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import cv2
import numpy as np

from detector.lettering import Colour, text_width_px, writable, write
from detector.redaction import PERSON
from models.errors import DetectorError
from models.geometry import Box, Point, Points
from models.seeing import Detection, Image, Track
from models.zone import Camera, Zone

CLOSE_MARGIN_RATIO = 0.5
CLOSE_MIN_PX = 160
"""A close-up shows at least so much, or a distant thing would be a few pixels without a place."""
HIDDEN_SHOWN_S = 3.0
FRAME_MIN_PX = 480
FRAME_TEXT_PX = 15
FRAME_LINE_PX = 22
SMALLEST_TEXT_PX = 8
JPEG_QUALITY = 88

_ZONE: Colour = (235, 180, 70)
_MOVING: Colour = (150, 215, 130)
_STANDING: Colour = (60, 170, 250)
_INCIDENT: Colour = (60, 60, 235)
_HIDDEN: Colour = (150, 150, 150)
_DARK: Colour = (24, 24, 24)
_WHITE: Colour = (255, 255, 255)
_ZONE_TINT = 0.12
_BAR_TINT = 0.62


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneOutline:
    """A zone as it is drawn."""

    name: str
    points: Points
    """Corners in pixels of the picture."""
    zone_id: str = ""
    """Written instead of a name that the font cannot draw."""


def outlines(camera: Camera, width_px: int, height_px: int) -> tuple[ZoneOutline, ...]:
    """A camera's zones in a picture of this size."""
    return tuple(_outline(zone, camera.resolution, (width_px, height_px)) for zone in camera.zones)


def caption(camera: Camera, at: datetime, matter: str = "") -> str:
    """The line that is burnt into a picture: camera, time with its offset, what it is about."""
    time = at.isoformat(sep=" ", timespec="seconds")
    parts = (writable(camera.name, camera.camera_id), time, matter)
    return "   ".join(part for part in parts if part)


def annotate(
    image: Image,
    seen: Sequence[Track] | Sequence[Detection] = (),
    zones: Iterable[ZoneOutline] = (),
    caption: str = "",
    *,
    at: datetime | None = None,
    highlighted: Collection[int] = (),
) -> Image:
    """A copy of the picture with zones, boxes and a caption.

    ``at``: time of the picture, for how long things have stood; ``highlighted``: ids of tracks that
    are the matter of an incident. Persons get no box: they are not what it is about. Nor do things
    that have been hidden for long, or may have gone.
    """
    picture: Image = image.copy()
    pen = _Pen.for_picture(picture)
    drawn_zones = tuple(zones)
    things = [item for item in seen if _is_shown(item, at, highlighted)]
    for zone in drawn_zones:
        pen.zone(picture, zone)
    for item in things:
        pen.box(picture, item, at, highlighted)
    pen.plates.extend(item.box for item in things)
    for zone in drawn_zones:
        pen.zone_name(picture, zone)
    if caption:
        pen.caption(picture, caption)
    return picture


def crop(image: Image, box: Box, margin_ratio: float = CLOSE_MARGIN_RATIO) -> Image:
    """A close-up of a box with some of what is around it, in full resolution."""
    height, width = image.shape[:2]
    (x, y), grown = box.center, box.grown(margin_ratio)
    half_w = max(grown.width, CLOSE_MIN_PX) / 2
    half_h = max(grown.height, CLOSE_MIN_PX) / 2
    x1, x2 = _span(x, half_w, width)
    y1, y2 = _span(y, half_h, height)
    part: Image = image[y1:y2, x1:x2].copy()
    return part


def framed(image: Image, lines: Sequence[str]) -> Image:
    """The picture with lines of text below it: nothing of the picture itself is written over."""
    height, width = image.shape[:2]
    full = max(width, FRAME_MIN_PX)
    bar = FRAME_LINE_PX * len(lines) + FRAME_LINE_PX // 2
    picture: Image = np.full((height + bar, full, 3), _DARK, np.uint8)
    left = (full - width) // 2
    picture[:height, left : left + width] = image
    for number, text in enumerate(lines, start=1):
        size = FRAME_TEXT_PX
        while size > SMALLEST_TEXT_PX and text_width_px(text, size) > full - FRAME_TEXT_PX:
            size -= 1
        write(picture, text, (FRAME_TEXT_PX // 2, height + number * FRAME_LINE_PX), size, _WHITE)
    return picture


def decode_jpeg(data: bytes) -> Image:
    """The picture of a JPEG; raises :class:`DetectorError` for bytes that are none."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DetectorError("a kept picture cannot be decoded")
    return np.asarray(image, np.uint8)


def shrunk(picture: Image, width_px: int) -> Image:
    """The picture, no wider than so many pixels."""
    height, width = picture.shape[:2]
    if width <= width_px:
        return picture
    size = (width_px, round(height * width_px / width))
    small: Image = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small


def encode_jpeg(image: Image, quality: int = JPEG_QUALITY) -> bytes:
    """The picture as JPEG; raises :class:`DetectorError` for one that cannot be encoded."""
    try:
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise DetectorError(f"a picture could not be encoded: {error.err}") from error
    if not done:
        raise DetectorError("a picture could not be encoded")
    return bytes(data.tobytes())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pen:
    """Sizes of lines and letters that fit a picture."""

    line_px: int
    text_px: int
    plates: list[Box] = field(default_factory=list)
    """Where labels already are: the next ones evade them."""

    @classmethod
    def for_picture(cls, image: Image) -> _Pen:
        shorter, longer = sorted(image.shape[:2])
        side = (shorter + longer) / 2
        return cls(line_px=max(1, round(side / 450)), text_px=max(10, round(side / 52)))

    def zone(self, image: Image, zone: ZoneOutline) -> None:
        corners = np.round(np.array(zone.points)).astype(np.int32)
        tinted = image.copy()
        cv2.fillPoly(tinted, [corners], _ZONE)
        cv2.addWeighted(tinted, _ZONE_TINT, image, 1 - _ZONE_TINT, 0, image)
        cv2.polylines(image, [corners], True, _DARK, self.line_px + 2, cv2.LINE_AA)
        cv2.polylines(image, [corners], True, _ZONE, self.line_px, cv2.LINE_AA)

    def zone_name(self, image: Image, zone: ZoneOutline) -> None:
        left, top = min(zone.points, key=lambda point: point[1])
        name = writable(zone.name, zone.zone_id)
        self._tag(image, name, Box(left, top, left, top + 2 * self.line_px), _ZONE)

    def box(
        self, image: Image, item: Track | Detection, at: datetime | None, chosen: Collection[int]
    ) -> None:
        colour = _colour(item, at, chosen)
        corner1 = (round(item.box.x1), round(item.box.y1))
        corner2 = (round(item.box.x2), round(item.box.y2))
        cv2.rectangle(image, corner1, corner2, _DARK, self.line_px + 2, cv2.LINE_AA)
        cv2.rectangle(image, corner1, corner2, colour, self.line_px, cv2.LINE_AA)
        self._tag(image, _legend(item, at), item.box, colour)

    def caption(self, image: Image, text: str) -> None:
        height, width = image.shape[:2]
        bar = round(self.text_px * 1.9)
        strip = image[height - bar :]
        strip[:] = (strip * (1 - _BAR_TINT)).astype(np.uint8)
        size = self.text_px
        while size > 8 and text_width_px(text, size) > width - 2 * size:
            size -= 1
        base = height - round((bar - size) / 2) - round(size * 0.15)
        write(image, text, (size, base), size, _WHITE)

    def _tag(self, image: Image, text: str, box: Box, colour: Colour) -> None:
        """A label on a plate: above its box, or where else there is room."""
        if not text:
            return
        pad = max(2, self.text_px // 4)
        size = (text_width_px(text, self.text_px) + 2 * pad, self.text_px + 2 * pad)
        plate = self._free_plate(box, size, image)
        self.plates.append(plate)
        x, y = round(plate.x1), round(plate.y1)
        cv2.rectangle(image, (x, y), (x + size[0], y + size[1]), colour, cv2.FILLED)
        base = y + size[1] - pad - round(self.text_px * 0.12)
        ink = _WHITE if colour == _INCIDENT else _DARK
        write(image, text, (x + pad, base), self.text_px, ink)

    def _free_plate(self, box: Box, size: tuple[int, int], image: Image) -> Box:
        places = (
            (box.x1, box.y1 - size[1]),
            (box.x1, box.y2),
            (box.x2 - size[0], box.y1 - size[1]),
            (box.x2 - size[0], box.y2),
            (box.x1 - size[0], box.y1),
            (box.x2, box.y1),
            (box.x1, box.y1 - 2 * size[1]),
        )
        plates = [_plate(place, size, image) for place in places]
        free = (p for p in plates if not any(p.intersection(other) for other in self.plates))
        return next(free, plates[0])


def _plate(place: Point, size: tuple[int, int], image: Image) -> Box:
    """A plate at a place, moved into the picture where it would reach beyond it."""
    height, width = image.shape[:2]
    x = min(max(round(place[0]), 0), max(width - size[0], 0))
    y = min(max(round(place[1]), 0), max(height - size[1], 0))
    return Box(x, y, x + size[0], y + size[1])


def _is_shown(item: Track | Detection, at: datetime | None, highlighted: Collection[int]) -> bool:
    if item.label == PERSON:
        return False
    if isinstance(item, Detection) or at is None or item.track_id in highlighted:
        return True
    return (at - item.last_seen).total_seconds() <= HIDDEN_SHOWN_S


def _outline(zone: Zone, resolution: tuple[int, int] | None, size: tuple[int, int]) -> ZoneOutline:
    points = zone.corners_px(resolution, *size)
    return ZoneOutline(name=zone.name, zone_id=zone.zone_id, points=points)


def _legend(item: Track | Detection, at: datetime | None) -> str:
    text = f"{writable(item.label.replace('_', ' '), 'object')} {item.confidence:.2f}"
    if isinstance(item, Track) and item.stationary_since is not None and at is not None:
        seconds = max(0, int((at - item.stationary_since).total_seconds()))
        minutes, rest = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
        text = f"{text}  {clock}"
    return text


def _colour(item: Track | Detection, at: datetime | None, chosen: Collection[int]) -> Colour:
    if isinstance(item, Detection):
        return _MOVING
    if item.track_id in chosen:
        return _INCIDENT
    if at is not None and item.last_seen < at:
        return _HIDDEN
    return _MOVING if item.stationary_since is None else _STANDING


def _span(middle: float, half: float, limit: int) -> tuple[int, int]:
    """A stretch around ``middle``, moved into the picture where it would reach beyond it."""
    length = min(round(2 * half), limit)
    start = min(max(round(middle - half), 0), limit - length)
    return start, start + length
