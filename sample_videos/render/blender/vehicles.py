"""Cars and vans: a smooth skin through cross-sections, with glass, arches, wheels and lamps."""

from __future__ import annotations

import math

import bpy

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts
from sample_videos.render.blender.wheels import build_wheel
from sample_videos.render.bodies import (
    BODIES,
    GLASS_BASE,
    GLASS_TOP,
    PILLAR,
    ROOF_MIDDLE,
    ROOF_SIDE,
    Body,
    Section,
    half_outline,
)
from sample_videos.render.spec import ActorSpec

_GLOW_STRENGTHS = ((25.0, 0.25), (5.0, 0.06))
"""Emission of head and tail lamps when on, and when off (what their glass reflects)."""


class Vehicle:
    """A vehicle's objects; ``root`` moves them all, ``wheels`` turn."""

    def __init__(self, spec: ActorSpec, *, lights_on: bool) -> None:
        body = BODIES[spec.kind]
        self.wheel_radius_m = body.wheel_radius
        self.root = bpy.data.objects.new(spec.name, None)
        bpy.context.scene.collection.objects.link(self.root)
        skin = _skin(spec, body)
        self.lights_on: bool | None = None
        self.glow = _glow()
        trim = _trim(spec, body, self.glow)
        self.wheels = [
            build_wheel(spec.name, body, x, side) for x in body.wheels_x for side in (-1, 1)
        ]
        self.parts = [skin, trim, *self.wheels]
        self.lamps = _headlights(spec.name, body) if lights_on else []
        for part in (*self.parts, *self.lamps):
            part.parent = self.root
        self.switch(on=lights_on)

    def switch(self, *, on: bool) -> None:
        """Turn the lights on or off; an unchanged scene is quicker to render again."""
        if on == self.lights_on:
            return
        self.lights_on = on
        for material, (bright, dull) in zip(self.glow, _GLOW_STRENGTHS, strict=True):
            principled = material.node_tree.nodes["Principled BSDF"]
            principled.inputs["Emission Strength"].default_value = bright if on else dull

    def place(self, x_m: float, y_m: float, heading_rad: float, travelled_m: float) -> None:
        """Put it somewhere; the wheels have rolled as far as it travelled."""
        self.root.location = (x_m, y_m, 0.0)
        self.root.rotation_euler = (0.0, 0.0, heading_rad)
        for wheel in self.wheels:
            wheel.rotation_euler[1] = travelled_m / self.wheel_radius_m


def _skin(spec: ActorSpec, body: Body) -> bpy.types.Object:
    paint = materials.car_paint(f"paint {spec.name}", spec.colour, body.seams_x)
    glass = materials.plain("car glass", (0.012, 0.016, 0.018), 0.05)
    glass.node_tree.nodes["Principled BSDF"].inputs["Coat Weight"].default_value = 0.6
    black = materials.plain("black trim", (0.012, 0.012, 0.013), 0.5)
    skin = _loft(spec.name, body, (paint, glass, black))
    subdivision = skin.modifiers.new("round", "SUBSURF")
    subdivision.levels = subdivision.render_levels = 3
    for x in body.wheels_x:
        for side in (-1, 1):
            _cut_arch(skin, body, x, side)
    return _applied(skin)


