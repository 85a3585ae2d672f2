"""A drawn street: textured vehicles at given places, as a camera would see them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from detector.tracking import CameraTracker
from models.geometry import Box
from models.seeing import Detection, Frame, Image, Look, Track

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SIZE = (640, 360)
GRAINS = 7
CAR = Box(250, 180, 350, 250)


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something to draw; ``look`` numbers its paint and pattern."""

    look: int
    box: Box = CAR
    label: str = "car"
    detected: bool = True
    confidence: float = 0.8
    detected_box: Box | None = None


def pattern(look: int, width: int, height: int, contrast: float = 60.0) -> Image:
    """A picture of one vehicle: large patches of colour, the same for the same number."""
    random = np.random.default_rng(look)
    base = random.uniform(70, 190, size=3)
    coarse = random.normal(0, contrast, size=(5, 7, 1)) + random.normal(0, 10, size=(5, 7, 3))
    fine = cv2.resize(coarse + base, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(fine, 0, 255), np.uint8)


@functools.cache
def background(size: tuple[int, int] = SIZE) -> Image:
    """A street without anything on it."""
    random = np.random.default_rng(12345)
    coarse = random.normal(110, 25, size=(size[1] // 12, size[0] // 12, 1)).repeat(3, axis=2)
    smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth, 0, 255), np.uint8)


def draw(
    things: Iterable[Thing],
    *,
    noise: int = 0,
    gain: float = 1.0,
    offset: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Image:
    """The street with things on it, later ones in front; ``noise`` seeds the sensor's noise."""
    image = background().copy()
    for thing in things:
        x1, y1, x2, y2 = (round(side) for side in thing.box.xyxy)
        picture = pattern(thing.look, x2 - x1, y2 - y1)
        left, top = max(0, -x1), max(0, -y1)
        part = image[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
        part[:] = picture[top : top + part.shape[0], left : left + part.shape[1]]
    if shift != (0.0, 0.0):
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
        image = cv2.warpAffine(image, matrix, SIZE, borderMode=cv2.BORDER_REFLECT)
    lit = image * gain + offset + grain(noise % GRAINS)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


@functools.cache
def grain(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A sensor's noise; a few kinds of it are enough, and cheap."""
    return np.random.default_rng(number).normal(0, 3, (SIZE[1], SIZE[0], 3)).astype(np.float32)


def detections(things: Iterable[Thing], shift: tuple[float, float] = (0.0, 0.0)) -> list[Detection]:
    """What a detector says of the things."""
    found = []
    for thing in things:
        box = thing.detected_box or thing.box
        moved = Box(box.x1 + shift[0], box.y1 + shift[1], box.x2 + shift[0], box.y2 + shift[1])
        if thing.detected:
            found.append(Detection(label=thing.label, confidence=thing.confidence, box=moved))
    return found


def frame(image: Image, second: float, camera_id: str = "gate") -> Frame:
    """A frame taken so many seconds after the start."""
    return Frame(
        camera_id=camera_id,
        sequence=round(second * 1000),
        image=image,
        captured_at=START + timedelta(seconds=second),
        stream_s=second,
    )


Scene = Callable[[float], Sequence[Thing]]


class Watch:
    """Feeds a tracker with a scene, look by look."""

    def __init__(self) -> None:
        self.tracker = CameraTracker("gate")
        self.looks: list[Look] = []

    def at(
        self, second: float, things: Sequence[Thing], **light: float | tuple[float, float]
    ) -> Look:
        """One look."""
        image = draw(things, noise=round(second * 1000) + 1, **light)  # type: ignore[arg-type]
        shift = light.get("shift", (0.0, 0.0))
        assert isinstance(shift, tuple)
        look = self.tracker.update(frame(image, second), detections(things, shift))
        self.looks.append(look)
        return look

    def during(self, start: float, end: float, scene: Scene, interval: float = 1.0) -> Look:
        """Looks from ``start`` until before ``end``; the last one."""
        count = round((end - start) / interval)
        looks = [self.at(start + i * interval, scene(start + i * interval)) for i in range(count)]
        return looks[-1]


def parked(look: int = 1, **changes: object) -> Scene:
    """A vehicle that stands."""
    thing = replace(Thing(look=look), **changes)  # type: ignore[arg-type]
    return lambda _second: [thing]


def track_at(look: Look, box: Box = CAR) -> Track:
    """The track that was seen at a place."""
    seen = [track for track in look.tracks if track.last_seen == look.at]
    return max(seen, key=lambda track: track.box.iou(box))


def stood_s(look: Look, track: Track) -> float:
    """For how long a track has stood still; 0 if it moves."""
    if track.stationary_since is None:
        return 0.0
    return (look.at - track.stationary_since).total_seconds()


def longest_stand_s(looks: Iterable[Look], label: str = "car") -> float:
    """Longest time that anything which was seen at a look had stood then."""
    return max(
        (
            stood_s(look, track)
            for look in looks
            for track in look.tracks
            if track.last_seen == look.at and track.label == label
        ),
        default=0.0,
    )
