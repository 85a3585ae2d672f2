"""What is known of a camera's faults and assets, as JSON text; exact, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind
from zones.notes import spell_in, spell_out
from zones.persistence import Spell

VERSION = 1

Json = Any
"""What ``json`` reads and writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What one rule about one fault or asset remembers."""

    zone_id: str
    rule_id: str
    spell: Spell = field(default_factory=Spell)
    votes: Mapping[str, int] = field(default_factory=dict)
    """How many looks called it what."""
    incident: Incident | None = None
    """The open one."""
    reported_s: float = 0.0
    """``observed_s`` when it was last reported."""

    @property
    def key(self) -> tuple[str, str]:
        """Zone and rule."""
        return (self.zone_id, self.rule_id)


def encode(memories: Iterable[Memory]) -> str:
    """Compact JSON text; what remembers nothing is left out."""
    known = [memory for memory in memories if memory.spell != Spell()]
    document = {"version": VERSION, "memories": [_memory_out(memory) for memory in known]}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def decode(text: str) -> tuple[Memory, ...]:
    """Read what :func:`encode` wrote; :class:`ValueError` if it is anything else."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise ValueError(f"state of another version: {document['version']!r}")
        return tuple(_memory_in(item) for item in document["memories"])
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"not the state of faults and assets: {error!r}") from error


def _memory_out(memory: Memory) -> Json:
    return {
        "zone_id": memory.zone_id,
        "rule_id": memory.rule_id,
        "spell": spell_out(memory.spell),
        "votes": dict(memory.votes),
        "incident": None if memory.incident is None else _incident_out(memory.incident),
        "reported_s": memory.reported_s,
    }


def _memory_in(data: Json) -> Memory:
    incident = data["incident"]
    return Memory(
        zone_id=str(data["zone_id"]),
        rule_id=str(data["rule_id"]),
        spell=spell_in(data["spell"]),
        votes={str(label): int(count) for label, count in data["votes"].items()},
        incident=None if incident is None else _incident_in(incident),
        reported_s=float(data["reported_s"]),
    )


def _incident_out(incident: Incident) -> Json:
    return {
        "incident_id": incident.incident_id,
        "camera_id": incident.camera_id,
        "zone_id": incident.zone_id,
        "rule_id": incident.rule_id,
        "kind": incident.kind.value,
        "category": incident.category,
        "label": incident.label,
        "box": list(incident.box.xyxy),
        "size_px": [incident.width_px, incident.height_px],
        "confidence": incident.confidence,
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "last_seen_at": incident.last_seen_at.isoformat(),
        "observed_s": incident.observed_s,
    }


def _incident_in(data: Json) -> Incident:
    return Incident(
        incident_id=str(data["incident_id"]),
        camera_id=str(data["camera_id"]),
        zone_id=str(data["zone_id"]),
        rule_id=str(data["rule_id"]),
        kind=RuleKind(data["kind"]),
        category=str(data["category"]),
        label=str(data["label"]),
        box=Box(*(float(side) for side in data["box"])),
        width_px=int(data["size_px"][0]),
        height_px=int(data["size_px"][1]),
        confidence=float(data["confidence"]),
        started_at=_aware(data["started_at"]),
        opened_at=_aware(data["opened_at"]),
        last_seen_at=_aware(data["last_seen_at"]),
        observed_s=float(data["observed_s"]),
    )


def _aware(text: Json) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without its zone: {text!r}")
    return at
