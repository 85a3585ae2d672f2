"""The ground: carriageway with its openings, kerbs, pavements, verges, paint, stains, puddles."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import bpy

from detector.training.synth.blender.built import Built, Material, disc, one
from detector.training.synth.kinds import KINDS
from detector.training.synth.placing import Thing
from detector.training.synth.street import KERB_M, KERB_WIDTH_M, LENGTH_M, Street
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts

_GROUND_M = 250.0
"""The land beyond the street's edges reaches so far."""
_LINE_M = 0.11


def road_materials(street: Street) -> tuple[Material, Material]:
    """Materials of the road, and of the road where it is broken."""
    colour = street.road_colour
    if street.road == "gravel":
        return materials.asphalt((0.26, 0.22, 0.17)), materials.asphalt(
            (0.26, 0.22, 0.17), broken=True
        )
    if street.road == "concrete":
        pale = materials.scaled(colour, 2.4)
        return materials.asphalt(pale), materials.asphalt(pale, broken=True)
    broken = materials.asphalt(colour, broken=True)
    if street.road == "cobbles":
        stone = materials.slabs("setts", materials.scaled(colour, 1.9), 0.16, 0.12, 0.012)
        return stone, broken
    return materials.asphalt(colour), broken


def build_ground(street: Street, things: Sequence[Thing], road: Material) -> list[Material]:
    """Build all of the ground except the openings; return what gets wet."""
    _carriageway(street, [t for t in things if KINDS[t.kind].opening], road)
    wet = [road, *_sides(street)]
    if street.family.markings:
        _markings(street)
    return wet


def _flat(
    parts: Parts, bounds: tuple[float, float, float, float], material: Material, z: float = 0.0
) -> None:
    x0, y0, x1, y1 = bounds
    parts.add([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], [(0, 1, 2, 3)], material)


def _carriageway(street: Street, openings: Sequence[Thing], road: Material) -> None:
    """Strips between openings, and what is left beside each."""
    parts = Parts()
    half, x = street.half_m, -_GROUND_M
    for thing in sorted(openings, key=lambda t: t.x):
        room = KINDS[thing.kind].radius_m
        _flat(parts, (x, -half, thing.x - room, half), road)
        x = thing.x + room
        _flat(parts, (thing.x - room, -half, x, thing.y - room), road)
        _flat(parts, (thing.x - room, thing.y + room, x, half), road)
    _flat(parts, (x, -half, _GROUND_M, half), road)
    parts.build("carriageway")


def _sides(street: Street) -> list[Material]:
    """Kerbs, pavements, verges and the land beyond."""
    rng = random.Random(street.seed)
    parts = Parts()
    stone = materials.slabs("kerb stone", materials.scaled(street.paving, 1.2), 1.0, 5.0, 0.012)
    paving = materials.slabs("paving", street.paving, *street.slab_m)
    green = materials.grass()
    soil = materials.mottled("soil", (0.10, 0.075, 0.05), 1.5, 0.3)
    x0, x1 = -_GROUND_M, _GROUND_M
    for far in (False, True):
        sign = 1 if far else -1
        start, middle, edge = street.side(far)
        high = KERB_M if street.kerb else 0.0
        if street.kerb:
            y = sign * (street.half_m + KERB_WIDTH_M / 2)
            parts.box(((x0 + x1) / 2, y, high - 0.15), (x1 - x0, KERB_WIDTH_M, 0.31), stone)
        for low, top, material in ((start, middle, paving), (middle, edge, green)):
            if top > low:
                _flat(parts, _band(sign, low, top), material, high)
        if street.edge[far] != "water":
            beyond = green if street.edge[far] in ("trees", "hedge", "fence") else soil
            _flat(
                parts,
                _band(sign, edge, _GROUND_M),
                rng.choice((beyond, beyond, green)),
                high - 0.03,
            )
    parts.build("sides")
    return [stone, paving]


def _band(sign: int, low: float, high: float) -> tuple[float, float, float, float]:
    y0, y1 = sorted((sign * low, sign * high))
    return -_GROUND_M, y0, _GROUND_M, y1


def _markings(street: Street) -> None:
    rng = random.Random(street.seed + 1)
    parts = Parts()
    white = materials.road_paint("white paint", (0.72, 0.72, 0.70))
    yellow = materials.road_paint("yellow paint", (0.80, 0.50, 0.04))
    half, (x0, x1) = street.half_m, LENGTH_M
    if rng.random() < 0.75:
        dash, x = rng.choice(((2.0, 5.0), (3.0, 4.5), (4.0, 6.0))), x0
        while x < x1:
            _flat(parts, (x, -_LINE_M / 2, x + dash[0], _LINE_M / 2), white, 0.003)
            x += sum(dash)
    for side in (-1, 1):
        if rng.random() < 0.5:
            y = side * (half - rng.choice((0.25, 2.2)))
            _flat(
                parts,
                (x0, y - _LINE_M / 2, x1, y + _LINE_M / 2),
                rng.choice((white, yellow)),
                0.003,
            )
    if rng.random() < 0.35:
        _zebra(parts, rng.uniform(-12, 12), half, white)
    parts.build("markings")


