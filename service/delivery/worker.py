"""Sends what is due: one thread that claims, a few that post.

A receiver that is down or slow holds back nobody else: each subscription has few requests under way
at a time, those that fail share half of the threads, and the store spares them between attempts.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import structlog

from models.errors import StoreError
from service.decisions.retry import Decision
from service.delivery.connections import KeptConnections
from service.delivery.lines import USUAL, in_lines
from service.delivery.lines import DeliverySettings as DeliverySettings
from service.delivery.metrics import DeliveryMetrics
from service.delivery.post import Answer, Poster
from service.delivery.recording import attempt_of, decided, record_all
from service.delivery.sending import ping, send
from service.delivery.together import Together
from service.delivery.tracing import attempting
from service.store import claims
from service.store.claims import Claim, Lease
from service.store.database import Database
from service.store.records import Attempt, Subscription, SubscriptionKind
from service.store.secrets import NO_KEY, SecretBox
from service.tracing import NO_TRACES, Tracer

SILENT_S = 60.0
"""The claiming thread beats at each poll; longer than the database's own time-outs."""
PINGS_AT_ONCE = 4
"""Each holds a thread of the interface for as long as the receiver takes."""

LOOK_EVERY_S = 0.02
"""At most so often it is looked what is due, however often orders change."""
RECORD_EVERY_S = 0.05
"""Attempts that took no longer together are recorded together."""

log = structlog.get_logger(__name__)


class Broker(Protocol):
    """Where subscriptions of the kind ``mqtt`` are served."""

    @property
    def is_connected(self) -> bool:
        """Whether something can be published now."""

    def publish(self, event: str) -> Answer:
        """Publish a CloudEvent and wait until the broker has it; never raises for the broker."""


