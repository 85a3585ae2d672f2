"""Ground truth from the scene and the boxes that were rendered; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sample_videos.render.crops import Box
from sample_videos.render.projection import ground_polygon
from sample_videos.render.sight import in_sight_from
from sample_videos.render.spec import ActorSpec, AssetSpec, FaultSpec, SceneSpec, ZoneSpec
from sample_videos.render.timeline import position, still_periods

Boxes = dict[str, dict[int, Box]]
"""Name of a thing to number of a frame to its box."""
Point = tuple[float, float]

REACH_M = 2.0
"""Who is further from a thing has left it."""
VEHICLES = frozenset({"car", "truck", "bus"})


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether the point is inside: an odd number of the polygon's edges is to its right."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def anchor(box: Sequence[float]) -> Point:
    """Return where a thing touches the ground: bottom centre of its box."""
    return (box[0] + box[2]) / 2, float(box[3])


def expected_events(truth: Mapping[str, Any], zone: Mapping[str, Any], dwell_s: float) -> int:
    """How many incidents a zone's rule must yield; litter is one for the zone."""
    kind = _kind(zone["rule"])
    if kind == "vehicle":
        things = truth["stationary_vehicles"]
        spans = [(t, t["stationary_from_s"], t["stationary_to_s"]) for t in things]
    elif kind == "littering":
        spans = [(t, t["owner_left_s"], t["to_s"]) for t in truth["abandoned_things"]]
    else:
        wanted = "damage" if kind == "damaged_facility" else "abandoned_things"
        spans = [(t, t.get("on_ground_from_s", t.get("from_s")), t["to_s"]) for t in truth[wanted]]
    found = sum(
        contains(zone["polygon_xy"], anchor(thing["box_xyxy"])) and end - start >= dwell_s
        for thing, start, end in spans
        if thing.get("label") not in zone.get("leaves_out", ())
    )
    return min(found, 1) if kind == "litter" else found


def _kind(rule: str) -> str:
    """What kind of rule a zone's text is about: its first word."""
    return rule.split()[0].rstrip(":")


def ground_truth(spec: SceneSpec, boxes: Boxes) -> dict[str, Any]:
    """Return the clip's YAML as a mapping, in the form of the real clips' ground truth."""
    truth: dict[str, Any] = {
        "clip": f"{spec.clip}.mp4",
        "source": {"scene": f"scenes/{spec.clip}.yaml", "made_by": "sample_videos/render"},
        "licence": "the project's own (AGPL-3.0-only)",
        "video": {
            "codec": "h264",
            "width": spec.width_px,
            "height": spec.height_px,
            "fps": spec.fps,
            "frames": spec.frames,
            "duration_s": spec.duration_s,
        },
        "camera": _camera(spec),
        "shows": spec.shows,
        "ground_truth_by": "the renderer: boxes are tight around the projected vertices, "
        "also of what is hidden behind other things; times are those of frames",
        "stationary_vehicles": _vehicles(spec, boxes),
        "abandoned_things": _abandoned(spec, boxes),
        "damage": _damage(spec, boxes),
    }
    truth["zones"] = [_zone(spec, truth, zone) for zone in spec.zones]
    extras = {
        "faults": [_fault(spec, fault) for fault in spec.faults],
        "assets": [_asset(spec, boxes, asset) for asset in spec.assets],
        "conditions": list(spec.conditions),
    }
    return truth | {name: entries for name, entries in extras.items() if entries}


def _camera(spec: SceneSpec) -> str:
    return "fixed" if spec.camera.turned_target is None else f"turns at {spec.camera.turns_s:g} s"


def _fault(spec: SceneSpec, fault: FaultSpec) -> dict[str, Any]:
    from_s = spec.camera.turns_s if fault.kind == "moved" else spec.duration_s
    lasts_s = max(0.0, spec.duration_s - from_s)
    return {
        "kind": fault.kind,
        "from_s": from_s,
        "to_s": spec.duration_s,
        "expected_events_by_dwell_s": {
            dwell: int(lasts_s >= dwell) for dwell in fault.report_after_s
        },
    }


def _asset(spec: SceneSpec, boxes: Boxes, asset: AssetSpec) -> dict[str, Any]:
    """What happens to an asset; its box is where it was before."""
    actor = next(each for each in spec.actors if each.name == asset.actor)
    from_s = min(actor.topples_s, spec.duration_s)
    own = boxes[asset.actor]
    lies_from = next((frame for frame, box in own.items() if box == own[max(own)]), max(own))
    seen_from = max(lies_from, round(from_s * spec.fps))
    return {
        "name": asset.actor,
        "kind": asset.kind,
        "state": asset.state,
        "box_xyxy": list(own[0]),
        "from_s": from_s,
        **_in_sight(spec, boxes, own[0], seen_from, from_s),
        "to_s": spec.duration_s,
        "expected_events_by_dwell_s": {
            dwell: int(spec.duration_s - from_s >= dwell) for dwell in asset.dwells_s
        },
    }


