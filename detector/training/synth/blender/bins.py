"""Bins, closed and overflowing."""

from __future__ import annotations

import math
import random

from detector.training.synth.blender import litter
from detector.training.synth.blender.built import Built, moved, one, rounded, shift, tilt
from detector.training.synth.blender.rubbish import add_bag
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.spec import Colour

_BODIES: tuple[Colour, ...] = (
    (0.03, 0.12, 0.06), (0.04, 0.045, 0.05), (0.02, 0.07, 0.22), (0.22, 0.23, 0.24),
    (0.30, 0.06, 0.03), (0.10, 0.07, 0.04),
)  # fmt: skip
_FILMS: tuple[Colour, ...] = (
    (0.012, 0.012, 0.013), (0.02, 0.02, 0.022), (0.62, 0.62, 0.60), (0.02, 0.07, 0.28),
    (0.60, 0.42, 0.05),
)  # fmt: skip
_LITTER = (litter.cup, litter.can, litter.bottle, litter.paper, litter.crisp_bag, litter.carton,
           litter.carton, litter.carrier_bag, litter.paper)  # fmt: skip


def _add_spill(built: Built, rng: random.Random, top_m: float, radius_m: float) -> None:
    """Heap bags and litter on top of a bin and let some lie at its foot."""
    bags = Parts()
    for _ in range(rng.randint(1, 3)):
        start = len(bags.vertices)
        film = materials.plastic_bag("bin bag", rng.choice(_FILMS))
        add_bag(bags, rng, rng.uniform(0.45, 0.65), film)
        moved(bags, tilt("x", rng.uniform(-0.7, 0.7)), start)
        x, y = (rng.gauss(0, radius_m * 0.35) for _ in range(2))
        moved(bags, shift(x, y, top_m - rng.uniform(0.08, 0.18)), start)
    foot = rng.choice((0, 0, 1, 2))
    for _ in range(foot):
        start = len(bags.vertices)
        add_bag(bags, rng, rng.uniform(0.45, 0.7), materials.plastic_bag("bag", rng.choice(_FILMS)))
        turn, out = rng.uniform(0, 6.3), radius_m + rng.uniform(0.2, 0.4)
        moved(bags, shift(out * math.cos(turn), out * math.sin(turn)), start)
    built.subject.append(bags.build("bags", smooth=True))
    for number in range(rng.randint(6, 13)):
        turn, on_top = rng.uniform(0, 6.3), number < 5
        out = rng.uniform(0, radius_m) if on_top else radius_m + rng.uniform(0.03, 0.4)
        for thing in rng.choice(_LITTER)(rng).subject:
            high = top_m + rng.uniform(0.02, 0.22) if on_top else 0.0
            thing.location = (out * math.cos(turn), out * math.sin(turn), high)
            tip = rng.uniform(-0.8, 0.8) if on_top else 0.0
            thing.rotation_euler = (tip, 0.0, rng.uniform(0, 6.3))
            built.subject.append(thing)


def _round_body(parts: Parts, rng: random.Random, *, hood: bool) -> None:
    shade = materials.mottled("bin", rng.choice(_BODIES), 5.0, 0.2, 0.5)
    dark = materials.plain("mouth", (0.008, 0.008, 0.008), 0.9)
    steel = materials.plain("bin steel", (0.4, 0.41, 0.42), 0.35, 0.8)
    parts.tube([((0, 0, 0), 0.25), ((0, 0, 0.86), 0.29)], shade)
    parts.tube([((0, 0, 0.84), 0.30), ((0, 0, 0.89), 0.30)], steel)
    if not hood:
        parts.tube([((0, 0, 0.885), 0.27), ((0, 0, 0.895), 0.27)], dark)
        return
    for turn in (0.8, 2.4, 3.9, 5.5):
        parts.box((0.26 * math.cos(turn), 0.26 * math.sin(turn), 0.98), (0.03, 0.03, 0.2), steel)
    parts.tube([((0, 0, 0.89), 0.25), ((0, 0, 1.06), 0.25)], dark)
    parts.tube([((0, 0, 1.06), 0.30), ((0, 0, 1.10), 0.29), ((0, 0, 1.18), 0.12)], shade)


def round_bin(rng: random.Random) -> Built:
    """A round street bin, hooded or open and empty."""
    parts = Parts()
    _round_body(parts, rng, hood=rng.random() < 0.7)
    return one(parts, "round bin", smooth=False)


def round_bin_full(rng: random.Random) -> Built:
    """A round street bin with rubbish over its rim."""
    parts = Parts()
    _round_body(parts, rng, hood=False)
    built = Built(subject=[parts.build("full bin")])
    _add_spill(built, rng, 0.86, 0.26)
    return built