class DeliveryWorker:
    """Sends deliveries in the background, between entering and leaving it."""

    def __init__(
        self,
        database: Database,
        poster: Poster,
        settings: DeliverySettings = USUAL,
        metrics: DeliveryMetrics | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        secrets: SecretBox = NO_KEY,
        mqtt: Broker | None = None,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self._tracer = tracer
        self._secrets = secrets
        self._mqtt = mqtt
        self._pings = threading.BoundedSemaphore(PINGS_AT_ONCE)
        self._database = database
        self._poster = replace(poster, kept=KeptConnections())
        self._settings = settings
        self._metrics = metrics or DeliveryMetrics()
        self._now = now
        self._owner = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self._failing: set[str] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._beat_s = time.monotonic()
        self._ended: Together[tuple[Claim, Answer]] = Together(self._settle)
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="webhook")
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the attempts under way; what was not attempted is free for the next process."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._poster.close()
        try:
            with self._database.write() as connection:
                claims.release(connection, self._owner)
        except StoreError as failure:
            log.warning("claims stay until their lease ends", reason=str(failure))

    def wake(self) -> None:
        """Something may be due: look now."""
        self._wake.set()

    def ping(self, subscription: Subscription) -> Attempt:
        """Send a test event now; raises :class:`StoreError` while too many are under way."""
        if not self._pings.acquire(blocking=False):
            raise StoreError("too many receivers are being tried: try again in a moment")
        try:
            answer = ping(self._poster, self._secrets, subscription, self._now())
        finally:
            self._pings.release()
        return attempt_of(answer, self._now())

    def check(self) -> None:
        """Raise :class:`StoreError` if nothing is sent any more."""
        silent_s = time.monotonic() - self._beat_s
        if not self._thread.is_alive() or silent_s > SILENT_S:
            raise StoreError("the webhook sender has stopped: restart the service")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._beat_s = time.monotonic()
            try:
                lines = self._claim()
            except StoreError as error:
                log.error("deliveries cannot be claimed, will keep trying", reason=str(error))
                lines = []
            for line in lines:
                self._pool.submit(self._deliver, line)
            self._stopping.wait(LOOK_EVERY_S)
            if not lines:
                self._wake.wait(self._settings.poll_s)
                self._poster.tidy()
            self._wake.clear()

    def _claim(self) -> list[list[Claim]]:
        """Claim what is due; each list is to be sent one after the other."""
        now = self._now()
        with self._database.read() as connection:
            due = claims.due_subscriptions(connection, now, self._kinds())
        room = self._room(due)
        if not room:
            return []
        lease = Lease(
            owner=self._owner,
            now=now,
            until=now + timedelta(seconds=self._settings.lease_s),
        )
        ahead = self._settings.ahead
        most = {each: lines * (1 if due[each] else ahead) for each, lines in room.items()}
        with self._database.write() as connection:
            claimed = claims.claim(connection, lease, most)
        lines = in_lines(claimed, room)
        with self._lock:
            self._under_way.update(line[0].subscription_id for line in lines)
        return lines

    def _kinds(self) -> list[SubscriptionKind]:
        """Whom this process can serve now: what is due to others waits and loses no attempt."""
        if self._mqtt is None or not self._mqtt.is_connected:
            return [SubscriptionKind.WEBHOOK]
        return [SubscriptionKind.WEBHOOK, SubscriptionKind.MQTT]

    def _room(self, due: dict[str, int]) -> dict[str, int]:
        """How many deliveries each subscription may get under way now, healthy ones first."""
        with self._lock:
            self._failing = {each for each, failures in due.items() if failures} | {
                each for each in self._failing if self._under_way[each]
            }
            free = self._settings.threads - self._under_way.total()
            of_failing = sum(self._under_way[each] for each in self._failing)
            free_for_failing = self._settings.threads // 2 - of_failing
            room: dict[str, int] = {}
            # Shuffled, so that no subscription is always served before another.
            for each in sorted(due, key=lambda name: (due[name] > 0, random.random())):
                most = 1 if due[each] else self._settings.per_subscription
                wanted = min(most - self._under_way[each], free)
                if due[each]:
                    wanted = min(wanted, free_for_failing)
                    free_for_failing -= max(wanted, 0)
                if wanted > 0:
                    room[each] = wanted
                    free -= wanted
            return room

    def _deliver(self, line: Sequence[Claim]) -> None:
        """Attempt one after the other, and give back those that are left after a failure."""
        ended: list[tuple[Claim, Answer]] = []
        begun_s = time.monotonic()
        done = 0
        try:
            for claimed in line:
                if self._stopping.is_set() or self._is_late(claimed):
                    break
                done += 1
                ended.append((claimed, self._post(claimed)))
                if not ended[-1][1].outcome.is_success:
                    break
                if time.monotonic() - begun_s > RECORD_EVERY_S:
                    self._ended.bring(*ended)
                    ended, begun_s = [], time.monotonic()
        except Exception:  # a pool thread has nobody to raise to: all is logged
            log.exception("an attempt failed by a mistake of ours", delivery=line[0].delivery_id)
        finally:
            if ended:
                self._ended.bring(*ended)
            self._give_back(line[done:])
            self._give_up_room(line[0].subscription_id)

    def _is_late(self, claimed: Claim) -> bool:
        """Whether its lease may end while it is under way, and another process may send it too."""
        left = claimed.lease_until - self._now()
        return left < timedelta(seconds=self._poster.timeout_s)

    def _give_back(self, left: Sequence[Claim]) -> None:
        if not left:
            return
        try:
            with self._database.write() as connection:
                claims.release(connection, self._owner, [each.delivery_id for each in left])
        except StoreError as failure:
            log.warning("claims stay until their lease ends", reason=str(failure))

    def _give_up_room(self, subscription_id: str) -> None:
        with self._lock:
            self._under_way[subscription_id] -= 1
        self._wake.set()

    def _post(self, claimed: Claim) -> Answer:
        with attempting(self._tracer, claimed) as attempted:
            if claimed.kind is SubscriptionKind.MQTT and self._mqtt is not None:
                return attempted.end(self._mqtt.publish(claimed.body))
            now, headers = self._now(), attempted.headers
            return attempted.end(send(self._poster, self._secrets, claimed, now, headers))

    def _settle(self, ended: Sequence[tuple[Claim, Answer]]) -> None:
        try:
            self._record(ended)
        except Exception:  # a pool thread has nobody to raise to: all is logged
            ids = [claimed.delivery_id for claimed, _answer in ended]
            log.exception("attempts were not recorded by a mistake of ours", deliveries=ids)

    def _record(self, ended: Sequence[tuple[Claim, Answer]]) -> None:
        try:
            self._record_together(ended)
        except StoreError as error:
            if len(ended) > 1:  # one of them may have spoilt it for all
                for each in ended:
                    self._record([each])
                return
            # The lease ends by itself and the delivery is sent again, with the same id.
            log.error(
                "an attempt could not be recorded",
                delivery=ended[0][0].delivery_id,
                reason=str(error),
            )

    def _record_together(self, ended: Sequence[tuple[Claim, Answer]]) -> None:
        now, settings = self._now(), self._settings
        verdicts = [(*each, decided(*each, settings.retry_scale)) for each in ended]
        with self._database.write() as connection:
            disabled = record_all(connection, verdicts, now, settings.disable_after)
        for claimed, answer, verdict in verdicts:
            self._tell(claimed, answer, verdict)
        if disabled:
            self._metrics.disabled.inc(disabled)
            self.wake()

    def _tell(self, claimed: Claim, answer: Answer, decision: Decision) -> None:
        self._metrics.count(decision.verdict, answer.duration_s)
        log.info(
            "webhook attempted",
            delivery=claimed.delivery_id,
            event_id=claimed.event_id,
            subscription=claimed.subscription_id,
            attempt=claimed.attempts + 1,
            verdict=decision.verdict,
            status=answer.outcome.status_code,
            error=answer.error,
            took_ms=round(answer.duration_s * 1000, 1),
        )
