"""A drawn place with a bench, and all that may come over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from detector.assets.watch import AssetWatch
from models.geometry import Box
from models.seeing import Image
from models.upkeep import AssetState, AssetView
from models.zone import Zone

SIZE_PX = (640, 360)
BENCH = Box(280, 170, 380, 230)
START = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
ZONE = Zone(
    zone_id="bench",
    name="Bench",
    polygon=((280, 170), (380, 170), (380, 230), (280, 230)),
    in_pixels=True,
    rules=(),
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What to draw."""

    bench: str = "there"
    """there, gone, moved, toppled or sprayed."""
    gain: float = 1.0
    is_grey: bool = False
    noise: float = 2.0
    seed: int = 0
    shadow_x: int | None = None
    rain: int = 0
    headlight_x: int | None = None
    person_x: int | None = None
    shift_px: int = 0


def draw(scene: Scene) -> Image:
    """The picture as a camera would give it."""
    rng = np.random.default_rng(scene.seed)
    image = _ground()
    _bench(image, scene.bench)
    picture = image.astype(np.float32)
    if scene.shadow_x is not None:
        corners = np.array(
            [[scene.shadow_x, 0], [scene.shadow_x + 150, 0], [scene.shadow_x + 60, 360],
             [scene.shadow_x - 90, 360]]
        )  # fmt: skip
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [corners], 1)
        # In the shade it is darker and, from the blue sky, a little bluer.
        picture[mask > 0] *= np.array([0.55, 0.5, 0.46], np.float32)
    if scene.headlight_x is not None:
        glow = np.zeros(image.shape[:2], np.float32)
        cv2.circle(glow, (scene.headlight_x, 260), 70, 120.0, -1)
        picture += cv2.GaussianBlur(glow, (0, 0), 30)[..., None]
    if scene.person_x is not None:
        cv2.rectangle(picture, (scene.person_x, 130), (scene.person_x + 45, 250), (60, 40, 150), -1)
        cv2.circle(picture, (scene.person_x + 22, 118), 14, (120, 140, 190), -1)
    picture *= scene.gain
    for x, y in rng.integers(0, SIZE_PX, (scene.rain, 2)):
        cv2.line(picture, (int(x), int(y)), (int(x) + 3, int(y) + 18), (210, 210, 210), 1)
    picture += rng.normal(0, scene.noise, picture.shape)
    if scene.is_grey:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    picture = np.roll(picture, scene.shift_px, axis=1)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _ground() -> Image:
    rng = np.random.default_rng(5)
    coarse = rng.normal(120, 18, (18, 32, 1)) + rng.normal(0, 3, (18, 32, 3))
    image = cv2.resize(coarse.astype(np.float32), SIZE_PX, interpolation=cv2.INTER_CUBIC)
    for x in range(20, 640, 80):  # paving joints
        cv2.line(image, (x, 140), (x - 30, 360), (80, 82, 84), 2)
    for y in (150, 200, 262, 330):
        cv2.line(image, (0, y), (640, y), (84, 86, 88), 2)
    cv2.rectangle(image, (0, 0), (640, 120), (96, 110, 128), -1)  # a wall with windows
    for x in range(30, 640, 90):
        cv2.rectangle(image, (x, 25), (x + 45, 95), (60, 55, 50), -1)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def _bench(image: Image, how: str) -> None:
    if how == "gone":
        return
    bench = np.zeros((*image.shape[:2], 4), np.uint8)
    for y in (172, 184, 204):
        cv2.rectangle(bench, (282, y), (378, y + 7), (40, 90, 150, 255), -1)
    for x in (290, 364):
        cv2.rectangle(bench, (x, 180), (x + 6, 228), (40, 40, 40, 255), -1)
    if how == "moved":
        bench = np.roll(bench, (18, 45), axis=(0, 1))
    if how == "toppled":
        matrix = cv2.getRotationMatrix2D((330, 200), 90, 1.0)
        bench = cv2.warpAffine(bench, matrix, SIZE_PX)
    there = bench[..., 3] > 0
    image[there] = bench[there][:, :3]
    if how == "sprayed":
        paint = np.zeros(image.shape[:2], np.uint8)
        cv2.ellipse(paint, (330, 193), (40, 17), 0, 0, 360, 1, -1)
        image[paint > 0] = (190, 40, 200)


def learnt(*lights: Scene) -> AssetWatch:
    """A watch that has learnt the bench, in these kinds of light (default: by day)."""
    watch = AssetWatch(ZONE)
    for number, light in enumerate(lights or (Scene(),)):
        for count in range(14):
            scene = replace(light, seed=100 * number + count)
            at = START + timedelta(hours=number, seconds=4 * count)
            watch.look(draw(scene), at, SIZE_PX)
    return watch


def views(
    watch: AssetWatch,
    scene_at: Callable[[int], Scene],
    count: int = 8,
    in_front: Callable[[int], tuple[Box, ...]] = lambda _: (),
) -> list[AssetView]:
    """Looks, 4 s apart, a day after learning."""
    return [
        watch.look(
            draw(replace(scene_at(n), seed=1000 + n)),
            START + timedelta(days=1, seconds=4 * n),
            SIZE_PX,
            in_front(n),
        )
        for n in range(count)
    ]


def states(found: list[AssetView]) -> set[AssetState]:
    """All states that were seen."""
    return {view.state for view in found}
