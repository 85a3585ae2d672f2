"""Errors as RFC 9457 ``application/problem+json`` that name the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from models.errors import ConflictError, NotFoundError, StoreError

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:streetwarden:problem:"
_TYPES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    422: "validation",
}

log = structlog.get_logger(__name__)


class FieldProblem(BaseModel):
    """One wrong field."""

    field: str = Field(examples=["body.box_xyxy"])
    message: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:streetwarden:problem:validation"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request.")
    request_id: str = Field(description="Find this request in the service's log.")
    errors: list[FieldProblem] | None = Field(None, description="Which fields are wrong.")
    allowed: list[str] | None = Field(None, description="Statuses that the order may go to.")
    roles: list[str] | None = Field(None, description="Roles that may do what was refused.")


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


def field_problem(field: str, message: str) -> ProblemError:
    """422 about one field."""
    return ProblemError(
        422, "validation", f"{field}: {message}", errors=[{"field": field, "message": message}]
    )


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI is told of the problems that a route may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
        }
        for status in sorted({401, 403, 422, 503, *statuses})
    }


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(StoreError, _on_store)
    app.add_exception_handler(Exception, _on_anything)


def _answer(
    request: Request,
    status: int,
    kind: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> JSONResponse:
    body = {
        "type": _TYPE_PREFIX + kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id", ""),
        **(extra or {}),
    }
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class only
    return _answer(request, error.status, error.kind, error.detail, error.headers, error.extra)


def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    errors = [
        {"field": ".".join(str(part) for part in each["loc"]), "message": each["msg"]}
        for each in error.errors()
    ]
    return _answer(request, 422, "validation", _summary(errors), extra={"errors": errors})


def _summary(errors: Sequence[Mapping[str, str]]) -> str:
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{first['field']}: {first['message']}{more}"


def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    kind = _TYPES.get(error.status_code, "http")
    return _answer(request, error.status_code, kind, str(error.detail), error.headers)


def _on_store(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, NotFoundError):
        return _answer(request, 404, "not-found", str(error))
    if isinstance(error, ConflictError):
        return _answer(request, 409, "conflict", str(error))
    log.error("the store failed", reason=str(error), path=request.url.path)
    return _answer(
        request, 503, "unavailable", "the store cannot be used now", {"Retry-After": "5"}
    )


def _on_anything(request: Request, error: Exception) -> JSONResponse:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return _answer(request, 500, "internal", "an error of the service; its log tells more")
