"""When a failed delivery is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SCHEDULE_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Wait before each attempt: the schedule that Standard Webhooks recommends, about 3 days."""
JITTER_RATIO = 0.2
LONGEST_RETRY_AFTER_S = 86_400.0
PAUSE_AFTER_FAILURES = 3
"""One refused event says little about a receiver; three failures in a row do."""
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0
GONE = 410
DISABLE_AFTER = timedelta(days=5)
"""As Standard Webhooks recommends: failing for days without a success."""
DISABLE_AFTER_FAILURES = 10
"""As many as one delivery has attempts: one bad event a week is no receiver that is gone."""
_BUSY = frozenset({408, 425, 429})


class Verdict(StrEnum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"
    GONE = "gone"
    """The receiver wants no more: the subscription ends as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a receiver answered; ``status_code`` None: there was no answer."""

    status_code: int | None
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Only 2xx is; a redirect is not followed and is a failure."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_receiver_down(self) -> bool:
        """Whether any other event would have fared alike."""
        code = self.status_code
        return code is None or code >= 500 or code in _BUSY


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to do after an attempt."""

    verdict: Verdict
    delay_s: float = 0.0
    """Wait before the next attempt of this delivery."""
    pause_s: float = 0.0
    """Wait before the next attempt of any delivery of this subscription."""


def decide(
    outcome: Outcome, attempts: int, failures_in_a_row: int, spread: float, scale: float = 1.0
) -> Decision:
    """Judge an attempt.

    ``attempts`` counts this one; ``failures_in_a_row`` is the subscription's count before it;
    ``spread`` (0 to 1) is the jitter; ``scale`` shortens all waits, for demonstrations and tests.
    """
    if outcome.is_success:
        return Decision(verdict=Verdict.DELIVERED)
    if outcome.status_code == GONE:
        return Decision(verdict=Verdict.GONE)
    pause = pause_s(outcome, failures_in_a_row + 1) * scale
    if attempts >= len(SCHEDULE_S):
        return Decision(verdict=Verdict.DEAD, pause_s=pause)
    delay = SCHEDULE_S[attempts] * (1 + JITTER_RATIO * spread) * scale
    asked = asked_wait_s(outcome)
    return Decision(verdict=Verdict.RETRY, delay_s=max(delay, asked), pause_s=max(pause, asked))


def is_given_up(
    failing_since: datetime | None, failures_in_a_row: int, now: datetime, after: timedelta
) -> bool:
    """Whether a receiver has failed for so long that it is not called any more."""
    if failing_since is None or failures_in_a_row < DISABLE_AFTER_FAILURES:
        return False
    return now - failing_since >= after


def asked_wait_s(outcome: Outcome) -> float:
    """How long the receiver asks to be left alone, within reason."""
    return min(max(outcome.retry_after_s or 0.0, 0.0), LONGEST_RETRY_AFTER_S)


def pause_s(outcome: Outcome, failures_in_a_row: int) -> float:
    """How long a receiver that seems down is spared; grows, but never beyond a minute."""
    if not outcome.is_receiver_down or failures_in_a_row < PAUSE_AFTER_FAILURES:
        return 0.0
    doublings = min(failures_in_a_row - PAUSE_AFTER_FAILURES, 10)
    return min(FIRST_PAUSE_S * 2.0**doublings, LONGEST_PAUSE_S)
