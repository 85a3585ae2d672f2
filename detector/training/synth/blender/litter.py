"""Litter: cups, cans, bottles, paper, packets, carrier bags."""

from __future__ import annotations

import random

import numpy as np

from detector.training.synth.blender.built import Built, add_grid, one, sheet
from sample_videos.render.blender import materials
from sample_videos.render.blender.materials import Shader
from sample_videos.render.blender.parts import Parts
from sample_videos.render.shapes import waves
from sample_videos.render.spec import Colour

Rings = list[tuple[float, float]]
"""Distance along the axis and radius."""

_BRIGHT: tuple[Colour, ...] = (
    (0.60, 0.02, 0.02), (0.02, 0.08, 0.45), (0.03, 0.30, 0.06), (0.70, 0.50, 0.02),
    (0.60, 0.18, 0.02), (0.35, 0.02, 0.30), (0.02, 0.30, 0.40), (0.65, 0.65, 0.66),
)  # fmt: skip
_WHITE: Colour = (0.72, 0.72, 0.70)


def _revolved(
    parts: Parts, bands: list[tuple[Rings, object]], *, lying: bool, length: float
) -> None:
    """Add a body of revolution; bands of rings with a material each, lying or standing."""
    widest = max(radius for rings, _ in bands for _, radius in rings)
    for rings, material in bands:
        if lying:
            placed = [((0.0, along - length / 2, widest), radius) for along, radius in rings]
            parts.tube(placed, material, axis="y", sides=18)
        else:
            parts.tube([((0.0, 0.0, along), radius) for along, radius in rings], material, sides=18)


def cup(rng: random.Random) -> Built:
    """A paper cup, with or without its lid."""
    parts = Parts()
    colour = rng.choice((_WHITE, _WHITE, (0.35, 0.22, 0.12), rng.choice(_BRIGHT)))
    wall = materials.plain("cup", colour, 0.6)
    band = materials.plain("band", rng.choice((_WHITE, (0.25, 0.14, 0.07), *_BRIGHT)), 0.6)
    lid = materials.plain("lid", rng.choice((_WHITE, (0.03, 0.03, 0.03))), 0.4)
    bands: list[tuple[Rings, object]] = [
        ([(0.0, 0.029), (0.14, 0.044)], wall),
        ([(0.04, 0.0345), (0.10, 0.041)], band),
    ]
    if rng.random() < 0.6:
        bands.append(([(0.138, 0.047), (0.15, 0.046), (0.155, 0.036)], lid))
    _revolved(parts, bands, lying=rng.random() < 0.7, length=0.15)
    return one(parts, "cup", smooth=False)


def can(rng: random.Random) -> Built:
    """A drinks can, sometimes squashed."""
    parts = Parts()
    tin = materials.plain("tin", (0.6, 0.6, 0.62), 0.3, 0.9)
    paint = materials.plain("can paint", rng.choice(_BRIGHT), 0.35, 0.3)
    length = rng.choice((0.115, 0.168))
    bands: list[tuple[Rings, object]] = [
        ([(0.0, 0.024), (0.008, 0.032), (0.012, 0.033)], tin),
        ([(0.010, 0.0333), (length - 0.012, 0.0333)], paint),
        ([(length - 0.014, 0.033), (length, 0.026)], tin),
    ]
    _revolved(parts, bands, lying=rng.random() < 0.8, length=length)
    if rng.random() < 0.3:
        flat = rng.uniform(0.4, 0.7)
        parts.vertices = [(x, y, z * flat) for x, y, z in parts.vertices]
    return one(parts, "can", smooth=False)


