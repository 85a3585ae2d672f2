"""A drawn street with traffic, light and weather, as a camera with a noisy sensor gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from detector.camera_faults.health import CameraHealth
from detector.camera_faults.judged import Signs
from models.seeing import Image
from models.upkeep import FaultKind

SIZE_PX = (480, 270)
START = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
LEARNING_LOOKS = 25


@dataclass(frozen=True, kw_only=True)
class Sky:
    """Light and weather of one look."""

    gain: float = 1.0
    is_grey: bool = False
    rain: int = 0
    headlight_x: int | None = None
    bus_x: int | None = None
    noise: float = 2.0


def street(seed: int = 3) -> Image:
    """A street without anybody; another seed is another street."""
    rng = np.random.default_rng(seed)
    width, height = SIZE_PX
    coarse = rng.normal(115, 22, (9, 16, 1)) + rng.normal(0, 6, (9, 16, 3))
    image = cv2.resize(coarse.astype(np.float32), SIZE_PX, interpolation=cv2.INTER_CUBIC)
    for _ in range(90):  # windows, doors, kerbs, signs
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(8, 50)), int(rng.integers(6, 40))
        shade = rng.uniform(40, 200)
        colour = tuple(float(shade + c) for c in rng.normal(0, 8, 3))
        cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1 if rng.random() < 0.6 else 2)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def seen(place: Image, sky: Sky, seed: int) -> Image:
    """The place under a sky."""
    rng = np.random.default_rng(seed)
    picture = place.astype(np.float32)
    if sky.bus_x is not None:
        cv2.rectangle(picture, (sky.bus_x, 60), (sky.bus_x + 220, 230), (60, 130, 60), -1)
        for x in range(sky.bus_x + 10, sky.bus_x + 210, 40):
            cv2.rectangle(picture, (x, 80), (x + 28, 120), (40, 35, 30), -1)
    picture *= sky.gain
    if sky.headlight_x is not None:
        glow = np.zeros(picture.shape[:2], np.float32)
        cv2.circle(glow, (sky.headlight_x, 190), 30, 220.0, -1)
        picture += cv2.GaussianBlur(glow, (0, 0), 14)[..., None]
    for x, y in rng.integers(0, SIZE_PX, (sky.rain, 2)):
        cv2.line(picture, (int(x), int(y)), (int(x) + 2, int(y) + 12), (200, 200, 200), 1)
    if sky.is_grey:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    picture += rng.normal(0, sky.noise, picture.shape[:2])[..., None]
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def looks(
    health: CameraHealth, pictures: Iterable[Image], from_s: float = 0.0, every_s: float = 1.0
) -> list[Signs]:
    """Look at each picture."""
    return [
        health.look(picture, START + timedelta(seconds=from_s + number * every_s))
        for number, picture in enumerate(pictures)
    ]


def film(
    place: Image, count: int, sky_at: Callable[[int], Sky] = lambda _: Sky(), seed: int = 0
) -> list[Image]:
    """Pictures of a place, one after the other."""
    return [seen(place, sky_at(number), seed + number) for number in range(count)]


def at_home(place: Image | None = None) -> CameraHealth:
    """A camera that has learnt its home view by day."""
    health = CameraHealth()
    looks(health, film(street() if place is None else place, LEARNING_LOOKS, seed=500))
    return health


def found(signs: Iterable[Signs]) -> set[FaultKind]:
    """Faults that any look has a sign of."""
    return {kind for one in signs for kind, is_seen in one.items() if is_seen}


def always(signs: Iterable[Signs]) -> set[FaultKind]:
    """Faults that every look has a sign of."""
    every = list(signs)
    return {kind for kind in FaultKind if every and all(one.get(kind) for one in every)}
