"""Times as whole microseconds since 1970, as arrays and files hold them; exact both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000


def to_us(at: datetime) -> int:
    """Whole microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def from_us(at_us: int) -> datetime:
    """The time, in UTC, of so many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)


def span_us(span: timedelta) -> int:
    """A time span in whole microseconds."""
    return span // MICROSECOND
