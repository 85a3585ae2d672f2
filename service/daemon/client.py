"""HTTP to the dispatch service, with answers mapped to "try again" or "never"."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from models.errors import DispatchRejected, DispatchUnavailable

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 20.0
RETRYABLE_STATUS = frozenset({401, 403, 408, 425, 429})
"""Besides 5xx. A wrong key (401, 403) is a matter of configuration: the order must not be lost."""
REASON_CHARACTERS = 300


class DispatchUnreachable(DispatchUnavailable):
    """No connection at all: every request will fare alike, so all of them wait."""


class DispatchClient:
    """Posts to one dispatch service. One client may serve several threads."""

    def __init__(
        self, url: str, api_key: str, transport: httpx.BaseTransport | None = None
    ) -> None:
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
        try:
            response = self._http.request(
                method, path, content=body, headers={"Content-Type": content_type}
            )
        except httpx.TransportError as error:
            raise DispatchUnreachable(f"{type(error).__name__}: {error}") from error
        _check(response)
        return response.content


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    said = f"{response.status_code}: {response.text[:REASON_CHARACTERS]}"
    if response.is_server_error or response.status_code in RETRYABLE_STATUS:
        raise DispatchUnavailable(said)
    raise DispatchRejected(said)
