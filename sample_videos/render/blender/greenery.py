"""Street trees: a forked trunk and a crown of single leaves."""

from __future__ import annotations

import math
import random

import bpy

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts

_LEAVES = 9000
_LEAF_M = 0.12


def build_trees(places: tuple[tuple[float, float], ...], seed: int) -> None:
    """Build one crown and one trunk, and stand turned and scaled copies of them in the street."""
    if not places:
        return
    rng = random.Random(seed + 2)
    crown, trunk = _crown(rng), _trunk(rng)
    for index, (x, y) in enumerate(places):
        turn, size = rng.uniform(0, 6.3), rng.uniform(0.85, 1.15)
        for part in (crown, trunk):
            twin = part if index == 0 else part.copy()
            if index:
                bpy.context.scene.collection.objects.link(twin)
            twin.location, twin.rotation_euler, twin.scale = (x, y, 0.1), (0, 0, turn), [size] * 3


def _crown(rng: random.Random) -> bpy.types.Object:
    parts = Parts()
    green = materials.leaves("leaves", (0.055, 0.13, 0.028))
    blobs = [
        (
            (rng.uniform(-1.1, 1.1), rng.uniform(-1.1, 1.1), rng.uniform(3.3, 5.3)),
            rng.uniform(0.6, 1.15),
        )
        for _ in range(15)
    ]
    points: list[tuple[float, float, float]] = []
    faces = []
    for _ in range(_LEAVES):
        (x, y, z), radius = rng.choice(blobs)
        reach = radius * rng.uniform(0.55, 1.0) ** 0.5
        a, b = rng.uniform(0, 2 * math.pi), math.acos(rng.uniform(-1, 1))
        centre = (
            x + reach * math.sin(b) * math.cos(a),
            y + reach * math.sin(b) * math.sin(a),
            z + 0.8 * reach * math.cos(b),
        )
        start = len(points)
        points.extend(_leaf(rng, centre))
        faces.append((start, start + 1, start + 2, start + 3))
    parts.add(points, faces, green)
    return parts.build("crown")


def _leaf(
    rng: random.Random, centre: tuple[float, float, float]
) -> list[tuple[float, float, float]]:
    long, wide = ([rng.gauss(0, 1) for _ in range(3)] for _ in range(2))
    scale_long = _LEAF_M / max(0.3, math.hypot(*long))
    scale_wide = 0.5 * _LEAF_M / max(0.3, math.hypot(*wide))
    corners = []
    for along, across in ((-1, 0), (0, 1), (1, 0), (0, -1)):
        x, y, z = (
            c + along * scale_long * u + across * scale_wide * v
            for c, u, v in zip(centre, long, wide, strict=True)
        )
        corners.append((x, y, z))
    return corners


def _trunk(rng: random.Random) -> bpy.types.Object:
    parts = Parts()
    bark = materials.mottled("bark", (0.11, 0.08, 0.055), 14.0, 0.4)
    parts.tube([((0, 0, 0), 0.17), ((0.02, 0, 1.2), 0.13), ((0, 0.03, 2.8), 0.11)], bark, sides=14)
    for _ in range(6):
        a, lean = rng.uniform(0, 6.3), rng.uniform(0.5, 1.0)
        tip = (lean * math.cos(a), lean * math.sin(a), rng.uniform(3.8, 4.8))
        parts.tube([((0, 0.03, 2.6), 0.08), (tip, 0.02)], bark, sides=8)
    return parts.build("trunk", smooth=True)
