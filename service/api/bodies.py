"""What is posted as evidence, checked to be what its name says, and parts of files for players."""

from __future__ import annotations

import re

from fastapi import Request, Response

from models.errors import EvidenceError
from service.api.problems import ProblemError
from service.decisions.envelope import is_envelope
from service.decisions.evidence_kinds import FILM, ORIGINAL, PICTURE, EvidenceKind
from service.decisions.jpeg import jpeg_size
from service.decisions.manifest import read_manifest
from service.decisions.mp4 import film_size

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CACHED = "private, max-age=86400"


async def read_body(request: Request, kind: EvidenceKind) -> bytes:
    """The body, if its type is the one that is due. Its size is limited by the middleware."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != kind.content_type:
        detail = f"send {kind.content_type}, not {said or 'nothing'}"
        raise ProblemError(415, "unsupported-media-type", detail)
    return await request.body()


def checked_size(kind: EvidenceKind, content: bytes, incident_id: str) -> tuple[int, int]:
    """Width and height of a picture or film, zeros for others; a 422 for what is none."""
    if kind is PICTURE:
        picture = jpeg_size(content)
        if picture is None:
            raise _wrong("not a complete JPEG picture")
        return picture.width_px, picture.height_px
    if kind is FILM:
        film = film_size(content)
        if film is None:
            raise _wrong("not a complete MP4 film with its index first")
        return film.width_px, film.height_px
    if kind is ORIGINAL:
        if not is_envelope(content):
            raise _wrong("not an encrypted original")
        return 0, 0
    _check_manifest(content, incident_id)
    return 0, 0


def sealed_answer(content: bytes) -> Response:
    """An encrypted original: never cached, never shown by a browser."""
    headers = {"Cache-Control": "no-store", "Content-Disposition": "attachment"}
    return Response(content, media_type=ORIGINAL.content_type, headers=headers)


def answer(content: bytes, kind: EvidenceKind, digest: str, wanted: str | None) -> Response:
    """The file, or the one part of it that a player asks for with ``Range``."""
    headers = {"ETag": f'"{digest}"', "Cache-Control": _CACHED, "Accept-Ranges": "bytes"}
    part = None if wanted is None else _part(wanted, len(content))
    if part is None:
        return Response(content, media_type=kind.content_type, headers=headers)
    start, end = part
    if start >= end:
        whole = {"Content-Range": f"bytes */{len(content)}"}
        raise ProblemError(416, "no-such-part", "Range: the file has no such part", headers=whole)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(
        content[start:end], status_code=206, media_type=kind.content_type, headers=headers
    )


def _part(wanted: str, length: int) -> tuple[int, int] | None:
    """Start and end of a range; ``None``: none that is served, so the whole file (RFC 9110)."""
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, length - int(found[2])), length
    end = min(int(found[2]) + 1, length) if found[2] else length
    return int(found[1]), end


def _check_manifest(content: bytes, incident_id: str) -> None:
    try:
        manifest = read_manifest(content)
    except EvidenceError as error:
        raise _wrong(str(error)) from error
    if manifest.incident_id != incident_id:
        raise _wrong("the manifest of another incident")


def _wrong(message: str) -> ProblemError:
    wrong = [{"field": "body", "message": message}]
    return ProblemError(422, "validation", f"body: {message}", errors=wrong)
