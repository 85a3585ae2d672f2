"""Procedural materials; no picture is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from sample_videos.render.spec import Colour

Socket = Any

_DARK_FILM = 0.1
"""Films darker than this hide what is in them."""


class Shader:
    """A principled material under construction: nodes are added by short calls."""

    def __init__(self, name: str, colour: Colour, roughness: float, metallic: float = 0.0) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.principled = self.tree.nodes["Principled BSDF"]
        self.set(Base_Color=(*colour, 1.0), Roughness=roughness, Metallic=metallic)

    def set(self, **values: object) -> Shader:
        """Set inputs of the principled node; spaces in their names are underscores."""
        for key, value in values.items():
            self.principled.inputs[key.replace("_", " ")].default_value = value
        return self

    def link(self, name: str, socket: Socket) -> Shader:
        """Connect a socket to an input of the principled node."""
        self.tree.links.new(socket, self.principled.inputs[name])
        return self

    def node(self, kind: str, inputs: dict[str | int, object] | None = None, **props: Any) -> Any:
        """Add a node; inputs that are sockets are connected, others are set."""
        node = self.tree.nodes.new(kind)
        for key, value in props.items():
            setattr(node, key, value)
        for name, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[name])
            else:
                node.inputs[name].default_value = value
        return node

    def place(self, scale: Sequence[float] = (1, 1, 1), space: str = "Object") -> Socket:
        """Coordinates in metres, scaled."""
        coordinates = self.node("ShaderNodeTexCoord").outputs[space]
        return self.node(
            "ShaderNodeMapping", {"Vector": coordinates, "Scale": tuple(scale)}
        ).outputs[0]

    def noise(self, scale: float, detail: float = 6.0, at: Socket = None) -> Socket:
        """Fractal noise of about 0.3 to 0.7."""
        inputs: dict[str | int, object] = {"Scale": scale, "Detail": detail}
        inputs["Vector"] = self.place() if at is None else at
        return self.node("ShaderNodeTexNoise", inputs).outputs[0]

    def ramp(self, value: Socket, low: float, high: float) -> Socket:
        """Stretch a value so that low becomes 0 and high 1."""
        inputs: dict[str | int, object] = {"Value": value, 1: low, 2: high}
        return self.node("ShaderNodeMapRange", inputs, clamp=True).outputs[0]

    def mix(self, factor: Socket, first: object, second: object) -> Socket:
        """Mix two colours."""
        node = self.node("ShaderNodeMix", {0: factor}, data_type="RGBA")
        for index, value in ((6, first), (7, second)):
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[index])
            else:
                node.inputs[index].default_value = (*value, 1.0)  # type: ignore[misc]
        return node.outputs[2]

    def maths(self, operation: str, first: object, second: object = 0.0) -> Socket:
        """A number from two numbers."""
        return self.node("ShaderNodeMath", {0: first, 1: second}, operation=operation).outputs[0]

    def bump(self, height: Socket, strength: float, distance_m: float = 0.01) -> Shader:
        """Raise the surface by a height."""
        node = self.node(
            "ShaderNodeBump", {"Height": height, "Strength": strength, "Distance": distance_m}
        )
        return self.link("Normal", node.outputs[0])


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour, lighter or darker."""
    red, green, blue = (min(1.0, part * factor) for part in colour)
    return red, green, blue


def plain(
    name: str, colour: Colour, roughness: float = 0.6, metallic: float = 0.0
) -> bpy.types.Material:
    """One colour."""
    return Shader(name, colour, roughness, metallic).material


def mottled(
    name: str, colour: Colour, scale: float, spread: float = 0.25, roughness: float = 0.85
) -> bpy.types.Material:
    """One colour with irregular lighter and darker places and a little relief."""
    shader = Shader(name, colour, roughness)
    value = shader.ramp(shader.noise(scale), 0.3, 0.7)
    shader.link(
        "Base Color", shader.mix(value, scaled(colour, 1 - spread), scaled(colour, 1 + spread))
    )
    return shader.bump(value, 0.15).material


