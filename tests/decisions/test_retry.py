from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decisions.retry import (
    DISABLE_AFTER,
    JITTER_RATIO,
    LONGEST_PAUSE_S,
    LONGEST_RETRY_AFTER_S,
    SCHEDULE_S,
    Outcome,
    Verdict,
    decide,
    is_given_up,
    pause_s,
)

FAILURES = st.builds(
    Outcome,
    status_code=st.none() | st.integers(300, 599).filter(lambda code: code != 410),
    retry_after_s=st.none() | st.floats(-10, 1e9),
)


def outcome(status: int | None, retry_after_s: float | None = None) -> Outcome:
    return Outcome(status_code=status, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (299, Verdict.DELIVERED),
        (101, Verdict.RETRY),
        (301, Verdict.RETRY),
        (307, Verdict.RETRY),
        (400, Verdict.RETRY),
        (404, Verdict.RETRY),
        (410, Verdict.GONE),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (None, Verdict.RETRY),
    ],
)
def test_only_2xx_is_success_and_only_410_ends_the_subscription(
    status: int | None, verdict: Verdict
) -> None:
    assert decide(outcome(status), 1, 0, 0.5).verdict is verdict


def test_waits_follow_the_schedule_of_standard_webhooks_then_it_is_given_up() -> None:
    waits = [decide(outcome(500), attempts, 0, 0.0).delay_s for attempts in range(1, 10)]

    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert decide(outcome(500), 10, 0, 0.0).verdict is Verdict.DEAD


@given(FAILURES, st.integers(1, 9), st.integers(0, 1000), st.floats(0, 1))
def test_a_wait_is_never_shorter_than_scheduled_or_asked_for_and_always_bounded(
    failure: Outcome, attempts: int, failures: int, spread: float
) -> None:
    decision = decide(failure, attempts, failures, spread)

    assert decision.verdict is Verdict.RETRY
    assert decision.delay_s >= SCHEDULE_S[attempts]
    assert decision.delay_s <= max(SCHEDULE_S[attempts] * (1 + JITTER_RATIO), LONGEST_RETRY_AFTER_S)
    if failure.retry_after_s is not None:
        asked = min(failure.retry_after_s, LONGEST_RETRY_AFTER_S)
        assert decision.delay_s >= asked
        assert decision.pause_s >= asked


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_receiver_that_is_down_is_spared_longer_but_never_beyond_a_minute(
    fewer: int, more: int
) -> None:
    fewer, more = sorted((fewer, more))

    assert 0 <= pause_s(outcome(None), fewer) <= pause_s(outcome(None), more) <= LONGEST_PAUSE_S


@pytest.mark.parametrize(
    ("status", "failures", "expected"),
    [
        (None, 2, 0.0),
        (None, 3, 5.0),
        (503, 4, 10.0),
        (429, 3, 5.0),
        (404, 100, 0.0),
        (307, 100, 0.0),
    ],
)
def test_only_failures_that_any_event_would_meet_pause_a_subscription(
    status: int | None, failures: int, expected: float
) -> None:
    assert pause_s(outcome(status), failures) == expected


def test_the_scale_shortens_waits_but_not_what_the_receiver_asks_for() -> None:
    assert decide(outcome(500), 2, 9, 0.0, scale=0.01).delay_s == pytest.approx(3)
    assert decide(outcome(429, 7.0), 2, 9, 0.0, scale=0.0).delay_s == 7.0


@pytest.mark.parametrize(
    ("failing_for_s", "failures", "expected"),
    [
        (None, 50, False),
        (5 * 86_400 - 1, 50, False),
        (5 * 86_400, 9, False),
        (5 * 86_400, 10, True),
    ],
    ids=["works", "not-long-enough", "few-attempts", "both"],
)
def test_a_receiver_is_given_up_after_days_and_several_attempts(
    failing_for_s: float | None, failures: int, expected: bool
) -> None:
    now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    since = None if failing_for_s is None else now - timedelta(seconds=failing_for_s)

    assert is_given_up(since, failures, now, DISABLE_AFTER) is expected
