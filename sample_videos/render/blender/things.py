"""Things that are left or that break: rubbish bags and potholes."""

from __future__ import annotations

import random

import bpy
import numpy as np

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.blender.street import patch_bounds
from sample_videos.render.shapes import Hole, Surface, bag, pothole
from sample_videos.render.spec import ActorSpec, PotholeSpec


class Bag:
    """A rubbish bag."""

    def __init__(self, spec: ActorSpec) -> None:
        film = materials.plastic_bag(f"film {spec.name}", spec.colour)
        thing = _surface(spec.name, bag(spec.size_m, spec.seed), film)
        self.root = thing
        self.parts = [thing]

    def place(self, at: tuple[float, float, float], heading_rad: float) -> None:
        """Stand or hang it somewhere."""
        self.root.location = at
        self.root.rotation_euler = (0, 0, heading_rad)


class RoadPatch:
    """The road around a pothole, whole and broken."""

    def __init__(self, spec: PotholeSpec, seed: int) -> None:
        bounds = patch_bounds(spec)
        self.hole: Hole = pothole(bounds, spec.size_m, spec.depth_m, seed)
        sound = Parts()
        x0, y0, x1, y1 = bounds
        sound.add(
            [(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)],
            [(0, 1, 2, 3)],
            materials.asphalt(),
        )
        self.whole = [sound.build("sound road")]
        broken = _surface(spec.name, self.hole.surface, materials.asphalt(broken=True))
        layer = broken.data.color_attributes.new("broken", "FLOAT_COLOR", "POINT")
        values = np.repeat(self.hole.broken[:, None], 4, axis=1).astype(np.float32)
        layer.data.foreach_set("color", values.ravel())
        self.broken = [broken, _stones(spec, seed)]

    def show(self, *, broken: bool) -> None:
        """Show the hole, or the road before it."""
        for thing in self.whole:
            thing.hide_render = broken
        for thing in self.broken:
            thing.hide_render = not broken


def _stones(spec: PotholeSpec, seed: int) -> bpy.types.Object:
    """Lumps of asphalt that traffic has thrown out."""
    rng, parts = random.Random(seed), Parts()
    lump = materials.mottled("lump", (0.07, 0.066, 0.06), 30.0, 0.4)
    for _ in range(70):
        x = spec.at[0] + rng.gauss(0, 0.42) * spec.size_m[0]
        y = spec.at[1] + rng.gauss(0, 0.42) * spec.size_m[1]
        size = rng.uniform(0.015, 0.06)
        inside = np.hypot((x - spec.at[0]) / spec.size_m[0], (y - spec.at[1]) / spec.size_m[1])
        z = -spec.depth_m * 0.85 if inside < 0.4 else size * 0.3
        parts.box(
            (x, y, z), (size, size * rng.uniform(0.6, 1), size * 0.7), lump, rng.uniform(0, 3)
        )
    thing = parts.build("stones")
    bevel = thing.modifiers.new("worn", "BEVEL")
    bevel.width, bevel.segments = 0.006, 2
    return thing


def _surface(name: str, surface: Surface, material: bpy.types.Material) -> bpy.types.Object:
    parts = Parts()
    parts.add(
        [tuple(point) for point in surface.vertices.tolist()],
        [tuple(quad) for quad in surface.quads.tolist()],
        material,
    )
    return parts.build(name, smooth=True)
