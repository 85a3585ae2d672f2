from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.decisions.lockout import USER_LIMIT, Failures, after_failure, is_locked, network_of

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_locks_grow_from_the_fifth_failure_to_the_longest() -> None:
    failures = Failures()
    locks_s: list[float] = []
    for _ in range(12):
        failures = after_failure(failures, USER_LIMIT, NOW)
        end = failures.locked_until
        locks_s.append(0.0 if end is None else (end - NOW).total_seconds())

    assert locks_s == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert is_locked(failures, NOW)
    assert not is_locked(failures, NOW + timedelta(seconds=900))


@pytest.mark.parametrize(("minutes", "count"), [(14, 2), (15, 1)])
def test_failures_are_forgotten_after_a_quarter_of_an_hour(minutes: int, count: int) -> None:
    first = after_failure(Failures(), USER_LIMIT, NOW)

    assert after_failure(first, USER_LIMIT, NOW + timedelta(minutes=minutes)).count == count


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_counts_as_its_network(address: str, counts_as: str) -> None:
    assert network_of(address) == counts_as
