"""Around every request: an id, a size limit, security headers, a log line, metrics."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.metrics import ApiMetrics

REQUEST_ID = "x-request-id"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self'; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": CONTENT_POLICY,
    # Browsers ask each time: orders change, and the modules of one version belong together.
    "Cache-Control": "no-cache",
}
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds: logged only when they fail."""

log = structlog.get_logger(__name__)


class Observe:
    """Gives each request an id, adds security headers, logs and counts the answer."""

    def __init__(self, app: ASGIApp, metrics: ApiMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = _request_id(Headers(scope=scope))
        status = 500
        started_s = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), scope["request_id"])
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._tell(scope, status, time.perf_counter() - started_s)

    def _tell(self, scope: Scope, status: int, took_s: float) -> None:
        # The template of the path, so that ids do not make a time series each.
        route = getattr(scope.get("route"), "path", "") or "static"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_s.labels(method, route).observe(took_s)
        if route in QUIET_ROUTES and status < 500:
            return
        log.info(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            took_ms=round(took_s * 1000, 1),
            request_id=scope["request_id"],
            who=scope.get("state", {}).get("who"),
            **({"trace_id": scope["trace_id"]} if "trace_id" in scope else {}),
        )


class LimitBody:
    """Refuses bodies that are too large, whatever their Content-Length says."""

    def __init__(
        self, app: ASGIApp, max_json_bytes: int, max_picture_bytes: int, max_film_bytes: int
    ) -> None:
        self._app = app
        self._max_json_bytes = max_json_bytes
        self._max_bytes = {
            "image": max_picture_bytes,
            "multipart": max_picture_bytes,
            "video": max_film_bytes,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = Headers(scope=scope).get("content-type", "")
        family = kind.partition("/")[0].lower()
        limit = self._max_bytes.get(family, self._max_json_bytes)
        if kind.partition(";")[0].strip().lower() == "application/octet-stream":
            limit = self._max_bytes["image"]  # an encrypted picture
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, f"the body is larger than {limit} bytes")
            return message

        await self._app(scope, receive_limited, send)


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID_FORM.fullmatch(given) else uuid.uuid4().hex


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    headers[REQUEST_ID] = request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
