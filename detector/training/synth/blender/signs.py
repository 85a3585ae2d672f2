"""Traffic signs on posts: sound, leaning, fallen, bent, defaced, broken, hanging."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from detector.training.synth.blender.built import Built, Material, moved, pipe, rounded, shift, tilt
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts, Vec
from sample_videos.render.spec import Colour

_RED: Colour = (0.55, 0.02, 0.02)
_BLUE: Colour = (0.01, 0.09, 0.42)
_GREEN: Colour = (0.01, 0.22, 0.09)
_WHITE: Colour = (0.70, 0.70, 0.68)
_YELLOW: Colour = (0.75, 0.48, 0.02)
_BLACK: Colour = (0.02, 0.02, 0.02)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Face:
    """A plate: how many corners (0: a rectangle), and its colours."""

    corners: int
    turn: float
    size: tuple[float, float]
    rim: Colour
    field: Colour
    ink: Colour
    mark: str


_FACES = (
    _Face(corners=28, turn=0, size=(0.7, 0.7), rim=_RED, field=_WHITE, ink=_BLACK, mark="digits"),
    _Face(corners=28, turn=0, size=(0.7, 0.7), rim=_RED, field=_RED, ink=_WHITE, mark="bar"),
    _Face(corners=28, turn=0, size=(0.7, 0.7), rim=_RED, field=_BLUE, ink=_RED, mark="slash"),
    _Face(corners=28, turn=0, size=(0.7, 0.7), rim=_WHITE, field=_BLUE, ink=_WHITE, mark="arrow"),
    _Face(corners=3, turn=90, size=(0.9, 0.9), rim=_RED, field=_WHITE, ink=_BLACK, mark="pole"),
    _Face(corners=3, turn=90, size=(0.9, 0.9), rim=_BLACK, field=_YELLOW, ink=_BLACK, mark="pole"),
    _Face(corners=3, turn=-90, size=(0.9, 0.9), rim=_RED, field=_WHITE, ink=_WHITE, mark=""),
    _Face(corners=8, turn=22.5, size=(0.8, 0.8), rim=_WHITE, field=_RED, ink=_WHITE, mark="word"),
    _Face(corners=4, turn=0, size=(0.8, 0.8), rim=_BLACK, field=_YELLOW, ink=_BLACK, mark="pole"),
    _Face(corners=0, turn=0, size=(0.6, 0.6), rim=_WHITE, field=_BLUE, ink=_WHITE, mark="letter"),
    _Face(corners=0, turn=0, size=(1.2, 0.5), rim=_WHITE, field=_GREEN, ink=_WHITE, mark="lines"),
    _Face(corners=0, turn=0, size=(1.1, 0.4), rim=_WHITE, field=_BLUE, ink=_WHITE, mark="lines"),
    _Face(corners=0, turn=0, size=(0.5, 0.7), rim=_RED, field=_WHITE, ink=_BLACK, mark="lines"),
)


def _outline(face: _Face, scale: float, cuts: int = 5) -> list[tuple[float, float]]:
    """Points of the plate; long edges are cut, so that the plate can be bent."""
    wide, high = (side / 2 * scale for side in face.size)
    if face.corners:
        turns = [
            math.radians(face.turn) + 2 * math.pi * i / face.corners for i in range(face.corners)
        ]
        points = [(wide * math.cos(t), high * math.sin(t)) for t in turns]
    else:
        points = [(wide, high), (-wide, high), (-wide, -high), (wide, -high)]
    if len(points) > 8:
        return points
    return [
        (a[0] + (b[0] - a[0]) * step / cuts, a[1] + (b[1] - a[1]) * step / cuts)
        for a, b in zip(points, [*points[1:], points[0]], strict=True)
        for step in range(cuts)
    ]


def _add_layer(parts: Parts, points: list[tuple[float, float]], y: float, paint: Material) -> None:
    """Add a plate as rings around its middle, which can be bent."""
    count = len(points)
    vertices: list[Vec] = [(0.0, y, 0.0)]
    for ring in (0.35, 0.7, 1.0):
        vertices.extend((x * ring, y, z * ring) for x, z in points)
    faces: list[tuple[int, ...]] = [(0, 1 + i, 1 + (i + 1) % count) for i in range(count)]
    for ring in range(2):
        a, b = 1 + ring * count, 1 + (ring + 1) * count
        faces.extend((a + i, b + i, b + (i + 1) % count, a + (i + 1) % count) for i in range(count))
    parts.add(vertices, faces, paint)


def _plate(rng: random.Random, *, worn: float = 0.0) -> Parts:
    """A plate around the origin that faces +y; ``worn``: 0 new to 1 faded and rusty."""
    face = rng.choice(_FACES)
    parts = Parts()
    metal = materials.mottled("sign back", (0.35, 0.36, 0.37), 4.0, 0.15, 0.45)
    rim, field, ink = (_paint(colour, worn) for colour in (face.rim, face.field, face.ink))
    _add_layer(parts, _outline(face, 1.0), 0.0, metal)
    _add_layer(parts, _outline(face, 1.0), 0.006, rim)
    inner = 0.78 if face.corners else 0.92
    _add_layer(parts, _outline(face, inner), 0.010, field)
    _add_mark(parts, face, ink)
    return parts


def _paint(colour: Colour, worn: float) -> Material:
    if not worn:
        return materials.plain("sign paint", colour, 0.4)
    red, green, blue = colour
    grey = 0.4
    faded = tuple(c + (grey - c) * 0.6 * worn for c in (red, green, blue))
    return materials.mottled("faded paint", (faded[0], faded[1], faded[2]), 3.0, 0.5 * worn, 0.8)


_MARKS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "": (),
    "digits": ((-0.14, 0.0, 0.08, 0.19), (0.14, 0.0, 0.08, 0.19)),
    "bar": ((0.0, 0.0, 0.36, 0.086),),
    "slash": ((0.0, 0.0, 0.45, 0.05),),
    "arrow": ((0.0, -0.04, 0.05, 0.29), (0.0, 0.21, 0.17, 0.05)),
    "pole": ((0.0, 0.0, 0.035, 0.17),),
    "word": tuple((x, 0.0, 0.05, 0.125) for x in (-0.25, -0.0875, 0.0875, 0.25)),
    "letter": ((-0.13, 0.0, 0.05, 0.3), (0.03, 0.18, 0.13, 0.05), (0.03, 0.0, 0.13, 0.05),
               (0.17, 0.09, 0.05, 0.13)),
    "lines": ((0.0, 0.22, 0.35, 0.07), (-0.05, -0.02, 0.28, 0.07), (0.03, -0.24, 0.31, 0.07)),
}  # fmt: skip
"""Bars by mark: middle and half size, as shares of the plate's size."""


