"""``/api/v1/reports``: citizens' photos, for the detectors that look at them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.api import inspecting
from service.api.deps import CanInspect, Deps
from service.api.forms import NO_NUL, Coordinate
from service.api.inspection_forms import InspectionOut
from service.api.inspection_views import inspection_out
from service.api.problems import problem_responses
from service.store import inspections, orders
from service.store.inspections import Inspection, Seen
from service.store.records import WorkOrder
from service.store.schema import orders as table

router = APIRouter(prefix="/api/v1/reports", tags=["citizens' reports"])

MOST_AT_ONCE = 50
PHOTO_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
}


class SeenIn(BaseModel):
    """A box in a photo, sure enough for its label."""

    label: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    confidence: float = Field(ge=0, le=1)
    box_xyxy: tuple[Coordinate, Coordinate, Coordinate, Coordinate] = Field(
        description="Left, top, right, bottom in pixels of the photo."
    )


class FindingsIn(BaseModel):
    """What a detector saw in a photo, or why it could not look at it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "model": "street-n@1f3a9c02",
                "detections": [
                    {"label": "garbage_pile", "confidence": 0.83, "box_xyxy": [40, 60, 300, 240]}
                ],
            }
        },
    )

    model: Annotated[str, Field(max_length=200, pattern=NO_NUL)] = ""
    detections: Annotated[list[SeenIn], Field(max_length=200)] = []
    failure: Annotated[str, Field(max_length=500, pattern=NO_NUL)] = Field(
        "", description="Why it could not be looked at, or not be blurred; then nobody sees it."
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.failure and self.detections:
            raise ValueError("give detections or failure")
        return self

    def to_findings(self) -> inspecting.Findings:
        """The value that the program works with."""
        seen = tuple(Seen(**dict(each)) for each in self.detections)
        return inspecting.Findings(model=self.model, detections=seen, failure=self.failure.strip())


class UninspectedOut(BaseModel):
    """A report whose photo a detector should look at."""

    order_id: str
    incident_id: str
    category: str
    created_at: datetime
    wait_until: datetime = Field(description="Then the order goes on without it.")
    photo_url: str


class UninspectedList(BaseModel):
    """Reports to look at: those that are waited for come first."""

    items: list[UninspectedOut]


@router.get("/uninspected", responses=problem_responses())
def list_uninspected(
    _who: CanInspect, deps: Deps, limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 10
) -> UninspectedList:
    """List reports whose photo nobody has looked at yet."""
    with deps.database.read() as connection:
        found = inspections.uninspected(connection, limit)
        ids = table.c.order_id.in_([each.order_id for each in found])
        known = {each.order_id: each for each in orders.find_orders(connection, ids, limit)}
    return UninspectedList(
        items=[_uninspected(each, known[each.order_id]) for each in found if each.order_id in known]
    )


def _uninspected(found: Inspection, order: WorkOrder) -> UninspectedOut:
    return UninspectedOut(
        order_id=order.order_id,
        incident_id=order.incident_id,
        category=order.category,
        created_at=found.created_at,
        wait_until=found.wait_until,
        photo_url=f"{router.prefix}/{order.order_id}/photo",
    )


@router.get(
    "/{order_id}/photo",
    response_class=Response,
    responses={**PHOTO_ANSWER, **problem_responses(404)},
)
def get_photo(order_id: UUID, who: CanInspect, deps: Deps) -> Response:
    """Get a photo as it came, unblurred: roles detector and admin; the audit log has each time."""
    content = inspecting.read_photo(deps, who, str(order_id))
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.put("/{order_id}/inspection", responses=problem_responses(404, 409))
def put_inspection(order_id: UUID, body: FindingsIn, who: CanInspect, deps: Deps) -> InspectionOut:
    """Tell what a photo shows, after its blurred picture was sent as evidence `report`.

    The order gets a suggested category and goes on. The first to tell is heard; others get the
    same answer.
    """
    found = inspecting.take_findings(deps, str(order_id), body.to_findings(), who.name)
    with deps.database.read() as connection:
        return inspection_out(deps, connection, found)
