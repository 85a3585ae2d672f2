"""Carriageway, kerbs, pavements, markings and street furniture."""

from __future__ import annotations

import math
import random

import bpy

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.spec import PotholeSpec, StreetSpec

KERB_M = 0.13
"""Height of the pavement above the carriageway."""
PATCH_MARGIN_M = 0.5
"""Around a pothole the road is a patch of its own."""

_KERB_WIDTH_M = 0.22
_LINE_M = 0.11
_DASH_M, _GAP_M = 2.0, 3.0
_SLAB_M = 1.0


def build_street(spec: StreetSpec, potholes: tuple[PotholeSpec, ...]) -> None:
    """Build everything but houses, plants and actors."""
    _carriageway(spec, potholes)
    _pavements(spec)
    _markings(spec)
    _furniture(spec)


def patch_bounds(hole: PotholeSpec) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 of the road patch around a pothole."""
    (x, y), (length, width) = hole.at, hole.size_m
    dx, dy = length / 2 + PATCH_MARGIN_M, width / 2 + PATCH_MARGIN_M
    return x - dx, y - dy, x + dx, y + dy


def _carriageway(spec: StreetSpec, potholes: tuple[PotholeSpec, ...]) -> None:
    """One slab, or four around a pothole's patch."""
    road = Parts()
    x0, x1 = spec.extent_m
    half = spec.road_width_m / 2
    asphalt = materials.asphalt()
    if not potholes:
        _flat(road, (x0, -half, x1, half), asphalt)
    else:
        px0, py0, px1, py1 = patch_bounds(potholes[0])
        for bounds in (
            (x0, -half, px0, half),
            (px1, -half, x1, half),
            (px0, -half, px1, py0),
            (px0, py1, px1, half),
        ):
            _flat(road, bounds, asphalt)
    road.build("carriageway")


def _flat(
    parts: Parts,
    bounds: tuple[float, float, float, float],
    material: bpy.types.Material,
    z: float = 0.0,
) -> None:
    x0, y0, x1, y1 = bounds
    parts.add([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], [(0, 1, 2, 3)], material)


def _pavements(spec: StreetSpec) -> None:
    x0, x1 = spec.extent_m
    half, length, middle = spec.road_width_m / 2, x1 - x0, (x0 + x1) / 2
    kerbs, walks = Parts(), Parts()
    stone = materials.slabs("kerb stone", (0.36, 0.355, 0.34), _SLAB_M, 5.0, 0.012)
    near = materials.slabs("near paving", (0.27, 0.255, 0.24), 0.6, 0.4)
    far = materials.slabs("far paving", (0.30, 0.285, 0.265), 0.4, 0.4)
    for side, depth, paving in ((-1, spec.near_pavement_m, near), (1, spec.far_pavement_m, far)):
        kerbs.box(
            (middle, side * (half + _KERB_WIDTH_M / 2), KERB_M / 2 - 0.1),
            (length, _KERB_WIDTH_M, KERB_M + 0.2),
            stone,
        )
        walks.box(
            (middle, side * (half + _KERB_WIDTH_M + depth / 2), KERB_M / 2 - 0.1),
            (length, depth, KERB_M + 0.195),
            paving,
        )
    thing = kerbs.build("kerbs")
    bevel = thing.modifiers.new("worn", "BEVEL")
    bevel.width, bevel.segments = 0.025, 3
    walks.build("pavements")
    _verge(spec)


def _verge(spec: StreetSpec) -> None:
    """Grass and a low wall behind the near pavement."""
    x0, x1 = spec.extent_m
    edge = -(spec.road_width_m / 2 + _KERB_WIDTH_M + spec.near_pavement_m)
    verge = Parts()
    grass = materials.grass()
    stone = materials.slabs("edging", (0.30, 0.29, 0.27), _SLAB_M, 5.0, 0.012)
    verge.box(((x0 + x1) / 2, edge - 0.06, KERB_M / 2), (x1 - x0, 0.12, KERB_M + 0.12), stone)
    _flat(verge, (x0, edge - 30, x1, edge - 0.12), grass, KERB_M - 0.02)
    verge.build("verge")


