"""What the city does about an incident: the work order (工单) and its allowed transitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.errors import TransitionError
from models.zone import Priority


class Status(StrEnum):
    """Stages of a work order: 立案, 派遣, 处置, 核查 and 结案 in the city's own terms."""

    RECEIVED = "received"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    CLOSED = "closed"
    REOPENED = "reopened"
    """Said to be resolved, but still there: a crew is needed again."""
    REJECTED = "rejected"
    """Not a case for the city, with a reason; a false alarm is one."""
    DUPLICATE = "duplicate"
    """The same thing as another order, which it names."""
    EXPIRED = "expired"
    """Nobody touched it for so long that it is laid aside; only time gives this status."""


class RejectReason(StrEnum):
    """Why an order is no case for the city; only some of these say anything of the picture."""

    FALSE_ALARM = "false_alarm"
    """There is no such thing in the picture: models learn from it."""
    PERMITTED = "permitted"
    """It is there, and may be: a permit, road works."""
    DUPLICATE = "duplicate"
    ALREADY_DONE = "already_done"
    NOT_OUR_TASK = "not_our_task"
    OTHER = "other"
    """Needs words."""


_ENDS = (Status.REJECTED, Status.DUPLICATE)
"""What an order that is still to be done may end as without being done."""

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.DISPATCHED, *_ENDS}),
    Status.DISPATCHED: frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.RESOLVED, *_ENDS}),
    Status.ACCEPTED: frozenset({Status.IN_PROGRESS, Status.RESOLVED, *_ENDS}),
    Status.IN_PROGRESS: frozenset({Status.RESOLVED, *_ENDS}),
    Status.RESOLVED: frozenset({Status.VERIFIED, Status.CLOSED, Status.REOPENED}),
    Status.REOPENED: frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.RESOLVED, *_ENDS}),
    Status.VERIFIED: frozenset({Status.CLOSED, Status.REOPENED}),
    Status.CLOSED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.DUPLICATE: frozenset(),
    Status.EXPIRED: frozenset(),
}
"""From each status, those that people may choose next. What a camera sees later goes its own way:
see ``service.decisions.closure``."""

FINAL = frozenset(status for status, later in TRANSITIONS.items() if not later)
"""Statuses of orders that are over."""

EXPIRES = frozenset(status for status, later in TRANSITIONS.items() if Status.DUPLICATE in later)
"""Statuses of orders that are still to be done: left alone for long enough, they expire."""

NEEDS_REASON = frozenset({Status.REJECTED})
"""Statuses that somebody must explain."""


def check_transition(current: Status, wanted: Status, reason: str = "") -> None:
    """Raise :class:`TransitionError` unless an order may go from ``current`` to ``wanted``."""
    if wanted not in TRANSITIONS[current]:
        allowed = ", ".join(sorted(TRANSITIONS[current])) or "nothing: it is final"
        raise TransitionError(f"status {current} cannot become {wanted}; allowed: {allowed}")
    if wanted in NEEDS_REASON and not reason.strip():
        raise TransitionError(f"status {wanted} needs a reason")


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkOrderRequest:
    """What a detector posts for a confirmed incident; ``incident_id`` makes it idempotent."""

    incident_id: str
    camera_id: str
    camera_name: str
    zone_id: str
    zone_name: str
    rule_id: str
    rule_kind: str
    category: str
    label: str
    confidence: float
    box_xyxy: tuple[float, float, float, float]
    width_px: int
    height_px: int
    started_at: datetime
    opened_at: datetime
    observed_s: float
    dwell_s: float
    inferred_s: float = 0.0
    """Of ``observed_s``: not seen, but it was there before and after."""
    object_count: int = 1
    department_id: str | None = None
    priority: Priority = Priority.NORMAL
    latitude: float | None = None
    longitude: float | None = None
    address: str = ""
    located_by: str = ""
    """``ground``: latitude and longitude are the thing's own, by the camera's calibration;
    ``camera``: they are the camera's; empty: nobody said."""
    place_id: str = ""
    """What the zone shows, where zones of several cameras show the same; empty: not said."""
    width_m: float | None = None
    """Across the line of sight, at its foot."""
    length_m: float | None = None
    """Along the line of sight, of what lies flat on the ground."""
    description: str = ""
    model: str = ""
    """Detector that saw it, such as ``street-n@1f3a9c02``: its name and the start of its hash."""
    config_version: str = ""
    """Fingerprint of the camera's zones and rules by which it was judged."""
