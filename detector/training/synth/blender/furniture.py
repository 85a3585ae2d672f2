"""Benches, guard rails and fences, sound and damaged; tubs and cabinets."""

from __future__ import annotations

import math
import random

from detector.training.synth.blender.built import Built, Material, moved, one, pipe, shift, tilt
from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts, Vec

_WOODS = ((0.28, 0.15, 0.07), (0.20, 0.13, 0.08), (0.33, 0.31, 0.28), (0.07, 0.16, 0.08))
_BENCH_M = 1.75


def steel(rng: random.Random) -> Material:
    """Painted steel of a drawn tone."""
    tone = rng.choice(((0.10, 0.11, 0.115), (0.32, 0.33, 0.34), (0.03, 0.07, 0.04)))
    return materials.mottled("steel", tone, 6.0, 0.2, 0.45)


def _bench_legs(parts: Parts, steel: Material, x: float) -> None:
    parts.box((x, 0.18, 0.21), (0.06, 0.06, 0.42), steel)
    parts.box((x, -0.20, 0.21), (0.06, 0.06, 0.42), steel)
    parts.box((x, 0.0, 0.42), (0.06, 0.46, 0.05), steel)
    start = len(parts.vertices)
    parts.box((x, -0.22, 0.65), (0.06, 0.05, 0.5), steel)
    moved(parts, tilt("x", 0.22, (0, -0.22, 0.42)), start)


def _slats() -> list[tuple[Vec, float]]:
    """Middles of the slats and how far they are tilted."""
    seat = [((0.0, y, 0.46), 0.0) for y in (-0.15, -0.03, 0.09, 0.21)]
    back = [((0.0, -0.24 - 0.22 * (z - 0.42), z), 1.35) for z in (0.60, 0.73, 0.86)]
    return [*seat, *back]


def bench(rng: random.Random) -> Built:
    """A wooden bench."""
    parts = Parts()
    wood = materials.mottled("slat", rng.choice(_WOODS), 5.0, 0.2)
    iron = steel(rng)
    for x in (-0.7, 0.7):
        _bench_legs(parts, iron, x)
    for middle, turn in _slats():
        start = len(parts.vertices)
        parts.box(middle, (_BENCH_M, 0.10, 0.035), wood)
        moved(parts, tilt("x", turn, middle), start)
    return one(parts, "bench", bevel_m=0.006)


def bench_broken(rng: random.Random) -> Built:
    """A bench with slats gone or snapped, a leg collapsed, or tipped over."""
    parts = Parts()
    wood = materials.mottled("slat", rng.choice(_WOODS), 5.0, 0.25)
    fresh = materials.mottled("splinter", (0.45, 0.33, 0.18), 9.0, 0.3)
    iron = steel(rng)
    for x in (-0.7, 0.7):
        _bench_legs(parts, iron, x)
    slats = _slats()
    spoilt = set(rng.sample(range(len(slats)), rng.randint(3, 5)))
    for number, (middle, turn) in enumerate(slats):
        if number in spoilt:
            _broken_slat(parts, rng, middle, turn, (wood, fresh))
            continue
        start = len(parts.vertices)
        parts.box(middle, (_BENCH_M, 0.10, 0.035), wood)
        moved(parts, tilt("x", turn, middle), start)
    fate = rng.choice(("slats", "leg", "tipped"))
    if fate == "leg":
        side = rng.choice((-1, 1))
        moved(parts, lambda p: (p[0], p[1], max(0.02, p[2] - 0.28 * max(0, side * p[0] + 0.5))))
    elif fate == "tipped":
        moved(parts, tilt("x", rng.choice((1.45, -1.2)), (0, -0.22, 0)))
        low = min(z for _, _, z in parts.vertices)
        moved(parts, shift(0, 0, -low))
    return one(parts, "broken bench", bevel_m=0.006)


