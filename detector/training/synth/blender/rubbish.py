"""Rubbish: tied bags, heaps, dumped furniture, cardboard."""

from __future__ import annotations

import math
import random

import numpy as np

from detector.training.synth.blender.built import Built, add_grid, moved, one, shift, tilt
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.shapes import bag as bag_shape
from sample_videos.render.spec import Colour

_BAG_GRID = (72, 120)
"""Rows and points in a row of the bags of the sample clips."""
_EVERY = (3, 5)
"""Of which so many are kept: from a mast a bag is 20 to 100 pixels."""
_FILMS: tuple[Colour, ...] = (
    (0.012, 0.012, 0.013), (0.012, 0.012, 0.013), (0.02, 0.02, 0.022), (0.62, 0.62, 0.60),
    (0.02, 0.07, 0.28), (0.03, 0.20, 0.06), (0.65, 0.45, 0.04), (0.30, 0.31, 0.33),
)  # fmt: skip
_CLOTHS: tuple[Colour, ...] = (
    (0.20, 0.08, 0.05), (0.05, 0.08, 0.16), (0.32, 0.28, 0.22), (0.08, 0.12, 0.07),
    (0.30, 0.05, 0.05), (0.12, 0.12, 0.12), (0.45, 0.40, 0.33),
)  # fmt: skip
_CARD: Colour = (0.33, 0.22, 0.12)


def add_bag(parts: Parts, rng: random.Random, size_m: float, film: object) -> None:
    """Add a tied bag at the origin."""
    surface = bag_shape(size_m, rng.randrange(10_000))
    grid = surface.vertices.reshape(*_BAG_GRID, 3)[:: _EVERY[0], :: _EVERY[1]]
    closed = np.concatenate([grid, grid[:, :1]], axis=1)
    add_grid(parts, closed.reshape(-1, 3), closed.shape[1], film)


def _film(rng: random.Random) -> object:
    return materials.plastic_bag("film", rng.choice(_FILMS))


def bag(rng: random.Random) -> Built:
    """One tied bag."""
    parts = Parts()
    add_bag(parts, rng, rng.uniform(0.6, 0.95), _film(rng))
    return one(parts, "bag", smooth=True)


def bag_heap(rng: random.Random) -> Built:
    """Several bags beside and on each other, sometimes with a carton."""
    parts = Parts()
    _add_heap(parts, rng, rng.randint(3, 9), rng.uniform(0.45, 0.8))
    built = one(parts, "bag heap", smooth=True)
    if rng.random() < 0.5:
        carton = Parts()
        _add_carton(carton, rng, rng.uniform(0.35, 0.6))
        moved(carton, shift(rng.uniform(-0.8, 0.8), -0.6))
        built.subject.append(carton.build("carton"))
    return built


def _add_heap(parts: Parts, rng: random.Random, count: int, spread_m: float) -> None:
    films = [_film(rng) for _ in range(rng.randint(1, 3))]
    for number in range(count):
        start = len(parts.vertices)
        add_bag(parts, rng, rng.uniform(0.55, 0.95), rng.choice(films))
        up = rng.uniform(0.30, 0.45) if number >= 4 else 0.0
        near = 0.4 if up else 1.0
        if rng.random() < 0.3:
            moved(parts, tilt("x", rng.uniform(-1.2, 1.2), (0, 0, 0.25)), start)
        x = rng.gauss(0, spread_m) * near
        moved(parts, shift(x, rng.gauss(0, spread_m * 0.5) * near, up), start)


