"""``POST /api/v1/work-orders`` and ``…/batch``: confirmed incidents, one by one or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from models.errors import StoreError
from service.api.deps import ApiDeps, CanReport, Deps, Principal
from service.api.forms import EXAMPLE_ORDER, WorkOrderIn
from service.api.intake import Arrival, Intake, Received
from service.api.problems import FieldProblem, problem_responses
from service.api.views import WorkOrderOut, order_out

MOST_AT_ONCE = 100
"""Orders of one batch: with 100 of them the body is far below its limit."""

router = APIRouter(prefix="/api/v1/work-orders", tags=["work orders"])

log = structlog.get_logger(__name__)


class BatchIn(BaseModel):
    """Orders that waited, such as after an outage."""

    model_config = ConfigDict(json_schema_extra={"example": {"orders": [EXAMPLE_ORDER]}})

    orders: Annotated[
        list[SkipValidation[WorkOrderIn]],
        # Each is validated by itself: one that is wrong must not cost the others.
        Field(min_length=1, max_length=MOST_AT_ONCE),
    ]


class BatchItemOut(BaseModel):
    """What came of one order of a batch."""

    status: int = Field(
        description="As if it had been posted alone: 201 new, 200 known, 422 wrong, 503 try again."
    )
    order: WorkOrderOut | None = Field(description="The stored order; null if it is not stored.")
    detail: str | None = Field(description="Why it is not stored.")
    errors: list[FieldProblem] | None = Field(description="Which of its fields are wrong.")


class BatchOut(BaseModel):
    """What came of each order, in the order in which they were posted."""

    items: list[BatchItemOut]


@router.post(
    "",
    status_code=201,
    response_model=WorkOrderOut,
    responses={
        200: {"model": WorkOrderOut, "description": "The incident has this order already."},
        **problem_responses(413),
    },
)
async def post_order(body: WorkOrderIn, who: CanReport, deps: Deps, request: Request) -> Response:
    """Report a confirmed incident.

    Idempotent by `incident_id`: posting again gives the stored order, with 200 instead of 201 and
    whatever else the body says. An order with a department is dispatched at once.
    """
    with deps.tracer.span("intake") as span:
        (found,) = await _intake(request).receive([_arrival(body, who, deps)])
        if isinstance(found, Exception):
            raise found
        order, is_new = found
        span.note({"streetwarden.order_id": order.order_id, "streetwarden.is_new": is_new})
    headers = {"Location": f"{router.prefix}/{order.order_id}", "ETag": f'"{order.version}"'}
    # Written here: what comes from the store need not be validated once more.
    answer = order_out(order, deps).model_dump_json()
    return Response(answer, 201 if is_new else 200, headers, media_type="application/json")


@router.post("/batch", response_model=BatchOut, responses=problem_responses(413))
async def post_orders(body: BatchIn, who: CanReport, deps: Deps, request: Request) -> Response:
    """Report up to 100 confirmed incidents at once, for outboxes after an outage.

    The answer says of each, in the same order, what posting it alone would have said; those that
    are wrong or cannot be stored now do not hold up the others. Idempotent by `incident_id`.
    """
    wrong: dict[int, BatchItemOut] = {}
    arrivals: list[Arrival] = []
    for number, item in enumerate(body.orders):
        try:
            arrivals.append(_arrival(WorkOrderIn.model_validate(item), who, deps))
        except ValidationError as error:
            wrong[number] = _wrong(number, error)
    with deps.tracer.span("intake"):
        found = iter(await _intake(request).receive(arrivals) if arrivals else ())
    items = [
        wrong[number] if number in wrong else _item(next(found), deps)
        for number in range(len(body.orders))
    ]
    return Response(BatchOut(items=items).model_dump_json(), media_type="application/json")


def _intake(request: Request) -> Intake:
    found: Intake = request.app.state.intake
    return found


def _arrival(body: WorkOrderIn, who: Principal, deps: ApiDeps) -> Arrival:
    is_limited = not who.scope.is_whole_city
    return Arrival(
        deps=deps,
        request=body.to_request(),
        actor=who.name,
        is_limited=is_limited,
        traceparent=deps.tracer.current(),
    )


def _item(found: Received | Exception, deps: ApiDeps) -> BatchItemOut:
    if isinstance(found, Exception):
        return _failed(found)
    order, is_new = found
    status = 201 if is_new else 200
    return BatchItemOut(status=status, order=order_out(order, deps), detail=None, errors=None)


def _failed(error: Exception) -> BatchItemOut:
    log.error("an order of a batch was not stored", reason=str(error), kind=type(error).__name__)
    if isinstance(error, StoreError):
        status, detail = 503, "the store cannot be used now"
    else:
        status, detail = 500, "an error of the service; its log tells more"
    return BatchItemOut(status=status, order=None, detail=detail, errors=None)


def _wrong(number: int, error: ValidationError) -> BatchItemOut:
    errors = [
        FieldProblem(
            field=".".join(("body", "orders", str(number), *_parts(each["loc"]))),
            message=each["msg"],
        )
        for each in error.errors()
    ]
    detail = f"{errors[0].field}: {errors[0].message}"
    return BatchItemOut(status=422, order=None, detail=detail, errors=errors)


def _parts(location: Sequence[int | str]) -> tuple[str, ...]:
    return tuple(str(part) for part in location)
