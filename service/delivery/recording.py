"""What an attempt comes to, and how that is written down."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from service.decisions.retry import Decision, Verdict, decide
from service.delivery.giving_up import give_up_if_due
from service.delivery.post import Answer
from service.store import claims, subscriptions
from service.store.claims import Claim
from service.store.records import Attempt, DeliveryState

GONE_REASON = "the receiver answered 410 Gone"
_STATES = {
    Verdict.DELIVERED: DeliveryState.DELIVERED,
    Verdict.RETRY: DeliveryState.PENDING,
    Verdict.DEAD: DeliveryState.DEAD,
    Verdict.GONE: DeliveryState.DEAD,
}


def decided(claimed: Claim, answer: Answer, retry_scale: float) -> Decision:
    """What follows from an answer; ``retry_scale`` shortens the waits."""
    attempts = claimed.attempts + 1
    failures = claimed.failures_in_a_row
    return decide(answer.outcome, attempts, failures, random.random(), retry_scale)


def attempt_of(answer: Answer, at: datetime) -> Attempt:
    """An answer as the store keeps it."""
    return Attempt(
        at=at,
        duration_s=round(answer.duration_s, 4),
        status_code=answer.outcome.status_code,
        error=answer.error,
        answer=answer.text,
    )


def record(
    connection: Connection,
    claimed: Claim,
    attempt: Attempt,
    decision: Decision,
    disable_after: timedelta,
) -> bool:
    """Write an attempt down with what follows from it; whether its subscription is given up."""
    now = attempt.at
    is_ours = claims.finish(
        connection,
        claimed,
        attempt,
        state=_STATES[decision.verdict],
        next_attempt_at=now + timedelta(seconds=decision.delay_s),
    )
    if not is_ours:
        return False
    if decision.verdict is Verdict.DELIVERED:
        subscriptions.note_success(connection, claimed.subscription_id, now)
        return False
    until = now + timedelta(seconds=decision.pause_s) if decision.pause_s else None
    subscriptions.note_failure(connection, claimed.subscription_id, until, now)
    reason = GONE_REASON if decision.verdict is Verdict.GONE else None
    return give_up_if_due(connection, claimed, now, disable_after, reason)
