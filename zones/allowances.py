"""Vehicles that an officer lets stand: there before, being loaded, or with nobody parked beside.

Pure: a standing, unripe case and a look in, the case with what it is allowed out.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from models.geometry import Box
from models.labels import VEHICLES
from models.values import changed
from zones.case import Case, Scene

PERSON = "person"
AT_VEHICLE_RATIO = 0.2
"""Somebody is at a vehicle with feet in its box grown by this share of its sides."""
LEAST_ATTENDED_LOOKS = 3
"""Fewer looks with somebody there are a driver who gets out, or a passer-by."""
LEAST_ATTENDED_SHARE = 0.2
"""Of the time that it stands; below it, whoever loaded it has left it standing."""
BESIDE_RATIO = 1.5
"""Vehicles are side by side whose wheels are no further apart than this share of the longer side
of the larger one: lanes are narrower than cars are long."""


def if_there_before(case: Case, scene: Scene) -> Case:
    """None of its dwell counts if it stood there when the camera came up."""
    is_of_this_run = case.entered_at >= scene.began_at
    stood = is_of_this_run and case.started_at <= scene.began_at + scene.clock.longest_gap
    if not (case.is_ignored or stood):
        return case
    return changed(case, is_ignored=True, waived=case.observed)


def while_loading(case: Case, scene: Scene, loading_s: float) -> Case:
    """It may stand for ``loading_s`` as long as somebody is at it again and again."""
    reach = case.box.grown(AT_VEHICLE_RATIO)
    is_attended = any(
        track.label == PERSON
        and reach.x1 <= track.anchor[0] <= reach.x2
        and reach.y1 <= track.anchor[1] <= reach.y2
        for track in scene.seen
    )
    attended = case.attended + scene.elapsed if is_attended else case.attended
    looks = case.attended_looks + is_attended
    is_loading = looks >= LEAST_ATTENDED_LOOKS and (
        attended >= LEAST_ATTENDED_SHARE * case.observed
    )
    return changed(
        case,
        attended=attended,
        attended_looks=looks,
        allowance_s=loading_s if is_loading else 0.0,
    )


def unless_beside_parked(case: Case, ids: Collection[int], scene: Scene) -> Case:
    """Its dwell runs only while another vehicle stands beside it in the parked row.

    Hidden ones count: from the road, whoever parks in the second row hides the first. A tracker
    that has just begun does not know yet who stands: there, whoever is in the row will do, and
    without anybody the time only pauses.
    """
    if _is_anybody_beside(case.box, ids, scene):
        return case
    if scene.is_settling:
        return changed(case, waived=min(case.observed, case.waived + scene.elapsed))
    return changed(case, waived=case.observed)


def _is_anybody_beside(box: Box, ids: Collection[int], scene: Scene) -> bool:
    row = scene.beside
    return row is not None and any(
        track.label in VEHICLES
        and track.track_id not in ids
        and (track.stationary_since is not None or scene.is_settling)
        and row.holds(track.anchor)
        and _are_abreast(box, track.box)
        for track in scene.look.tracks
    )


def _are_abreast(one: Box, other: Box) -> bool:
    longer = max(one.width, one.height, other.width, other.height)
    return math.dist(one.anchor, other.anchor) <= BESIDE_RATIO * longer
