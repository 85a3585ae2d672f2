"""Where the thing of an order is: its own place on the ground, else its camera's. Pure."""

from __future__ import annotations

from dataclasses import replace

from models.geometry import Box
from models.ground import Footing, upright
from models.work_order import WorkOrderRequest
from models.zone import Camera, RuleKind

ON_GROUND, AT_CAMERA = "ground", "camera"
FLAT = frozenset({"pothole", "road_crack", "damaged_manhole"})
"""What lies in the ground: its box tells how far it reaches along the line of sight. Of everything
that rises from the ground the upper side of the box shows no ground at all."""
DEGREE_DIGITS = 7
"""A centimetre."""


def placed(request: WorkOrderRequest, camera: Camera) -> WorkOrderRequest:
    """The order with coordinates, size in metres and address."""
    footing = _footing(request, camera)
    if footing is None:
        return _at_camera(request, camera)
    latitude = round(footing.latitude, DEGREE_DIGITS)
    longitude = round(footing.longitude, DEGREE_DIGITS)
    near = "" if camera.addresses is None else camera.addresses.nearest(latitude, longitude)
    return replace(
        request,
        latitude=latitude,
        longitude=longitude,
        located_by=ON_GROUND,
        width_m=_rounded(footing.width_m),
        length_m=_rounded(footing.length_m),
        address=near or camera.location.address,
    )


def _footing(request: WorkOrderRequest, camera: Camera) -> Footing | None:
    if camera.ground is None or request.rule_kind == RuleKind.CAMERA_FAULT:
        return None
    box = Box(*request.box_xyxy)
    found = camera.ground.footing(box, request.width_px, request.height_px)
    if found is None or request.label in FLAT:
        return found
    return upright(found)


def _at_camera(request: WorkOrderRequest, camera: Camera) -> WorkOrderRequest:
    """What people wrote of a camera says more of its place than the nearest house number."""
    here = camera.location
    address = here.address
    if here.latitude is None or here.longitude is None:
        return replace(request, address=address)
    if not address and camera.addresses is not None:
        address = camera.addresses.nearest(here.latitude, here.longitude)
    return replace(
        request,
        latitude=here.latitude,
        longitude=here.longitude,
        located_by=AT_CAMERA,
        address=address,
    )


def _rounded(length_m: float | None) -> float | None:
    return None if length_m is None else round(length_m, 2)
