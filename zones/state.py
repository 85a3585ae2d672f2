"""What the rules remember, as JSON text: a restart neither repeats nor forgets an incident.

Durations are seconds to the microsecond, times are ISO 8601 with offset. Things that only pass
through a zone are left out. Track ids are left out as well: after a restart they mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind
from zones.case import Case, OpenIncident
from zones.notes import Notes, notes_in, notes_out

VERSION = 1

Json = Any
"""What ``json`` reads and writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleMemory:
    """What one rule of one zone remembers."""

    zone_id: str
    rule_id: str
    kind: RuleKind
    cases: tuple[Case, ...] = ()
    open: OpenIncident | None = None
    """The incident of all cases together, where the rule makes only one."""
    notes: Notes = field(default_factory=Notes)
    """What else its kind of rule must know."""

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents."""
        of_all = None if self.open is None else self.open.incident
        opened = [of_all, *(case.incident for case in self.cases)]
        return tuple(incident for incident in opened if incident is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineMemory:
    """What the rules of one camera remember."""

    camera_id: str
    last_at: datetime | None = None
    size_px: tuple[int, int] | None = None
    """(width, height) of the pictures that all boxes refer to."""
    rules: tuple[RuleMemory, ...] = field(default=())


def encode(memory: EngineMemory) -> str:
    """Compact JSON text."""
    document = {
        "version": VERSION,
        "camera_id": memory.camera_id,
        "last_at": memory.last_at and memory.last_at.isoformat(),
        "size_px": memory.size_px,
        "rules": [_rule_out(rule) for rule in memory.rules],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def decode(text: str) -> EngineMemory:
    """Read what :func:`encode` wrote; :class:`ValueError` if it is anything else."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise ValueError(f"state of another version: {document['version']!r}")
        size_px = document["size_px"]
        return EngineMemory(
            camera_id=str(document["camera_id"]),
            last_at=None if document["last_at"] is None else _time_in(document["last_at"]),
            size_px=None if size_px is None else (int(size_px[0]), int(size_px[1])),
            rules=tuple(_rule_in(rule) for rule in document["rules"]),
        )
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"not the state of a camera's rules: {error!r}") from error


def _rule_out(rule: RuleMemory) -> Json:
    return {
        "zone_id": rule.zone_id,
        "rule_id": rule.rule_id,
        "kind": rule.kind,
        "cases": [_case_out(case) for case in rule.cases if case.is_standing],
        "open": _open_out(rule.open),
        **({} if rule.notes == Notes() else {"notes": notes_out(rule.notes)}),
    }


def _rule_in(data: Json) -> RuleMemory:
    return RuleMemory(
        zone_id=str(data["zone_id"]),
        rule_id=str(data["rule_id"]),
        kind=RuleKind(data["kind"]),
        cases=tuple(_case_in(case) for case in data["cases"]),
        open=_open_in(data["open"]),
        notes=notes_in(data.get("notes")),
    )


def _case_out(case: Case) -> Json:
    return {
        "votes": dict(case.votes),
        "box": _box_out(case.box),
        "confidence": case.confidence,
        "entered_at": case.entered_at.isoformat(),
        "started_at": case.started_at.isoformat(),
        "last_seen_at": case.last_seen_at.isoformat(),
        "observed_s": case.observed.total_seconds(),
        "inferred_s": case.inferred.total_seconds(),
        "absent_s": case.absent.total_seconds(),
        "window_s": case.window.total_seconds(),
        "sighted_s": case.sighted.total_seconds(),
        "is_ripe": case.is_ripe,
        "closer_look": case.closer_look,
        "refused_s": case.refused_s,
        "waived_s": case.waived.total_seconds(),
        "queue_peak": case.queue_peak,
        "queue_over": case.queue_over,
        "light_over": case.light_over,
        "is_ignored": case.is_ignored,
        "attended_s": case.attended.total_seconds(),
        "attended_looks": case.attended_looks,
        "allowance_s": case.allowance_s,
        "alert_box": case.alert_box and _box_out(case.alert_box),
        "open": _open_out(case.open),
    }


