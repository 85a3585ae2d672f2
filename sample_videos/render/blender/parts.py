"""Collects simple solids into one mesh, which is far quicker than one object each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import bpy

Vec = tuple[float, float, float]

_BOX_FACES = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))


class Parts:
    """Vertices, faces and a material for each face; ``build`` makes the object."""

    def __init__(self) -> None:
        self.vertices: list[Vec] = []
        self.faces: list[tuple[int, ...]] = []
        self.slots: list[int] = []
        self.materials: list[bpy.types.Material] = []

    def add(
        self, vertices: Iterable[Vec], faces: Iterable[Sequence[int]], material: bpy.types.Material
    ) -> None:
        """Add a piece; its faces count from its own first vertex."""
        start, slot = len(self.vertices), self._slot(material)
        self.vertices.extend(vertices)
        for face in faces:
            self.faces.append(tuple(start + index for index in face))
            self.slots.append(slot)

    def box(self, centre: Vec, size: Vec, material: bpy.types.Material, yaw: float = 0.0) -> None:
        """Add a box, turned about its upright axis."""
        half = [side / 2 for side in size]
        corners = [
            (sx * half[0], sy * half[1], sz * half[2])
            for sz in (-1, 1)
            for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        cos, sin = math.cos(yaw), math.sin(yaw)
        placed = [
            (centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos, centre[2] + z)
            for x, y, z in corners
        ]
        self.add(placed, _BOX_FACES, material)

    def tube(
        self,
        rings: Sequence[tuple[Vec, float]],
        material: bpy.types.Material,
        *,
        axis: str = "z",
        sides: int = 20,
    ) -> None:
        """Add a closed body of revolution through rings of (centre, radius)."""
        points: list[Vec] = []
        for (x, y, z), radius in rings:
            for side in range(sides):
                angle = 2 * math.pi * side / sides
                a, b = radius * math.cos(angle), radius * math.sin(angle)
                points.append((x + a, y + b, z) if axis == "z" else (x + a, y, z + b))
        faces: list[tuple[int, ...]] = [
            (
                row * sides + i,
                row * sides + (i + 1) % sides,
                (row + 1) * sides + (i + 1) % sides,
                (row + 1) * sides + i,
            )
            for row in range(len(rings) - 1)
            for i in range(sides)
        ]
        faces.append(tuple(reversed(range(sides))))
        faces.append(tuple(range((len(rings) - 1) * sides, len(rings) * sides)))
        self.add(points, faces, material)

    def build(self, name: str, *, smooth: bool = False) -> bpy.types.Object:
        """Make a Blender object of all pieces and put it into the scene."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(self.vertices, [], self.faces)
        for material in self.materials:
            mesh.materials.append(material)
        mesh.polygons.foreach_set("material_index", self.slots)
        mesh.polygons.foreach_set("use_smooth", [smooth] * len(self.faces))
        mesh.update()
        thing = bpy.data.objects.new(name, mesh)
        bpy.context.scene.collection.objects.link(thing)
        return thing

    def _slot(self, material: bpy.types.Material) -> int:
        if material not in self.materials:
            self.materials.append(material)
        return self.materials.index(material)
