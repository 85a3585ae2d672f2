"""A thing at its place, and which way it is turned; pure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from detector.training.synth.camera import Camera
from detector.training.synth.kinds import CARS, KINDS
from detector.training.synth.street import Street


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """One thing at its place."""

    kind: str
    x: float
    y: float
    z: float
    yaw: float
    seed: int

    @property
    def label(self) -> str:
        """Its class, or empty."""
        return KINDS[self.kind].label


def placed(rng: random.Random, street: Street, kind: str, x: float, y: float) -> Thing:
    """A thing of a kind on the ground, turned as such things are."""
    return Thing(
        kind=kind,
        x=x,
        y=y,
        z=street.height(y),
        yaw=_yaw(rng, street, kind, y),
        seed=rng.randrange(1 << 30),
    )


def _yaw(rng: random.Random, street: Street, kind: str, y: float) -> float:
    """Furniture faces the road, cars stand along it, all else lies as it fell."""
    if kind in CARS:
        return rng.choice((0.0, math.pi)) + rng.gauss(0, 0.03)
    if KINDS[kind].opening or kind in ("drain", "road_patch"):
        return 0.0
    ahead = 0.0 if y < 0 else math.pi
    along = (
        "bench", "rail", "fence", "wheelie", "cabinet", "lamp", "round_bin", "basket", "planter",
        "bench_broken", "rail_bent", "fence_broken", "wheelie_full", "basket_full",
        "lamp_leaning", "round_bin_full",
    )  # fmt: skip
    if kind in along:
        return ahead + rng.gauss(0, 0.12)
    if kind.startswith("sign"):
        return rng.choice((0.5, -0.5)) * math.pi + rng.gauss(0, 0.6) + (0 if street.kerb else ahead)
    return rng.uniform(0, 2 * math.pi)


def facing(rng: random.Random, thing: Thing, camera: Camera) -> Thing:
    """Turn a damaged sign so that the camera sees its face; others stay as they are."""
    if thing.label != "damaged_sign":
        return thing
    mast = camera.position
    towards = math.atan2(mast[1] - thing.y, mast[0] - thing.x)
    return replace(thing, yaw=towards - math.pi / 2 + rng.uniform(-0.8, 0.8))