def _zone(spec: SceneSpec, truth: Mapping[str, Any], zone: ZoneSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": zone.name,
        "polygon_xy": ground_polygon(spec, zone.ground_m),
        "rule": zone.rule,
    }
    if zone.settings:
        entry["settings"] = dict(zone.settings)
    if zone.leaves_out:
        labels = {actor.name: f"{actor.label} {actor.name}" for actor in spec.actors}
        entry["leaves_out"] = [labels[name] for name in zone.leaves_out]
    entry["expected_events_by_dwell_s"] = {
        dwell: expected_events(truth, entry, dwell) for dwell in zone.dwells_s
    }
    return entry | ({"note": zone.note} if zone.note else {})


def _vehicles(spec: SceneSpec, boxes: Boxes) -> list[dict[str, Any]]:
    return [
        {
            "label": f"{actor.label} {actor.name}",
            "box_xyxy": list(boxes[actor.name][round(start * spec.fps)]),
            "stationary_from_s": round(start, 2),
            "stationary_to_s": round(end, 2),
            "already_there_at_start": start == 0,
        }
        for actor in spec.actors
        if actor.label in VEHICLES
        for start, end in still_periods(actor.path, _until(spec, actor), 1 / spec.fps)
        if round(start * spec.fps) in boxes.get(actor.name, {})
    ]


def _until(spec: SceneSpec, actor: ActorSpec) -> float:
    """When it is gone, or the clip ends."""
    return min(spec.duration_s, actor.path[-1].t_s) if actor.leaves else spec.duration_s


def _abandoned(spec: SceneSpec, boxes: Boxes) -> list[dict[str, Any]]:
    return [
        _thing(spec, boxes, actor)
        for actor in spec.actors
        if actor.kind == "bag" and actor.name in boxes
    ]


def _thing(spec: SceneSpec, boxes: Boxes, actor: ActorSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "label": f"{actor.label} {actor.name}",
        "box_xyxy": list(boxes[actor.name][spec.frames - 1]),
        "on_ground_from_s": actor.put_down_s,
        **_in_sight(
            spec,
            boxes,
            boxes[actor.name][spec.frames - 1],
            round(actor.put_down_s * spec.fps),
            actor.put_down_s,
        ),
        "to_s": spec.duration_s,
    }
    owner = boxes.get(actor.carried_by)
    if owner:
        entry["owner"] = actor.carried_by
        entry["owner_gone_s"] = round((max(owner) + 1) / spec.fps, 2)
    if owner and any(_kind(zone.rule) == "littering" for zone in spec.zones):
        entry["owner_left_s"] = _left_s(spec, actor)
    return entry


def _in_sight(
    spec: SceneSpec, boxes: Boxes, box: Box, first: int, since_s: float
) -> dict[str, float]:
    """From when a thing can be seen, if that is later than it is there."""
    others = [
        boxes[actor.name]
        for actor in spec.actors
        if actor.name in boxes and (actor.kind == "person" or actor.label in VEHICLES)
    ]
    frame = in_sight_from(box, others, range(first, spec.frames), round(spec.fps))
    seen_s = spec.duration_s if frame is None else round(frame / spec.fps, 2)
    return {"in_sight_from_s": seen_s} if seen_s > since_s else {}


def _left_s(spec: SceneSpec, thing: ActorSpec) -> float:
    """From when its owner stays out of reach of a thing that was put down."""
    owner = next(actor for actor in spec.actors if actor.name == thing.carried_by)
    place = position(thing.path, thing.put_down_s)
    near = [
        frame
        for frame in range(spec.frames)
        if math.dist(position(owner.path, frame / spec.fps), place) <= REACH_M
    ]
    return round((max(near, default=0) + 1) / spec.fps, 2)


def _damage(spec: SceneSpec, boxes: Boxes) -> list[dict[str, Any]]:
    return [
        {
            "label": f"pothole {hole.name}",
            "box_xyxy": list(boxes[hole.name][spec.frames - 1]),
            "from_s": hole.from_s,
            "to_s": spec.duration_s,
        }
        for hole in spec.potholes
        if hole.name in boxes
    ]
