"""What clients get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from models.category import Category, CodeKind
from models.work_order import TRANSITIONS, RejectReason, Status
from models.zone import Department, Priority
from service.api.forms import EXAMPLE_ORDER
from service.api.inspection_forms import InspectionOut
from service.api.sight_views import EvidenceOut, SightingOut, files_out, sighting_out
from service.decisions.cameras import effective_state, is_stale
from service.decisions.sla import DueTimes, SlaState, sla_state
from service.store.records import (
    CameraReport,
    HistoryEntry,
    HistoryKind,
    WorkOrder,
)


class Directory(Protocol):
    """What an order's ids and keys stand for, and the time."""

    def department(self, department_id: str | None) -> Department | None:
        """A department by its id."""

    def category(self, key: str) -> Category | None:
        """A category by its key."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The service's clock."""


class CategoryNameOut(BaseModel):
    """A category's name in both languages."""

    en: str
    zh: str


class CategoryCodeOut(BaseModel):
    """A category's code in a standard; unique only together with kind and scheme."""

    model_config = ConfigDict(from_attributes=True)

    kind: CodeKind
    scheme: str = Field(examples=["GB/T 30428.2-2013"])
    code: str


class HistoryOut(BaseModel):
    """One step in an order's life."""

    version: int
    at: datetime
    actor: str
    kind: HistoryKind
    from_status: Status | None
    to_status: Status | None
    department_id: str | None
    note: str


class WorkOrderOut(BaseModel):
    """A work order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": EXAMPLE_ORDER
            | {
                "order_id": "7f3c1f6e-6f0f-4f43-8f2f-0a4f7c0b7d11",
                "number": 42,
                "status": "dispatched",
                "version": 1,
                "allowed_statuses": ["accepted", "in_progress", "rejected", "resolved"],
                "created_at": "2026-11-24T01:05:13.120000Z",
                "updated_at": "2026-11-24T01:05:13.120000Z",
                "last_seen_at": "2026-11-24T01:05:12Z",
                "cleared_at": None,
                "department_id": "traffic",
                "department_name": "Traffic police",
                "department_name_zh": "交警",
                "model": "street-n@1f3a9c02",
                "config_version": "5f0c9a1be2d7",
                "reason_code": None,
                "category_name": {"en": "Illegal parking", "zh": "机动车乱停放"},
                "codes": [
                    {"kind": "event", "scheme": "GB/T 30428.2-2013", "code": "04-09"},
                    {"kind": "event", "scheme": "GB/T 47678.5-2026", "code": "09009"},
                ],
                "accept_due_at": "2026-11-24T07:05:13.120000Z",
                "due_at": "2026-11-27T02:05:13.120000Z",
                "sla_state": "ok",
                "duplicate_of": None,
                "previous_order_id": None,
                "time_to_clear_s": None,
                "located_by": "ground",
                "place_id": "",
                "width_m": 1.8,
                "length_m": None,
                "evidence": [],
                "sightings": [],
            }
        }
    )

    order_id: str
    number: int = Field(description="What people call the order.")
    incident_id: str
    status: Status
    allowed_statuses: list[Status] = Field(description="Statuses it may go to next.")
    version: int = Field(description="Goes up by one with each change; also the ETag.")
    created_at: datetime
    updated_at: datetime
    department_id: str | None
    department_name: str | None
    department_name_zh: str | None
    category: str
    category_name: CategoryNameOut | None = Field(description="Null for what the table lacks.")
    codes: list[CategoryCodeOut] = Field(description="Of the category, in the standards.")
    accept_due_at: datetime | None = Field(description="By when it must be accepted.")
    due_at: datetime | None = Field(description="By when it must be resolved.")
    sla_state: SlaState | None = Field(
        description="How it stands by its times now; null when it is over or has none."
    )
    priority: Priority
    camera_id: str
    camera_name: str
    zone_id: str
    zone_name: str
    rule_id: str
    rule_kind: str
    label: str
    confidence: float
    box_xyxy: tuple[float, float, float, float]
    width_px: int
    height_px: int
    object_count: int
    started_at: datetime
    opened_at: datetime
    last_seen_at: datetime = Field(
        description="Latest sight of the object; moves on without a new version."
    )
    cleared_at: datetime | None = Field(description="When the camera saw the place free again.")
    observed_s: float
    inferred_s: float = Field(
        description="Of observed_s, seconds out of sight for a moment, there before and after."
    )
    dwell_s: float
    latitude: float | None
    longitude: float | None
    address: str
    description: str
    model: str = Field(description="Detector that saw it; empty where it did not say.")
    config_version: str = Field(description="Fingerprint of the zones and rules that judged it.")
    reason_code: RejectReason | None = Field(description="Why it was rejected, if it was.")
    duplicate_of: str | None = Field(description="The order that this one repeats, if it does.")
    previous_order_id: str | None = Field(
        description="An ended order of the same place and category: this one is its return."
    )
    time_to_clear_s: float | None = Field(
        description="Seconds from the dwell's end until the place was seen free; null until then."
    )
    located_by: str = Field(
        description="ground: the coordinates are the thing's own; camera: its camera's."
    )
    place_id: str = Field(description="What zones of several cameras show together; often empty.")
    width_m: float | None = Field(description="Across the line of sight, at its foot.")
    length_m: float | None = Field(
        description="Along the line of sight, of what lies flat on the ground."
    )
    evidence: list[EvidenceOut]
    sightings: list[SightingOut] = Field(
        description="Of all cameras, if several saw it; each has its own incident and evidence."
    )


class ObservationOut(WorkOrderOut):
    """A work order after an observation."""

    wants_picture: bool = Field(
        description="It was reopened and has no picture of the incident since: send a new one."
    )


class WorkOrderDetail(WorkOrderOut):
    """A work order with its history."""

    history: list[HistoryOut]
    inspection: InspectionOut | None = Field(
        description="Of a citizen's report with a photo: what a detector saw in it."
    )


class WorkOrderPage(BaseModel):
    """A page of orders."""

    items: list[WorkOrderOut]
    next_cursor: str | None = Field(
        description="Gives the next page. With `updated_since` it is always there: keep it and "
        "ask again later for what has changed by then."
    )
    has_more: bool = Field(description="Whether there is more right now.")


class CameraOut(BaseModel):
    """A camera as it was last heard of."""

    camera_id: str
    name: str
    state: str = Field(description="connecting, online, offline or ended; offline when stale.")
    reported_state: str
    stale: bool = Field(description="Nothing was heard of it for 30 s.")
    heard_at: datetime
    heard_age_s: float = Field(description="Seconds since its daemon last reported.")
    last_frame_at: datetime | None
    last_frame_age_s: float | None
    width_px: int | None
    height_px: int | None
    drops: int
    reconnects: int
    last_error: str | None
    looks: int
    model: str | None
    snapshot_url: str | None
    snapshot_at: datetime | None


class CameraList(BaseModel):
    """All cameras."""

    items: list[CameraOut]


_ORDER_FIELDS = [field.name for field in fields(WorkOrder)]


def order_values(order: WorkOrder, directory: Directory, base_url: str = "") -> dict[str, Any]:
    """The fields of an order's answer; ``base_url`` makes its links absolute."""
    department = directory.department(order.department_id)
    category = directory.category(order.category)
    due = due_times_of(order)
    # Not asdict(), which copies all values down to the last time: the models copy what they keep.
    return {name: getattr(order, name) for name in _ORDER_FIELDS} | {
        "allowed_statuses": sorted(TRANSITIONS[order.status]),
        "time_to_clear_s": _time_to_clear_s(order),
        "category_name": category and {"en": category.name, "zh": category.name_zh},
        "codes": list(category.codes) if category else [],
        "sla_state": sla_state(due, order.status, directory.now()),
        "department_name": department and department.name,
        "department_name_zh": department and department.name_zh,
        "evidence": files_out(order.evidence, base_url),
        "sightings": [sighting_out(seen, base_url) for seen in order.sightings],
    }


