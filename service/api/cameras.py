"""``/api/v1/cameras``: how each camera is, and its latest picture."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from service.api.deps import CanRead, CanReport, Deps
from service.api.forms import NO_NUL, CameraIn
from service.api.incidents import JPEG, JPEG_ANSWER, JPEG_BODY, JpegBody
from service.api.problems import problem_responses
from service.api.views import CameraList, CameraOut, camera_out
from service.store import cameras
from service.store.records import CameraReport

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

CameraId = Annotated[str, Path(min_length=1, max_length=200, pattern=NO_NUL)]


@router.get("", responses=problem_responses())
def list_cameras(_who: CanRead, deps: Deps) -> CameraList:
    """List all cameras ever heard of; one that is silent for 30 s is offline."""
    with deps.database.read() as connection:
        reports = cameras.list_cameras(connection)
    now = deps.now()
    return CameraList(items=[camera_out(report, now) for report in reports])


@router.get("/{camera_id}", responses=problem_responses(404))
def get_camera(camera_id: CameraId, _who: CanRead, deps: Deps) -> CameraOut:
    """Read one camera."""
    with deps.database.read() as connection:
        report = cameras.get_camera(connection, camera_id)
    return camera_out(report, deps.now())


@router.put("/{camera_id}", responses=problem_responses())
def put_camera(camera_id: CameraId, body: CameraIn, _who: CanReport, deps: Deps) -> CameraOut:
    """Report how a camera is; replaces the last report."""
    report = CameraReport(camera_id=camera_id, heard_at=deps.now(), **dict(body))
    with deps.database.write() as connection:
        cameras.save_camera(connection, report)
        saved = cameras.get_camera(connection, camera_id)
    return camera_out(saved, report.heard_at)


@router.put(
    "/{camera_id}/snapshot",
    status_code=204,
    response_class=Response,
    responses=problem_responses(404, 413, 415),
    openapi_extra=JPEG_BODY,
)
def put_snapshot(camera_id: CameraId, _who: CanReport, body: JpegBody, deps: Deps) -> Response:
    """Replace the latest annotated picture of a camera that has been reported."""
    content, _size = body
    with deps.database.read() as connection:
        cameras.get_camera(connection, camera_id)
    deps.files.save_snapshot(camera_id, content)
    with deps.database.write() as connection:
        cameras.note_snapshot(connection, camera_id, deps.now())
    return Response(status_code=204)


@router.get(
    "/{camera_id}/snapshot",
    response_class=Response,
    responses={**JPEG_ANSWER, **problem_responses(404)},
)
def get_snapshot(camera_id: CameraId, _who: CanRead, deps: Deps) -> Response:
    """Get the latest annotated picture of a camera."""
    with deps.database.read() as connection:
        cameras.get_camera(connection, camera_id)
    content = deps.files.load_snapshot(camera_id)
    return Response(content, media_type=JPEG, headers={"Cache-Control": "no-store"})