def _add_carton(parts: Parts, rng: random.Random, size_m: float) -> None:
    """An open box with flaps."""
    card = materials.mottled("card", materials.scaled(_CARD, rng.uniform(0.8, 1.3)), 5.0, 0.12)
    dark = materials.plain("inside", materials.scaled(_CARD, 0.35), 0.9)
    start = len(parts.vertices)
    long, wide, high = size_m, size_m * rng.uniform(0.6, 0.9), size_m * rng.uniform(0.5, 0.9)
    for side in (-1, 1):
        parts.box((side * long / 2, 0, high / 2), (0.012, wide, high), card)
        parts.box((0, side * wide / 2, high / 2), (long, 0.012, high), card)
        flap = len(parts.vertices)
        parts.box((0, side * (wide / 2 + 0.12), high), (long, 0.24, 0.01), card)
        turn = tilt("x", side * rng.uniform(-1.0, 0.5), (0, side * wide / 2, high))
        moved(parts, turn, flap)
    parts.box((0, 0, 0.03), (long, wide, 0.02), dark)
    moved(parts, tilt("z", rng.uniform(0, 6.3)), start)
    if rng.random() < 0.3:
        moved(parts, tilt("x", math.pi / 2, (0, 0, 0)), start)
        moved(parts, shift(0, high / 2, wide / 2), start)


def cartons(rng: random.Random) -> Built:
    """Some cardboard boxes and flattened card."""
    parts = Parts()
    for _ in range(rng.randint(3, 6)):
        start = len(parts.vertices)
        _add_carton(parts, rng, rng.uniform(0.35, 0.75))
        moved(parts, shift(rng.gauss(0, 0.5), rng.gauss(0, 0.3)), start)
    flat = materials.mottled("flat card", materials.scaled(_CARD, 1.15), 4.0, 0.1)
    for _ in range(rng.randint(1, 3)):
        start = len(parts.vertices)
        parts.box((0, 0, 0.015), (rng.uniform(0.6, 1.1), 0.6, 0.012), flat, rng.uniform(0, 3))
        moved(parts, shift(rng.gauss(0, 0.5), rng.gauss(0, 0.4), rng.uniform(0, 0.03)), start)
    return one(parts, "cartons")


def sofa(rng: random.Random) -> Built:
    """A sofa or an armchair, upright or tipped over."""
    parts = Parts()
    cloth = materials.mottled("cloth", rng.choice(_CLOTHS), 8.0, 0.2, 0.95)
    dark = materials.plain("underside", (0.03, 0.028, 0.025), 0.9)
    seats = rng.choice((1, 2, 3))
    wide = 0.62 * seats
    parts.box((0, 0, 0.2), (wide + 0.4, 0.85, 0.24), cloth)
    parts.box((0, 0, 0.05), (wide + 0.3, 0.75, 0.08), dark)
    parts.box((0, 0.38, 0.55), (wide + 0.4, 0.22, 0.62), cloth)
    for side in (-1, 1):
        parts.box((side * (wide / 2 + 0.12), -0.02, 0.40), (0.24, 0.86, 0.46), cloth)
    for seat in range(seats):
        x = (seat - (seats - 1) / 2) * 0.62
        if rng.random() < 0.85:
            parts.box((x, -0.08, 0.40), (0.60, 0.66, 0.16), cloth, rng.gauss(0, 0.04))
        if rng.random() < 0.85:
            start = len(parts.vertices)
            parts.box((x, 0.22, 0.66), (0.58, 0.16, 0.42), cloth)
            moved(parts, tilt("x", -0.2, (0, 0.25, 0.45)), start)
    if rng.random() < 0.25:
        moved(parts, tilt("x", math.pi / 2))
        low = min(z for _, _, z in parts.vertices)
        moved(parts, shift(0, 0.3, -low))
    return one(parts, "sofa", bevel_m=0.05)


