"""A webhook receiver: verifies each delivery's signature and keeps it for the summary."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One verified delivery."""

    webhook_id: str
    """The same over retries of one event."""
    event_type: str
    data: Mapping[str, Any]


class WebhookReceiver:
    """Listens on loopback; call :meth:`trust` with the secret before events come."""

    def __init__(
        self, on_delivery: Callable[[Received], None] = lambda _: None, port: int = 0
    ) -> None:
        self._on_delivery = on_delivery
        self._lock = threading.Lock()
        self._received: dict[str, Received] = {}
        self._refused = 0
        self._webhook: Webhook | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    @property
    def received(self) -> tuple[Received, ...]:
        """Every event once, in the order of arrival, however often it was delivered."""
        with self._lock:
            return tuple(self._received.values())

    @property
    def refused(self) -> int:
        """Requests whose signature was wrong."""
        with self._lock:
            return self._refused

    def trust(self, secret: str) -> None:
        """Accept what is signed with this ``whsec_…`` secret."""
        self._webhook = Webhook(secret)

    def _take(self, body: bytes, headers: dict[str, str]) -> bool:
        try:
            if self._webhook is None:
                raise WebhookVerificationError("no secret yet")
            self._webhook.verify(body, headers)
        except WebhookVerificationError:
            with self._lock:
                self._refused += 1
            return False
        event = json.loads(body)
        delivery = Received(
            webhook_id=headers["webhook-id"], event_type=event["type"], data=event["data"]
        )
        with self._lock:
            is_new = delivery.webhook_id not in self._received
            self._received.setdefault(delivery.webhook_id, delivery)
        if is_new:
            self._on_delivery(delivery)
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length", 0)), MAX_BODY_BYTES)
                headers = {name.lower(): value for name, value in self.headers.items()}
                accepted = take(self.rfile.read(length), headers)
                self.send_response(204 if accepted else 400)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent: deliveries are printed, not requests."""

        return Handler
