"""``/api/v1/incidents/{incident_id}/plate``: what a city's own licence-plate reader read.

Shown here and nowhere else: to those with a permission of its own, each time logged.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from models.evidence import Retention
from service.api.auditing import actor_of
from service.api.deps import ApiDeps, CanReport, Deps, Principal, Require
from service.api.problems import problem_responses
from service.decisions.access import Permission
from service.store import audit, orders, plates
from service.store.audit import Action
from service.store.plates import Plate

router = APIRouter(prefix="/api/v1/incidents/{incident_id}/plate", tags=["incidents"])

PLATE_PATTERN = r"^[^\s\x00-\x1f](?:[^\x00-\x1f]*[^\s\x00-\x1f])?$"
"""No control characters, and no space at either end."""
ACTOR = "retention"

CanReadPlates = Annotated[Principal, Depends(Require(Permission.READ_PLATES))]


class PlateIn(BaseModel):
    """What the reader answered."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"plate": "京A12345", "confidence": 0.93}}
    )

    plate: Annotated[str, Field(min_length=1, max_length=20, pattern=PLATE_PATTERN)]
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PlateOut(BaseModel):
    """A plate as it was read: a machine may be wrong, the picture decides."""

    incident_id: str
    order_id: str
    plate: str
    confidence: float
    created_at: datetime


@router.put(
    "",
    status_code=201,
    response_class=Response,
    responses={204: {"description": "It was there already."}, **problem_responses(404, 409)},
)
def put_plate(incident_id: UUID, body: PlateIn, _who: CanReport, deps: Deps) -> Response:
    """Attach the plate that a reader read of an incident's vehicle. It is never overwritten."""
    with deps.database.write() as connection:
        order = orders.get_by_incident(connection, str(incident_id), lock=True)
        plate = Plate(
            incident_id=str(incident_id),
            order_id=order.order_id,
            plate=body.plate,
            confidence=body.confidence,
            created_at=deps.now(),
        )
        is_new = plates.add_plate(connection, plate)
    return Response(status_code=201 if is_new else 204)


@router.get("", responses=problem_responses(404))
def get_plate(incident_id: UUID, who: CanReadPlates, deps: Deps, response: Response) -> PlateOut:
    """Get the plate of an incident's vehicle: roles dispatcher and admin; the audit log has it."""
    response.headers["Cache-Control"] = "no-store"
    with deps.database.write() as connection:
        plate = plates.get_plate(connection, str(incident_id))
        audit.append(
            connection,
            at=deps.now(),
            actor=actor_of(who),
            action=Action.PLATE_READ,
            subject=f"order:{plate.order_id}",
            detail={"incident_id": plate.incident_id},
        )
    return PlateOut(
        incident_id=plate.incident_id,
        order_id=plate.order_id,
        plate=plate.plate,
        confidence=plate.confidence,
        created_at=plate.created_at,
    )


def delete_plates(deps: ApiDeps, limit: int) -> int:
    """Delete plates that are older than unblurred originals may be; how many were due."""
    days = (Retention() if deps.city is None else deps.city.retention).originals_days
    now = deps.now()
    with deps.database.read() as connection:
        due = plates.expired_plates(connection, now - timedelta(days=days), limit)
    for plate in due:
        with deps.database.write() as connection:
            orders.get_order(connection, plate.order_id, lock=True)  # a hold: before or after
            if not plates.forget_plate(connection, plate):
                continue
            audit.append(
                connection,
                at=now,
                actor=ACTOR,
                action=Action.PLATE_EXPIRED,
                subject=f"order:{plate.order_id}",
                detail={"incident_id": plate.incident_id},
            )
    return len(due)
