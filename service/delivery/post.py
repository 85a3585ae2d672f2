"""One POST to a receiver that may be slow, hostile or gone.

``http.client`` on a socket of our own: it follows no redirects and no proxies, connects to the
address that was checked, and the whole exchange ends at a deadline, however slowly the receiver
drips.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from service.decisions.retry import Outcome
from service.delivery.addresses import Address, resolve

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

    def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Outcome, str]:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _default_port(parts.scheme)
        connection = http.client.HTTPConnection(host, port, timeout=self.timeout_s)
        addresses = resolve(host, port, allow_private=self.allow_private)
        deadline = _Deadline(self.timeout_s)
        try:
            raw = _connect(addresses, port, deadline)
            connection.sock = self._wrap(raw, host, parts.scheme)
            deadline.watch(connection.sock)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            all_headers = {"User-Agent": USER_AGENT, "Host": _host_header(parts.netloc), **headers}
            connection.request("POST", target, body, all_headers)
            response = connection.getresponse()
            if deadline.is_over:
                # Cut off within the headers, which http.client takes for their end.
                raise TimeoutError
            return _read(response)
        finally:
            deadline.cancel()
            connection.close()

    def _wrap(self, raw: socket.socket, host: str, scheme: str) -> socket.socket:
        if scheme != "https":
            return raw
        try:
            # The handshake comes with the first write, when the deadline already watches it.
            return self.tls().wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            raw.close()
            raise


class _Deadline:
    """Cuts a connection off at a time, which ends every read and write on it."""

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s
        self._timer: threading.Timer | None = None

    @property
    def left_s(self) -> float:
        """What is left of the time; never quite nothing, which would mean "do not wait"."""
        return max(0.01, self._end_s - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether the connection has been cut off."""
        return time.monotonic() >= self._end_s

    def watch(self, connected: socket.socket) -> None:
        """Cut this socket off when the time is over."""
        self._timer = threading.Timer(self.left_s, _cut, (connected,))
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """The exchange is over."""
        if self._timer is not None:
            self._timer.cancel()


def _cut(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the receiver closed it first


def _connect(addresses: list[Address], port: int, deadline: _Deadline) -> socket.socket:
    """Connect to the first address that answers, all of them together within the time."""
    failure: OSError = OSError("no address")
    for family, address in addresses:
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(deadline.left_s)
            connected.connect((address, port))
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