def _markings(spec: StreetSpec) -> None:
    x0, x1 = spec.extent_m
    half = spec.road_width_m / 2
    lines = Parts()
    white = materials.road_paint("white paint", (0.72, 0.72, 0.70))
    yellow = materials.road_paint("yellow paint", (0.80, 0.50, 0.04))
    x = x0
    while x < x1:
        _flat(lines, (x, -_LINE_M / 2, x + _DASH_M, _LINE_M / 2), white, 0.003)
        x += _DASH_M + _GAP_M
    for side, wanted in ((-1, spec.yellow_near), (1, spec.yellow_far)):
        for offset in (0.22, 0.44) if wanted else ():
            y = side * (half - offset)
            _flat(lines, (x0, y - _LINE_M / 2, x1, y + _LINE_M / 2), yellow, 0.003)
    if spec.zebra_x is not None:
        _zebra(lines, spec.zebra_x, half, white)
    lines.build("markings")


def _zebra(lines: Parts, x: float, half: float, white: bpy.types.Material) -> None:
    """Stripes along the road, and a stop line for each lane."""
    y = -half + 0.6
    while y + 0.45 < half - 0.5:
        _flat(lines, (x - 1.6, y, x + 1.6, y + 0.45), white, 0.004)
        y += 0.9
    for side in (-1, 1):
        stop = x + side * 3.0
        near, far = sorted((side * 0.25, side * (half - 0.7)))
        _flat(lines, (stop - 0.17, near, stop + 0.17, far), white, 0.004)


def _furniture(spec: StreetSpec) -> None:
    """Lamp posts, drains, a bin, bollards and manhole covers."""
    rng = random.Random(spec.seed)
    half = spec.road_width_m / 2
    parts = Parts()
    steel = materials.mottled("painted steel", (0.10, 0.11, 0.115), 6.0, 0.2, 0.5)
    iron = materials.mottled("cast iron", (0.045, 0.042, 0.04), 30.0, 0.4, 0.6)
    green = materials.mottled("bin", (0.03, 0.12, 0.06), 5.0, 0.2, 0.5)
    for x in spec.lamps_x:
        _lamp_post(parts, x, half + 0.75, steel)
    for x in range(int(spec.extent_m[0]), int(spec.extent_m[1]), 9):
        y = half - 0.16
        parts.box((x + rng.uniform(0, 3), y, 0.004), (0.55, 0.30, 0.008), iron)
        if rng.random() < 0.5:
            cover = (x + rng.uniform(0, 5), rng.uniform(-2.5, 2.5))
            parts.tube([((*cover, -0.01), 0.33), ((*cover, 0.003), 0.33)], iron, sides=28)
    for x in spec.trees_x:
        parts.box((x, half + 1.0, KERB_M + 0.01), (1.2, 1.1, 0.03), iron)
    bin_x = (spec.lamps_x or (8.0,))[0] + 1.6
    parts.tube(
        [
            ((bin_x, half + 0.8, KERB_M), 0.24),
            ((bin_x, half + 0.8, 1.0), 0.28),
            ((bin_x, half + 0.8, 1.06), 0.20),
        ],
        green,
    )
    thing = parts.build("furniture", smooth=False)
    bevel = thing.modifiers.new("soft", "BEVEL")
    bevel.width, bevel.segments = 0.008, 2


def lamp_head(spec: StreetSpec, x: float) -> tuple[float, float, float]:
    """Where a street lamp's light comes from."""
    return x, spec.road_width_m / 2 + 0.75 - 1.6, 6.55


def _lamp_post(parts: Parts, x: float, y: float, steel: bpy.types.Material) -> None:
    parts.tube(
        [((x, y, KERB_M), 0.13), ((x, y, 1.0), 0.11), ((x, y, 1.05), 0.075), ((x, y, 6.4), 0.05)],
        steel,
    )
    for step in range(6):
        turn = step / 6 * math.pi / 2
        parts.box(
            (x, y - 0.9 * math.sin(turn), 6.4 + 0.25 * (1 - math.cos(turn))),
            (0.06, 0.32, 0.06),
            steel,
        )
    parts.box((x, y - 1.5, 6.66), (0.26, 0.8, 0.10), steel)
