"""When sign-in is refused for a while: too many failures of a name or from an address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
"""Failures are forgotten after so long without another one."""
IPV6_NETWORK_BITS = 64
"""What one household or office gets: its addresses count as one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many failures are free, and how long each further one locks."""

    free_failures: int
    first_lock: timedelta
    longest_lock: timedelta


USER_LIMIT = Limit(
    free_failures=5, first_lock=timedelta(seconds=30), longest_lock=timedelta(minutes=15)
)
"""Of one name: about 100 guesses a day at most, while its owner never waits for long."""
ADDRESS_LIMIT = Limit(
    free_failures=30, first_lock=timedelta(minutes=1), longest_lock=timedelta(hours=1)
)
"""Of one address, which a whole office may share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failures:
    """Failures of one name or address so far."""

    count: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None


def is_locked(failures: Failures, now: datetime) -> bool:
    """Whether an attempt is refused without looking at it."""
    return failures.locked_until is not None and now < failures.locked_until


def after_failure(failures: Failures, limit: Limit, now: datetime) -> Failures:
    """What is remembered once one more attempt failed."""
    is_recent = failures.last_at is not None and now - _later(failures) < WINDOW
    count = failures.count + 1 if is_recent else 1
    beyond = count - limit.free_failures
    if beyond < 0:
        return Failures(count=count, last_at=now)
    # The exponent is bounded: a number of days would not fit a timedelta.
    lock = min(limit.first_lock * 2 ** min(beyond, 20), limit.longest_lock)
    return Failures(count=count, last_at=now, locked_until=now + lock)


def _later(failures: Failures) -> datetime:
    """From when the window counts: a lock is no rest from failures."""
    assert failures.last_at is not None  # noqa: S101 - checked by the caller
    return max(failures.last_at, failures.locked_until or failures.last_at)


def network_of(address: str) -> str:
    """What an address counts as: itself, or the /64 of an IPv6 address; other text as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_NETWORK_BITS), strict=False))
