"""The whole scene: builds it, poses it at a time, renders any part of the picture, projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from sample_videos.render.blender.facades import Facades
from sample_videos.render.blender.greenery import build_trees
from sample_videos.render.blender.light import (
    aim_camera,
    build_camera,
    build_light,
    sun_direction,
)
from sample_videos.render.blender.people import Person
from sample_videos.render.blender.props import Bin, Carton, Signal
from sample_videos.render.blender.street import KERB_M, build_street, lamp_head
from sample_videos.render.blender.things import Bag, RoadPatch
from sample_videos.render.blender.vehicles import Vehicle
from sample_videos.render.bodies import BODIES
from sample_videos.render.crops import Box
from sample_videos.render.projection import projection_of
from sample_videos.render.shapes import Floats, Gait
from sample_videos.render.spec import ActorSpec, SceneSpec
from sample_videos.render.timeline import is_still, pose

_WALK_STEP_S = 0.1
_PUT_DOWN_S = 0.6
_BEAM_REACH_M = 11.0
_TREE_INSET_M = 1.0
_LAMP_REACH_M = 13.0
"""Shadows of lamps further away are too faint to be seen."""
_INTO_PIXEL = 0.1
"""Blender cuts borders off to whole pixels: without it 174.9999 would become 174."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One actor at one moment: what it looks like and where it is in the picture."""

    name: str
    look: tuple[object, ...]
    """Equal for two moments at which the actor renders the same."""
    box: Box
    """Tight around its vertices."""
    reach: Box
    """Around the actor, its shadow and its lights: what has to be rendered."""


