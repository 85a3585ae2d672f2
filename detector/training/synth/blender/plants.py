"""Trees and shrubs, standing and fallen."""

from __future__ import annotations

import math
import random

import numpy as np

from detector.training.synth.blender.built import Built, Material, add_grid, one, pipe
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts, Vec
from sample_videos.render.shapes import Floats, waves
from sample_videos.render.spec import Colour

_GREENS: tuple[Colour, ...] = (
    (0.055, 0.13, 0.028), (0.04, 0.10, 0.03), (0.08, 0.14, 0.02), (0.03, 0.08, 0.03),
    (0.20, 0.13, 0.02), (0.22, 0.07, 0.02),
)  # fmt: skip
_BARKS: tuple[Colour, ...] = ((0.11, 0.08, 0.055), (0.16, 0.14, 0.12), (0.07, 0.05, 0.04))


def leaf_cloud(
    parts: Parts,
    rng: random.Random,
    blobs: list[tuple[Vec, float]],
    count: int,
    material: Material,
    *,
    leaf_m: float = 0.16,
) -> None:
    """Scatter leaves, each a quad, in balls given by middle and radius; none below the ground."""
    random_ = np.random.default_rng(rng.randrange(1 << 30))
    pick = random_.integers(len(blobs), size=count)
    middles = np.array([middle for middle, _ in blobs])[pick]
    radii = np.array([radius for _, radius in blobs])[pick]
    way = random_.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    at = middles + way * (radii * random_.uniform(0.4, 1.0, count) ** 0.5)[:, None]
    at[:, 2] = np.maximum(np.abs(at[:, 2]), 0.02)
    long = random_.normal(size=(count, 3))
    wide = random_.normal(size=(count, 3))
    long *= (
        leaf_m * random_.uniform(0.6, 1.3, (count, 1)) / np.linalg.norm(long, axis=1, keepdims=True)
    )
    wide *= 0.5 * leaf_m / np.linalg.norm(wide, axis=1, keepdims=True)
    corners = np.stack([at - long, at + wide, at + long, at - wide], axis=1).reshape(-1, 3)
    corners[:, 2] = np.maximum(corners[:, 2], 0.005)
    faces = np.arange(count * 4).reshape(-1, 4)
    parts.add([(x, y, z) for x, y, z in corners.tolist()], faces.tolist(), material)


def _bark(rng: random.Random) -> Material:
    return materials.mottled("bark", rng.choice(_BARKS), 14.0, 0.4)


def _foliage(rng: random.Random) -> Material:
    return materials.leaves("leaves", rng.choice(_GREENS))


def tree(rng: random.Random) -> Built:
    """A standing tree: a round, a slender or a bare one."""
    parts = Parts()
    bark = _bark(rng)
    high = rng.uniform(4.5, 9.0)
    stem = high * rng.uniform(0.35, 0.5)
    lean = rng.uniform(-0.2, 0.2)
    thick = 0.028 * high
    pipe(
        parts,
        [
            ((0, 0, 0), thick),
            ((lean * 0.3, 0, stem * 0.5), thick * 0.8),
            ((lean, 0, stem), thick * 0.65),
            ((lean, 0, high * 0.8), thick * 0.2),
        ],
        bark,
    )
    blobs: list[tuple[Vec, float]] = []
    spread = rng.uniform(0.18, 0.32) * high
    for _ in range(11):
        turn, out = rng.uniform(0, 6.3), spread * rng.uniform(0.2, 1.0)
        tip = (lean + out * math.cos(turn), out * math.sin(turn), rng.uniform(stem * 1.1, high))
        pipe(parts, [((lean, 0, stem * 0.95), thick * 0.4), (tip, 0.02)], bark, 5)
        blobs.append((tip, spread * rng.uniform(0.35, 0.6)))
    if rng.random() < 0.88:
        leaf_cloud(parts, rng, blobs, 5000, _foliage(rng), leaf_m=0.14)
    return one(parts, "tree")


def bush(rng: random.Random) -> Built:
    """A shrub."""
    parts = Parts()
    blobs: list[tuple[Vec, float]] = [
        ((rng.gauss(0, 0.35), rng.gauss(0, 0.35), rng.uniform(0.3, 0.8)), rng.uniform(0.3, 0.5))
        for _ in range(5)
    ]
    leaf_cloud(parts, rng, blobs, 1500, _foliage(rng), leaf_m=0.09)
    return one(parts, "bush")


def _bough(
    parts: Parts, rng: random.Random, start: Vec, way: float, length: float, bark: Material
) -> list[tuple[Vec, float]]:
    """A crooked branch near the ground; return where its leaves are."""
    x, y, z = start
    thick = 0.022 * length + 0.012
    path: list[tuple[Vec, float]] = [((x, y, z), thick)]
    blobs: list[tuple[Vec, float]] = []
    for step in range(1, 6):
        way += rng.gauss(0, 0.22)
        x += length / 5 * math.cos(way)
        y += length / 5 * math.sin(way)
        z = max(0.06, z + rng.gauss(0.02, 0.10))
        path.append(((x, y, z), thick * (1 - step / 6)))
        if step >= 2:
            blobs.append(((x, y, z), 0.14 * length + 0.1))
    pipe(parts, path, bark, 7)
    return blobs


