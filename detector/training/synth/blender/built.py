"""What a builder returns, and shapes that several builders need."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

from sample_videos.render.blender.parts import Parts, Vec
from sample_videos.render.shapes import Floats, waves

Material = Any
"""A Blender material."""
Objects = list[Any]
"""Blender objects."""


@dataclass(kw_only=True, slots=True)
class Built:
    """Blender objects of one thing, standing at the origin and facing +y."""

    subject: Objects
    """What the box goes around."""
    extra: Objects = field(default_factory=list)
    """What belongs to it but is not boxed."""


Builder = Callable[[random.Random], Built]


def one(parts: Parts, name: str, *, smooth: bool = False, bevel_m: float = 0.0) -> Built:
    """A thing of one object; its edges are rounded by ``bevel_m``."""
    return Built(subject=[rounded(parts, name, smooth=smooth, bevel_m=bevel_m)])


def rounded(parts: Parts, name: str, *, smooth: bool = False, bevel_m: float = 0.0) -> Any:
    """One object of all parts; its edges are rounded by ``bevel_m``."""
    thing = parts.build(name, smooth=smooth)
    if bevel_m:
        bevel = thing.modifiers.new("soft", "BEVEL")
        bevel.width, bevel.segments = bevel_m, 2
    return thing


def moved(parts: Parts, change: Callable[[Vec], Vec], start: int = 0) -> None:
    """Put every vertex from number ``start`` on somewhere else."""
    parts.vertices[start:] = [change(vertex) for vertex in parts.vertices[start:]]


def tilt(axis: str, angle: float, pivot: Vec = (0.0, 0.0, 0.0)) -> Callable[[Vec], Vec]:
    """A turn about an axis through a point."""
    cos, sin = math.cos(angle), math.sin(angle)
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]

    def change(vertex: Vec) -> Vec:
        local = [v - p for v, p in zip(vertex, pivot, strict=True)]
        a, b = local[first], local[second]
        local[first], local[second] = a * cos - b * sin, a * sin + b * cos
        x, y, z = (v + p for v, p in zip(local, pivot, strict=True))
        return x, y, z

    return change


def shift(dx: float, dy: float, dz: float = 0.0) -> Callable[[Vec], Vec]:
    """A move."""
    return lambda vertex: (vertex[0] + dx, vertex[1] + dy, vertex[2] + dz)


def pipe(
    parts: Parts, path: Sequence[tuple[Vec, float]], material: Material, sides: int = 8
) -> None:
    """Add a round pipe along points with radii, in any direction."""
    points = np.array([point for point, _ in path], dtype=float)
    ways = np.gradient(points, axis=0)
    vertices: list[Vec] = []
    for (point, radius), way in zip(path, ways, strict=True):
        way = way / max(1e-9, np.linalg.norm(way))
        helper = np.array((0.0, 0.0, 1.0) if abs(way[2]) < 0.9 else (1.0, 0.0, 0.0))
        u = np.cross(way, helper)
        u /= np.linalg.norm(u)
        v = np.cross(way, u)
        for side in range(sides):
            angle = 2 * math.pi * side / sides
            x, y, z = np.array(point) + radius * (math.cos(angle) * u + math.sin(angle) * v)
            vertices.append((float(x), float(y), float(z)))
    rows = len(path)
    faces: list[tuple[int, ...]] = [
        (r * sides + i, r * sides + (i + 1) % sides, (r + 1) * sides + (i + 1) % sides,
         (r + 1) * sides + i)
        for r in range(rows - 1)
        for i in range(sides)
    ]  # fmt: skip
    faces.append(tuple(range(sides)))
    faces.append(tuple(range((rows - 1) * sides, rows * sides)))
    parts.add(vertices, faces, material)


def sheet(
    parts: Parts,
    size: tuple[float, float],
    material: Material,
    seed: int,
    *,
    rough_m: float,
    scale: float = 3.0,
    steps: int = 10,
    lift_m: float = 0.0,
) -> None:
    """Add a crumpled sheet; ``lift_m`` swells its middle."""
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(-1, 1, steps), np.linspace(-1, 1, steps)))
    flat = np.stack([u, v], axis=1)
    swell = (1 - u**2) * (1 - v**2)
    z = np.abs(waves(flat, scale / 4, seed, 3)) * rough_m + swell * lift_m + 0.004
    side = 1 + 0.10 * waves(flat, 0.8, seed + 1, 2)
    points = np.stack([u * size[0] / 2 * side, v * size[1] / 2 * side, z], axis=1)
    add_grid(parts, points, steps, material)


def add_grid(parts: Parts, points: Floats, columns: int, material: Material) -> None:
    """Add a grid of points (rows * columns, 3) as quads."""
    rows = len(points) // columns
    faces = [
        (r * columns + c, r * columns + c + 1, (r + 1) * columns + c + 1, (r + 1) * columns + c)
        for r in range(rows - 1)
        for c in range(columns - 1)
    ]
    parts.add([(x, y, z) for x, y, z in points.tolist()], faces, material)


def disc(parts: Parts, centre: Vec, radius: float, material: Material, sides: int = 28) -> None:
    """Add a flat round plate."""
    x, y, z = centre
    ring = [
        (x + radius * math.cos(t), y + radius * math.sin(t), z)
        for t in (2 * math.pi * i / sides for i in range(sides))
    ]
    parts.add(ring, [tuple(range(sides))], material)


def world_triangles(things: Objects) -> Floats:
    """Triangles (n, 3, 3) of objects in the world, modifiers applied."""
    graph = bpy.context.evaluated_depsgraph_get()
    found = []
    for thing in things:
        seen = thing.evaluated_get(graph)
        mesh = seen.to_mesh()
        mesh.calc_loop_triangles()
        points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
        mesh.vertices.foreach_get("co", points)
        corners = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        seen.to_mesh_clear()
        matrix = np.array(thing.matrix_world)
        placed = points.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        found.append(placed[corners].reshape(-1, 3, 3))
    return np.concatenate(found)
