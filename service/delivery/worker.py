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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import structlog

from models.errors import StoreError
from service.decisions.retry import DISABLE_AFTER, Decision
from service.delivery.metrics import DeliveryMetrics
from service.delivery.post import Answer, Poster
from service.delivery.recording import attempt_of, decided, record
from service.delivery.sending import ping, send
from service.delivery.together import Together
from service.store import claims
from service.store.claims import Claim, Lease
from service.store.database import Database
from service.store.records import Attempt, Subscription, SubscriptionKind
from service.store.secrets import NO_KEY, SecretBox

SILENT_S = 60.0
"""The claiming thread beats at each poll; longer than the database's own time-outs."""
PINGS_AT_ONCE = 4
"""Each holds a thread of the interface for as long as the receiver takes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverySettings:
    """How deliveries are sent."""

    threads: int = 16
    per_subscription: int = 4
    """Requests to one subscription at a time, each of another order."""
    poll_s: float = 0.5
    lease_s: float = 60.0
    """A claim that is not finished by then is taken for lost; longer than any attempt."""
    retry_scale: float = 1.0
    """Shortens all waits between attempts, for demonstrations and tests."""
    disable_after: timedelta = DISABLE_AFTER
    """A subscription whose attempts all failed for so long is made inactive."""


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
        settings: DeliverySettings = DeliverySettings(),
        metrics: DeliveryMetrics | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        secrets: SecretBox = NO_KEY,
        mqtt: Broker | None = None,
    ) -> None:
        self._secrets = secrets
        self._mqtt = mqtt
        self._pings = threading.BoundedSemaphore(PINGS_AT_ONCE)
        self._database = database
        self._poster = poster
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
                claimed = self._claim()
            except StoreError as error:
                log.error("deliveries cannot be claimed, will keep trying", reason=str(error))
                claimed = []
            for each in claimed:
                self._pool.submit(self._attempt, each)
            if not claimed:
                self._wake.wait(self._settings.poll_s)
            self._wake.clear()

    def _claim(self) -> list[Claim]:
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
        with self._database.write() as connection:
            claimed = claims.claim(connection, lease, room)
        with self._lock:
            self._under_way.update(each.subscription_id for each in claimed)
        return claimed

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

    def _attempt(self, claimed: Claim) -> None:
        try:
            answer = self._post(claimed)
        except Exception:  # a pool thread has nobody to raise to: all is logged
            log.exception("an attempt failed by a mistake of ours", delivery=claimed.delivery_id)
            self._give_up_room([claimed])
        else:
            self._ended.bring((claimed, answer))

    def _give_up_room(self, ended: Sequence[Claim]) -> None:
        with self._lock:
            self._under_way.subtract(each.subscription_id for each in ended)
        self._wake.set()

    def _post(self, claimed: Claim) -> Answer:
        if claimed.kind is SubscriptionKind.MQTT and self._mqtt is not None:
            return self._mqtt.publish(claimed.body)
        return send(self._poster, self._secrets, claimed, self._now())

    def _settle(self, ended: Sequence[tuple[Claim, Answer]]) -> None:
        try:
            self._record(ended)
        except Exception:  # a pool thread has nobody to raise to: all is logged
            ids = [claimed.delivery_id for claimed, _answer in ended]
            log.exception("attempts were not recorded by a mistake of ours", deliveries=ids)
        finally:
            self._give_up_room([claimed for claimed, _answer in ended])

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
        # Subscriptions in one order everywhere: two processes never wait for each other in turn.
        ordered = sorted(ended, key=lambda each: (each[0].subscription_id, each[0].delivery_id))
        verdicts = [(*each, decided(*each, settings.retry_scale)) for each in ordered]
        with self._database.write() as connection:
            disabled = [
                record(
                    connection, claimed, attempt_of(answer, now), verdict, settings.disable_after
                )
                for claimed, answer, verdict in verdicts
            ]
        for claimed, answer, verdict in verdicts:
            self._tell(claimed, answer, verdict)
        if any(disabled):
            self._metrics.disabled.inc(sum(disabled))
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