def _add_mark(parts: Parts, face: _Face, ink: Material) -> None:
    """What the sign shows, as bars."""
    wide, high = face.size
    start = len(parts.vertices)
    for x, z, w, h in _MARKS[face.mark]:
        corners = ((x - w, z - h), (x + w, z - h), (x + w, z + h), (x - w, z + h))
        parts.add([(a * wide, 0.014, b * high) for a, b in corners], [(0, 1, 2, 3)], ink)
    if face.mark == "slash":
        moved(parts, tilt("y", 0.8), start)


def _post(length: float) -> Parts:
    parts = Parts()
    steel = materials.mottled("post", (0.32, 0.33, 0.34), 5.0, 0.15, 0.45)
    pipe(parts, [((0, 0, length * i / 8), 0.036) for i in range(9)], steel)
    return parts


def _merge(parts: Parts, other: Parts) -> int:
    """Add another's pieces; return the number of the first of its vertices."""
    start = len(parts.vertices)
    for face, slot in zip(other.faces, other.slots, strict=True):
        parts.faces.append(tuple(start + i for i in face))
        if other.materials[slot] not in parts.materials:
            parts.materials.append(other.materials[slot])
        parts.slots.append(parts.materials.index(other.materials[slot]))
    parts.vertices.extend(other.vertices)
    return start


def _whole(rng: random.Random) -> Parts:
    """Post and plate in one."""
    high = rng.uniform(2.1, 2.8)
    parts = _post(high + 0.3)
    start = _merge(parts, _plate(rng))
    moved(parts, shift(0, 0.05, high), start)
    return parts


def sign(rng: random.Random) -> Built:
    """A sound sign."""
    return Built(subject=[rounded(_whole(rng), "sign")])


def sign_leaning(rng: random.Random) -> Built:
    """A sign whose post leans or is bent over."""
    parts = _whole(rng)
    angle = rng.uniform(0.35, 0.95) * rng.choice((-1, 1))
    way = rng.choice(("x", "y", "y"))
    if rng.random() < 0.5:
        moved(parts, tilt(way, angle))
    else:
        knee = rng.uniform(0.3, 1.0)
        turn = tilt(way, angle * 1.1, (0, 0, knee))
        moved(parts, lambda p: turn(p) if p[2] > knee else p)
    return Built(subject=[rounded(parts, "leaning sign")])


