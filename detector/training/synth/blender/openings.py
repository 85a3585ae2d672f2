"""Holes in the carriageway: potholes and manholes without a sound cover."""

from __future__ import annotations

import math
import random

import bpy
import numpy as np

from detector.training.synth.blender.built import Built, Material, moved, pipe, shift, tilt
from detector.training.synth.kinds import KINDS
from detector.training.synth.placing import Thing
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.shapes import Hole, pothole

_SIDES = 32
_SHAFT_M = 0.9
_EARTH = 0.35
"""Faces that are broken at least so much belong to the hole."""
_MARK_M = 0.45
"""Least distance between the edge of a pothole and the edge of its square."""


def build_opening(thing: Thing, road: Material, broken: Material) -> Built:
    """Build a hole and the square of road around it, at its place."""
    rng = random.Random(thing.seed)
    if thing.kind.startswith("pothole"):
        return _pothole(thing, rng, road, broken)
    return _manhole(thing, rng, road)


def _pothole(thing: Thing, rng: random.Random, road: Material, broken: Material) -> Built:
    room = KINDS[thing.kind].radius_m
    long = rng.uniform(0.5, 2 * (room - _MARK_M))
    size = long, long * rng.uniform(0.6, 0.95)
    bounds = thing.x - room, thing.y - room, thing.x + room, thing.y + room
    depth = rng.uniform(0.06, 0.16)
    hole = pothole(bounds, size, depth, thing.seed % 9999)
    built = _split(hole, road, broken)
    rubble = _rubble(rng, thing, size)
    built.extra.append(rubble)
    if thing.kind == "pothole_wet":
        built.subject.append(_water(thing, hole, depth * rng.uniform(0.15, 0.5)))
    return built


def _split(hole: Hole, road: Material, broken: Material) -> Built:
    """The hole and the sound road around it as two objects."""
    quads = hole.surface.quads
    inside = hole.broken[quads].mean(axis=1) > _EARTH
    low = hole.surface.vertices[quads][:, :, 2].mean(axis=1) < -0.008
    found = []
    for mask, material, name in (
        (inside & low, broken, "pothole"),
        (~(inside & low), road, "road around"),
    ):
        used, renumbered = np.unique(quads[mask], return_inverse=True)
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(
            hole.surface.vertices[used].tolist(), [], renumbered.reshape(-1, 4).tolist()
        )
        mesh.materials.append(material)
        layer = mesh.color_attributes.new("broken", "FLOAT_COLOR", "POINT")
        values = np.repeat(hole.broken[used][:, None], 4, axis=1).astype(np.float32)
        layer.data.foreach_set("color", values.ravel())
        mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
        thing = bpy.data.objects.new(name, mesh)
        bpy.context.scene.collection.objects.link(thing)
        found.append(thing)
    return Built(subject=[found[0]], extra=[found[1]])


def _rubble(rng: random.Random, thing: Thing, size: tuple[float, float]) -> bpy.types.Object:
    parts = Parts()
    lump = materials.mottled("lump", (0.06, 0.056, 0.05), 30.0, 0.4)
    for _ in range(rng.randint(15, 60)):
        x, y = rng.gauss(0, 0.42) * size[0], rng.gauss(0, 0.42) * size[1]
        small = rng.uniform(0.015, 0.07)
        z = -0.05 if math.hypot(x / size[0], y / size[1]) < 0.42 else small * 0.3
        parts.box((thing.x + x, thing.y + y, z), (small, small * 0.8, small * 0.7), lump,
                  rng.uniform(0, 3))  # fmt: skip
    return parts.build("rubble")


def _water(thing: Thing, hole: Hole, below_m: float) -> bpy.types.Object:
    """Muddy water that stands in the hole; the plate ends inside the rim."""
    rim = hole.rim[:, :2] - (thing.x, thing.y)
    turns = np.arctan2(rim[:, 1], rim[:, 0])
    reach = np.hypot(rim[:, 0], rim[:, 1])
    ring = []
    for step in range(_SIDES):
        turn = -math.pi + 2 * math.pi * (step + 0.5) / _SIDES
        near = np.abs(turns - turn) < math.pi / _SIDES
        out = 0.97 * float(reach[near].max()) if near.any() else 0.1
        ring.append((thing.x + out * math.cos(turn), thing.y + out * math.sin(turn), -below_m))
    parts = Parts()
    mud = materials.plain("mud water", (0.045, 0.036, 0.026), 0.03)
    parts.add(ring, [tuple(range(_SIDES))], mud)
    return parts.build("water")


def _manhole(thing: Thing, rng: random.Random, road: Material) -> Built:
    radius, room = rng.uniform(0.30, 0.36), KINDS[thing.kind].radius_m
    around = _frame_of_road(thing, radius + 0.06, room, road)
    parts = Parts()
    iron = materials.mottled("cast iron", (0.06, 0.056, 0.052), 30.0, 0.4, 0.55)
    _shaft(parts, thing, radius, iron)
    if thing.kind == "manhole_shifted":
        _shifted(parts, rng, thing, radius, iron)
    elif thing.kind == "manhole_broken":
        _broken(parts, rng, thing, radius, iron)
    elif rng.random() < 0.35:
        stick = materials.mottled("stick", (0.25, 0.17, 0.09), 9.0)
        x, y = thing.x + rng.uniform(-0.1, 0.1), thing.y
        pipe(parts, [((x, y, -0.4), 0.03), ((x + 0.15, y + 0.1, 1.1), 0.02)], stick)
    return Built(subject=[parts.build("manhole")], extra=[around])


