"""A span for each request, in the trace that whoever sent it began."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.middleware import QUIET_ROUTES
from service.tracing import TRACEPARENT, Kind, Tracer

_TRACE_ID = slice(3, 35)
"""Of a traceparent: ``00-``, 32 digits, ``-`` …"""


class TraceRequests:
    """Makes the span that all others of a request belong to."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in QUIET_ROUTES:
            await self._app(scope, receive, send)
            return
        parent = Headers(scope=scope).get(TRACEPARENT)
        with self._tracer.span(scope["method"], Kind.SERVER, parent) as span:
            scope["trace_id"] = (self._tracer.current() or "")[_TRACE_ID]

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.note({"http.response.status_code": status})
                    if status >= 500:
                        span.fail(f"HTTP {status}")
                await send(message)

            try:
                await self._app(scope, receive, send_and_note)
            finally:
                # The template of the path, known only now: one name for all orders.
                route = getattr(scope.get("route"), "path", None)
                span.name(f"{scope['method']} {route}" if route else scope["method"])
                span.note(
                    {
                        "http.request.method": scope["method"],
                        "http.route": route,
                        "url.path": scope["path"],
                        "streetwarden.request_id": scope.get("request_id"),
                    }
                )