def _case_in(data: Json) -> Case:
    return Case(
        track_ids=frozenset(),
        votes=_votes_in(data["votes"]),
        box=_box_in(data["box"]),
        confidence=float(data["confidence"]),
        entered_at=_time_in(data["entered_at"]),
        started_at=_time_in(data["started_at"]),
        last_seen_at=_time_in(data["last_seen_at"]),
        is_standing=True,
        observed=timedelta(seconds=data["observed_s"]),
        inferred=timedelta(seconds=data.get("inferred_s", 0.0)),
        absent=timedelta(seconds=data["absent_s"]),
        window=timedelta(seconds=data["window_s"]),
        sighted=timedelta(seconds=data["sighted_s"]),
        is_ripe=bool(data["is_ripe"]),
        closer_look=_number_in(data.get("closer_look")),
        refused_s=float(data.get("refused_s", 0.0)),
        waived=timedelta(seconds=data.get("waived_s", 0.0)),
        queue_peak=int(data.get("queue_peak", 0)),
        queue_over=bool(data.get("queue_over", False)),
        light_over=bool(data.get("light_over", False)),
        is_ignored=bool(data.get("is_ignored", False)),
        attended=timedelta(seconds=data.get("attended_s", 0.0)),
        attended_looks=int(data.get("attended_looks", 0)),
        allowance_s=float(data.get("allowance_s", 0.0)),
        alert_box=_box_in(data["alert_box"]) if data.get("alert_box") else None,
        open=_open_in(data["open"]),
    )


def _open_out(opened: OpenIncident | None) -> Json:
    if opened is None:
        return None
    incident = opened.incident
    return {
        "incident_id": incident.incident_id,
        "camera_id": incident.camera_id,
        "zone_id": incident.zone_id,
        "rule_id": incident.rule_id,
        "kind": incident.kind,
        "category": incident.category,
        "label": incident.label,
        "box": _box_out(incident.box),
        "size_px": (incident.width_px, incident.height_px),
        "confidence": incident.confidence,
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "last_seen_at": incident.last_seen_at.isoformat(),
        "observed_s": incident.observed_s,
        "inferred_s": incident.inferred_s,
        "object_count": incident.object_count,
        "closer_look": incident.closer_look,
        "is_shadow": incident.is_shadow,
        "reported_s": opened.reported_s,
    }


def _open_in(data: Json) -> OpenIncident | None:
    if data is None:
        return None
    incident = Incident(
        incident_id=str(data["incident_id"]),
        camera_id=str(data["camera_id"]),
        zone_id=str(data["zone_id"]),
        rule_id=str(data["rule_id"]),
        kind=RuleKind(data["kind"]),
        category=str(data["category"]),
        label=str(data["label"]),
        box=_box_in(data["box"]),
        width_px=int(data["size_px"][0]),
        height_px=int(data["size_px"][1]),
        confidence=float(data["confidence"]),
        started_at=_time_in(data["started_at"]),
        opened_at=_time_in(data["opened_at"]),
        last_seen_at=_time_in(data["last_seen_at"]),
        observed_s=float(data["observed_s"]),
        inferred_s=float(data.get("inferred_s", 0.0)),
        object_count=int(data["object_count"]),
        closer_look=_number_in(data.get("closer_look")),
        is_shadow=bool(data.get("is_shadow", False)),
    )
    return OpenIncident(incident=incident, reported_s=float(data["reported_s"]))


def _number_in(data: Json) -> float | None:
    return None if data is None else float(data)


def _votes_in(data: Mapping[str, Json]) -> Mapping[str, int]:
    votes = {str(label): int(count) for label, count in data.items()}
    if not votes:
        raise ValueError("a case without a label")
    return votes


def _box_out(box: Box) -> Json:
    return [float(side) for side in box.xyxy]


def _box_in(data: Json) -> Box:
    x1, y1, x2, y2 = data
    return Box(float(x1), float(y1), float(x2), float(y2))


def _time_in(data: Json) -> datetime:
    at = datetime.fromisoformat(data)
    if at.tzinfo is None:
        raise ValueError(f"a time without its offset: {data!r}")
    return at