def _broken_slat(
    parts: Parts, rng: random.Random, middle: Vec, turn: float, wood: tuple[Material, Material]
) -> None:
    """A stump at one end, the rest gone, hanging or on the ground."""
    _, y, z = middle
    side, left = rng.choice((-1, 1)), rng.uniform(0.25, 0.9)
    start = len(parts.vertices)
    parts.box((side * (_BENCH_M / 2 - left / 2), y, z), (left, 0.10, 0.035), wood[0])
    end = side * (_BENCH_M / 2 - left)
    parts.box((end - side * 0.03, y + 0.02, z), (0.07, 0.05, 0.025), wood[1])
    moved(parts, tilt("x", turn, middle), start)
    if rng.random() < 0.6:
        start = len(parts.vertices)
        parts.box((0, 0, 0.03), (rng.uniform(0.4, 0.9), 0.10, 0.035), wood[0])
        moved(parts, tilt("z", rng.uniform(-0.9, 0.9)), start)
        moved(parts, shift(rng.uniform(-0.6, 0.6), rng.uniform(0.2, 0.6)), start)
    elif rng.random() < 0.6:
        start = len(parts.vertices)
        rest = _BENCH_M - left
        parts.box((-side * (_BENCH_M / 2 - rest / 2), y, z), (rest, 0.10, 0.035), wood[0])
        moved(parts, tilt("y", side * rng.uniform(-0.4, -0.2), (-side * 0.7, y, z)), start)