def sign_fallen(rng: random.Random) -> Built:
    """A sign that lies on the ground, face up."""
    parts = _whole(rng)
    moved(parts, tilt("x", math.pi / 2 - rng.uniform(0.0, 0.12)))
    low = min(z for _, _, z in parts.vertices)
    moved(parts, shift(0, 0, 0.02 - low))
    return Built(subject=[rounded(parts, "fallen sign")])


def _on_post(rng: random.Random, plate: Parts) -> Built:
    """A damaged plate, which is what the box goes around, on a sound post."""
    high = rng.uniform(2.1, 2.7)
    moved(plate, shift(0, 0.05, high))
    return Built(
        subject=[rounded(plate, "damaged plate")], extra=[rounded(_post(high + 0.25), "post")]
    )


def sign_bent(rng: random.Random) -> Built:
    """A plate folded along a line."""
    plate = _plate(rng, worn=rng.choice((0.0, 0.5)))
    roll, fold = rng.uniform(0, math.pi), rng.uniform(0.9, 1.7) * rng.choice((-1, 1, 1))
    moved(plate, tilt("y", roll))
    at = rng.uniform(-0.05, 0.15)
    turn = tilt("x", fold, (0, 0, at))
    moved(plate, lambda p: turn(p) if p[2] > at else p)
    moved(plate, tilt("y", -roll))
    moved(plate, tilt("x", rng.uniform(-0.3, 0.3)))
    return _on_post(rng, plate)


def sign_defaced(rng: random.Random) -> Built:
    """A plate sprayed over, or faded and rusty."""
    plate = _plate(rng, worn=rng.choice((0.0, 0.6, 1.0)))
    colours = ((0.02, 0.02, 0.02), (0.5, 0.02, 0.25), (0.02, 0.35, 0.5), (0.05, 0.4, 0.05))
    spray = materials.plain("spray", rng.choice(colours), 0.5)
    for _ in range(rng.randint(2, 4)):
        x, z = rng.uniform(-0.22, 0.0), rng.uniform(-0.2, 0.2)
        path: list[tuple[Vec, float]] = []
        for step in range(rng.randint(6, 12)):
            path.append(((x, 0.02, z), 0.022))
            x += rng.uniform(0.0, 0.07)
            z = max(
                -0.26, min(0.26, z + rng.choice((-1, 1)) * rng.uniform(0.05, 0.18) * (step > 0))
            )
        pipe(plate, [(point, radius) for point, radius in path if abs(point[0]) < 0.36], spray, 6)
    return _on_post(rng, plate)


def sign_broken(rng: random.Random) -> Built:
    """A plate of which a part is gone."""
    plate = _plate(rng, worn=rng.choice((0.0, 0.4)))
    turn, keep = rng.uniform(0, 2 * math.pi), rng.uniform(-0.08, 0.12)
    jag = [rng.uniform(-0.06, 0.06) for _ in range(12)]

    def is_kept(face: tuple[int, ...]) -> bool:
        x = sum(plate.vertices[i][0] for i in face) / len(face)
        z = sum(plate.vertices[i][2] for i in face) / len(face)
        along = x * math.cos(turn) + z * math.sin(turn)
        across = -x * math.sin(turn) + z * math.cos(turn)
        return along < keep + jag[int((across + 1) * 6) % 12]

    kept = [(f, s) for f, s in zip(plate.faces, plate.slots, strict=True) if is_kept(f)]
    if kept:
        plate.faces, plate.slots = [f for f, _ in kept], [s for _, s in kept]
    return _on_post(rng, plate)


def sign_hanging(rng: random.Random) -> Built:
    """A plate that has come off its upper fixing and hangs askew."""
    plate = _plate(rng)
    high = max(z for _, _, z in plate.vertices)
    moved(plate, tilt("y", rng.choice((-1, 1)) * rng.uniform(0.6, 1.3), (high * 0.4, 0, 0)))
    moved(plate, tilt("x", rng.uniform(-0.5, 0.1)))
    moved(plate, shift(rng.uniform(-0.1, 0.1), 0.02, -0.2))
    return _on_post(rng, plate)