def _loft(name: str, body: Body, slots: tuple[bpy.types.Material, ...]) -> bpy.types.Object:
    """Skin all sections, close both ends, and mark where glass begins by creases."""
    count = ROOF_MIDDLE + 1
    ring = 2 * ROOF_MIDDLE
    vertices = [point for section in body.sections for point in _outline(section)]
    faces: list[tuple[int, ...]] = []
    kinds: list[int] = []
    for row in range(len(body.sections) - 1):
        for step in range(ring):
            after = (step + 1) % ring
            a, b = row * ring, (row + 1) * ring
            faces.append((a + step, a + after, b + after, b + step))
            kinds.append(_slot_of(body, row, min(step, ring - 1 - step)))
    for start, turn in ((0, -1), ((len(body.sections) - 1) * ring, 1)):
        for step in range(count - 1):
            left = (start + step, start + step + 1)
            right = tuple(start + (ring - index) % ring for index in (step + 1, step))
            corners = tuple(dict.fromkeys((*left, *right)))
            faces.append(corners if turn > 0 else tuple(reversed(corners)))
            kinds.append(0 if step > 1 else 2)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    for material in slots:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", kinds)
    mesh.polygons.foreach_set("use_smooth", [True] * len(faces))
    _crease_glass(mesh, kinds)
    skin = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(skin)
    return skin


def _outline(section: Section) -> list[tuple[float, float, float]]:
    half = half_outline(section)
    left = [(section.x, y, z) for y, z in half]
    right = [(section.x, -y, z) for y, z in reversed(half[1:-1])]
    return left + right


def _slot_of(body: Body, row: int, step: int) -> int:
    """Paint 0, glass 1 or black 2 for the strip after a section and a point."""
    if step <= 1:
        return 2
    if step == ROOF_SIDE and row in (body.windscreen, body.rear_screen):
        return 1
    if step == GLASS_BASE and row in body.side_glass:
        return 1
    first, last = min(body.side_glass), max(body.side_glass)
    if step in (GLASS_BASE, GLASS_TOP) and first <= row <= last:
        return 2
    return 2 if step == PILLAR - 3 and first <= row <= last else 0


def _crease_glass(mesh: bpy.types.Mesh, kinds: list[int]) -> None:
    around: dict[tuple[int, int], list[int]] = {}
    for polygon, kind in zip(mesh.polygons, kinds, strict=True):
        for key in polygon.edge_keys:
            around.setdefault(key, []).append(kind)
    crease = mesh.attributes.new("crease_edge", "FLOAT", "EDGE")
    for edge in mesh.edges:
        kinds_here = around.get(edge.key, [])
        if 1 in kinds_here and len(set(kinds_here)) > 1:
            crease.data[edge.index].value = 0.95
    glazed = [0] * len(mesh.vertices)
    for polygon, kind in zip(mesh.polygons, kinds, strict=True):
        for index in polygon.vertices:
            glazed[index] += kind == 1
    corners = mesh.attributes.new("crease_vert", "FLOAT", "POINT")
    for index, count in enumerate(glazed):
        corners.data[index].value = 0.85 if count == 1 else 0.0


def _cut_arch(skin: bpy.types.Object, body: Body, x: float, side: int) -> None:
    cutter = Parts()
    liner = materials.plain("arch", (0.004, 0.004, 0.004), 0.9)
    radius = body.wheel_radius * 1.19
    z = body.wheel_radius * 1.04
    inner, outer = body.track - 0.25, body.track + 0.43
    cutter.tube(
        [((x, side * inner, z), radius), ((x, side * outer, z), radius)][::side],
        liner,
        axis="y",
        sides=48,
    )
    tool = cutter.build("arch cutter")
    cut = skin.modifiers.new("arch", "BOOLEAN")
    cut.operation, cut.object, cut.solver = "DIFFERENCE", tool, "EXACT"
    cut.material_mode = "TRANSFER"
    tool.hide_render = True


def _applied(skin: bpy.types.Object) -> bpy.types.Object:
    """Bake the modifiers once, and drop what they needed."""
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(skin.evaluated_get(graph))
    tools = [mod.object for mod in skin.modifiers if mod.type == "BOOLEAN"]
    skin.modifiers.clear()
    skin.data = mesh
    for tool in tools:
        bpy.data.objects.remove(tool)
    return skin


def _glow() -> tuple[bpy.types.Material, bpy.types.Material]:
    """Lenses of headlamps and of tail lamps."""
    return (
        materials.glowing("headlamp", (1.0, 0.95, 0.85), 0.0),
        materials.glowing("tail lamp", (0.7, 0.012, 0.01), 0.0),
    )