def _rail_parts(rng: random.Random, length: float) -> Parts:
    """A guard rail: a corrugated beam on posts, or a pedestrian railing."""
    parts = Parts()
    zinc = materials.mottled("zinc", (0.42, 0.44, 0.45), 4.0, 0.12, 0.4)
    steps = 40
    if rng.random() < 0.6:
        profile = [(0.46, 0.0), (0.50, 0.05), (0.58, 0.05), (0.62, 0.0), (0.66, 0.05),
                   (0.74, 0.05), (0.78, 0.0)]  # fmt: skip
        points = [
            (length * (i / steps - 0.5), out, z) for i in range(steps + 1) for z, out in profile
        ]
        n = len(profile)
        faces = [(r * n + c, r * n + c + 1, (r + 1) * n + c + 1, (r + 1) * n + c)
                 for r in range(steps) for c in range(n - 1)]  # fmt: skip
        parts.add(points, faces, zinc)
        for i in range(int(length // 1.4) + 1):
            x = -length / 2 + 0.3 + i * 1.4
            for k in range(4):
                parts.box((x, -0.06, 0.1 + 0.2 * k), (0.10, 0.08, 0.2), zinc)
        return parts
    iron = steel(rng)
    for z in (0.15, 1.0):
        pipe(parts, [((length * (i / steps - 0.5), 0.0, z), 0.028) for i in range(steps + 1)], iron)
    for i in range(int(length / 0.16)):
        x = -length / 2 + 0.08 + i * 0.16
        thick = 0.03 if i % 10 == 0 else 0.012
        low = 0.0 if i % 10 == 0 else 0.15
        pipe(parts, [((x, 0, low + (1.0 - low) * k / 4), thick) for k in range(5)], iron, 5)
    return parts


def rail(rng: random.Random) -> Built:
    """A sound guard rail."""
    return one(_rail_parts(rng, rng.uniform(4.0, 8.0)), "rail")


def rail_bent(rng: random.Random) -> Built:
    """A guard rail that something has driven into."""
    length = rng.uniform(4.0, 6.0)
    parts = _rail_parts(rng, length)
    at, deep = rng.uniform(-0.2, 0.2) * length, rng.uniform(0.5, 1.0) * rng.choice((-1, -1, 1))
    wide, drop = rng.uniform(0.5, 1.1), rng.uniform(0.2, 0.45)
    ripple = rng.uniform(0, 6.3)

    def change(p: Vec) -> Vec:
        hit = math.exp(-(((p[0] - at) / wide) ** 2)) * min(1.0, p[2] / 0.6)
        wave = 0.06 * math.sin(9 * p[0] + ripple) * hit
        return p[0] + 0.1 * hit, p[1] + deep * hit + wave, p[2] * (1 - drop * hit) + wave

    moved(parts, change)
    if rng.random() < 0.4:
        moved(parts, lambda p: (p[0], p[1] - 0.5 * p[2] * max(0, (p[0] - at) / length), p[2]))
    return one(parts, "bent rail")


def _fence_parts(rng: random.Random, *, broken: bool) -> Parts:
    """A picket or panel fence; broken: boards gone and a post over."""
    parts = Parts()
    wood = materials.mottled("fence", rng.choice((*_WOODS, (0.55, 0.55, 0.53))), 4.0, 0.2)
    high, wide = rng.uniform(0.9, 1.6), 3.4
    gap = rng.uniform(0.0, wide) - wide / 2
    for i in range(24):
        x = -wide / 2 + 0.07 + i * 0.142
        start = len(parts.vertices)
        gone = broken and abs(x - gap) < 0.65
        if gone and rng.random() < 0.55:
            continue
        parts.box((x, 0.03, high / 2 + 0.04), (0.10, 0.02, high), wood)
        if gone:
            moved(parts, tilt("y", rng.gauss(0, 0.5), (x, 0, 0.4)), start)
            moved(parts, tilt("x", rng.uniform(-1.3, 0.2), (x, 0, 0.1)), start)
    _add_bars(parts, wood, (high, wide), gap if broken else None)
    for x in (-wide / 2, 0.0, wide / 2):
        parts.box((x, -0.03, high / 2 + 0.05), (0.10, 0.10, high + 0.1), wood)
    if broken:
        _sag(parts, rng, gap, wide)
    return parts


def _add_bars(parts: Parts, wood: Material, size: tuple[float, float], gap: float | None) -> None:
    """Add the two bars that hold the boards, but for a gap."""
    high, wide = size
    for z in (0.25, high - 0.15):
        for i in range(12):
            x = -wide / 2 + (i + 0.5) * wide / 12
            if gap is None or abs(x - gap) > 0.4:
                parts.box((x, 0, z), (wide / 12, 0.04, 0.08), wood)


def _sag(parts: Parts, rng: random.Random, gap: float, wide: float) -> None:
    """Lean a fence more and more to one side of its gap."""
    side, lean = rng.choice((-1, 1)), rng.uniform(0.35, 1.1)
    moved(parts, lambda p: tilt("x", lean * max(0.0, side * (p[0] - gap)) / wide)(p))


def fence(rng: random.Random) -> Built:
    """A sound piece of fence."""
    return one(_fence_parts(rng, broken=False), "fence")


def fence_broken(rng: random.Random) -> Built:
    """A fence with boards gone that sags to one side."""
    return one(_fence_parts(rng, broken=True), "broken fence")


def planter(rng: random.Random) -> Built:
    """A tub with a shrub."""
    parts = Parts()
    stone = materials.mottled("tub", rng.choice(((0.35, 0.33, 0.30), (0.20, 0.09, 0.05))), 5.0)
    soil = materials.plain("soil", (0.02, 0.015, 0.01), 1.0)
    parts.tube([((0, 0, 0), 0.38), ((0, 0, 0.5), 0.48)], stone)
    parts.tube([((0, 0, 0.5), 0.42), ((0, 0, 0.505), 0.42)], soil)
    return one(parts, "planter")


def cabinet(rng: random.Random) -> Built:
    """A grey cabinet of a power or telephone company."""
    parts = Parts()
    shade = materials.mottled("cabinet", rng.choice(((0.25, 0.28, 0.27), (0.04, 0.10, 0.05))), 2.0)
    dark = materials.plain("seam", (0.02, 0.02, 0.02), 0.8)
    wide, high = rng.choice(((0.8, 1.2), (1.3, 1.3), (0.5, 1.0)))
    parts.box((0, 0, high / 2), (wide, 0.4, high), shade)
    parts.box((0, 0, high + 0.02), (wide + 0.06, 0.46, 0.05), shade)
    parts.box((0, 0.2, high / 2), (0.015, 0.02, high * 0.9), dark)
    return one(parts, "cabinet", bevel_m=0.01)