def asphalt(colour: Colour = (0.085, 0.085, 0.088), *, broken: bool = False) -> bpy.types.Material:
    """Worn asphalt: aggregate, stains along the lanes, repaired patches.

    With ``broken``, what the colour attribute of this name marks is earth and gravel.
    """
    shader = Shader("asphalt", colour, 0.88)
    grain = shader.node("ShaderNodeTexVoronoi", {"Vector": shader.place(), "Scale": 90.0}).outputs[
        "Distance"
    ]
    stone = shader.ramp(grain, 0.1, 0.75)
    base = shader.mix(stone, scaled(colour, 1.45), scaled(colour, 0.75))
    stains = shader.ramp(shader.noise(1.0, 5, shader.place((0.12, 0.9, 1))), 0.35, 0.68)
    base = shader.mix(stains, shader.mix(0.55, base, scaled(colour, 1.5)), base)
    patches = shader.ramp(shader.noise(0.35, 2), 0.56, 0.57)
    base = shader.mix(shader.maths("MULTIPLY", patches, 0.16), base, scaled(colour, 0.45))
    spots = shader.ramp(shader.noise(3.5, 3), 0.64, 0.72)
    base = shader.mix(shader.maths("MULTIPLY", spots, 0.45), base, (0.02, 0.02, 0.022))
    if broken:
        mark = shader.node("ShaderNodeVertexColor", layer_name="broken").outputs[0]
        base = shader.mix(mark, base, _gravel(shader))
    shader.link("Base Color", base)
    return shader.bump(stone, 0.35, 0.006).material


def _gravel(shader: Shader) -> Socket:
    stones = shader.node("ShaderNodeTexVoronoi", {"Vector": shader.place(), "Scale": 24.0})
    tone = shader.ramp(stones.outputs["Color"], 0.1, 0.9)
    return shader.mix(tone, (0.016, 0.013, 0.010), (0.125, 0.108, 0.088))


def slabs(
    name: str, colour: Colour, length_m: float, width_m: float, joint_m: float = 0.008
) -> bpy.types.Material:
    """Stones laid in courses: paving, kerbs, brickwork seen from above."""
    shader = Shader(name, colour, 0.85)
    brick = _bricks(shader, shader.place(), colour, length_m, width_m, joint_m)
    dirt = shader.ramp(shader.noise(0.9, 8), 0.35, 0.7)
    shader.link(
        "Base Color",
        shader.mix(
            shader.maths("MULTIPLY", dirt, 0.45), brick.outputs["Color"], scaled(colour, 0.6)
        ),
    )
    return shader.bump(brick.outputs["Fac"], -0.5, 0.008).material


def wall_bricks(name: str, colour: Colour) -> bpy.types.Material:
    """Brickwork on upright walls that face the street."""
    shader = Shader(name, colour, 0.9)
    turned = shader.node(
        "ShaderNodeMapping",
        {
            "Vector": shader.node("ShaderNodeTexCoord").outputs["Object"],
            "Rotation": (1.5708, 0.0, 0.0),
        },
    ).outputs[0]
    brick = _bricks(shader, turned, colour, 0.25, 0.08, 0.012)
    grime = shader.ramp(shader.noise(0.5, 8), 0.3, 0.75)
    shader.link(
        "Base Color",
        shader.mix(
            shader.maths("MULTIPLY", grime, 0.5), brick.outputs["Color"], scaled(colour, 0.55)
        ),
    )
    return shader.bump(brick.outputs["Fac"], -0.4, 0.01).material


def _bricks(
    shader: Shader, at: Socket, colour: Colour, length_m: float, width_m: float, joint_m: float
) -> Any:
    return shader.node(
        "ShaderNodeTexBrick",
        {
            "Vector": at,
            "Scale": 1.0,
            "Brick Width": length_m,
            "Row Height": width_m,
            "Mortar Size": joint_m,
            "Mortar Smooth": 0.3,
            "Bias": 0.0,
            "Color1": (*scaled(colour, 0.85), 1.0),
            "Color2": (*scaled(colour, 1.15), 1.0),
            "Mortar": (*scaled(colour, 0.5), 1.0),
        },
    )


def road_paint(name: str, colour: Colour) -> bpy.types.Material:
    """Line paint that traffic has worn through here and there."""
    shader = Shader(name, colour, 0.65)
    wear = shader.ramp(shader.noise(14.0, 8), 0.30, 0.42)
    dirty = shader.ramp(shader.noise(2.0, 5), 0.3, 0.7)
    shader.link("Base Color", shader.mix(dirty, scaled(colour, 0.65), colour))
    return shader.link("Alpha", wear).material


