"""``/api/v1/incidents/{incident_id}``: evidence and later observations, by the detector's id."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from service.api import actions, joining
from service.api.auditing import read_original
from service.api.bodies import answer, checked_size, read_body, sealed_answer
from service.api.deps import CanRead, CanReport, Deps
from service.api.forms import ObservationIn
from service.api.problems import ProblemError, problem_responses
from service.api.views import ObservationOut, observation_out
from service.decisions.evidence_kinds import FILM, LIST, ORIGINAL, PICTURE, kind_of_name
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
_FILES = {
    kind.content_type: {"schema": {"type": "string", "format": "binary"}}
    for kind in (PICTURE, FILM, LIST, ORIGINAL)
}
EVIDENCE_BODY = {"requestBody": {"required": True, "content": _FILES}}
EVIDENCE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": _FILES},
    206: {"description": "The part that was asked for.", "content": _FILES},
}
JPEG_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {JPEG: {"schema": {"type": "string", "format": "binary"}}}}
}

EvidenceName = Annotated[
    str,
    Path(
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$",
        description="first-wide, first-close, opened-wide, opened-close, opened-clean, latest-wide,"
        " latest-close and cleared-wide are pictures; clip is a film; manifest is the signed list."
        " Later ones of a kind are numbered: latest-wide-2."
        " first-original and opened-original are encrypted and unblurred.",
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


async def read_evidence(request: Request, name: EvidenceName) -> bytes:
    """The body, if it has the type that its name stands for."""
    return await read_body(request, kind_of_name(name))


EvidenceBody = Annotated[bytes, Depends(read_evidence)]


@router.put(
    "/evidence/{name}",
    status_code=201,
    response_class=Response,
    responses={
        204: {"description": "It was there already."},
        **problem_responses(404, 409, 413, 415),
    },
    openapi_extra=EVIDENCE_BODY,
)
def put_evidence(
    incident_id: UUID, name: EvidenceName, who: CanReport, body: EvidenceBody, deps: Deps
) -> Response:
    """Attach a picture, film or manifest to an incident's order. Evidence is never overwritten."""
    width_px, height_px = checked_size(kind_of_name(name), body, str(incident_id))
    file = actions.EvidenceFile(name=name, content=body, width_px=width_px, height_px=height_px)
    is_new = actions.attach(deps, str(incident_id), file, who.name)
    return Response(status_code=201 if is_new else 204)


@router.get(
    "/evidence/{name}",
    response_class=Response,
    responses={**EVIDENCE_ANSWER, **problem_responses(404, 416)},
)
def get_evidence(
    incident_id: UUID,
    name: EvidenceName,
    who: CanRead,
    deps: Deps,
    wanted: Annotated[
        str | None, Header(alias="Range", description="One part of it: bytes=0-1023.")
    ] = None,
) -> Response:
    """Get a picture, film or manifest, byte for byte as it was posted.

    `opened-original` needs a permission of its own, and who got it is written to the audit log.
    """
    if kind_of_name(name) is ORIGINAL:
        return sealed_answer(read_original(deps, who, str(incident_id), name))
    with deps.database.read() as connection:
        file = evidence.get_evidence(connection, str(incident_id), name)
    kind = kind_of_name(name)
    content = deps.files.load_evidence(file.sha256, kind.suffix)
    return answer(content, kind, file.sha256, wanted)


@router.put("/observation", responses=problem_responses(404))
def put_observation(
    incident_id: UUID, body: ObservationIn, who: CanReport, deps: Deps
) -> ObservationOut:
    """Report that the object is still there, or that the place is free again.

    Idempotent; an observation older than the last one, or after clearing, changes nothing. Of
    several cameras that see one thing, the last to see the place free clears the order.
    """
    seen = actions.Observation(
        last_seen_at=body.last_seen_at,
        observed_s=body.observed_s,
        inferred_s=body.inferred_s,
        cleared_at=body.cleared_at if body.state == "cleared" else None,
    )
    order = actions.observe(deps, str(incident_id), seen, who.name)
    wanted = joining.wants_picture(deps.database, order, str(incident_id))
    return observation_out(order, deps, wants_picture=wanted)