def due_times_of(order: WorkOrder) -> DueTimes | None:
    """The times of an order; ``None`` if it has none."""
    times = (order.accept_warn_at, order.accept_due_at, order.warn_at, order.due_at)
    accept_warn_at, accept_due_at, warn_at, due_at = times
    if accept_warn_at is None or accept_due_at is None or warn_at is None or due_at is None:
        return None
    return DueTimes(
        accept_warn_at=accept_warn_at,
        accept_due_at=accept_due_at,
        warn_at=warn_at,
        due_at=due_at,
    )


def _time_to_clear_s(order: WorkOrder) -> float | None:
    if order.cleared_at is None:
        return None
    return max(0.0, (order.cleared_at - order.opened_at).total_seconds())


def order_out(order: WorkOrder, directory: Directory, base_url: str = "") -> WorkOrderOut:
    """An order as clients get it."""
    return WorkOrderOut.model_validate(order_values(order, directory, base_url))


def observation_out(
    order: WorkOrder, directory: Directory, *, wants_picture: bool
) -> ObservationOut:
    """An order as the detector gets it that has told of a later sight."""
    values = order_values(order, directory) | {"wants_picture": wants_picture}
    return ObservationOut.model_validate(values)


def order_detail(
    order: WorkOrder,
    entries: list[HistoryEntry],
    directory: Directory,
    inspection: InspectionOut | None = None,
) -> WorkOrderDetail:
    """An order with its history as clients get it."""
    history = [asdict(each) for each in entries]
    more = {"history": history, "inspection": inspection}
    values = order_values(order, directory) | more
    return WorkOrderDetail.model_validate(values)


def camera_out(report: CameraReport, now: datetime) -> CameraOut:
    """A camera as clients get it; ages are by the service's own clock."""
    heard_age_s = max(0.0, (now - report.heard_at).total_seconds())
    frame_at = report.last_frame_at
    frame_age_s = None if frame_at is None else max(0.0, (now - frame_at).total_seconds())
    values = asdict(report) | {
        "state": effective_state(report.state, heard_age_s),
        "reported_state": report.state,
        "stale": is_stale(heard_age_s),
        "heard_age_s": round(heard_age_s, 3),
        "last_frame_age_s": None if frame_age_s is None else round(frame_age_s, 3),
        "snapshot_url": None if report.snapshot_at is None else snapshot_path(report.camera_id),
    }
    return CameraOut.model_validate(values)


def snapshot_path(camera_id: str) -> str:
    """Where a camera's snapshot is served."""
    return f"/api/v1/cameras/{quote(camera_id, safe='')}/snapshot"
