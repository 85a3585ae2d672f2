"""What subscribers are told: event types, who wants which, and the CloudEvents envelope."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SPEC_VERSION = "1.0"


class EventType(StrEnum):
    """Types of events, as in the CloudEvents attribute ``type``."""

    CREATED = "streetwarden.work_order.created"
    UPDATED = "streetwarden.work_order.updated"
    """Status or department changed."""
    EVIDENCE_ADDED = "streetwarden.work_order.evidence_added"
    CLEARED = "streetwarden.work_order.cleared"
    """The camera saw the place free again, which verifies an order that was still to be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """Something that happened to an order, as far as filters look at it."""

    event_id: str
    type: EventType
    order_id: str
    at: datetime
    category: str
    department_id: str | None


def wants(
    happening: Happening,
    *,
    event_types: Collection[str],
    categories: Collection[str],
    department_ids: Collection[str],
) -> bool:
    """Whether a subscription with these filters is told of it; an empty filter takes all."""
    return (
        _passes(happening.type, event_types)
        and _passes(happening.category, categories)
        and _passes(happening.department_id, department_ids)
    )


def _passes(value: str | None, accepted: Collection[str]) -> bool:
    return not accepted or value in accepted


def cloud_event(happening: Happening, source: str, data: Mapping[str, object]) -> str:
    """The event in CloudEvents' structured JSON form: the very bytes that are signed and sent."""
    envelope = {
        "specversion": SPEC_VERSION,
        "id": happening.event_id,
        "source": source,
        "type": happening.type,
        "subject": happening.order_id,
        "time": happening.at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
