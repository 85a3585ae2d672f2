"""What subscribers are told: event types, who wants which, and the CloudEvents envelope."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

SPEC_VERSION = "1.0"
EVENT_NAMESPACE = uuid.UUID("6f1b5f0c-3f0e-5d55-9f6e-0d6c5f6f2b11")
"""Of the ids of events: they follow from order, version and type."""


class EventType(StrEnum):
    """Types of events, as in the CloudEvents attribute ``type``."""

    CREATED = "streetwarden.work_order.created"
    UPDATED = "streetwarden.work_order.updated"
    """Status or department changed."""
    EVIDENCE_ADDED = "streetwarden.work_order.evidence_added"
    CLEARED = "streetwarden.work_order.cleared"
    """The camera saw the place free again, which verifies an order that was still to be done."""
    SLA_WARNING = "streetwarden.work_order.sla_warning"
    """The time to accept or to resolve an order is running out."""
    SLA_BREACHED = "streetwarden.work_order.sla_breached"
    """An order was not accepted or not resolved in time."""
    SUBSCRIPTION_DISABLED = "streetwarden.subscription.disabled"
    """A receiver failed for days and is not called any more. Only for those who name this type."""
    PING = "streetwarden.ping"
    """Sent on request, to try a receiver."""


ORDER_EVENTS = frozenset(
    {
        EventType.CREATED,
        EventType.UPDATED,
        EventType.EVIDENCE_ADDED,
        EventType.CLEARED,
        EventType.SLA_WARNING,
        EventType.SLA_BREACHED,
    }
)
"""What an empty filter of types means."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """Something that happened to an order, as far as filters look at it."""

    event_id: str
    type: EventType
    order_id: str
    at: datetime
    category: str
    department_id: str | None
    camera_id: str
    zone_id: str
    moved_to: str | None = None
    """The status that the order came to by this; ``None``: it stayed where it was."""


class Filters(Protocol):
    """What somebody wants to be told of; an empty filter takes all."""

    @property
    def event_types(self) -> Collection[str]:
        """Types of events; empty: everything that happens to orders."""

    @property
    def categories(self) -> Collection[str]:
        """Categories of orders."""

    @property
    def department_ids(self) -> Collection[str]:
        """Departments of orders."""

    @property
    def camera_ids(self) -> Collection[str]:
        """Cameras of orders."""

    @property
    def zone_ids(self) -> Collection[str]:
        """Zones of orders."""

    @property
    def statuses(self) -> Collection[str]:
        """Only what moved an order into one of these."""


def event_id_of(order_id: str, version: int, kind: EventType) -> str:
    """Id of an event: the same wherever and however often it is told."""
    return str(uuid.uuid5(EVENT_NAMESPACE, f"{order_id}/{version}/{kind}"))


def wants(happening: Happening, filters: Filters) -> bool:
    """Whether somebody with these filters is told of it."""
    return _wants_kind(happening, filters) and (
        _passes(happening.category, filters.categories)
        and _passes(happening.department_id, filters.department_ids)
        and _passes(happening.camera_id, filters.camera_ids)
        and _passes(happening.zone_id, filters.zone_ids)
    )


def _wants_kind(happening: Happening, filters: Filters) -> bool:
    if happening.type not in (filters.event_types or ORDER_EVENTS):
        return False
    return happening.type not in ORDER_EVENTS or _passes(happening.moved_to, filters.statuses)


def _passes(value: str | None, accepted: Collection[str]) -> bool:
    return not accepted or value in accepted


def cloud_event(
    happening: Happening,
    source: str,
    data: Mapping[str, object],
    traceparent: str | None = None,
) -> str:
    """The event in CloudEvents' structured JSON form: the very bytes that are signed and sent.

    ``traceparent`` is an attribute of CloudEvents' extension for distributed tracing.
    """
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
    if traceparent is not None:
        envelope["traceparent"] = traceparent
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


def plain_json(event: str) -> str:
    """A CloudEvent as the plain form of Standard Webhooks: id, type, timestamp, data."""
    envelope = json.loads(event)
    plain = {
        "id": envelope["id"],
        "type": envelope["type"],
        "timestamp": envelope["time"],
        "data": envelope["data"],
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