def _trim(
    spec: ActorSpec, body: Body, glow: tuple[bpy.types.Material, bpy.types.Material]
) -> bpy.types.Object:
    """Lamps, grille, plates, mirrors, handles."""
    trim = Parts()
    black = materials.plain("grille", (0.01, 0.01, 0.011), 0.4)
    metal = materials.plain("chrome", (0.75, 0.75, 0.76), 0.15, 1.0)
    white, red = glow
    paint = materials.plain("mirror", spec.colour, 0.3, 0.2)
    for side in (-1, 1):
        x, y, z = body.lamp_front
        trim.box((x, side * y, z), (0.16, 0.30, 0.12), white, side * 0.42)
        x, y, z = body.lamp_rear
        trim.box((x, side * y, z), (0.12, 0.28, 0.17), red, -side * 0.3)
        _mirror_and_handles(trim, body, side, (paint, black, metal))
    _ends(trim, body, (black, metal, white))
    thing = trim.build(f"{spec.name} trim")
    bevel = thing.modifiers.new("soft", "BEVEL")
    bevel.width, bevel.segments = 0.02, 2
    return _applied(thing)


def _mirror_and_handles(
    trim: Parts, body: Body, side: int, slots: tuple[bpy.types.Material, ...]
) -> None:
    paint, black, metal = slots
    cowl = body.sections[body.windscreen]
    x, y, z = cowl.x - 0.22, side * (cowl.side + 0.07), cowl.belt + 0.07
    trim.box((x, y, z), (0.13, 0.20, 0.13), paint)
    trim.box((x, y - side * 0.10, z - 0.05), (0.06, 0.1, 0.04), black)
    for seam in body.seams_x[1:3]:
        trim.box(
            (seam + 0.2, side * cowl.side * 0.985, cowl.belt - 0.13), (0.18, 0.05, 0.03), metal
        )


def _ends(trim: Parts, body: Body, slots: tuple[bpy.types.Material, ...]) -> None:
    black, metal, white = slots
    plate = materials.plain("plate", (0.02, 0.08, 0.42), 0.4)
    nose, tail = body.sections[0], body.sections[-1]
    low = body.lamp_front[2]
    trim.box((nose.x - 0.05, 0, low - 0.02), (0.16, 0.74, 0.13), black)
    trim.box((nose.x + 0.025, 0, low + 0.035), (0.02, 0.70, 0.02), metal)
    trim.box((nose.x - 0.07, 0, low - 0.27), (0.16, 1.0, 0.14), black)
    trim.box((nose.x + 0.035, 0, low - 0.15), (0.02, 0.44, 0.13), plate)
    trim.box((tail.x - 0.01, 0, body.lamp_rear[2] - 0.12), (0.05, 0.46, 0.15), plate)
    trim.box((tail.x - 0.015, 0, body.lamp_rear[2] - 0.125), (0.05, 0.36, 0.06), white)
    trim.box((tail.x + 0.06, 0, tail.floor + 0.02), (0.14, 1.1, 0.12), black)


def _headlights(name: str, body: Body) -> list[bpy.types.Object]:
    """Two beams that light the road ahead."""
    beams = []
    for side in (-1, 1):
        light = bpy.data.lights.new(f"{name} beam", "SPOT")
        light.energy, light.color = 500.0, (1.0, 0.93, 0.8)
        light.spot_size, light.spot_blend, light.shadow_soft_size = 1.0, 0.8, 0.06
        beam = bpy.data.objects.new(f"{name} beam", light)
        bpy.context.scene.collection.objects.link(beam)
        x, y, z = body.lamp_front
        beam.location = (x + 0.14, side * y, z)
        beam.rotation_euler = (0.0, -math.radians(90 - 6), 0.0)
        beams.append(beam)
    return beams