def tree_fallen(rng: random.Random) -> Built:
    """A tree on its side, torn out with its roots or snapped off."""
    parts = Parts()
    bark, length = _bark(rng), rng.uniform(4.5, 8.0)
    thick = 0.026 * length
    base, end = -length / 2, length * 0.12
    rise = rng.uniform(0.0, 0.35)
    path = [((base + (end - base) * t, rng.gauss(0, 0.04), thick + rise * t), thick * (1 - 0.5 * t))
            for t in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]  # fmt: skip
    pipe(parts, path, bark, 12)
    if rng.random() < 0.55:
        _roots(parts, rng, (base, 0.0, thick), bark)
    else:
        _stump(parts, rng, (base - rng.uniform(0.3, 0.7), rng.uniform(-0.3, 0.3)), thick, bark)
    blobs: list[tuple[Vec, float]] = []
    for _ in range(rng.randint(7, 10)):
        t = rng.uniform(0.45, 1.0)
        start = (base + (end - base) * t, 0.0, thick + rise * t)
        way = rng.choice((-1, 1)) * rng.uniform(0.1, 1.0)
        blobs += _bough(parts, rng, start, way, rng.uniform(0.25, 0.45) * length, bark)
    lifted = [((x, y, z + rng.uniform(0.0, 0.12) * length), r) for (x, y, z), r in blobs]
    if rng.random() < 0.88:
        leaf_cloud(parts, rng, lifted, 4200, _foliage(rng), leaf_m=0.15)
    return one(parts, "fallen tree")


def _roots(parts: Parts, rng: random.Random, at: Vec, bark: Material) -> None:
    """A plate of earth and torn roots, upright at the foot of the trunk."""
    earth = materials.mottled("earth", (0.07, 0.045, 0.028), 9.0, 0.4, 1.0)
    rows, columns, radius = 9, 17, rng.uniform(0.7, 1.0)
    v, u = np.meshgrid(np.linspace(0, math.pi, rows), np.linspace(0, 2 * math.pi, columns),
                       indexing="ij")  # fmt: skip
    unit: Floats = np.stack(
        [np.cos(v), np.sin(v) * np.cos(u), np.sin(v) * np.sin(u)], axis=-1
    ).reshape(-1, 3)
    rough = 1 + 0.3 * waves(unit, 0.7, rng.randrange(9999), 3)
    points = unit * rough[:, None] * (0.25, radius, radius) + (at[0] - 0.1, at[1], radius * 0.75)
    points[:, 2] = np.maximum(points[:, 2], 0.0)
    add_grid(parts, points, columns, earth)
    for _ in range(9):
        turn, out = rng.uniform(0, 6.3), radius * rng.uniform(1.0, 1.5)
        tip = (at[0] - rng.uniform(0.2, 0.5), out * math.cos(turn),
               max(0.03, radius * 0.75 + out * math.sin(turn)))  # fmt: skip
        pipe(parts, [((at[0], at[1], radius * 0.7), 0.06), (tip, 0.012)], bark, 5)


def _stump(
    parts: Parts, rng: random.Random, at: tuple[float, float], thick: float, bark: Material
) -> None:
    """What stands where a trunk has snapped: pale splinters on top."""
    wood = materials.mottled("splinters", (0.42, 0.30, 0.16), 12.0, 0.3)
    x, y = at
    high = rng.uniform(0.3, 0.9)
    pipe(parts, [((x, y, 0.0), thick * 1.25), ((x, y, high), thick * 1.05)], bark, 12)
    for _ in range(9):
        dx, dy = rng.gauss(0, thick * 0.45), rng.gauss(0, thick * 0.45)
        foot = (x + dx, y + dy, high - 0.02)
        pipe(
            parts,
            [(foot, 0.05), ((x + dx, y + dy, high + rng.uniform(0.05, 0.35)), 0.005)],
            wood,
            4,
        )


def branch_fallen(rng: random.Random) -> Built:
    """A big branch on the ground, in leaf or bare."""
    parts = Parts()
    bark, length = _bark(rng), rng.uniform(2.0, 3.6)
    blobs = _bough(parts, rng, (-length / 2, 0.0, 0.08), 0.0, length, bark)
    for _ in range(rng.randint(4, 7)):
        t = rng.uniform(0.15, 0.7)
        way = rng.choice((-1, 1)) * rng.uniform(0.4, 1.1)
        blobs += _bough(
            parts,
            rng,
            (-length / 2 + t * length, 0.0, 0.1),
            way,
            rng.uniform(0.3, 0.55) * length,
            bark,
        )
    if rng.random() < 0.75:
        low = [((x, y, z + rng.uniform(0.0, 0.25)), 0.22) for (x, y, z), _ in blobs]
        leaf_cloud(parts, rng, low, 1100, _foliage(rng), leaf_m=0.10)
    return one(parts, "fallen branch")
