"""What a picture shows: the street, the camera, the weather and every thing in it.

All of it follows from a seed and the name of a set, without Blender; metres, x along the road,
y across it from its middle (the near side negative), z up from the carriageway.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from detector.training.synth.camera import HEIGHT_PX, WIDTH_PX, Camera
from detector.training.synth.families import Family, families_of
from detector.training.synth.kinds import CARS, KINDS, LABEL_IDS, kinds_of
from detector.training.synth.placing import Thing, facing, placed
from detector.training.synth.street import Street, sample_street
from detector.training.synth.weather import Weather, sample_weather

TRAIN_SET, TEST_SET = "rendered_street", "rendered_test"
CLEAN_RATIO = 0.25
"""Share of pictures without any labelled thing."""

_HEIGHT_M = (4.0, 12.0)
_DISTANCE_M = (5.0, 40.0)
_LENS_MM = (18.0, 120.0)
_MAIN_PX, _SMALL_PX = (22.0, 190.0), (11.0, 60.0)
_SMALL_M = 0.5
"""Things smaller than this are looked at with the second range."""
_MIN_PX, _MAX_PX = 10.0, 260.0
"""Nothing is put where it would look smaller or larger than this."""
_TRIES = 60
_CLASS_WEIGHTS = {
    "overflowing_bin": 1.4,
    "damaged_street_furniture": 1.5,
    "fallen_tree": 1.1,
    "damaged_manhole": 1.2,
    "damaged_sign": 1.4,
    "garbage_pile": 1.2,
    "litter": 1.2,
    "pothole": 1.0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """All of one picture."""

    seed: int
    street: Street
    weather: Weather
    camera: Camera
    things: tuple[Thing, ...]

    @property
    def family(self) -> Family:
        """Type of the street."""
        return self.street.family


def sample_scene(seed: int, set_name: str) -> Scene:
    """Draw the scene of a picture; the same for the same arguments.

    Raises ``ValueError`` for a set that is not known.
    """
    if set_name not in (TRAIN_SET, TEST_SET):
        raise ValueError(f"no such set: {set_name}")
    rng = random.Random(f"{set_name} {seed}")
    family = rng.choice(families_of(reserved=set_name == TEST_SET))
    street = sample_street(rng, family)
    clean = rng.random() < CLEAN_RATIO
    thing, camera = _sample_view(rng, street, clean=clean)
    filler = _Filler(rng, street, camera, [facing(rng, thing, camera)])
    filler.fill(clean=clean)
    return Scene(
        seed=seed,
        street=street,
        weather=sample_weather(rng),
        camera=camera,
        things=tuple(filler.things),
    )


def _sample_view(rng: random.Random, street: Street, *, clean: bool) -> tuple[Thing, Camera]:
    """The thing that the camera is trained on, and the camera."""
    while True:
        kind = _draw_kind(rng, "" if clean else _draw_class(rng))
        thing = _first(rng, street, kind)
        if KINDS[kind].opening and not street.fits_opening(thing.y, KINDS[kind].radius_m):
            continue
        camera = _sample_camera(rng, street, thing)
        if camera is not None:
            return thing, camera


def _draw_class(rng: random.Random) -> str:
    names = list(LABEL_IDS)
    return rng.choices(names, [_CLASS_WEIGHTS[name] for name in names])[0]


def _draw_kind(rng: random.Random, label: str) -> str:
    names = kinds_of(label)
    return rng.choices(names, [KINDS[name].weight for name in names])[0]


def _first(rng: random.Random, street: Street, kind: str) -> Thing:
    """The thing that the camera is trained on."""
    spans = [
        span
        for surface in KINDS[kind].surfaces
        for span in street.spans(surface)
        if span[1] - span[0] > 0.6 and max(map(abs, span)) < 25
    ] or street.spans("road")
    low, high = rng.choice(spans)
    room = min(KINDS[kind].radius_m + 0.1, 0.42 * (high - low))
    y = rng.uniform(low + room, high - room)
    return placed(rng, street, kind, rng.uniform(-8, 8), y)


def _sample_camera(rng: random.Random, street: Street, thing: Thing) -> Camera | None:
    """A mast in the open from which the thing has a drawn size, or ``None``."""
    size = KINDS[thing.kind].size_m
    for _ in range(_TRIES):
        height = rng.uniform(*_HEIGHT_M)
        distance = math.exp(rng.uniform(*map(math.log, _DISTANCE_M)))
        azimuth = rng.uniform(0, 2 * math.pi)
        x = thing.x + distance * math.cos(azimuth)
        y = thing.y + distance * math.sin(azimuth)
        if not street.open_from < y < street.open_to:
            continue
        reach = math.hypot(distance, height - thing.z)
        wanted = math.exp(rng.uniform(*map(math.log, _MAIN_PX if size > _SMALL_M else _SMALL_PX)))
        lens = wanted * reach / size / WIDTH_PX * 36.0
        if not _LENS_MM[0] <= lens <= _LENS_MM[1]:
            continue
        camera = Camera(position=(x, y, height), target=(thing.x, thing.y, thing.z), lens_mm=lens)
        return _turned(rng, camera, reach)
    return None


def _turned(rng: random.Random, camera: Camera, reach: float) -> Camera:
    """Look past the thing, so that it is not always in the middle."""
    right, up, _ = camera.axes
    across = rng.uniform(-0.33, 0.33) * WIDTH_PX / camera.focal_px * reach
    above = rng.uniform(-0.28, 0.30) * HEIGHT_PX / camera.focal_px * reach
    x, y, z = (
        t + across * float(r) + above * float(u)
        for t, r, u in zip(camera.target, right, up, strict=True)
    )
    return replace(camera, target=(x, y, z))


class _Filler:
    """Puts further things where the camera sees them."""

    def __init__(
        self, rng: random.Random, street: Street, camera: Camera, things: Sequence[Thing]
    ) -> None:
        self.rng, self.street, self.camera = rng, street, camera
        self.things = list(things)

    def fill(self, *, clean: bool) -> None:
        """Add labelled things unless the picture is to be clean, and distractors."""
        if not clean:
            self._spoil()
        self._distract()

    def _spoil(self) -> None:
        """Add labelled things."""
        rng = self.rng
        if self.things[0].label == "litter":
            for _ in range(rng.randint(0, 5)):
                self._near(_draw_kind(rng, "litter"), self.things[0], 2.5)
        for _ in range(rng.randint(1, 5)):
            self._somewhere(_draw_kind(rng, _draw_class(rng)))

    def _distract(self) -> None:
        """Add cars, people, trees and sound things."""
        rng, family = self.rng, self.street.family
        for _ in range(rng.randint(*map(int, family.cars))):
            self._parked(rng.choices(CARS, [KINDS[car].weight for car in CARS])[0])
        for _ in range(rng.randint(*map(int, family.people))):
            self._somewhere("person")
        for _ in range(rng.randint(*map(int, family.trees))):
            self._beside("tree")
        for _ in range(rng.randint(1, 5)):
            self._somewhere(_draw_kind(rng, ""))

    def _near(self, kind: str, thing: Thing, within_m: float) -> None:
        x = thing.x + self.rng.uniform(-within_m, within_m)
        y = thing.y + self.rng.uniform(-within_m, within_m)
        self._try(kind, x, y)

    def _somewhere(self, kind: str) -> None:
        """At a random pixel whose ground suits the kind."""
        for _ in range(_TRIES):
            pixel = self.rng.uniform(20, WIDTH_PX - 20), self.rng.uniform(20, HEIGHT_PX - 10)
            at = self.camera.ground(pixel)
            if at is not None and abs(at[0]) < 70 and self._try(kind, *at):
                return

    def _parked(self, kind: str) -> None:
        """At a kerb."""
        for _ in range(12):
            side = self.rng.choice((-1, 1))
            y = side * (self.street.half_m - 1.15)
            if self._try(kind, self.rng.uniform(-45, 45), y, big=True):
                return

    def _beside(self, kind: str) -> None:
        """On a verge or pavement, in the picture or not."""
        for _ in range(12):
            spans = [s for u in KINDS[kind].surfaces for s in self.street.spans(u)]
            low, high = self.rng.choice(spans or [(0.0, 0.0)])
            if high - low < 1.0:
                continue
            y = self.rng.uniform(low + 0.4, high - 0.4)
            if self._try(kind, self.rng.uniform(-40, 40), y, big=True):
                return

    def _try(self, kind: str, x: float, y: float, *, big: bool = False) -> bool:
        """Put a thing there if the place suits; ``big``: however large or small it looks."""
        rule = KINDS[kind]
        room = abs(y) + 0.4 * min(rule.radius_m, 2.0)
        if self.street.surface(y) not in rule.surfaces or room > self.street.side(y > 0)[2]:
            return False
        if not self._is_free(kind, x, y):
            return False
        if not big:
            looks = self.camera.apparent_px((x, y, 0.0), rule.size_m)
            if not _MIN_PX <= looks <= _MAX_PX:
                return False
        thing = placed(self.rng, self.street, kind, x, y)
        self.things.append(facing(self.rng, thing, self.camera))
        return True

    def _is_free(self, kind: str, x: float, y: float) -> bool:
        rule = KINDS[kind]
        mast = self.camera.position
        if math.hypot(x - mast[0], y - mast[1]) < rule.radius_m + 2.5:
            return False
        if rule.opening and not self.street.fits_opening(y, rule.radius_m):
            return False
        return all(self._are_apart(rule.opening, rule.radius_m, x, y, o) for o in self.things)

    @staticmethod
    def _are_apart(opening: bool, radius_m: float, x: float, y: float, other: Thing) -> bool:
        that = KINDS[other.kind]
        if opening and that.opening and abs(x - other.x) < radius_m + that.radius_m + 0.1:
            return False
        both = min(radius_m, 2.0) + min(that.radius_m, 2.0)
        return math.hypot(x - other.x, y - other.y) > 0.85 * both
