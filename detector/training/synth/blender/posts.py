"""Lamp posts and bollards: sound and damaged."""

from __future__ import annotations

import math
import random

from detector.training.synth.blender.built import Built, moved, one, pipe, shift, tilt
from detector.training.synth.blender.furniture import steel
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts


def _lamp_parts(rng: random.Random, high: float) -> Parts:
    """A lamp post, its arm towards +y."""
    parts = Parts()
    paint = steel(rng)
    glass = materials.plain("lamp glass", (0.6, 0.6, 0.55), 0.2)
    path = [((0.0, 0.0, high * i / 12), 0.09 - 0.035 * i / 12) for i in range(13)]
    if rng.random() < 0.3:
        pipe(parts, path, paint, 10)
        parts.tube([((0, 0, high), 0.08), ((0, 0, high + 0.45), 0.22)], glass, sides=10)
        parts.tube([((0, 0, high + 0.45), 0.28), ((0, 0, high + 0.6), 0.05)], paint, sides=10)
        return parts
    arm = [((0.0, 1.3 * math.sin(t), high + 0.35 * (1 - math.cos(t))), 0.045)
           for t in (0.3, 0.6, 0.9, 1.2, 1.57)]  # fmt: skip
    pipe(parts, [*path, *arm], paint, 10)
    parts.box((0, 1.6, high + 0.36), (0.24, 0.75, 0.10), paint)
    parts.box((0, 1.65, high + 0.30), (0.18, 0.5, 0.03), glass)
    return parts


def lamp(rng: random.Random) -> Built:
    """A sound lamp post."""
    return one(_lamp_parts(rng, rng.uniform(4.0, 6.5)), "lamp")


def lamp_leaning(rng: random.Random) -> Built:
    """A lamp post that leans, or whose shaft is bent over."""
    high = rng.uniform(3.5, 5.5)
    parts = _lamp_parts(rng, high)
    way, angle = rng.choice(("x", "y", "y")), rng.choice((-1, 1)) * rng.uniform(0.3, 0.8)
    if rng.random() < 0.5:
        moved(parts, tilt(way, angle))
    else:
        knee = rng.uniform(0.25, 0.6) * high
        turn = tilt(way, angle * 1.7, (0, 0, knee))
        moved(parts, lambda p: turn(p) if p[2] > knee else p)
    return one(parts, "leaning lamp")


def lamp_fallen(rng: random.Random) -> Built:
    """A lamp post that lies across the ground, its stump still standing."""
    high = rng.uniform(4.0, 5.5)
    parts = _lamp_parts(rng, high)
    moved(parts, tilt("y", math.pi / 2 - 0.03))
    moved(parts, shift(-high / 2, 0.0, 0.12))
    stump = steel(rng)
    pipe(
        parts, [((-high / 2 - 0.3, 0.1, 0), 0.1), ((-high / 2 - 0.22, 0.1, 0.45), 0.09)], stump, 10
    )
    return one(parts, "fallen lamp")


def _bollard_parts(rng: random.Random) -> Parts:
    parts = Parts()
    if rng.random() < 0.4:
        red = materials.plain("bollard red", (0.55, 0.05, 0.02), 0.5)
        white = materials.plain("bollard white", (0.7, 0.7, 0.7), 0.4)
        levels = ((0.0, 0.45, red), (0.45, 0.58, white), (0.58, 0.7, red), (0.7, 0.83, white),
                  (0.83, 1.0, red))  # fmt: skip
        for low, high, paint in levels:
            parts.tube([((0, 0, low), 0.07), ((0, 0, high), 0.07)], paint, sides=14)
        return parts
    iron = steel(rng)
    for k in range(6):
        parts.tube([((0, 0, 0.15 * k), 0.085), ((0, 0, 0.15 * (k + 1)), 0.08)], iron, sides=14)
    parts.tube([((0, 0, 0.7), 0.10), ((0, 0, 0.76), 0.10)], iron, sides=14)
    parts.tube([((0, 0, 0.9), 0.09), ((0, 0, 0.98), 0.03)], iron, sides=14)
    return parts


def bollard(rng: random.Random) -> Built:
    """A row of one to four upright bollards."""
    parts = _bollard_parts(rng)
    count, faces = len(parts.vertices), list(zip(parts.faces, parts.slots, strict=True))
    first = list(parts.vertices)
    for number in range(1, rng.randint(1, 4)):
        parts.vertices.extend(shift(1.5 * number, 0)(p) for p in first)
        for face, slot in faces:
            parts.faces.append(tuple(i + number * count for i in face))
            parts.slots.append(slot)
    return one(parts, "bollard")


def bollard_leaning(rng: random.Random) -> Built:
    """A bollard that was driven over, with rubble at its foot."""
    parts = _bollard_parts(rng)
    moved(parts, tilt(rng.choice(("x", "y")), rng.choice((-1, 1)) * rng.uniform(0.5, 1.35)))
    lump = materials.mottled("rubble", (0.25, 0.24, 0.23), 12.0, 0.3)
    for _ in range(rng.randint(3, 9)):
        size = rng.uniform(0.03, 0.11)
        at = (rng.gauss(0, 0.16), rng.gauss(0, 0.16), size * 0.4)
        parts.box(at, (size, size * 0.8, size * 0.8), lump, rng.uniform(0, 3))
    return one(parts, "leaning bollard")
