"""HTTP to the dispatch service, with answers mapped to "try again" or "never"."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from models.errors import DispatchRejected, DispatchUnavailable
from service.tracing import NO_TRACES, TRACEPARENT, Kind, Tracer

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 20.0
RETRYABLE_STATUS = frozenset({401, 403, 408, 425, 429})
"""Besides 5xx. A wrong key (401, 403) is a matter of configuration: the order must not be lost."""
REASON_CHARACTERS = 300
REQUEST_ID = "X-Request-ID"
"""Under which the service's log has the request."""


class DispatchUnreachable(DispatchUnavailable):
    """No connection at all: every request will fare alike, so all of them wait."""


class DispatchClient:
    """Posts to one dispatch service. One client may serve several threads."""

    def __init__(
        self,
        url: str,
        api_key: str,
        transport: httpx.BaseTransport | None = None,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self._tracer = tracer
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(REQUEST_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, method: str, path: str, content_type: str, body: bytes) -> bytes:
        """Send one request; return the answer when the service has taken it.

        Raises :class:`DispatchUnreachable` without a connection, :class:`DispatchUnavailable` when
        this request may succeed later, :class:`DispatchRejected` when it never will.
        """
        with self._tracer.span(f"dispatch {method}", Kind.CLIENT) as span:
            span.note({"http.request.method": method, "url.path": path})
            headers = {"Content-Type": content_type}
            if (current := self._tracer.current()) is not None:
                headers[TRACEPARENT] = current
            response = self._request(method, path, headers, body)
            request_id = response.headers.get(REQUEST_ID)
            span.note(
                {
                    "http.response.status_code": response.status_code,
                    "streetwarden.request_id": request_id,
                }
            )
            _check(response)
        return response.content

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        try:
            return self._http.request(method, path, content=body, headers=headers)
        except httpx.TransportError as error:
            raise DispatchUnreachable(f"{type(error).__name__}: {error}") from error


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    said = f"{response.status_code}: {response.text[:REASON_CHARACTERS]}"
    check_status(response.status_code, said)


def check_status(status: int, said: str) -> None:
    """Raise :class:`DispatchUnavailable` or :class:`DispatchRejected`, unless it is a success."""
    if 200 <= status < 300:
        return
    if status >= 500 or status in RETRYABLE_STATUS:
        raise DispatchUnavailable(said)
    raise DispatchRejected(said)
