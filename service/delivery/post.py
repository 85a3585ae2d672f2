"""One POST to a receiver that may be slow, hostile or gone.

``http.client`` reads the answer from a socket of our own: no redirects and no proxies are followed,
it is connected to the address that was checked, and the whole exchange ends at a deadline, however
slowly the receiver drips.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from service.decisions.retry import Outcome
from service.delivery.addresses import Address, resolve
from service.delivery.connections import Deadline, KeptConnections, Receiver, TimedSocket

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 1024
USER_AGENT = "Streetwarden-Webhooks/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a POST."""

    outcome: Outcome
    duration_s: float
    error: str | None = None
    text: str = ""
    """Beginning of the answer's body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Poster:
    """Posts with a deadline to addresses that are allowed."""

    allow_private: bool = False
    timeout_s: float = TIMEOUT_S
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    kept: KeptConnections | None = None
    """Connections that are used again; ``None``: each request has its own."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send, and tell what the receiver answered; never raises for anything it does."""
        started_s = time.monotonic()
        try:
            outcome, text = self._exchange(url, headers, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(
                outcome=Outcome(status_code=None),
                duration_s=time.monotonic() - started_s,
                error=_told(error, time.monotonic() - started_s >= self.timeout_s),
            )
        error_text = None if outcome.is_success else f"HTTP {outcome.status_code}"
        return Answer(
            outcome=outcome,
            duration_s=time.monotonic() - started_s,
            error=error_text,
            text=text,
        )

    def tidy(self) -> None:
        """Close the connections that nobody has used for a while."""
        if self.kept is not None:
            self.kept.tidy()

    def close(self) -> None:
        """Close the connections that were kept."""
        if self.kept is not None:
            self.kept.close()

    def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Outcome, str]:
        parts = urlsplit(url)
        to = (parts.scheme, parts.hostname or "", parts.port or _default_port(parts.scheme))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = _request(target, {"Host": _host_header(parts.netloc), **headers}, body)
        deadline = Deadline(self.timeout_s)
        kept = None if self.kept is None else self.kept.take(to)
        if kept is not None:
            try:
                return self._answer(kept, to, request, deadline)
            except ConnectionError:
                pass  # closed meanwhile, before it answered: a new one tells how the receiver is
        return self._answer(self._connected(to, deadline), to, request, deadline)

    def _connected(self, to: Receiver, deadline: Deadline) -> TimedSocket:
        scheme, host, port = to
        raw = _connect(resolve(host, port, allow_private=self.allow_private), port, deadline)
        return TimedSocket(self._wrap(raw, host, scheme))

    def _answer(
        self, connection: TimedSocket, to: Receiver, request: bytes, deadline: Deadline
    ) -> tuple[Outcome, str]:
        connection.deadline = deadline
        is_kept = False
        try:
            connection.sendall(request)
            # It asks of a socket no more than makefile().
            response = http.client.HTTPResponse(connection, method="POST")  # type: ignore[arg-type]
            try:
                response.begin()
                answer = _read(response)
                # Read to its end, by a receiver that goes on: then it is free for the next.
                is_kept = response.isclosed() and not response.will_close
            finally:
                response.close()
        finally:
            if is_kept and self.kept is not None:
                self.kept.keep(to, connection)
            else:
                connection.close()
        return answer

    def _wrap(self, raw: socket.socket, host: str, scheme: str) -> socket.socket:
        if scheme != "https":
            return raw
        try:
            # The handshake comes with the first write, within the deadline.
            return self.tls().wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            raw.close()
            raise


def _request(target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as it goes out, in one piece; a :class:`ValueError` for what cannot be sent."""
    fields = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    if " " in target or any(not line.isprintable() for line in lines):
        raise ValueError("the address holds characters that cannot be sent")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("ascii") + body


def _connect(addresses: list[Address], port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers, all of them together within the time."""
    failure: OSError = OSError("no address")
    for family, address in addresses:
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(deadline.left_s)
            connected.connect((address, port))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connected.close()
            failure = error
        else:
            return connected
    raise failure


def _read(response: http.client.HTTPResponse) -> tuple[Outcome, str]:
    outcome = Outcome(
        status_code=response.status,
        retry_after_s=retry_after_s(response.getheader("Retry-After"), datetime.now(UTC)),
    )
    try:
        text = response.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError):
        # The status line is the answer; a body that breaks off changes nothing about it.
        text = ""
    return outcome, text.replace("\x00", "")


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, given as seconds or as a date."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _host_header(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _told(error: Exception, timed_out: bool) -> str:
    if timed_out or isinstance(error, TimeoutError):
        return "no complete answer in time"
    return f"{type(error).__name__}: {error}"[:300]
