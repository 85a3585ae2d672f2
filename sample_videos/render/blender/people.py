"""People: the standing figure of SUMO's data package, dressed and made to walk."""

from __future__ import annotations

from importlib.resources import files

import bpy
import numpy as np

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.shapes import Floats, Gait, walking
from sample_videos.render.spec import ActorSpec

_FIGURE = "data/3D/humanResting.obj"


class Person:
    """One figure; ``place`` poses it."""

    def __init__(self, spec: ActorSpec) -> None:
        self.rest, faces = load_figure()
        self.root = bpy.data.objects.new(spec.name, None)
        bpy.context.scene.collection.objects.link(self.root)
        parts = Parts()
        cloth = _wardrobe(spec)
        for face in faces:
            middle = self.rest[list(face)].mean(axis=0)
            parts.add(
                [tuple(self.rest[i]) for i in face],
                [tuple(range(len(face)))],
                cloth[_garment(middle)],
            )
        figure = parts.build(spec.name, smooth=True)
        self.order = np.array([index for face in faces for index in face])
        figure.parent = self.root
        weld = figure.modifiers.new("weld", "WELD")
        weld.merge_threshold = 0.0005
        figure.modifiers.new("round", "SUBSURF").render_levels = 1
        self.parts = [figure]

    def place(self, at: tuple[float, float, float], heading_rad: float, gait: Gait) -> None:
        """Stand or walk somewhere."""
        self.root.location = at
        self.root.rotation_euler = (0, 0, heading_rad)
        points = walking(self.rest, gait)[self.order]
        mesh = self.parts[0].data
        mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
        mesh.update()


def load_figure() -> tuple[Floats, list[tuple[int, ...]]]:
    """Read the figure: vertices with x forward, y left, z up, in metres; and its faces."""
    points, faces = [], []
    text = (files("sumo_data") / _FIGURE).read_text(encoding="utf-8")
    for line in text.splitlines():
        word, *values = line.split() or [""]
        if word == "v":
            x, y, z = (float(value) for value in values[:3])
            points.append((z, x, y))
        elif word == "f":
            faces.append(tuple(int(value.split("/")[0]) - 1 for value in values))
    return np.array(points), faces


def _wardrobe(spec: ActorSpec) -> dict[str, bpy.types.Material]:
    name = spec.name
    return {
        "coat": materials.mottled(f"coat {name}", spec.colour, 9.0, 0.2),
        "trousers": materials.mottled(f"trousers {name}", (0.025, 0.03, 0.05), 9.0, 0.25),
        "skin": materials.plain("skin", (0.48, 0.27, 0.18), 0.5),
        "hair": materials.plain("hair", (0.012, 0.009, 0.007), 0.5),
        "shoes": materials.plain("shoes", (0.02, 0.017, 0.015), 0.5),
    }


def _garment(at: Floats) -> str:
    x, y, z = at
    if z > 1.50:
        return "hair" if z > 1.70 or (x < 0.02 and z > 1.58) else "skin"
    if abs(y) > 0.2 and z < 0.86:
        return "skin"
    if z > 0.90 or abs(y) > 0.21:
        return "coat"
    return "trousers" if z > 0.08 else "shoes"
