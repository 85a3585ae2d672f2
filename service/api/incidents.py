"""``/api/v1/incidents/{incident_id}``: evidence and later observations, by the detector's id."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from service.api import actions
from service.api.deps import CanRead, CanReport, Deps
from service.api.forms import ObservationIn
from service.api.problems import ProblemError, problem_responses
from service.api.views import WorkOrderOut, order_out
from service.decisions.jpeg import JpegSize, jpeg_size
from service.store import evidence

router = APIRouter(prefix="/api/v1/incidents/{incident_id}", tags=["incidents"])

JPEG = "image/jpeg"
JPEG_BODY = {
    "requestBody": {
        "required": True,
        "content": {JPEG: {"schema": {"type": "string", "format": "binary"}}},
    }
}
JPEG_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {JPEG: {"schema": {"type": "string", "format": "binary"}}}}
}

EvidenceName = Annotated[
    str,
    Path(
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$",
        description="opened-wide, opened-close, opened-clean or cleared-wide.",
    ),
]


async def read_jpeg(request: Request) -> tuple[bytes, JpegSize]:
    """The body, checked to be a whole JPEG. Its size is limited by the middleware."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JPEG:
        raise ProblemError(415, "unsupported-media-type", f"send {JPEG}, not {kind or 'nothing'}")
    content = await request.body()
    size = jpeg_size(content)
    if size is None:
        detail = "body: not a complete JPEG picture"
        wrong = [{"field": "body", "message": "not a complete JPEG picture"}]
        raise ProblemError(422, "validation", detail, errors=wrong)
    return content, size


JpegBody = Annotated[tuple[bytes, JpegSize], Depends(read_jpeg)]


@router.put(
    "/evidence/{name}",
    status_code=201,
    response_class=Response,
    responses={
        204: {"description": "It was there already."},
        **problem_responses(404, 409, 413, 415),
    },
    openapi_extra=JPEG_BODY,
)
def put_evidence(
    incident_id: UUID, name: EvidenceName, who: CanReport, body: JpegBody, deps: Deps
) -> Response:
    """Attach a picture to the order of an incident. Evidence is never overwritten."""
    content, size = body
    picture = actions.Picture(
        name=name, content=content, width_px=size.width_px, height_px=size.height_px
    )
    is_new = actions.attach(deps, str(incident_id), picture, who.name)
    return Response(status_code=201 if is_new else 204)


@router.get(
    "/evidence/{name}",
    response_class=Response,
    responses={**JPEG_ANSWER, **problem_responses(404)},
)
def get_evidence(incident_id: UUID, name: EvidenceName, _who: CanRead, deps: Deps) -> Response:
    """Get a picture, as it was posted."""
    with deps.database.read() as connection:
        picture = evidence.get_evidence(connection, str(incident_id), name)
    content = deps.files.load_evidence(picture.sha256)
    headers = {"ETag": f'"{picture.sha256}"', "Cache-Control": "private, max-age=86400"}
    return Response(content, media_type=JPEG, headers=headers)


@router.put("/observation", responses=problem_responses(404))
def put_observation(
    incident_id: UUID, body: ObservationIn, who: CanReport, deps: Deps
) -> WorkOrderOut:
    """Report that the object is still there, or that the place is free again.

    Idempotent; an observation older than the last one, or after clearing, changes nothing.
    """
    seen = actions.Observation(
        last_seen_at=body.last_seen_at,
        observed_s=body.observed_s,
        cleared_at=body.cleared_at if body.state == "cleared" else None,
    )
    order = actions.observe(deps, str(incident_id), seen, who.name)
    return order_out(order, deps.department)