def car_paint(name: str, colour: Colour, seams_x: Sequence[float]) -> bpy.types.Material:
    """Lacquer with the dark seams of doors, bonnet and boot at the given places."""
    shader = Shader(name, colour, 0.32, 0.25)
    shader.set(Coat_Weight=0.9, Coat_Roughness=0.05)
    x, y, z = shader.node(
        "ShaderNodeSeparateXYZ", {0: shader.node("ShaderNodeTexCoord").outputs["Object"]}
    ).outputs
    side = shader.ramp(shader.maths("ABSOLUTE", y), 0.70, 0.72)
    above = shader.ramp(z, 0.33, 0.345)
    seams: Socket = 0.0
    for seam_x in seams_x:
        near = shader.maths("ABSOLUTE", shader.maths("SUBTRACT", x, seam_x))
        seams = shader.maths("MAXIMUM", seams, shader.maths("LESS_THAN", near, 0.009))
    seams = shader.maths("MULTIPLY", shader.maths("MULTIPLY", seams, side), above)
    dust = shader.ramp(z, 0.55, 0.15)
    dusty = shader.mix(shader.maths("MULTIPLY", dust, 0.45), colour, (0.12, 0.11, 0.10))
    shader.link("Base Color", shader.mix(seams, dusty, (0.004, 0.004, 0.004)))
    return shader.material


def plastic_bag(name: str, colour: Colour) -> bpy.types.Material:
    """Thin glossy film with fine creases; a pale one lets the rubbish inside shine through."""
    shader = Shader(name, colour, 0.24)
    shader.set(Specular_IOR_Level=0.6, Coat_Weight=0.25, Coat_Roughness=0.15)
    crease = shader.node(
        "ShaderNodeTexNoise",
        {
            "Vector": shader.place(),
            "Scale": 9.0,
            "Detail": 6.0,
            "Distortion": 1.2,
        },
    ).outputs[0]
    if max(colour) > _DARK_FILM:
        warped = shader.node(
            "ShaderNodeTexNoise",
            {
                "Vector": shader.place(),
                "Scale": 5.0,
                "Detail": 2.0,
                "Distortion": 2.5,
            },
        ).outputs["Color"]
        things = shader.node("ShaderNodeTexVoronoi", {"Vector": warped, "Scale": 9.0}).outputs[
            "Color"
        ]
        touching = shader.ramp(shader.noise(7.0, 3), 0.40, 0.62)
        inside = shader.mix(0.3, things, scaled(colour, 0.6))
        shader.link(
            "Base Color", shader.mix(shader.maths("MULTIPLY", touching, 0.75), colour, inside)
        )
    ridge = shader.maths("ABSOLUTE", shader.maths("SUBTRACT", crease, 0.5))
    return shader.bump(ridge, 0.9, 0.06).material


def glowing(name: str, colour: Colour, strength: float) -> bpy.types.Material:
    """A lamp or a lit window."""
    shader = Shader(name, scaled(colour, 0.8), 0.3)
    shader.set(Emission_Color=(*colour, 1.0), Emission_Strength=strength)
    return shader.material


def leaves(name: str, colour: Colour) -> bpy.types.Material:
    """Foliage whose leaves differ in tone and let some light through."""
    shader = Shader(name, colour, 0.7)
    tone = shader.ramp(shader.noise(1.7, 4), 0.3, 0.7)
    shader.link("Base Color", shader.mix(tone, scaled(colour, 0.55), scaled(colour, 1.5)))
    shader.set(Subsurface_Weight=0.0, Transmission_Weight=0.0)
    return shader.material


def grass() -> bpy.types.Material:
    """A mown verge."""
    shader = Shader("grass", (0.06, 0.10, 0.025), 0.95)
    blades = shader.ramp(shader.noise(38.0, 6), 0.3, 0.7)
    patches = shader.ramp(shader.noise(0.8, 4), 0.35, 0.65)
    green = shader.mix(blades, (0.022, 0.045, 0.010), (0.085, 0.13, 0.035))
    dry = shader.mix(blades, (0.05, 0.05, 0.02), (0.16, 0.14, 0.06))
    shader.link("Base Color", shader.mix(shader.maths("MULTIPLY", patches, 0.35), green, dry))
    return shader.bump(blades, 0.8, 0.04).material
