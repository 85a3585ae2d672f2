"""One picture: builds its scene, finds the boxes, hides what is not to be seen, renders."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from detector.training.synth.blender import ground, traffic
from detector.training.synth.blender.built import Built, world_triangles
from detector.training.synth.blender.edges import build_edges
from detector.training.synth.blender.openings import build_opening
from detector.training.synth.blender.sky import build_camera, build_lamps, build_sky
from detector.training.synth.blender.things import build_thing
from detector.training.synth.camera import HEIGHT_PX, WIDTH_PX
from detector.training.synth.finish import finished
from detector.training.synth.kinds import KINDS
from detector.training.synth.labels import Box, is_shown, silhouette_px, visible_box
from detector.training.synth.layout import Scene
from detector.training.synth.placing import Thing

Picture = NDArray[np.uint8]
_SAMPLES, _SAMPLES_DARK = 6, 8
"""Few, since the denoiser's remains are below what a street camera's coding adds."""


_NOISE_DETAIL = 2.0
_RELIEF = ("film", "bag", "bin bag", "carrier", "water")
"""Materials whose relief is seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """A picture (h, w, 3) and its boxes with their classes and kinds."""

    picture: Picture
    boxes: tuple[tuple[str, Box], ...]
    kinds: tuple[str, ...]


class Studio:
    """Blender, which has one scene: renders one picture after the other."""

    def __init__(self, *, threads: int = 1) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        _configure(threads)
        self.kept = set(traffic.kept())
        self.numbers = _number_material()
        self.kept.add(self.numbers)

    def render(self, scene: Scene) -> Rendered:
        """Render a scene and box what is seen of its labelled things."""
        self._clear()
        things = self._build(scene)
        bpy.context.view_layer.update()
        index = self._index()
        shown = self._choose(scene, things, index)
        if len(shown) < len(things):
            index = self._index()
        boxes = [(things[number][0], visible_box(index, number)) for number in shown]
        picture = self._picture(scene)
        return Rendered(
            picture=finished(picture, scene.weather, scene.seed),
            boxes=tuple((thing.label, box) for thing, box in boxes if box is not None),
            kinds=tuple(thing.kind for thing, box in boxes if box is not None),
        )

    def _clear(self) -> None:
        """Remove the picture before; models of cars stay."""
        scene = bpy.context.scene
        for thing in list(scene.collection.objects):
            bpy.data.objects.remove(thing)
        data = bpy.data
        groups = (data.meshes, data.materials, data.lights, data.cameras, data.worlds)
        bpy.data.batch_remove([i for group in groups for i in group if i not in self.kept])

    def _build(self, scene: Scene) -> dict[int, tuple[Thing, Built]]:
        """Build everything; return the labelled things by their numbers."""
        road, broken = ground.road_materials(scene.street)
        wet = ground.build_ground(scene.street, scene.things, road)
        build_edges(scene.street, lit=scene.weather.lamps_w > 0)
        labelled: dict[int, tuple[Thing, Built]] = {}
        for thing in scene.things:
            opening = KINDS[thing.kind].opening
            built = build_opening(thing, road, broken) if opening else build_thing(thing)
            if thing.label:
                number = len(labelled) + 1
                labelled[number] = thing, built
                for part in built.subject:
                    part.pass_index = number
        if scene.weather.wet_ratio > 0:
            ground.soak([*wet, broken], scene.weather.wet_ratio)
        build_sky(scene.weather)
        build_lamps(scene)
        build_camera(scene.camera)
        _simplify(m for m in bpy.data.materials if m != self.numbers)
        return labelled

    def _choose(
        self, scene: Scene, things: dict[int, tuple[Thing, Built]], index: Picture
    ) -> list[int]:
        """Numbers of the things to label; what shows too little is taken out of the scene.

        Holes cannot be taken out: they are closed by a plate of the road's material.
        """
        shown = []
        for number, (thing, built) in things.items():
            whole = silhouette_px(scene.camera, world_triangles(built.subject))
            if KINDS[thing.kind].opening:
                whole = min(whole, 3 * int((index == number).sum()))
            if is_shown(index, number, whole):
                shown.append(number)
            else:
                _take_out(thing, built)
        return shown

    def _index(self) -> Picture:
        """Number of the labelled thing at each pixel."""
        scene, layer = bpy.context.scene, bpy.context.view_layer
        world, scene.world = scene.world, bpy.data.worlds.new("black")
        scene.world.use_nodes = True
        scene.world.node_tree.nodes["Background"].inputs[1].default_value = 0.0
        layer.material_override = self.numbers
        scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
        scene.view_settings.exposure = 0.0
        scene.cycles.samples, scene.cycles.use_denoising = 1, False
        scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 0.01
        index = _shot()[..., 0]
        layer.material_override = None
        scene.world = world
        return index

    def _picture(self, scene: Scene) -> Picture:
        settings, cycles = bpy.context.scene.view_settings, bpy.context.scene.cycles
        settings.view_transform, settings.look = "AgX", "AgX - Medium High Contrast"
        settings.exposure = scene.weather.exposure
        cycles.samples = _SAMPLES_DARK if scene.weather.lamps_w > 0 else _SAMPLES
        cycles.use_denoising, cycles.filter_width = True, 1.5
        cycles.seed = scene.seed % (1 << 30)
        return _shot()


def _take_out(thing: Thing, built: Built) -> None:
    for part in (*built.subject, *built.extra):
        part.hide_render = True
    if KINDS[thing.kind].opening:
        room = KINDS[thing.kind].radius_m
        mesh = bpy.data.meshes.new("closed")
        corners = [(thing.x + dx * room, thing.y + dy * room, 0.0)
                   for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]  # fmt: skip
        mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
        mesh.materials.append(built.extra[0].data.materials[0])
        bpy.context.scene.collection.objects.link(bpy.data.objects.new("closed", mesh))


def _simplify(materials: Iterable[bpy.types.Material]) -> None:
    """Drop what costs time and cannot be seen from a mast: relief, fine noise, glow as light."""
    for material in materials:
        material.cycles.emission_sampling = "NONE"
        for node in material.node_tree.nodes:
            if node.type == "TEX_NOISE":
                detail = node.inputs["Detail"]
                detail.default_value = min(detail.default_value, _NOISE_DETAIL)
            elif node.type == "BUMP" and not material.name.startswith(_RELIEF):
                material.node_tree.nodes.remove(node)


def _number_material() -> bpy.types.Material:
    """A material that shines with its object's number as an 8-bit level."""
    material = bpy.data.materials.new("numbers")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    number = tree.nodes.new("ShaderNodeObjectInfo").outputs["Object Index"]
    level = tree.nodes.new("ShaderNodeMath")
    level.operation = "DIVIDE"
    level.inputs[1].default_value = 255.0
    glow = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(number, level.inputs[0])
    tree.links.new(level.outputs[0], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], output.inputs["Surface"])
    return material


def _shot() -> Picture:
    """Render with the settings of the moment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shot.png"
        bpy.context.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        return np.asarray(Image.open(path).convert("RGB"))


def _configure(threads: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.denoiser = "CPU", "OPENIMAGEDENOISE"
    cycles.denoising_quality, cycles.denoising_prefilter = "BALANCED", "FAST"
    cycles.use_adaptive_sampling = False
    cycles.use_light_tree = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transparent_max_bounces, cycles.transmission_bounces = 4, 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x, scene.render.resolution_y = WIDTH_PX, HEIGHT_PX
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.compression = 0
    scene.render.dither_intensity = 0.0