class Stage:
    """Everything of one clip; one at a time, since Blender has one scene."""

    def __init__(self, spec: SceneSpec, *, threads: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.spec = spec
        self.lit = spec.light.lamps_w > 0
        street = spec.street
        build_street(street, spec.potholes)
        Facades(street, lit=self.lit).build()
        far, near = street.road_width_m / 2 + _TREE_INSET_M, -street.road_width_m / 2
        build_trees(
            tuple((x, far) for x in street.trees_x)
            + tuple((x, near - street.near_pavement_m) for x in street.near_trees_x),
            street.seed,
        )
        self.patches = [RoadPatch(hole, street.seed + 5) for hole in spec.potholes]
        self.actors = {actor.name: _actor(actor, lit=self.lit) for actor in spec.actors}
        build_light(spec)
        build_camera(spec.camera)
        self.projection = projection_of(spec)
        _configure(spec, threads)
        bpy.context.view_layer.update()

    def pose(self, t_s: float) -> list[Shown]:
        """Put all actors where they are at a time; return those that are in the picture."""
        aim_camera(self.spec.camera.at(t_s))
        self.projection = projection_of(self.spec, t_s)
        looks = {
            actor.name: self._place(actor, t_s)
            for actor in self.spec.actors
            if not _gone(actor, t_s)
        }
        bpy.context.view_layer.update()
        shown = (self._shown(name, look) for name, look in looks.items() if look)
        return [one for one in shown if one is not None]

    def render(self, path: Path, box: Box, visible: set[str], samples: int) -> None:
        """Render a part of the picture with some of the actors."""
        for name, actor in self.actors.items():
            hidden = name not in visible
            for part in actor.parts:
                part.hide_render = hidden
            if isinstance(actor, Vehicle):
                for beam in actor.lamps:
                    beam.hide_render = hidden or not actor.lights_on
        scene, spec = bpy.context.scene, self.spec
        scene.cycles.samples = samples
        x0, y0, x1, y1 = (side + _INTO_PIXEL for side in box)
        flip = spec.height_px + 2 * _INTO_PIXEL
        scene.render.border_min_x, scene.render.border_max_x = (
            x0 / spec.width_px,
            x1 / spec.width_px,
        )
        scene.render.border_min_y = (flip - y1) / spec.height_px
        scene.render.border_max_y = (flip - y0) / spec.height_px
        scene.render.filepath = str(path.with_suffix(".part.png"))
        bpy.ops.render.render(write_still=True)
        path.with_suffix(".part.png").rename(path)

    def potholes(self, t_s: float) -> dict[str, Box]:
        """Show the road as it is at a time; return the boxes of open potholes."""
        boxes = {}
        for hole, patch in zip(self.spec.potholes, self.patches, strict=True):
            patch.show(broken=t_s >= hole.from_s)
            box = _box(self.projection.pixels(patch.hole.rim), self.spec)
            if t_s >= hole.from_s and box is not None:
                boxes[hole.name] = box
        return boxes

    def _place(self, actor: ActorSpec, t_s: float) -> tuple[object, ...]:
        now = pose(actor.path, t_s, actor.heading_rad)
        puppet = self.actors[actor.name]
        if isinstance(puppet, Vehicle):
            puppet.place(now.x_m, now.y_m, now.heading_rad, now.travelled_m)
            puppet.switch(on=self.lit and t_s < actor.lights_until_s)
            pose_now = (round(now.x_m, 3), round(now.y_m, 3), round(now.heading_rad, 4))
            return (*pose_now, "lights off") if self.lit and not puppet.lights_on else pose_now
        if isinstance(puppet, Person):
            gait = _gait(actor, t_s, now.travelled_m, self._carries(actor.name, t_s))
            at = (now.x_m, now.y_m, self._ground(now.y_m))
            puppet.place(at, now.heading_rad, gait)
            return (*(round(v, 3) for v in at), round(now.heading_rad, 3), gait)
        at, heading = self._held_at(actor, t_s)
        puppet.place(at, heading)
        where = (*(round(v, 3) for v in at), round(heading, 3))
        return where if isinstance(puppet, Bag | Carton) else (*where, puppet.turn(actor, t_s))

    def _held_at(self, actor: ActorSpec, t_s: float) -> tuple[tuple[float, float, float], float]:
        """Hanging from a hand, on its way to the ground, or where it was put down."""
        rest_x, rest_y = actor.path[-1].x_m, actor.path[-1].y_m
        rest = (rest_x, rest_y, self._ground(rest_y))
        if not actor.carried_by or t_s >= actor.put_down_s:
            return rest, actor.heading_rad
        carrier = next(other for other in self.spec.actors if other.name == actor.carried_by)
        now = pose(carrier.path, t_s, carrier.heading_rad)
        side = 1 if actor.hand == "left" else -1
        cos, sin = np.cos(now.heading_rad), np.sin(now.heading_rad)
        ahead, aside = 0.05, side * (0.30 + 0.25 * actor.size_m)
        if actor.kind == "carton":
            ahead, aside = 0.22 + 0.5 * actor.size_m, 0.0
        held = (
            now.x_m + ahead * cos - aside * sin,
            now.y_m + ahead * sin + aside * cos,
            self._ground(now.y_m) + _held_height(actor),
        )
        part = max(0.0, 1 - (actor.put_down_s - t_s) / _PUT_DOWN_S)
        x, y, z = (a + part * (b - a) for a, b in zip(held, rest, strict=True))
        turned = now.heading_rad if actor.kind == "carton" else actor.heading_rad
        return (float(x), float(y), float(z)), turned

    def _carries(self, name: str, t_s: float) -> bool:
        return any(a.carried_by == name and t_s < a.put_down_s for a in self.spec.actors)

    def _ground(self, y_m: float) -> float:
        return KERB_M if abs(y_m) > self.spec.street.road_width_m / 2 else 0.0

    def _shown(self, name: str, look: tuple[object, ...]) -> Shown | None:
        puppet = self.actors[name]
        points = np.concatenate([_vertices(part) for part in puppet.parts])
        box = _box(self.projection.pixels(points), self.spec)
        if box is None:
            return None
        around = [points, _shadow(points, self.spec)]
        if isinstance(puppet, Vehicle) and puppet.lights_on:
            around.append(_beam(puppet))
        reach = _box(self.projection.pixels(np.concatenate(around)), self.spec)
        return Shown(name=name, look=look, box=box, reach=reach or box)


def _gone(actor: ActorSpec, t_s: float) -> bool:
    return t_s < actor.taken_up_s or (actor.leaves and t_s > actor.path[-1].t_s)


def _held_height(actor: ActorSpec) -> float:
    """How high above the ground what is carried begins."""
    return 0.95 if actor.kind == "carton" else 0.80 - 0.74 * actor.size_m


_PUPPETS = {"person": Person, "bag": Bag, "carton": Carton, "bin": Bin, "signal": Signal}


def _actor(spec: ActorSpec, *, lit: bool) -> Vehicle | Person | Bag | Carton | Bin | Signal:
    return Vehicle(spec, lights_on=lit) if spec.kind in BODIES else _PUPPETS[spec.kind](spec)


def _gait(actor: ActorSpec, t_s: float, travelled_m: float, carrying: bool) -> Gait:
    stoop = 0.0
    for start, end in actor.bend:
        if start < t_s < end:
            stoop = float(np.sin(np.pi * (t_s - start) / (end - start))) ** 0.5
    still = is_still(actor.path, t_s, _WALK_STEP_S)
    return Gait(
        travelled_m=round(travelled_m, 3),
        walking=not still,
        carrying=carrying,
        stoop_ratio=round(stoop, 3),
    )


def _configure(spec: SceneSpec, threads: int) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.use_denoising = True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.max_bounces = 5
    scene.cycles.diffuse_bounces = 2
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.sample_clamp_indirect = 4.0
    scene.cycles.seed = 1
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x, scene.render.resolution_y = spec.width_px, spec.height_px
    scene.render.use_border = scene.render.use_crop_to_border = True
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = spec.light.exposure


def _vertices(part: bpy.types.Object) -> Floats:
    """World positions (n, 3) of an object's vertices, modifiers applied."""
    seen = part.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = seen.to_mesh()
    flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    seen.to_mesh_clear()
    matrix = np.array(part.matrix_world)
    return flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def _shadow(points: Floats, spec: SceneSpec) -> Floats:
    """Where the sun, and at dusk the street lamps near by, throw the points onto the ground."""
    shadows = []
    if spec.light.sun_strength > 0:
        ray = np.array(sun_direction(spec.light))
        shadows.append(points - (points[:, 2:3] / ray[2]) * ray)
    for x in spec.street.lamps_x if spec.light.lamps_w > 0 else ():
        lamp = np.array(lamp_head(spec.street, x))
        if np.linalg.norm((points.mean(axis=0) - lamp)[:2]) < _LAMP_REACH_M:
            fall = points[:, 2:3] / (lamp[2] - points[:, 2:3])
            shadows.append(points + fall * (points - lamp))
    return np.concatenate(shadows) if shadows else points


def _beam(vehicle: Vehicle) -> Floats:
    matrix = np.array(vehicle.root.matrix_world)
    local = np.array([(_BEAM_REACH_M, 2.2, 0), (_BEAM_REACH_M, -2.2, 0), (2, 1.5, 0), (2, -1.5, 0)])
    return local @ matrix[:3, :3].T + matrix[:3, 3]


def _box(points: Floats, spec: SceneSpec) -> Box | None:
    """Tight box in whole pixels within the picture; ``None`` if hardly anything is in it."""
    if not len(points):
        return None
    x0, y0 = np.floor(points.min(axis=0))
    x1, y1 = np.ceil(points.max(axis=0))
    x0, y0 = max(0, int(x0)), max(0, int(y0))
    x1, y1 = min(spec.width_px, int(x1)), min(spec.height_px, int(y1))
    return (x0, y0, x1, y1) if x1 - x0 >= 3 and y1 - y0 >= 3 else None
