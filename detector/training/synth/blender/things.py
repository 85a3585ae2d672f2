"""Builders of all kinds, and putting what they build in its place."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from mathutils import Euler, Matrix

from detector.training.synth.blender import (
    bins,
    furniture,
    ground,
    litter,
    plants,
    posts,
    rubbish,
    signs,
    traffic,
)
from detector.training.synth.blender.built import Builder, Built
from detector.training.synth.placing import Thing

BUILDERS: Mapping[str, Builder] = {
    name: getattr(module, name)
    for module, names in (
        (rubbish, ("bag", "bag_heap", "sofa", "mattress", "cartons", "dump")),
        (litter, ("cup", "can", "bottle", "paper", "crisp_bag", "carton", "carrier_bag")),
        (bins, ("round_bin_full", "wheelie_full", "basket_full", "round_bin", "wheelie", "basket")),
        (signs, ("sign", "sign_leaning", "sign_fallen", "sign_bent", "sign_defaced",
                 "sign_broken", "sign_hanging")),
        (furniture, ("bench", "bench_broken", "rail", "rail_bent", "fence", "fence_broken",
                     "planter", "cabinet")),
        (posts, ("lamp", "lamp_leaning", "lamp_fallen", "bollard", "bollard_leaning")),
        (plants, ("tree", "tree_fallen", "branch_fallen", "bush")),
        (ground, ("manhole", "drain", "puddle", "road_patch", "leaves")),
    )
    for name in names
} | {kind: traffic.car(kind) for kind in ("saloon", "hatchback", "van")} | {
    "person": traffic.person
}  # fmt: skip
"""All kinds but the openings of the road."""

_SETTLED_M = 0.012
"""Things stand this deep in the ground, so that no gap shows."""


def build_thing(thing: Thing) -> Built:
    """Build a thing and put it in its place."""
    rng = random.Random(thing.seed)
    built = BUILDERS[thing.kind](rng)
    sunk = _SETTLED_M if thing.kind in ("bag", "bag_heap", "sofa", "person") else 0.0
    place = Matrix.Translation((thing.x, thing.y, thing.z - sunk)) @ Matrix.Rotation(
        math.fmod(thing.yaw, 2 * math.pi), 4, "Z"
    )
    for part in (*built.subject, *built.extra):
        own = Matrix.LocRotScale(part.location, Euler(part.rotation_euler), part.scale)
        part.matrix_world = place @ own
    return built
