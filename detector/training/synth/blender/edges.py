"""What bounds a street: houses, flats, sheds, cottages, walls, hedges, fences, trees, water."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import bpy

from detector.training.synth.blender.plants import leaf_cloud, tree
from detector.training.synth.families import Colour, Edge
from detector.training.synth.street import KERB_M, Street
from sample_videos.render.blender import materials
from sample_videos.render.blender.facades import Facades
from sample_videos.render.blender.parts import Parts, Vec
from sample_videos.render.spec import StreetSpec

_REACH_M = 55.0
"""Edges are built this far along the street, both ways."""
_WALLS: tuple[Colour, ...] = (
    (0.36, 0.17, 0.115), (0.42, 0.29, 0.20), (0.35, 0.34, 0.32), (0.28, 0.15, 0.12),
    (0.45, 0.42, 0.37),
)  # fmt: skip


def build_edges(street: Street, *, lit: bool) -> None:
    """Build both edges; the near one is the far one turned round."""
    for far in (False, True):
        before = set(bpy.context.scene.collection.objects)
        rng = random.Random(street.seed + 11 + far)
        _BUILDERS[street.edge[far]](street, rng, street.side(far)[2], lit)
        if not far:
            for thing in set(bpy.context.scene.collection.objects) - before:
                thing.rotation_euler = (0, 0, thing.rotation_euler[2] + math.pi)
                thing.location = (-thing.location[0], -thing.location[1], thing.location[2])


def _houses(_street: Street, rng: random.Random, edge: float, lit: bool) -> None:
    spec = StreetSpec(
        seed=rng.randrange(9999),
        road_width_m=2 * edge - 2.0,
        far_pavement_m=1.0 - 0.22,
        extent_m=(-_REACH_M, _REACH_M),
    )
    Facades(spec, lit=lit).build()


def _wall(_street: Street, rng: random.Random, edge: float, _lit: bool) -> None:
    parts = Parts()
    colour = rng.choice(_WALLS)
    stone = (
        materials.wall_bricks("wall", colour)
        if rng.random() < 0.6
        else materials.mottled("render", colour, 1.2, 0.15)
    )
    cap = materials.mottled("coping", materials.scaled(colour, 1.3), 6.0)
    high = rng.uniform(1.2, 3.0)
    parts.box((0, edge + 0.15, high / 2), (2 * _REACH_M, 0.3, high), stone)
    parts.box((0, edge + 0.15, high + 0.04), (2 * _REACH_M, 0.42, 0.09), cap)
    for x in range(-50, 51, rng.choice((5, 8))):
        parts.box((x, edge + 0.15, high / 2 + 0.1), (0.5, 0.45, high + 0.2), stone)
    parts.build("wall")
    _trees(_street, rng, edge + 3.0, _lit)


def _hedge(street: Street, rng: random.Random, edge: float, lit: bool) -> None:
    parts = Parts()
    high = rng.uniform(0.9, 1.8)
    core = materials.mottled("hedge core", (0.015, 0.035, 0.010), 9.0, 0.5)
    parts.box((0, edge + 0.5, high / 2), (2 * _REACH_M, 0.75, high - 0.1), core)
    balls: list[tuple[Vec, float]] = [
        ((x * 0.55, edge + 0.5, z), 0.55) for x in range(-80, 80) for z in (high * 0.35, high * 0.8)
    ]
    green = materials.leaves("hedge", rng.choice(((0.05, 0.11, 0.03), (0.03, 0.07, 0.02))))
    leaf_cloud(parts, rng, balls, 14_000, green, leaf_m=0.10)
    parts.build("hedge")
    if rng.random() < 0.6:
        _cottages(street, rng, edge + 5.0, lit)
    else:
        _trees(street, rng, edge + 3.0, lit)


def _fence(street: Street, rng: random.Random, edge: float, lit: bool) -> None:
    parts = Parts()
    wood = materials.mottled(
        "fence", rng.choice(((0.24, 0.15, 0.08), (0.5, 0.5, 0.48), (0.10, 0.10, 0.10))), 4.0, 0.2
    )
    high, open_ = rng.uniform(1.1, 1.9), rng.random() < 0.5
    step = 0.3 if open_ else 0.15
    for i in range(int(2 * 45 / step)):
        parts.box(
            (-45 + i * step, edge + 0.1, high / 2), (0.10 if open_ else 0.145, 0.025, high), wood
        )
    for z in (0.3, high - 0.2):
        parts.box((0, edge + 0.14, z), (90, 0.05, 0.09), wood)
    parts.build("fence")
    (_cottages if rng.random() < 0.5 else _trees)(street, rng, edge + 4.0, lit)


def _trees(_street: Street, rng: random.Random, edge: float, _lit: bool) -> None:
    """Groups of trees behind the edge: two meshes, copied."""
    models = [tree(rng).subject[0] for _ in range(2)]
    for index in range(16):
        thing = models[index] if index < 2 else models[index % 2].copy()
        if index >= 2:
            bpy.context.scene.collection.objects.link(thing)
        x = -_REACH_M + (index + rng.random()) * 2 * _REACH_M / 16
        thing.location = (x, edge + rng.uniform(2.0, 24.0), 0.0)
        thing.rotation_euler = (0, 0, rng.uniform(0, 6.3))
        thing.scale = [rng.uniform(0.8, 1.4)] * 3


def _windows(
    parts: Parts,
    rng: random.Random,
    front: float,
    spans: tuple[range, range],
    pitch: tuple[float, float],
    *,
    lit: bool,
) -> None:
    glass = materials.plain("window", (0.02, 0.026, 0.03), 0.06)
    frame = materials.plain("frame", (0.6, 0.6, 0.58), 0.5)
    warm = materials.glowing("lit window", (1.0, 0.62, 0.28), 2.2)
    for column in spans[0]:
        for row in spans[1]:
            x, z = column * pitch[0], 1.6 + row * pitch[1]
            parts.box((x, front - 0.02, z), (1.5, 0.06, 1.35), frame)
            pane = warm if lit and rng.random() < 0.3 else glass
            parts.box((x - 0.36, front - 0.055, z), (0.62, 0.02, 1.15), pane)
            parts.box((x + 0.36, front - 0.055, z), (0.62, 0.02, 1.15), pane)


def _flats(_street: Street, rng: random.Random, edge: float, lit: bool) -> None:
    """Slab blocks with balconies."""
    colour = rng.choice(((0.50, 0.48, 0.44), (0.42, 0.44, 0.46), (0.55, 0.46, 0.34)))
    skin = materials.mottled("flats", colour, 0.8, 0.1)
    trim = materials.mottled(
        "balcony", rng.choice(((0.15, 0.25, 0.32), (0.4, 0.2, 0.1), colour)), 2.0
    )
    floors = rng.randint(4, 7)
    for block in (-1, 0, 1):
        parts = Parts()
        front, start = edge + rng.uniform(0.2, 3.0), len(parts.vertices)
        parts.box((0, front + 5, floors * 1.4), (30, 10, floors * 2.8), skin)
        _windows(parts, rng, front, (range(-4, 5), range(floors)), (3.1, 2.8), lit=lit)
        for row in range(1, floors):
            for column in (-3, 0, 3):
                parts.box(
                    (column * 3.1 + 1.55, front - 0.5, 0.7 + row * 2.8), (2.6, 1.0, 1.0), trim
                )
        parts.vertices[start:] = [(x + block * 35, y, z) for x, y, z in parts.vertices[start:]]
        parts.build("flats")


def _sheds(_street: Street, rng: random.Random, edge: float, _lit: bool) -> None:
    """Windowless halls with roller doors."""
    x = -_REACH_M
    while x < _REACH_M:
        parts = Parts()
        wide, high = rng.uniform(14, 26), rng.uniform(4.5, 8.0)
        colour = rng.choice(((0.35, 0.38, 0.40), (0.25, 0.30, 0.36), (0.45, 0.43, 0.38)))
        skin = materials.mottled("cladding", colour, 0.7, 0.12, 0.6)
        door = materials.mottled("door", rng.choice(((0.5, 0.5, 0.5), (0.1, 0.2, 0.35))), 1.0, 0.1)
        front = edge + rng.uniform(0.1, 1.5)
        parts.box((x + wide / 2, front + 6, high / 2), (wide, 12, high), skin)
        for i in range(int(wide / 0.6)):
            parts.box(
                (x + 0.3 + i * 0.6, front - 0.01, high * 0.6), (0.06, 0.04, high * 0.75), skin
            )
        for i in range(int(wide / 8)):
            at = x + 4 + i * 8
            parts.box((at, front - 0.02, 1.7), (3.4, 0.08, 3.4), door)
            for k in range(10):
                parts.box((at, front - 0.065, 0.2 + k * 0.33), (3.3, 0.02, 0.03), skin)
        parts.build("shed")
        x += wide + rng.uniform(0.5, 6.0)


def _cottages(_street: Street, rng: random.Random, edge: float, lit: bool) -> None:
    """Low houses with pitched roofs and gaps between."""
    x = -_REACH_M
    while x < _REACH_M:
        parts = Parts()
        wide, high = rng.uniform(8, 13), rng.choice((2.8, 5.4))
        colour = rng.choice((*_WALLS, (0.62, 0.60, 0.55), (0.55, 0.48, 0.36)))
        skin = materials.mottled("cottage", colour, 1.5, 0.12)
        tile = materials.slabs(
            "tiles", rng.choice(((0.22, 0.08, 0.05), (0.09, 0.09, 0.10))), 0.3, 0.3, 0.02
        )
        door = materials.plain("door", rng.choice(((0.25, 0.03, 0.03), (0.03, 0.08, 0.18))), 0.4)
        front, middle = edge + rng.uniform(0.1, 2.5), x + wide / 2
        parts.box((middle, front + 4, high / 2), (wide, 8, high), skin)
        ridge = high + 2.8
        left, right = x - 0.3, x + wide + 0.3
        parts.add(
            [
                (left, front - 0.4, high - 0.1),
                (right, front - 0.4, high - 0.1),
                (right, front + 4, ridge),
                (left, front + 4, ridge),
                (left, front + 8.4, high - 0.1),
                (right, front + 8.4, high - 0.1),
            ],
            [(0, 1, 2, 3), (3, 2, 5, 4)],
            tile,
        )
        for side in (x, x + wide):
            parts.add(
                [(side, front, high), (side, front + 8, high), (side, front + 4, ridge - 0.1)],
                [(0, 1, 2)],
                skin,
            )
        start = len(parts.vertices)
        rows = range(1 if high < 3 else 2)
        _windows(parts, rng, front, (range(-1, 2), rows), (2.7, 2.6), lit=lit)
        parts.box((1.4, front - 0.03, 1.05), (0.95, 0.1, 2.1), door)
        parts.vertices[start:] = [(px + middle, y, z) for px, y, z in parts.vertices[start:]]
        parts.build("cottage")
        x += wide + rng.uniform(0.0, 7.0)


def _water(_street: Street, rng: random.Random, edge: float, _lit: bool) -> None:
    """A quay with a railing, and water below."""
    parts = Parts()
    stone = materials.slabs("quay", (0.30, 0.28, 0.25), 1.2, 5.0, 0.02)
    steel = materials.mottled("quay rail", rng.choice(((0.03, 0.05, 0.05), (0.4, 0.42, 0.43))), 6.0)
    parts.box((0, edge + 0.25, KERB_M / 2 - 1.5), (500, 0.5, 3 + KERB_M), stone)
    deep = materials.Shader("water", (0.02, 0.035, 0.035), 0.08)
    deep.bump(deep.noise(1.6, 4), 0.35, 0.08)
    parts.add(
        [(-250, edge + 0.4, -1.4), (250, edge + 0.4, -1.4), (250, 250, -1.4), (-250, 250, -1.4)],
        [(0, 1, 2, 3)],
        deep.material,
    )
    for i in range(int(90 / 2)):
        parts.tube(
            [((-45 + 2 * i, edge - 0.1, 0), 0.035), ((-45 + 2 * i, edge - 0.1, 1.15), 0.035)],
            steel,
            sides=8,
        )
    for z in (0.45, 0.8, 1.12):
        parts.box((0, edge - 0.1, z), (90, 0.045, 0.045), steel)
    parts.build("quay")
    _cottages(_street, rng, edge + 35.0, _lit)


_BUILDERS: dict[Edge, Callable[[Street, random.Random, float, bool], None]] = {
    "houses": _houses,
    "wall": _wall,
    "hedge": _hedge,
    "fence": _fence,
    "trees": _trees,
    "flats": _flats,
    "sheds": _sheds,
    "cottages": _cottages,
    "water": _water,
}