def mattress(rng: random.Random) -> Built:
    """A mattress that lies, sags or leans, sometimes stained."""
    parts = Parts()
    pale = rng.uniform(0.5, 0.75)
    cloth = materials.mottled("ticking", (pale, pale * 0.96, pale * 0.88), 2.2, 0.18, 0.95)
    seam = materials.plain("seam", rng.choice(((0.1, 0.15, 0.35), (0.3, 0.28, 0.25))), 0.9)
    wide = rng.choice((0.9, 1.4))
    steps = 14
    u, v = np.meshgrid(np.linspace(-1, 1, steps), np.linspace(-1, 1, steps))
    top = np.stack([u.ravel() * 1.0, v.ravel() * wide / 2, np.full(u.size, 0.24)], axis=1)
    top[:, 2] -= 0.03 * (np.cos(u.ravel() * 9.4) * np.cos(v.ravel() * 9.4) > 0.6)
    add_grid(parts, top, steps, cloth)
    parts.box((0, 0, 0.12), (2.0, wide, 0.19), cloth)
    for z in (0.03, 0.21):
        parts.box((0, 0, z), (2.03, wide + 0.03, 0.025), seam)
    sag = rng.uniform(0.0, 0.12)
    moved(parts, lambda p: (p[0], p[1], p[2] + sag * p[0] * p[0] * 1.5))
    if rng.random() < 0.45:
        moved(parts, tilt("x", rng.uniform(1.0, 1.4), (0, -wide / 2, 0)))
    return one(parts, "mattress", bevel_m=0.03)


def dump(rng: random.Random) -> Built:
    """Fly-tipping: bags with furniture, tyres or an old fridge."""
    parts = Parts()
    _add_heap(parts, rng, rng.randint(3, 6), 0.7)
    built = one(parts, "dump", smooth=True)
    makers = [sofa, mattress, cartons, _fridge, _tyres, _boards]
    for maker in rng.sample(makers, rng.randint(2, 3)):
        for thing in maker(rng).subject:
            thing.location = (rng.uniform(-1.0, 1.0), rng.uniform(-0.2, 0.9), 0)
            thing.rotation_euler = (0, 0, rng.uniform(0, 6.3))
            built.subject.append(thing)
    return built


def _fridge(rng: random.Random) -> Built:
    parts = Parts()
    white = materials.mottled("enamel", (0.62, 0.62, 0.60), 1.5, 0.1, 0.35)
    seal = materials.plain("seal", (0.05, 0.05, 0.05), 0.6)
    high = rng.choice((0.85, 1.4))
    parts.box((0, 0.05, high / 2), (0.58, 0.55, high), white)
    parts.box((0, -0.235, high / 2), (0.56, 0.02, high - 0.03), seal)
    parts.box((0, -0.27, high / 2), (0.58, 0.05, high - 0.01), white)
    parts.box((0.24, -0.31, high * 0.7), (0.03, 0.03, 0.25), seal)
    if rng.random() < 0.5:
        moved(parts, tilt("x", -math.pi / 2))
        moved(parts, shift(0, 0, 0.33))
    return one(parts, "fridge", bevel_m=0.01)


def _tyres(rng: random.Random) -> Built:
    parts = Parts()
    rubber = materials.mottled("old tyre", (0.022, 0.022, 0.022), 9.0, 0.3, 0.9)
    for number in range(rng.randint(1, 3)):
        z = 0.2 * number
        x, y = rng.uniform(-0.08, 0.08), rng.uniform(-0.08, 0.08)
        profile = ((0.04, 0.20), (0.0, 0.26), (0.02, 0.31), (0.10, 0.33), (0.18, 0.31),
                   (0.20, 0.26), (0.16, 0.20), (0.04, 0.20))  # fmt: skip
        parts.tube([((x, y, z + up), radius) for up, radius in profile], rubber, sides=24)
    return one(parts, "tyres", smooth=False)


def _boards(rng: random.Random) -> Built:
    parts = Parts()
    for _ in range(rng.randint(3, 7)):
        wood = materials.mottled("board", rng.choice(((0.30, 0.20, 0.11), (0.45, 0.43, 0.40))), 6.0)
        start = len(parts.vertices)
        parts.box((0, 0, 0.05), (rng.uniform(0.8, 1.8), rng.uniform(0.1, 0.6), 0.025), wood)
        moved(parts, tilt("y", rng.uniform(-0.25, 0.05)), start)
        moved(parts, tilt("z", rng.uniform(0, 6.3)), start)
        moved(parts, shift(rng.gauss(0, 0.3), rng.gauss(0, 0.3), rng.uniform(0.05, 0.3)), start)
    return one(parts, "boards")
