"""Wheels: a tyre and a spoked rim."""

from __future__ import annotations

import math
from itertools import pairwise

import bpy

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.bodies import Body

_TYRE_M = 0.21


def build_wheel(name: str, body: Body, x: float, side: int) -> bpy.types.Object:
    """A tyre and a spoked rim about its own axle."""
    rubber = materials.plain("tyre", (0.012, 0.012, 0.012), 0.85)
    alloy = materials.plain("alloy", (0.55, 0.56, 0.58), 0.3, 0.9)
    dark = materials.plain("brake", (0.02, 0.02, 0.02), 0.6)
    r, half, wheel = body.wheel_radius, _TYRE_M / 2, Parts()
    profile = [
        (-half, 0.66),
        (-half, 0.93),
        (-half * 0.6, 1.0),
        (half * 0.6, 1.0),
        (half, 0.93),
        (half, 0.70),
        (half - 0.03, 0.67),
    ]
    wheel.tube([((0, y * side, 0), r * k) for y, k in profile][::side], rubber, axis="y", sides=40)
    out = half - 0.025
    wheel.tube(
        [((0, (out - 0.01) * side, 0), r * 0.68), ((0, out * side, 0), r * 0.66)][::side],
        dark,
        axis="y",
        sides=32,
    )
    _spokes(wheel, r, (out + 0.012) * side, alloy)
    thing = wheel.build(f"{name} wheel", smooth=False)
    thing.location = (x, side * body.track, r)
    return thing


def _spokes(wheel: Parts, r: float, y: float, alloy: bpy.types.Material) -> None:
    rim = [(math.cos(a) * r, math.sin(a) * r) for a in _angles(32)]
    for (x0, z0), (x1, z1) in pairwise([*rim, rim[0]]):
        wheel.add(
            [
                (x0 * 0.70, y, z0 * 0.70),
                (x1 * 0.70, y, z1 * 0.70),
                (x1 * 0.60, y, z1 * 0.60),
                (x0 * 0.60, y, z0 * 0.60),
            ],
            [(0, 1, 2, 3)],
            alloy,
        )
    for angle in _angles(10):
        cos, sin = math.cos(angle), math.sin(angle)
        wide = r * 0.06
        corners = [
            (t * cos - w * sin, y, t * sin + w * cos)
            for t, w in (
                (0.05 * r, -wide * 1.4),
                (0.05 * r, wide * 1.4),
                (0.62 * r, wide),
                (0.62 * r, -wide),
            )
        ]
        wheel.add(corners, [(0, 1, 2, 3)], alloy)


def _angles(count: int) -> list[float]:
    return [2 * math.pi * index / count for index in range(count)]
