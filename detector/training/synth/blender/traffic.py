"""Parked cars and people, built once a process and copied into each picture."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import bpy

from detector.training.synth.blender.built import Built
from sample_videos.render.blender import materials
from sample_videos.render.blender.people import Person
from sample_videos.render.blender.vehicles import Vehicle
from sample_videos.render.bodies import BODIES
from sample_videos.render.shapes import Gait
from sample_videos.render.spec import ActorSpec, Colour

_PAINTS: tuple[Colour, ...] = (
    (0.55, 0.55, 0.56), (0.02, 0.02, 0.022), (0.25, 0.26, 0.27), (0.60, 0.60, 0.58),
    (0.02, 0.05, 0.18), (0.30, 0.02, 0.02), (0.05, 0.10, 0.08), (0.10, 0.11, 0.12),
    (0.35, 0.30, 0.22),
)  # fmt: skip
_COATS: tuple[Colour, ...] = (
    (0.03, 0.03, 0.04), (0.20, 0.03, 0.03), (0.04, 0.07, 0.20), (0.35, 0.33, 0.30),
    (0.05, 0.12, 0.07), (0.45, 0.30, 0.04), (0.25, 0.12, 0.20), (0.55, 0.55, 0.55),
)  # fmt: skip


def _actor(kind: str, colour: Colour) -> ActorSpec:
    return ActorSpec(name=kind, kind=kind, label="", colour=colour, path=())


@cache
def car_model(kind: str) -> tuple[bpy.types.Object, ...]:
    """Parts of a car, outside every scene; the paint is slot 0 of the first."""
    vehicle = Vehicle(_actor(kind, _PAINTS[0]), lights_on=False)
    bpy.context.view_layer.update()
    for part in vehicle.parts:
        part.parent = None
        bpy.context.scene.collection.objects.unlink(part)
    bpy.data.objects.remove(vehicle.root)
    return tuple(vehicle.parts)


def kept() -> list[bpy.types.ID]:
    """What must outlive a picture: models of cars, their meshes and materials."""
    parts = [part for kind in BODIES for part in car_model(kind)]
    meshes = [part.data for part in parts]
    return [*parts, *meshes, *(m for mesh in meshes for m in mesh.materials)]


def car(kind: str) -> Callable[[random.Random], Built]:
    """Return a builder of parked cars of a kind."""

    def build(rng: random.Random) -> Built:
        paint = materials.car_paint("paint", rng.choice(_PAINTS), BODIES[kind].seams_x)
        twins = []
        for number, part in enumerate(car_model(kind)):
            twin = part.copy()
            bpy.context.scene.collection.objects.link(twin)
            if number == 0:
                twin.material_slots[0].link = "OBJECT"
                twin.material_slots[0].material = paint
            twins.append(twin)
        return Built(subject=twins)

    return build


def person(rng: random.Random) -> Built:
    """Somebody who stands or walks."""
    figure = Person(_actor("person", rng.choice(_COATS)))
    gait = Gait(
        travelled_m=rng.uniform(0, 3),
        walking=rng.random() < 0.7,
        carrying=rng.random() < 0.2,
        stoop_ratio=0.0,
    )
    figure.place((0.0, 0.0, 0.0), 0.0, gait)
    for part in figure.parts:
        part.parent = None
    bpy.data.objects.remove(figure.root)
    return Built(subject=figure.parts)
