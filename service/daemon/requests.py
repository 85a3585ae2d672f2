"""From what a rule saw to what is posted. Pure: the same change always gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime, time
from urllib.parse import quote

from models.incident import ChangeKind, Incident, IncidentChange
from models.upkeep import upkeep_zones
from models.work_order import WorkOrderRequest
from models.zone import Camera, Rule, RuleKind, Zone
from service.daemon.edge import OutboxRequest
from service.daemon.whereabouts import placed
from zones.urgency import priority_of

WORK_ORDERS_PATH = "/api/v1/work-orders"
JSON_TYPE = "application/json"
JPEG_TYPE = "image/jpeg"
MP4_TYPE = "video/mp4"

VERSION_CHARACTERS = 12

_WHAT = {
    RuleKind.ILLEGAL_PARKING: "{label} standing",
    RuleKind.LITTER: "{label} lying",
    RuleKind.LITTERING: "{label} dropped and left, lying",
    RuleKind.DAMAGED_FACILITY: "{label} seen",
    RuleKind.CAMERA_FAULT: "{label}",
}


def find_rule(camera: Camera, incident: Incident) -> tuple[Zone, Rule]:
    """Zone and rule that an incident comes from; raises :class:`LookupError` if they are gone."""
    for zone in (*camera.zones, *upkeep_zones(camera)):
        for rule in zone.rules:
            if (zone.zone_id, rule.rule_id) == (incident.zone_id, incident.rule_id):
                return zone, rule
    raise LookupError(f"{camera.camera_id}: no rule {incident.zone_id}/{incident.rule_id}")


def config_version(camera: Camera) -> str:
    """Fingerprint of what a camera's pictures are judged by; the same for the same YAML."""
    values = asdict(replace(camera, ground=None, addresses=None))
    for name in ("source", "ground", "addresses"):  # judge nothing; the source may carry a password
        del values[name]
    text = json.dumps(values, default=_canonical, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_CHARACTERS]


def requests_for(
    change: IncidentChange, camera: Camera, model: str = ""
) -> tuple[OutboxRequest, ...]:
    """What the dispatch service must be told of a change before it gets the evidence.

    ``model``: version of the detector that saw it.
    """
    if change.kind is ChangeKind.ALERTED:
        return ()
    opens = change.kind is ChangeKind.OPENED
    return (_work_order(change, camera, model) if opens else _observation(change),)


def work_order_request(incident: Incident, camera: Camera, model: str = "") -> WorkOrderRequest:
    """The order that a confirmed incident asks for."""
    zone, rule = find_rule(camera, incident)
    order = WorkOrderRequest(
        incident_id=incident.incident_id,
        camera_id=camera.camera_id,
        camera_name=camera.name,
        zone_id=zone.zone_id,
        zone_name=zone.name,
        rule_id=rule.rule_id,
        rule_kind=incident.kind.value,
        category=incident.category,
        label=incident.label,
        confidence=round(incident.confidence, 4),
        box_xyxy=incident.box.xyxy,
        width_px=incident.width_px,
        height_px=incident.height_px,
        started_at=incident.started_at,
        opened_at=incident.opened_at,
        observed_s=round(incident.observed_s, 3),
        inferred_s=round(incident.inferred_s, 3),
        dwell_s=rule.dwell_s,
        object_count=incident.object_count,
        department_id=rule.department_id,
        place_id=zone.place_id,
        description=_describe(incident, camera, zone),
        model=model,
        config_version=config_version(camera),
    )
    order = placed(order, camera)
    urgency = priority_of(rule, order.opened_at, order.object_count, order.width_m)
    return replace(order, priority=urgency)


def _describe(incident: Incident, camera: Camera, zone: Zone) -> str:
    what = _WHAT[incident.kind].format(label=incident.label.replace("_", " "))
    count = f" ({incident.object_count})" if incident.object_count > 1 else ""
    closer = _closer(incident.closer_look)
    lasted = f"{incident.observed_s:.0f} s{_inferred(incident)}"
    return f"{camera.name}, {zone.name}: {what}{count} for {lasted}{closer}"


def _inferred(incident: Incident) -> str:
    """What an order says of time in which the thing was out of sight, if there was any."""
    if round(incident.inferred_s) == 0:
        return ""
    seen_s = incident.observed_s - incident.inferred_s
    return f" ({seen_s:.0f} s seen, {incident.inferred_s:.0f} s inferred)"


def _closer(confidence: float | None) -> str:
    """What an order says of the closer look at the moment of confirmation, if there was one."""
    if confidence is None:
        return ""
    return f"; closer look: {confidence:.2f}" if confidence > 0 else "; closer look: not found"


def _work_order(change: IncidentChange, camera: Camera, model: str) -> OutboxRequest:
    order = work_order_request(change.incident, camera, model)
    return OutboxRequest(
        incident_id=order.incident_id,
        method="POST",
        path=WORK_ORDERS_PATH,
        content_type=JSON_TYPE,
        body=to_json(asdict(order)),
    )


def _observation(change: IncidentChange) -> OutboxRequest:
    incident = change.incident
    cleared = change.kind is ChangeKind.CLEARED
    body = {
        "state": "cleared" if cleared else "present",
        "last_seen_at": incident.last_seen_at,
        "observed_s": round(incident.observed_s, 3),
        "inferred_s": round(incident.inferred_s, 3),
        "object_count": incident.object_count,
        "cleared_at": incident.cleared_at,
    }
    return OutboxRequest(
        incident_id=incident.incident_id,
        method="PUT",
        path=f"/api/v1/incidents/{quote(incident.incident_id, safe='')}/observation",
        content_type=JSON_TYPE,
        body=to_json(body),
    )


def evidence_request(
    incident_id: str, name: str, content_type: str, content: bytes, note: str
) -> OutboxRequest:
    """A piece of evidence; ``note``: what the daemon's ledger keeps of it."""
    return OutboxRequest(
        incident_id=incident_id,
        method="PUT",
        path=f"/api/v1/incidents/{quote(incident_id, safe='')}/evidence/{quote(name, safe='')}",
        content_type=content_type,
        body=content,
        note=note,
    )


def to_json(body: object) -> bytes:
    """JSON with times as ISO 8601 with offset; naive times are refused."""
    return json.dumps(body, default=_plain, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    raise TypeError(f"cannot be written as JSON: {value!r}")


def _canonical(value: object) -> object:
    """Sets in one order, times of day as text; whatever else there is as it is written."""
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, time) else str(value)
