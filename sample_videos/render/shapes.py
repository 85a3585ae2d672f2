"""Shapes that are computed: rubbish bags, a pothole, a walking figure. Pure numpy, metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BAG_ROWS, _BAG_SIDES = 72, 120
_PATCH_STEP_M = 0.014
_HIP_M, _KNEE_M, _SHOULDER_M = 0.93, 0.50, 1.42
_STRIDE_M = 1.45
_ARM_FROM_M = 0.185


def smoothstep(low: float, high: float, values: Floats) -> Floats:
    """0 below low, 1 above high (or the other way round), smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def waves(points: Floats, scale: float, seed: int, octaves: int = 4) -> Floats:
    """Smooth noise of about -1 to 1 at points (n, d): sums of randomly directed waves."""
    rng = np.random.default_rng(seed)
    total = np.zeros(len(points))
    for octave in range(octaves):
        for _ in range(6):
            direction = rng.normal(size=points.shape[1])
            direction *= scale * 2**octave / np.linalg.norm(direction)
            total += 0.6**octave * np.sin(points @ direction * 2 * np.pi + rng.uniform(0, 6.3))
    return total / 4.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """Vertices (n, 3) and quads (m, 4)."""

    vertices: Floats
    quads: Ints


def _grid_quads(rows: int, columns: int, *, closed: bool) -> Ints:
    row, column = np.meshgrid(
        np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij"
    )
    after = (column + 1) % columns
    start, above = row * columns, (row + 1) * columns
    return np.stack(
        [start + column, start + after, above + after, above + column], axis=-1
    ).reshape(-1, 4)


