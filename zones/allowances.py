"""Vehicles that an officer lets stand: those there before, and those that are being loaded.

Pure: a standing, unripe case and a look in, the case with what it is allowed out.
"""

from __future__ import annotations

from dataclasses import replace

from zones.case import Case, Scene

PERSON = "person"
AT_VEHICLE_RATIO = 0.2
"""Somebody is at a vehicle with feet in its box grown by this share of its sides."""
LEAST_ATTENDED_LOOKS = 3
"""Fewer looks with somebody there are a driver who gets out, or a passer-by."""
LEAST_ATTENDED_SHARE = 0.2
"""Of the time that it stands; below it, whoever loaded it has left it standing."""


def if_there_before(case: Case, scene: Scene) -> Case:
    """None of its dwell counts if it stood there when the camera came up."""
    is_of_this_run = case.entered_at >= scene.began_at
    stood = is_of_this_run and case.started_at <= scene.began_at + scene.clock.longest_gap
    if not (case.is_ignored or stood):
        return case
    return replace(case, is_ignored=True, waived=case.observed)


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
    return replace(
        case,
        attended=attended,
        attended_looks=looks,
        allowance_s=loading_s if is_loading else 0.0,
    )
