"""Incidents out of cases: their ids, when they are reported, and what is said of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from models.geometry import Box
from models.incident import ChangeKind, Incident, IncidentChange
from models.zone import Rule
from zones.case import OpenIncident, Scene

REPORT_EVERY_S = 300.0
"""An incident that merely persists is reported again after so much more watched time."""

_NAMESPACE = uuid.UUID("5c9be0f4-3d0e-5b1a-9a70-3f5f5a1f0e6b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where a rule judges."""

    camera_id: str
    zone_id: str
    is_shadow: bool = False
    """What is opened here makes no orders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What of an incident changes from look to look."""

    box: Box
    confidence: float
    last_seen_at: datetime
    observed_s: float
    inferred_s: float = 0.0
    object_count: int = 1


def incident_id(
    site: Site, rule: Rule, started_at: datetime, box: Box, taken: Collection[str]
) -> str:
    """Id that depends only on what was seen, and is none of those ``taken``.

    Two things of one rule that began at the same time differ by their place; should even that be
    equal to the pixel, the second gets a number.
    """
    place = ",".join(f"{side:.0f}" for side in box.xyxy)
    began = started_at.astimezone(UTC).isoformat(timespec="microseconds")
    name = "\n".join((site.camera_id, site.zone_id, rule.rule_id, rule.kind, began, place))
    number = 1
    while (found := str(uuid.uuid5(_NAMESPACE, f"{name}\n{number}"))) in taken:
        number += 1
    return found


def opened(
    site: Site,
    rule: Rule,
    scene: Scene,
    seen: Seen,
    *,
    label: str,
    started_at: datetime,
    taken: Collection[str],
    closer_look: float | None = None,
    place: Box | None = None,
) -> tuple[OpenIncident, IncidentChange]:
    """Confirm an incident; ``place``: where it was alerted of before, under the same id."""
    incident = Incident(
        incident_id=incident_id(site, rule, started_at, place or seen.box, taken),
        camera_id=site.camera_id,
        zone_id=site.zone_id,
        rule_id=rule.rule_id,
        kind=rule.kind,
        category=rule.category,
        label=label,
        box=seen.box,
        width_px=scene.look.width_px,
        height_px=scene.look.height_px,
        confidence=seen.confidence,
        started_at=started_at,
        opened_at=scene.at,
        last_seen_at=seen.last_seen_at,
        observed_s=seen.observed_s,
        inferred_s=seen.inferred_s,
        object_count=seen.object_count,
        closer_look=closer_look,
        is_shadow=site.is_shadow,
    )
    opening = OpenIncident(incident=incident, reported_s=incident.observed_s)
    return opening, IncidentChange(kind=ChangeKind.OPENED, at=scene.at, incident=incident)


def alerted(change: IncidentChange) -> IncidentChange:
    """What would be an opening, told before its time: nothing has been opened yet."""
    return replace(change, kind=ChangeKind.ALERTED)


def refreshed(
    before: OpenIncident, scene: Scene, seen: Seen
) -> tuple[OpenIncident, tuple[IncidentChange, ...]]:
    """Take in what was seen; reported only if the count changed or it is time again."""
    if seen.last_seen_at < scene.at and seen.object_count == before.incident.object_count:
        return before, ()
    incident = replace(
        before.incident,
        box=seen.box,
        confidence=seen.confidence,
        last_seen_at=seen.last_seen_at,
        observed_s=seen.observed_s,
        inferred_s=seen.inferred_s,
        object_count=seen.object_count,
    )
    is_due = incident.observed_s - before.reported_s >= REPORT_EVERY_S
    if not is_due and incident.object_count == before.incident.object_count:
        return replace(before, incident=incident), ()
    change = IncidentChange(kind=ChangeKind.UPDATED, at=scene.at, incident=incident)
    return OpenIncident(incident=incident, reported_s=incident.observed_s), (change,)


def cleared(incident: Incident, at: datetime) -> IncidentChange:
    """End an incident."""
    over = replace(incident, cleared_at=at)
    return IncidentChange(kind=ChangeKind.CLEARED, at=at, incident=over)
