"""Things that stand in the street or are carried, and that something happens to."""

from __future__ import annotations

import math

import bpy

from sample_videos.render.blender import materials
from sample_videos.render.blender.parts import Parts, Vec
from sample_videos.render.spec import ActorSpec

_FALL_S = 0.6
_BIN_RADIUS_M = 0.30
_LAMPS = {"red": (3.02, (1.0, 0.03, 0.02)), "green": (2.38, (0.03, 1.0, 0.25))}
"""Height in metres and colour of a signal's lamps."""
_AMBER = (2.70, (0.10, 0.05, 0.01))
_BRIGHT, _DULL = 9.0, 0.005
_DARK = (0.01, 0.01, 0.01, 1.0)


class Prop:
    """One object of a prop; ``place`` puts it somewhere."""

    def __init__(self, thing: bpy.types.Object) -> None:
        self.root = thing
        self.parts = [thing]

    def place(self, at: Vec, heading_rad: float) -> None:
        """Stand it somewhere."""
        self.root.location = at
        self.root.rotation_euler = (0.0, 0.0, heading_rad)


class Carton(Prop):
    """A cardboard box with a strip of tape."""

    def __init__(self, spec: ActorSpec) -> None:
        board = materials.mottled(f"board {spec.name}", spec.colour, 7.0, 0.15)
        tape = materials.plain("tape", (0.50, 0.42, 0.26), 0.3)
        size, parts = spec.size_m, Parts()
        parts.box((0, 0, size * 0.4), (size * 0.8, size, size * 0.8), board)
        parts.box((0, 0, size * 0.4), (size * 0.81, size * 0.09, size * 0.81), tape)
        super().__init__(parts.build(spec.name))


class Bin(Prop):
    """A litter bin with a lid, which may fall over."""

    def __init__(self, spec: ActorSpec) -> None:
        body = materials.mottled(f"bin {spec.name}", spec.colour, 5.0, 0.15, 0.3)
        dark = materials.plain("bin mouth", (0.01, 0.01, 0.01), 0.8)
        steel = materials.plain("bin band", (0.55, 0.56, 0.57), 0.35, 0.8)
        r, parts = _BIN_RADIUS_M, Parts()
        rings = [((0, 0, 0), r * 0.9), ((0, 0, 0.85), r), ((0, 0, 0.86), r * 0.8)]
        parts.tube(rings, body, sides=32)
        parts.tube([((0, 0, 0.86), r * 0.8), ((0, 0, 1.0), r * 0.8)], dark, sides=32)
        parts.tube(
            [((0, 0, 1.0), r * 1.05), ((0, 0, 1.05), r * 1.02), ((0, 0, 1.14), r * 0.4)],
            body,
            sides=32,
        )
        for low in (0.18, 0.62):
            parts.tube([((0, 0, low), r * 1.03), ((0, 0, low + 0.07), r * 1.04)], steel, sides=32)
        super().__init__(parts.build(spec.name))

    def turn(self, actor: ActorSpec, t_s: float) -> float:
        """Stand or fall as at a time; returns how far it has fallen, 0 to 1."""
        fallen = min(1.0, max(0.0, (t_s - actor.topples_s) / _FALL_S)) ** 2
        self.root.rotation_euler[1] = fallen * math.pi / 2
        self.root.location[2] += fallen * _BIN_RADIUS_M
        return round(fallen, 3)


class Signal(Prop):
    """A signal post; its lamps look along its heading."""

    def __init__(self, spec: ActorSpec) -> None:
        steel = materials.mottled("signal post", (0.16, 0.17, 0.17), 6.0, 0.2, 0.5)
        black = materials.plain("signal head", (0.008, 0.008, 0.009), 0.5)
        self.lamps = {
            name: materials.glowing(f"{name} lamp", hue, _DULL) for name, (_, hue) in _LAMPS.items()
        }
        for glass in self.lamps.values():
            # Lenses are dark while they are off, whatever the sun does.
            glass.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = _DARK
        parts = Parts()
        parts.tube([((0, 0, 0), 0.08), ((0, 0, 2.2), 0.06)], steel)
        parts.box((0, 0, 2.7), (0.24, 0.42, 1.12), black)
        amber = materials.plain("amber, off", _AMBER[1], 0.3)
        for height, glass in [
            *((height, self.lamps[name]) for name, (height, _) in _LAMPS.items()),
            (_AMBER[0], amber),
        ]:
            _disc(parts, (0.125, 0.0, height), 0.14, glass)
        super().__init__(parts.build(spec.name))

    def turn(self, actor: ActorSpec, t_s: float) -> float:
        """Switch the lamps as at a time; returns 1 for green, 0 for red."""
        is_green = any(start <= t_s < end for start, end in actor.green)
        for name, glass in self.lamps.items():
            principled = glass.node_tree.nodes["Principled BSDF"]
            is_on = (name == "green") == is_green
            principled.inputs["Emission Strength"].default_value = _BRIGHT if is_on else _DULL
        return float(is_green)


def _disc(parts: Parts, centre: Vec, radius: float, material: bpy.types.Material) -> None:
    """A round lens that looks along x."""
    x, y, z = centre
    angles = [2 * math.pi * step / 24 for step in range(24)]
    rim = [(x, y + radius * math.cos(a), z + radius * math.sin(a)) for a in angles]
    parts.add([*rim, (x + 0.03, y, z)], [(i, (i + 1) % 24, 24) for i in range(24)], material)
