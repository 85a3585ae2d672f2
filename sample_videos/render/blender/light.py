"""Sky, sun, street lamps and the camera."""

from __future__ import annotations

import math

import bpy
from mathutils import Vector

from sample_videos.render.blender.street import lamp_head
from sample_videos.render.projection import SENSOR_MM
from sample_videos.render.spec import CameraSpec, LightSpec, SceneSpec


def build_light(spec: SceneSpec) -> None:
    """Light the scene: a clear sky, the sun, and lamps when they are on."""
    _sky(spec.light)
    if spec.light.sun_strength > 0:
        _sun(spec.light)
    if spec.light.lamps_w > 0:
        for x in spec.street.lamps_x:
            _lamp(lamp_head(spec.street, x), spec.light.lamps_w)


def sun_direction(light: LightSpec) -> Vector:
    """Unit vector from the sun to the ground."""
    up, round_ = math.radians(light.sun_elevation_deg), math.radians(light.sun_azimuth_deg)
    return -Vector((math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up)))


def build_camera(spec: CameraSpec) -> None:
    """Hang the camera."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    camera.location = spec.position
    camera.data.lens = spec.lens_mm
    camera.data.sensor_width = SENSOR_MM
    aim_camera(spec)


def aim_camera(spec: CameraSpec) -> None:
    """Turn the camera to where it looks."""
    look = Vector(spec.target) - Vector(spec.position)
    bpy.context.scene.camera.rotation_euler = look.to_track_quat("-Z", "Y").to_euler()


def _sky(light: LightSpec) -> None:
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    sky = nodes.new("ShaderNodeTexSky")
    sky.sky_type = "MULTIPLE_SCATTERING"
    sky.sun_disc = False
    sky.sun_elevation = math.radians(light.sun_elevation_deg)
    sky.sun_rotation = math.radians(90 - light.sun_azimuth_deg)
    softer = nodes.new("ShaderNodeHueSaturation")
    softer.inputs["Saturation"].default_value = 0.6
    links.new(sky.outputs[0], softer.inputs["Color"])
    background = nodes["Background"]
    links.new(softer.outputs[0], background.inputs[0])
    background.inputs[1].default_value = light.sky_strength


def _sun(light: LightSpec) -> None:
    lamp = bpy.data.lights.new("sun", "SUN")
    lamp.energy, lamp.angle, lamp.color = light.sun_strength, 0.012, (1.0, 0.94, 0.86)
    sun = bpy.data.objects.new("sun", lamp)
    bpy.context.scene.collection.objects.link(sun)
    sun.rotation_euler = sun_direction(light).to_track_quat("-Z", "Y").to_euler()


def _lamp(at: tuple[float, float, float], power_w: float) -> None:
    lamp = bpy.data.lights.new("street lamp", "SPOT")
    lamp.energy, lamp.color = power_w, (1.0, 0.72, 0.42)
    lamp.spot_size, lamp.spot_blend, lamp.shadow_soft_size = 2.6, 0.7, 0.15
    thing = bpy.data.objects.new("street lamp", lamp)
    bpy.context.scene.collection.objects.link(thing)
    thing.location = at
