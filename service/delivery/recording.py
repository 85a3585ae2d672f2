"""What an attempt comes to, and how that is written down."""

from __future__ import annotations

import random
from collections.abc import Sequence
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


def record_all(
    connection: Connection,
    ended: Sequence[tuple[Claim, Answer, Decision]],
    now: datetime,
    disable_after: timedelta,
) -> int:
    """Write attempts down with what follows from them; how many subscriptions are given up.

    Subscriptions in one order everywhere: two processes never wait for each other in turn.
    """
    given_up = 0
    for subscription_id in sorted({claimed.subscription_id for claimed, *_rest in ended}):
        own = [each for each in ended if each[0].subscription_id == subscription_id]
        delivered = [
            (claimed, attempt_of(answer, now))
            for claimed, answer, decision in own
            if decision.verdict is Verdict.DELIVERED
        ]
        if delivered:
            claims.finish_delivered(connection, delivered[0][0].lease_owner, delivered)
            subscriptions.note_success(connection, subscription_id, now)
        for claimed, answer, decision in own:
            if decision.verdict is not Verdict.DELIVERED:
                attempt = attempt_of(answer, now)
                given_up += record_failure(connection, claimed, attempt, decision, disable_after)
    return given_up


def record_failure(
    connection: Connection,
    claimed: Claim,
    attempt: Attempt,
    decision: Decision,
    disable_after: timedelta,
) -> bool:
    """Write a failed attempt down with what follows; whether its subscription is given up."""
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
    until = now + timedelta(seconds=decision.pause_s) if decision.pause_s else None
    subscriptions.note_failure(connection, claimed.subscription_id, until, now)
    reason = GONE_REASON if decision.verdict is Verdict.GONE else None
    return give_up_if_due(connection, claimed, now, disable_after, reason)
