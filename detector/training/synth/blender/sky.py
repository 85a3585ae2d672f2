"""Sky, sun, street lamps and the camera of a scene."""

from __future__ import annotations

import math
import random

import bpy
from mathutils import Vector

from detector.training.synth.camera import SENSOR_MM, Camera
from detector.training.synth.layout import Scene
from detector.training.synth.weather import Weather

_LAMP_HIGH_M = 6.3
_LAMP_EVERY_M = 16.0
_LAMPS_REACH_M = 34.0


def build_sky(weather: Weather) -> None:
    """A sky that is brighter or darker towards the horizon, and the sun."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.cycles.sampling_method = "NONE"  # the sky is smooth: rays that leave find it soon enough
    nodes, links = world.node_tree.nodes, world.node_tree.links
    way = nodes.new("ShaderNodeTexCoord").outputs["Generated"]
    split = nodes.new("ShaderNodeSeparateXYZ")
    links.new(way, split.inputs[0])
    ramp = nodes.new("ShaderNodeMapRange")
    ramp.inputs[1].default_value, ramp.inputs[2].default_value = -0.02, 0.5
    links.new(split.outputs[2], ramp.inputs[0])
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    links.new(ramp.outputs[0], mix.inputs[0])
    mix.inputs[6].default_value = (*weather.horizon, 1.0)
    mix.inputs[7].default_value = (*weather.zenith, 1.0)
    links.new(mix.outputs[2], nodes["Background"].inputs[0])
    if weather.sun_strength > 0:
        _sun(weather)


def _sun(weather: Weather) -> None:
    lamp = bpy.data.lights.new("sun", "SUN")
    low = weather.sun_elevation_deg < 25
    lamp.energy, lamp.angle = weather.sun_strength, 0.012
    lamp.color = (1.0, 0.80, 0.60) if low else (1.0, 0.94, 0.86)
    sun = bpy.data.objects.new("sun", lamp)
    bpy.context.scene.collection.objects.link(sun)
    up, round_ = math.radians(weather.sun_elevation_deg), math.radians(weather.sun_azimuth_deg)
    way = -Vector((math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up)))
    sun.rotation_euler = way.to_track_quat("-Z", "Y").to_euler()


def build_lamps(scene: Scene) -> None:
    """Street lamps' light, from above one side of the road; one is always near the middle."""
    weather = scene.weather
    if weather.lamps_w <= 0:
        return
    rng = random.Random(scene.seed)
    first = scene.things[0]
    x, side = first.x + rng.uniform(-6, 6) - 2 * _LAMP_EVERY_M, rng.choice((-1, 1))
    y = side * (scene.street.half_m + 0.7 - 1.6)
    if abs(first.y - y) > 9:
        y = first.y + rng.uniform(-4, 4)
    while x < first.x + _LAMPS_REACH_M:
        lamp = bpy.data.lights.new("street lamp", "SPOT")
        lamp.energy, lamp.color = weather.lamps_w, weather.lamp_colour
        lamp.spot_size, lamp.spot_blend, lamp.shadow_soft_size = 2.6, 0.7, 0.15
        thing = bpy.data.objects.new("street lamp", lamp)
        bpy.context.scene.collection.objects.link(thing)
        thing.location = (x, y, _LAMP_HIGH_M)
        x += _LAMP_EVERY_M


def build_camera(spec: Camera) -> None:
    """Hang the camera."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    camera.location = spec.position
    look = Vector(spec.target) - Vector(spec.position)
    camera.rotation_euler = look.to_track_quat("-Z", "Y").to_euler()
    camera.data.lens, camera.data.sensor_width = spec.lens_mm, SENSOR_MM
    camera.data.clip_start = 0.2
