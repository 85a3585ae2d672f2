"""Empties the outbox into the dispatch service, in order for each incident."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import structlog

from models.backoff import doubling_delay_s
from models.errors import DispatchRejected, DispatchUnavailable
from service.daemon.batching import AT_ONCE, BATCH_PATH, Item, batch_of, is_order, items_of
from service.daemon.client import DispatchClient, DispatchUnreachable, check_status
from service.daemon.edge import EdgeStore, OutboxEntry, OutboxRequest
from service.daemon.requests import JSON_TYPE

IDLE_POLL_S = 0.5
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 60.0
KEPT_S = 30 * 86_400.0
"""Refused requests, which may hold pictures, and notes of evidence are deleted after so long."""
TIDY_EVERY_S = 3600.0
ALONE_S = 600.0
"""So long orders are sent one by one when the service did not take several at once."""

log = structlog.get_logger(__name__)


def retry_delay_s(attempts: int, spread: float) -> float:
    """Exponential back-off after so many failed attempts; ``spread`` (0 to 1) is the jitter."""
    return doubling_delay_s(attempts, spread, first_s=FIRST_RETRY_S, longest_s=LONGEST_RETRY_S)


class OutboxSender:
    """A thread that sends what waits. Wake it after each commit; it polls as well.

    ``heard`` is told of each answer, in that thread.
    """

    def __init__(
        self,
        store: EdgeStore,
        client: DispatchClient,
        heard: Callable[[OutboxRequest, bytes], None] = lambda _request, _answer: None,
    ) -> None:
        self._store = store
        self._client = client
        self._heard = heard
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures_in_a_row = 0
        self._tidied_s = float("-inf")
        self._alone_until_s = float("-inf")
        self._thread = threading.Thread(target=self._run, name="outbox-sender", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Something was put in the outbox: look now."""
        self._wake.set()

    def stop(self, timeout_s: float) -> None:
        """Stop after the request under way; what is left stays in the outbox."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def drain(self, timeout_s: float) -> bool:
        """Wait until the outbox is empty; False if it was not within the time."""
        deadline = time.monotonic() + timeout_s
        while self._store.counts().waiting:
            if time.monotonic() >= deadline:
                return False
            self._stopping.wait(0.05)
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            entry = self._store.next_due(time.time())
            if entry is None:
                self._tidy()
                self._pause(IDLE_POLL_S)
            elif not self._sent_together(entry):
                self._send(entry)

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_s < TIDY_EVERY_S:
            return
        self._tidied_s = time.monotonic()
        deleted = self._store.forget_before(time.time() - KEPT_S)
        if deleted:
            log.info("old refused requests and notes deleted", count=deleted)

    def _sent_together(self, first: OutboxEntry) -> bool:
        """Send the new orders that wait in one request, if there are several; whether it went.

        A service that does not know of this, or has trouble with it, gets them one by one.
        """
        if not is_order(first) or time.monotonic() < self._alone_until_s:
            return False
        entries = self._store.due_orders(time.time(), AT_ONCE)
        if len(entries) < 2:
            return False
        try:
            answer = self._client.send("POST", BATCH_PATH, JSON_TYPE, batch_of(entries))
            items = items_of(answer, len(entries))
        except DispatchUnreachable as error:
            self._unreachable(error)
            return True
        except (DispatchUnavailable, DispatchRejected, ValueError) as error:
            log.info("orders are sent one by one", count=len(entries), reason=str(error))
            self._alone_until_s = time.monotonic() + ALONE_S
            return False
        self._failures_in_a_row = 0
        taken = [(e, i) for e, i in zip(entries, items, strict=True) if i.status < 300]
        self._store.sent(*(entry.seq for entry, _item in taken))
        for entry, item in taken:
            self._heard(entry.request, item.answer)
        for entry, item in zip(entries, items, strict=True):
            if item.status >= 300:
                self._not_taken(entry, item)
        return True

    def _not_taken(self, entry: OutboxEntry, item: Item) -> None:
        try:
            check_status(item.status, f"{item.status}: {item.detail}")
        except DispatchUnavailable as error:
            self._postpone(entry, error)
        except DispatchRejected as error:
            self._reject(entry, error)

    def _reject(self, entry: OutboxEntry, error: DispatchRejected) -> None:
        log.error("dispatch refused a request", path=entry.request.path, answer=str(error))
        self._store.reject(entry.seq, str(error))

    def _send(self, entry: OutboxEntry) -> None:
        request = entry.request
        try:
            answer = self._client.send(
                request.method, request.path, request.content_type, request.body
            )
        except DispatchUnreachable as error:
            self._unreachable(error)
        except DispatchUnavailable as error:
            self._postpone(entry, error)
        except DispatchRejected as error:
            self._reject(entry, error)
        else:
            self._store.sent(entry.seq)
            self._heard(request, answer)
            self._failures_in_a_row = 0

    def _unreachable(self, error: DispatchUnreachable) -> None:
        if self._failures_in_a_row == 0:
            log.warning("dispatch cannot be reached, will keep trying", reason=str(error))
        delay = retry_delay_s(self._failures_in_a_row, random.random())
        self._failures_in_a_row += 1
        # New work must not cut the pause short: without a connection it would fail as well.
        self._stopping.wait(delay)

    def _postpone(self, entry: OutboxEntry, error: DispatchUnavailable) -> None:
        delay = retry_delay_s(entry.attempts, random.random())
        log.warning("dispatch asks to try later", path=entry.request.path, answer=str(error))
        self._store.postpone(entry.seq, time.time() + delay)

    def _pause(self, timeout_s: float) -> None:
        self._wake.wait(timeout_s)
        self._wake.clear()