def _frame_of_road(thing: Thing, radius: float, room: float, road: Material) -> bpy.types.Object:
    """A square of road with a round hole."""
    parts = Parts()
    inner, outer = [], []
    for step in range(_SIDES):
        turn = 2 * math.pi * step / _SIDES
        cos, sin = math.cos(turn), math.sin(turn)
        out = room / max(abs(cos), abs(sin))
        inner.append((thing.x + radius * cos, thing.y + radius * sin, 0.0))
        outer.append((thing.x + out * cos, thing.y + out * sin, 0.0))
    faces = [(i, _SIDES + i, _SIDES + (i + 1) % _SIDES, (i + 1) % _SIDES) for i in range(_SIDES)]
    parts.add([*inner, *outer], faces, road)
    return parts.build("road around")


def _shaft(parts: Parts, thing: Thing, radius: float, iron: Material) -> None:
    """The iron frame, the wall and the dark below."""
    wall = materials.mottled("shaft", (0.05, 0.045, 0.04), 4.0, 0.3)
    dark = materials.plain("deep", (0.003, 0.003, 0.003), 1.0)
    rings = ((radius + 0.065, 0.004), (radius, 0.004), (radius, -_SHAFT_M))
    points = [
        (thing.x + r * math.cos(t), thing.y + r * math.sin(t), z)
        for r, z in rings
        for t in (2 * math.pi * i / _SIDES for i in range(_SIDES))
    ]
    for row, material in ((0, iron), (1, wall)):
        start = row * _SIDES
        faces = [
            (start + i, start + (i + 1) % _SIDES, start + _SIDES + (i + 1) % _SIDES,
             start + _SIDES + i)
            for i in range(_SIDES)
        ]  # fmt: skip
        parts.add(points, faces, material)
    parts.add(points[2 * _SIDES :], [tuple(range(_SIDES))], dark)


def _lid(parts: Parts, radius: float, iron: Material) -> None:
    """A cover around the origin, with raised ribs."""
    parts.tube([((0, 0, 0), radius), ((0, 0, 0.045), radius)], iron, sides=28)
    rib = materials.mottled("rib", (0.10, 0.095, 0.09), 30.0, 0.3, 0.5)
    for k in (-2, -1, 0, 1, 2):
        long = 1.7 * math.sqrt(max(0.05, radius**2 - (0.12 * k) ** 2))
        parts.box((0, 0.12 * k, 0.048), (long, 0.035, 0.012), rib)


def _shifted(parts: Parts, rng: random.Random, thing: Thing, radius: float, iron: Material) -> None:
    start = len(parts.vertices)
    _lid(parts, radius + 0.01, iron)
    moved(parts, tilt("z", rng.uniform(0, 3)), start)
    away, turn = rng.uniform(0.75, 1.25) * radius, rng.uniform(0, 6.3)
    dip = rng.uniform(0.0, 0.12)
    moved(parts, tilt("y", dip), start)
    moved(parts, shift(away, 0, 0.02 + dip * radius), start)
    moved(parts, tilt("z", turn), start)
    moved(parts, shift(thing.x, thing.y), start)


def _broken(parts: Parts, rng: random.Random, thing: Thing, radius: float, iron: Material) -> None:
    """A cover of which a piece has fallen in; the rest may have dropped on one side."""
    start = len(parts.vertices)
    first, gone = rng.uniform(0, 6.3), rng.uniform(1.8, 3.8)
    steps = 20
    arc = [first + gone + (2 * math.pi - gone) * i / steps for i in range(steps + 1)]
    rim = [(radius * math.cos(t), radius * math.sin(t), 0.0) for t in arc]
    jag = [
        (radius * q * math.cos(first + gone * f), radius * q * math.sin(first + gone * f), 0.0)
        for f, q in ((0.15, 0.55), (0.35, 0.25), (0.55, 0.4), (0.75, 0.15), (0.9, 0.5))
    ]
    parts.add([*rim, *jag, (0.0, 0.0, 0.0)],
              [(i, i + 1, len(rim) + len(jag)) for i in range(steps)], iron)  # fmt: skip
    count = len(rim) + len(jag)
    rows = [*range(len(rim), count)]
    parts.add([*rim, *jag, (0.0, 0.0, 0.0)], [(steps, rows[0], count), (0, count, rows[-1])], iron)
    if rng.random() < 0.5:
        moved(
            parts, tilt(rng.choice(("x", "y")), rng.choice((-1, 1)) * rng.uniform(0.1, 0.3)), start
        )
    moved(parts, shift(thing.x, thing.y, -0.01), start)