def bag(size_m: float, seed: int) -> Surface:
    """A full rubbish bag that stands on the ground, tied at the neck, with folds towards it."""
    u, angle = np.meshgrid(
        np.linspace(0, 1, _BAG_ROWS),
        np.linspace(0, 2 * np.pi, _BAG_SIDES, endpoint=False),
        indexing="ij",
    )
    u, angle = u.ravel(), angle.ravel()
    knots = [0.0, 0.04, 0.15, 0.38, 0.60, 0.74, 0.80, 0.86, 0.94, 1.0]
    radii = [0.02, 0.34, 0.46, 0.50, 0.41, 0.20, 0.055, 0.085, 0.15, 0.17]
    heights = [0.0, 0.0, 0.07, 0.28, 0.52, 0.66, 0.71, 0.75, 0.80, 0.83]
    radius, height = np.interp(u, knots, radii), np.interp(u, knots, heights)
    around = np.stack([np.cos(angle), np.sin(angle), u * 1.5], axis=1)
    rng = np.random.default_rng(seed)
    twist = angle + 0.5 * waves(around, 0.5, seed, 2)
    folds = np.abs(np.sin(twist * 7 + rng.uniform(0, 6)) * np.sin(twist * 11 + 2 * u))
    depth = np.interp(u, [0, 0.3, 0.6, 0.76, 0.86, 1], [0.02, 0.05, 0.16, 0.35, 0.45, 0.6])
    lumps = 0.13 * waves(around, 0.45, seed + 1, 2) + 0.05 * waves(around, 1.4, seed + 2, 3)
    creases = -0.035 * np.exp(-np.abs(waves(around, 1.1, seed + 3, 3)) * 9)
    radius = radius * (1 + np.where(u < 0.76, lumps, 0) - depth * folds + creases)
    lean = rng.uniform(-0.14, 0.14, 2)[:, None] * height**2 * 2
    wide = rng.uniform(0.9, 1.12)
    points = np.stack(
        [
            radius * np.cos(angle) * wide + lean[0],
            radius * np.sin(angle) / wide + lean[1],
            height * rng.uniform(0.9, 1.05) + 0.02 * lumps,
        ],
        axis=1,
    )
    return Surface(vertices=points * size_m, quads=_grid_quads(_BAG_ROWS, _BAG_SIDES, closed=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Hole:
    """A patch of road with a pothole; ``broken`` (n,) is 1 where earth and gravel lie open."""

    surface: Surface
    broken: Floats
    rim: Floats
    """Vertices of the surface (k, 3) that lie in the hole: what is annotated."""


def pothole(
    bounds: tuple[float, float, float, float],
    size_m: tuple[float, float],
    depth_m: float,
    seed: int,
) -> Hole:
    """A hole with a broken edge, a gravelly floor and cracks around it."""
    x0, y0, x1, y1 = bounds
    columns, rows = (max(2, round((b - a) / _PATCH_STEP_M)) for a, b in ((x0, x1), (y0, y1)))
    y, x = (
        axis.ravel()
        for axis in np.meshgrid(
            np.linspace(y0, y1, rows), np.linspace(x0, x1, columns), indexing="ij"
        )
    )
    flat = np.stack([x, y], axis=1)
    across = np.hypot((x - (x0 + x1) / 2) / size_m[0], (y - (y0 + y1) / 2) / size_m[1]) * 2
    across = across + 0.16 * waves(flat, 0.9, seed, 3) + 0.05 * waves(flat, 4.0, seed + 1, 3)
    inside = smoothstep(1.02, 0.84, across)
    floor = 0.18 * waves(flat, 2.5, seed + 2, 3) + 0.16 * waves(flat, 9.0, seed + 3, 3)
    step = smoothstep(0.74, 0.66, across) * 0.35 + 0.65
    edge = smoothstep(1.62, 1.25, across)
    cracks = edge * np.exp(-np.abs(waves(flat, 0.8, seed + 4, 3)) * 45)
    border = smoothstep(0.0, 0.12, np.minimum.reduce([x - x0, x1 - x, y - y0, y1 - y]))
    z = -(inside * step * depth_m * (1 - floor) + 0.02 * cracks * (1 - inside)) * border
    broken = np.maximum(smoothstep(1.05, 0.98, across), 0.55 * cracks) * border
    points = np.stack([x, y, z], axis=1)
    return Hole(
        surface=Surface(vertices=points, quads=_grid_quads(rows, columns, closed=False)),
        broken=broken,
        rim=points[across < 1.0],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Gait:
    """How a figure holds itself at one moment."""

    travelled_m: float
    walking: bool
    carrying: bool
    stoop_ratio: float
    """0 upright to 1 bent down."""


def walking(rest: Floats, gait: Gait) -> Floats:
    """Bend a standing figure (x forward, y left, z up) into a moment of walking or stooping."""
    points = rest.copy()
    phase = 2 * np.pi * gait.travelled_m / _STRIDE_M
    swing = np.sin(phase) if gait.walking else 0.0
    arms = smoothstep(_ARM_FROM_M - 0.02, _ARM_FROM_M + 0.03, np.abs(rest[:, 1]))
    arms *= smoothstep(_SHOULDER_M + 0.06, _SHOULDER_M - 0.12, rest[:, 2]) * (rest[:, 2] > 0.6)
    for side, sign in ((1.0, 1.0), (-1.0, -1.0)):
        on_side = smoothstep(-0.02, 0.02, rest[:, 1] * side)
        leg = on_side * smoothstep(_HIP_M + 0.06, _HIP_M - 0.12, rest[:, 2]) * (1 - arms)
        lift = max(0.0, np.cos(phase) * sign) if gait.walking else 0.0
        shin = leg * smoothstep(_KNEE_M + 0.06, _KNEE_M - 0.06, rest[:, 2])
        points = _turned(points, shin * 0.95 * lift, 0.0, _KNEE_M)
        points = _turned(points, -leg * (0.42 * swing * sign + 0.25 * lift), 0.0, _HIP_M)
        reach = (0.06 if gait.carrying else 0.45) * swing * sign
        points = _turned(points, arms * on_side * reach, 0.0, _SHOULDER_M)
    if gait.stoop_ratio > 0:
        lean = 0.95 * gait.stoop_ratio
        upper = np.maximum(smoothstep(_HIP_M - 0.08, _HIP_M + 0.14, rest[:, 2]), arms)
        points = _turned(points, -arms * lean, 0.0, _SHOULDER_M)
        points = _turned(points, upper * lean, 0.0, _HIP_M)
    return points


def _turned(points: Floats, angle: Floats, x: float, z: float) -> Floats:
    """Turn each point about a left-right axis; positive leans forward what is above."""
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dz = points[:, 0] - x, points[:, 2] - z
    return np.stack([x + dx * cos + dz * sin, points[:, 1], z - dx * sin + dz * cos], axis=1)