def _wheelie_body(parts: Parts, rng: random.Random, lid_angle: float) -> float:
    """Add a two- or four-wheeled container; return the height of its rim."""
    large = rng.random() < 0.3
    wide, deep, high = (1.25, 0.95, 1.1) if large else (0.58, 0.62, 0.98)
    shade = materials.mottled("container", rng.choice(_BODIES), 3.0, 0.12, 0.5)
    lid = materials.mottled("lid", rng.choice((*_BODIES, (0.5, 0.36, 0.02))), 3.0, 0.1, 0.5)
    tyre = materials.plain("bin wheel", (0.015, 0.015, 0.015), 0.8)
    dark = materials.plain("inside", (0.01, 0.01, 0.01), 0.9)
    start = len(parts.vertices)
    parts.box((0, 0, 0.08 + (high - 0.08) / 2), (wide, deep, high - 0.08), shade)
    moved(
        parts,
        lambda p: (p[0] * (0.8 + 0.2 * p[2] / high), p[1] * (0.8 + 0.2 * p[2] / high), p[2]),
        start,
    )
    parts.box((0, 0, high - 0.03), (wide + 0.05, deep + 0.05, 0.06), shade)
    parts.box((0, 0, high + 0.004), (wide - 0.05, deep - 0.05, 0.008), dark)
    for side in (-1, 1):
        x = side * wide * 0.42
        parts.tube(
            [((x - 0.03, -deep * 0.38, 0.1), 0.1), ((x - 0.03, -deep * 0.38 + 0.06, 0.1), 0.1)],
            tyre,
            axis="y",
            sides=14,
        )
    start = len(parts.vertices)
    parts.box((0, 0.01, high + 0.035), (wide + 0.07, deep + 0.08, 0.05), lid)
    parts.box((0, -deep / 2 - 0.06, high + 0.03), (wide * 0.7, 0.05, 0.05), lid)
    moved(parts, tilt("x", lid_angle, (0, -deep / 2, high)), start)
    return high


def wheelie(rng: random.Random) -> Built:
    """A closed container on wheels; sometimes two of them."""
    parts = Parts()
    _wheelie_body(parts, rng, 0.0)
    if rng.random() < 0.3:
        start = len(parts.vertices)
        _wheelie_body(parts, rng, 0.0)
        moved(parts, shift(1.3, rng.uniform(-0.1, 0.1)), start)
    return one(parts, "container", bevel_m=0.012)


def wheelie_full(rng: random.Random) -> Built:
    """A container that cannot be closed any more."""
    parts = Parts()
    high = _wheelie_body(parts, rng, rng.uniform(0.6, 1.9))
    built = Built(subject=[rounded(parts, "full container", bevel_m=0.012)])
    wide = max(x for x, _, _ in parts.vertices)
    _add_spill(built, rng, high, min(0.45, wide * 0.9))
    return built


def _basket_body(parts: Parts, rng: random.Random) -> None:
    """A basket of bars on a post."""
    steel = materials.mottled("basket", rng.choice(_BODIES), 5.0, 0.2, 0.5)
    liner = materials.plain("liner", (0.05, 0.05, 0.055), 0.4)
    parts.tube([((0, -0.25, 0), 0.045), ((0, -0.25, 1.25), 0.045)], steel, sides=10)
    parts.tube([((0, 0, 0.5), 0.17), ((0, 0, 0.9), 0.20)], liner)
    for step in range(16):
        turn = step * math.pi / 8
        parts.box(
            (0.215 * math.cos(turn), 0.215 * math.sin(turn), 0.72), (0.022, 0.022, 0.5), steel
        )
    for z in (0.48, 0.72, 0.95):
        parts.tube([((0, 0, z), 0.225), ((0, 0, z + 0.03), 0.225)], steel)


def basket(rng: random.Random) -> Built:
    """An empty litter basket on a post."""
    parts = Parts()
    _basket_body(parts, rng)
    parts.tube([((0, 0, 0.975), 0.19), ((0, 0, 0.99), 0.19)],
               materials.plain("mouth", (0.01, 0.01, 0.01), 0.9))  # fmt: skip
    return one(parts, "basket")


def basket_full(rng: random.Random) -> Built:
    """A litter basket with rubbish over its rim and below it."""
    parts = Parts()
    _basket_body(parts, rng)
    built = Built(subject=[parts.build("full basket")])
    _add_spill(built, rng, 0.92, 0.20)
    return built
