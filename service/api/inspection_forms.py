"""The form in which clients get to know of a citizen's photo."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from models.work_order import Status
from service.store.inspections import InspectionState


class SeenOut(BaseModel):
    """A box in the photo, in its pixels."""

    label: str
    confidence: float
    box_xyxy: tuple[float, float, float, float]


class SuggestionOut(BaseModel):
    """What the photo is likely about."""

    category: str
    service_code: str | None = Field(description="Open311's; null where citizens have none.")
    confidence: float


class NearOut(BaseModel):
    """An order close by that may be about the same thing."""

    order_id: str
    number: int
    category: str
    status: Status
    distance_m: float


class InspectionOut(BaseModel):
    """What a detector saw in the photo of a citizen's report."""

    state: InspectionState = Field(
        description="waiting: the order waits for it until wait_until; overdue: it went on without;"
        " inspected; failed: the photo could not be looked at or blurred, and is not shown."
    )
    wait_until: datetime
    done_at: datetime | None
    model: str
    reason: str
    detections: list[SeenOut]
    suggestion: SuggestionOut | None
    near: list[NearOut] = Field(
        description="Orders of the reported or the suggested category that were open close by then."
    )