def _zebra(parts: Parts, x: float, half: float, white: Material) -> None:
    y = -half + 0.5
    while y + 0.45 < half - 0.4:
        _flat(parts, (x - 1.6, y, x + 1.6, y + 0.45), white, 0.004)
        y += 0.95


def blot(parts: Parts, rng: random.Random, radius_m: float, material: Material, z: float) -> None:
    """Add an irregular flat spot around the origin."""
    waves = [(k, rng.uniform(0, 6.3), rng.uniform(0.05, 0.16)) for k in (2, 3, 5, 7)]
    ring = []
    for step in range(40):
        turn = 2 * math.pi * step / 40
        out = radius_m * (1 + sum(a * math.sin(k * turn + p) for k, p, a in waves))
        ring.append((out * math.cos(turn), 0.7 * out * math.sin(turn), z))
    parts.add(ring, [tuple(range(40))], material)


def puddle(rng: random.Random) -> Built:
    """A shallow puddle on a sound road."""
    parts = Parts()
    blot(
        parts,
        rng,
        rng.uniform(0.4, 1.0),
        materials.plain("puddle", (0.03, 0.03, 0.03), 0.03),
        0.004,
    )
    return one(parts, "puddle")


def road_patch(rng: random.Random) -> Built:
    """A rectangle of newer asphalt, or an oil stain."""
    parts = Parts()
    tone = rng.choice((0.025, 0.035, 0.14))
    tar = materials.mottled("patch", (tone, tone, tone), 20.0, 0.3)
    if rng.random() < 0.3:
        blot(parts, rng, rng.uniform(0.2, 0.6), tar, 0.003)
    else:
        parts.box((0, 0, 0.001), (rng.uniform(0.6, 1.8), rng.uniform(0.5, 1.4), 0.006), tar)
    return one(parts, "patch")


def leaves(rng: random.Random) -> Built:
    """Fallen leaves, which are no litter."""
    parts = Parts()
    tones = [
        materials.plain("fallen leaf", tone, 0.9)
        for tone in ((0.25, 0.14, 0.03), (0.16, 0.07, 0.02), (0.30, 0.20, 0.04))
    ]
    for _ in range(rng.randint(25, 110)):
        x, y, a = rng.gauss(0, 0.45), rng.gauss(0, 0.45), rng.uniform(0, 6.3)
        size = rng.uniform(0.03, 0.06)
        ring = [(x + size * s * math.cos(a + t), y + size * s * math.sin(a + t), 0.008)
                for t, s in ((0, 1.0), (1.57, 0.5), (3.14, 1.0), (4.71, 0.5))]  # fmt: skip
        parts.add(ring, [(0, 1, 2, 3)], rng.choice(tones))
    return one(parts, "leaves")


def manhole(rng: random.Random) -> Built:
    """A sound cover in its frame."""
    parts = Parts()
    tone = rng.uniform(0.04, 0.11)
    iron = materials.mottled("cast iron", (tone, tone * 0.95, tone * 0.9), 30.0, 0.4, 0.55)
    rib = materials.mottled("rib", (tone * 1.7, tone * 1.6, tone * 1.5), 30.0, 0.3, 0.5)
    seam = materials.plain("seam", (0.01, 0.01, 0.01), 0.9)
    radius = rng.uniform(0.30, 0.36)
    for level, (out, paint) in enumerate(
        ((radius + 0.06, iron), (radius + 0.008, seam), (radius, iron))
    ):
        disc(parts, (0, 0, 0.003 + 0.0015 * level), out, paint)
    if rng.random() < 0.7:
        for k in (-2, -1, 0, 1, 2):
            long = 1.7 * math.sqrt(max(0.02, radius**2 - (0.12 * k) ** 2))
            parts.box((0, 0.11 * k, 0.008), (long, 0.035, 0.004), rib)
    return one(parts, "manhole cover")


def drain(rng: random.Random) -> Built:
    """A sound gully grate."""
    parts = Parts()
    iron = materials.mottled("grate", (0.06, 0.056, 0.05), 20.0, 0.3, 0.6)
    slot = materials.plain("slot", (0.004, 0.004, 0.004), 1.0)
    long = rng.uniform(0.4, 0.6)
    parts.box((0, 0, 0.002), (long, 0.36, 0.008), iron)
    for k in range(6):
        parts.box((long * (k / 5 - 0.5) * 0.8, 0, 0.007), (0.03, 0.28, 0.002), slot)
    return one(parts, "drain")


def soak(wet: Sequence[Material], ratio: float) -> None:
    """Make ground materials dark and mirror-like."""
    for material in wet:
        principled = material.node_tree.nodes["Principled BSDF"]
        principled.inputs["Roughness"].default_value = 0.75 - 0.5 * ratio
        principled.inputs["Coat Weight"].default_value = ratio
        principled.inputs["Coat Roughness"].default_value = 0.09
        principled.inputs["Coat IOR"].default_value = 1.33
    bpy.context.view_layer.update()
