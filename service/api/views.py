"""What clients get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from models.work_order import TRANSITIONS, RejectReason, Status
from models.zone import Department, Priority
from service.api.forms import EXAMPLE_ORDER
from service.decisions.cameras import effective_state, is_stale
from service.decisions.evidence_kinds import kind_of_name
from service.store.records import CameraReport, HistoryEntry, HistoryKind, WorkOrder

Departments = Callable[[str | None], Department | None]
"""Finds a department by its id."""


class EvidenceOut(BaseModel):
    """A picture, film or manifest that belongs to an order."""

    name: str = Field(examples=["opened-wide"])
    content_type: str = Field(description="image/jpeg, video/mp4 or application/json.")
    url: str = Field(description="Where to get it, with the same API key.")
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    created_at: datetime


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
                "previous_order_id": None,
                "time_to_clear_s": None,
                "evidence": [],
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
    previous_order_id: str | None = Field(
        description="An ended order of the same place and category: this one is its return."
    )
    time_to_clear_s: float | None = Field(
        description="Seconds from the dwell's end until the place was seen free; null until then."
    )
    evidence: list[EvidenceOut]


class WorkOrderDetail(WorkOrderOut):
    """A work order with its history."""

    history: list[HistoryOut]


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


class SessionOut(BaseModel):
    """Who is signed in."""

    name: str
    role: str
    expires_at: datetime


def order_values(order: WorkOrder, departments: Departments, base_url: str = "") -> dict[str, Any]:
    """The fields of an order's answer; ``base_url`` makes its links absolute."""
    department = departments(order.department_id)
    pictures = [
        asdict(picture)
        | {
            "url": f"{base_url}{evidence_path(order.incident_id, picture.name)}",
            "content_type": kind_of_name(picture.name).content_type,
        }
        for picture in order.evidence
    ]
    return asdict(order) | {
        "allowed_statuses": sorted(TRANSITIONS[order.status]),
        "time_to_clear_s": _time_to_clear_s(order),
        "department_name": department and department.name,
        "department_name_zh": department and department.name_zh,
        "evidence": pictures,
    }


def _time_to_clear_s(order: WorkOrder) -> float | None:
    if order.cleared_at is None:
        return None
    return max(0.0, (order.cleared_at - order.opened_at).total_seconds())


def order_out(order: WorkOrder, departments: Departments, base_url: str = "") -> WorkOrderOut:
    """An order as clients get it."""
    return WorkOrderOut.model_validate(order_values(order, departments, base_url))


def order_detail(
    order: WorkOrder, entries: list[HistoryEntry], departments: Departments
) -> WorkOrderDetail:
    """An order with its history as clients get it."""
    values = order_values(order, departments) | {"history": [asdict(each) for each in entries]}
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


def evidence_path(incident_id: str, name: str) -> str:
    """Where a picture is served."""
    return f"/api/v1/incidents/{incident_id}/evidence/{name}"


def snapshot_path(camera_id: str) -> str:
    """Where a camera's snapshot is served."""
    return f"/api/v1/cameras/{quote(camera_id, safe='')}/snapshot"
