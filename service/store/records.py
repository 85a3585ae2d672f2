"""What is read from the store, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from models.work_order import RejectReason, Status, WorkOrderRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A picture that belongs to an order; its bytes lie in the file store under ``sha256``."""

    order_id: str
    incident_id: str
    """Of the camera that took it."""
    name: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """One camera's incident among several that are one and the same thing, with one order."""

    order_id: str
    report: WorkOrderRequest
    """What its detector posted."""
    last_seen_at: datetime
    cleared_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkOrder(WorkOrderRequest):
    """A stored order: what the detector posted, and what became of it since.

    ``department_id``, ``observed_s``, ``inferred_s`` are the current ones, not the first posted.
    """

    number: int
    """Counts up; what people call the order."""
    order_id: str
    status: Status
    version: int
    """Goes up by one with each change; the ETag."""
    change_seq: int
    """Place of the latest change among all changes of all orders, in the order of commit."""
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None
    previous_order_id: str | None = None
    """An earlier order of the same thing at the same place: this is its return."""
    duplicate_of: str | None = None
    """Id of the order that this one repeats, at status ``duplicate``."""
    reason_code: RejectReason | None = None
    """Why it was rejected; ``None`` too where only words were given."""
    accept_warn_at: datetime | None = None
    accept_due_at: datetime | None = None
    """By when it must be accepted; ``None`` like the other times: it has no limits."""
    warn_at: datetime | None = None
    due_at: datetime | None = None
    """By when it must be resolved."""
    sla_told: str = ""
    """Warnings and breaches that were told of, such as ``accept:warning resolve:warning``."""
    sla_next_at: datetime | None = None
    """When its times must be looked at again."""
    evidence: tuple[Evidence, ...] = ()
    """Of the incident that the order was made for."""
    sightings: tuple[Sighting, ...] = ()
    """Of all cameras that saw it, oldest first, its own too; empty if only one did."""

    @property
    def files(self) -> tuple[Evidence, ...]:
        """Evidence of all cameras."""
        others = (each for seen in self.sightings for each in seen.evidence)
        own = self.incident_id
        return (*self.evidence, *(each for each in others if each.incident_id != own))

    def with_file(self, file: Evidence) -> WorkOrder:
        """The order with one more piece of evidence, of whichever camera."""
        seen = tuple(
            replace(each, evidence=(*each.evidence, file))
            if each.report.incident_id == file.incident_id
            else each
            for each in self.sightings
        )
        is_own = file.incident_id == self.incident_id
        own = (*self.evidence, file) if is_own else self.evidence
        return replace(self, evidence=own, sightings=seen)


@dataclass(frozen=True, kw_only=True, slots=True)
class PastOrder:
    """An order as far as it tells whether a new one at its place is its return."""

    order_id: str
    status: Status
    cleared_at: datetime | None
    box_xyxy: tuple[float, float, float, float]
    width_px: int
    height_px: int


class HistoryKind(StrEnum):
    """What an entry of an order's history tells."""

    RECEIVED = "received"
    STATUS = "status"
    DEPARTMENT = "department"
    EVIDENCE = "evidence"
    CLEARED = "cleared"
    SIGHTING = "sighting"
    """Another camera sees it too, or one of several sees the place free."""
    NOTE = "note"
    SLA = "sla"


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One step in an order's life: who, when, what."""

    version: int
    at: datetime
    actor: str
    kind: HistoryKind
    from_status: Status | None = None
    to_status: Status | None = None
    department_id: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraReport:
    """What a daemon said of a camera, and when."""

    camera_id: str
    name: str
    state: str
    last_frame_at: datetime | None
    width_px: int | None
    height_px: int | None
    drops: int
    reconnects: int
    last_error: str | None
    looks: int
    model: str | None
    heard_at: datetime
    snapshot_at: datetime | None = None


class SubscriptionKind(StrEnum):
    """By which way a subscriber is told."""

    WEBHOOK = "webhook"
    MQTT = "mqtt"


class BodyFormat(StrEnum):
    """In which form a webhook's body is sent."""

    CLOUDEVENTS = "cloudevents"
    JSON = "json"
    """Plain: id, type, timestamp and data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Who wants to be told of what. Empty filters mean everything."""

    subscription_id: str
    url: str
    description: str
    event_types: tuple[str, ...]
    categories: tuple[str, ...]
    department_ids: tuple[str, ...]
    secret: str
    active: bool
    disabled_reason: str | None
    failures_in_a_row: int
    paused_until: datetime | None
    created_at: datetime
    kind: SubscriptionKind = SubscriptionKind.WEBHOOK
    format: BodyFormat = BodyFormat.CLOUDEVENTS
    zone_ids: tuple[str, ...] = ()
    camera_ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    """Only events that moved an order into one of these."""
    previous_secret: str | None = None
    """The secret before the latest rotation: signs too, until ``previous_secret_until``."""
    previous_secret_until: datetime | None = None
    disabled_at: datetime | None = None
    """When the service made it inactive."""
    last_success_at: datetime | None = None
    """Within some seconds: not every success is written down."""
    failing_since: datetime | None = None
    """The first failure since the last success."""

    owner: str = ""
    """Whose it is, as the audit log names them, such as ``user:li`` or ``key:crew app``."""
    owner_department_ids: tuple[str, ...] = ()
    """Departments that its owner may see: it is told of no others. Empty: the whole city."""

    def __repr__(self) -> str:
        """Without the secret, which must not reach a log."""
        return f"Subscription({self.subscription_id}, {self.url})"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; can be sent again on request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One event on its way to one subscription."""

    delivery_id: int
    event_id: str
    event_type: str
    subscription_id: str
    order_id: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    last_status_code: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """Who may do what; the key itself is stored only as a hash."""

    key_id: str
    name: str
    role: str
    created_at: datetime
    department_ids: tuple[str, ...] = ()
    """It sees only these departments' orders; empty: the whole city's."""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    """Within five minutes."""
    revoked_at: datetime | None = None
    previous_until: datetime | None = None
    """Until then the key from before the latest rotation is valid too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person who signs in by name and password; of the password only a hash is stored."""

    user_id: str
    name: str
    role: str
    created_at: datetime
    department_ids: tuple[str, ...] = ()
    """They see only these departments' orders; empty: the whole city's."""
    password_set_at: datetime
    last_sign_in_at: datetime | None = None
    disabled_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try to deliver, and the beginning of what the receiver answered."""

    at: datetime
    duration_s: float
    status_code: int | None
    error: str | None
    answer: str = ""