def bottle(rng: random.Random) -> Built:
    """A plastic or a glass bottle."""
    parts = Parts()
    glass = rng.random() < 0.35
    if glass:
        body = materials.plain("glass", rng.choice(((0.03, 0.09, 0.03), (0.10, 0.045, 0.012))), 0.1)
    else:
        tint = rng.choice(((0.75, 0.85, 0.88), (0.55, 0.75, 0.60), (0.85, 0.87, 0.88)))
        shader = Shader("plastic", tint, 0.15)
        shader.set(Transmission_Weight=0.55)
        body = shader.material
    label = materials.plain("label", rng.choice((*_BRIGHT, _WHITE)), 0.5)
    cap = materials.plain("cap", rng.choice(_BRIGHT), 0.5)
    size = rng.uniform(0.95, 1.25)
    profile = [(0.0, 0.028), (0.01, 0.033), (0.15, 0.033), (0.20, 0.014), (0.225, 0.0135)]
    bands: list[tuple[Rings, object]] = [
        ([(a * size, r * size) for a, r in profile], body),
        ([(0.06 * size, 0.0338 * size), (0.12 * size, 0.0338 * size)], label),
        ([(0.222 * size, 0.0155 * size), (0.238 * size, 0.0155 * size)], cap),
    ]
    _revolved(parts, bands, lying=rng.random() < 0.85, length=0.238 * size)
    return one(parts, "bottle", smooth=False)


def paper(rng: random.Random) -> Built:
    """A sheet, a newspaper or a crumpled ball."""
    parts = Parts()
    tone = rng.uniform(0.55, 0.75)
    white = materials.mottled("paper", (tone, tone, tone * 0.96), 14.0, 0.12)
    if rng.random() < 0.35:
        _ball(parts, rng, 0.06 * rng.uniform(0.8, 1.5), white)
    else:
        size = rng.choice(((0.21, 0.15), (0.30, 0.21), (0.36, 0.28), (0.18, 0.16)))
        sheet(parts, size, white, rng.randrange(9999), rough_m=rng.uniform(0.02, 0.06))
    return one(parts, "paper")


def _ball(parts: Parts, rng: random.Random, radius_m: float, material: object) -> None:
    rows, columns = 9, 13
    v, u = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, columns),
                       indexing="ij")  # fmt: skip
    unit = np.stack([np.sin(v) * np.cos(u), np.sin(v) * np.sin(u), np.cos(v)], axis=-1)
    flat = unit.reshape(-1, 3)
    reach = radius_m * (1 + 0.35 * waves(flat, 0.6, rng.randrange(9999), 3))
    points = flat * reach[:, None]
    points[:, 2] += radius_m * 0.8
    add_grid(parts, points, columns, material)


def crisp_bag(rng: random.Random) -> Built:
    """An empty packet of crisps or sweets: bright foil."""
    parts = Parts()
    foil = materials.plain("foil", rng.choice(_BRIGHT), 0.25, 0.45)
    silver = materials.plain("silver", (0.7, 0.7, 0.72), 0.2, 0.9)
    seed = rng.randrange(9999)
    sheet(parts, (0.17, 0.24), foil, seed, rough_m=0.03, lift_m=0.03)
    start = len(parts.vertices)
    sheet(parts, (0.17, 0.03), silver, seed + 1, rough_m=0.012)
    parts.vertices[start:] = [(x, y + 0.125, z + 0.004) for x, y, z in parts.vertices[start:]]
    return one(parts, "crisp bag")


def carton(rng: random.Random) -> Built:
    """A takeaway box, a drink carton or a cigarette packet."""
    parts = Parts()
    colour = rng.choice((*_BRIGHT, _WHITE, (0.36, 0.24, 0.13), (0.36, 0.24, 0.13)))
    card = materials.plain("carton", colour, 0.6)
    inside = materials.plain("carton inside", (0.55, 0.50, 0.42), 0.8)
    x, y, z = rng.choice(((0.20, 0.15, 0.05), (0.09, 0.20, 0.07), (0.13, 0.13, 0.08)))
    parts.box((0, 0, z / 2), (x, y, z), card, rng.uniform(0, 0.4))
    if rng.random() < 0.6:
        parts.box((0, y * 0.75, z * 0.5), (x, y * 0.55, 0.006), inside, rng.uniform(-0.2, 0.2))
    return one(parts, "carton")


def carrier_bag(rng: random.Random) -> Built:
    """A thin empty carrier bag."""
    parts = Parts()
    colour = rng.choice((_WHITE, _WHITE, (0.55, 0.60, 0.66), (0.60, 0.06, 0.05), (0.1, 0.35, 0.15)))
    film = materials.plastic_bag("carrier", colour)
    seed = rng.randrange(9999)
    sheet(parts, (0.38, 0.30), film, seed, rough_m=0.08, scale=4.0, lift_m=rng.uniform(0.04, 0.14),
          steps=16)  # fmt: skip
    return one(parts, "carrier bag")
