"""The query of ``GET requests``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from models.category import CategoryTable
from service.api.open311.answers import Format, Open311Error
from service.api.open311.records import CLOSED, OPEN
from service.store.schema import orders

LONGEST_SPAN = timedelta(days=90)
MOST_ITEMS = 200
USUAL_ITEMS = 50
LARGEST_NUMBER = 2**63 - 1
_STATUSES = {"open": OPEN, "closed": CLOSED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which requests, and which page of them."""

    condition: sa.ColumnElement[bool]
    limit: int
    offset: int


def read_query(
    given: Mapping[str, str], table: CategoryTable, now: datetime, fmt: Format
) -> Wanted:
    """What a client asks for; an empty parameter is none. Raises :class:`Open311Error`."""
    query = {name: value.strip() for name, value in given.items() if value.strip()}
    public = orders.c.category.in_([category.key for category in table.public()])
    page = _number(query, "page", 1, 1_000_000, fmt)
    size = _number(query, "page_size", USUAL_ITEMS, MOST_ITEMS, fmt)
    if "service_request_id" in query:
        numbers = _numbers(query["service_request_id"], fmt)
        return Wanted(condition=sa.and_(public, numbers), limit=MOST_ITEMS, offset=0)
    conditions = [
        public,
        *_span(query, now, fmt),
        *_updated(query, fmt),
        *_services(query, table, fmt),
        *_status(query, fmt),
    ]
    return Wanted(condition=sa.and_(*conditions), limit=size, offset=(page - 1) * size)


def _numbers(text: str, fmt: Format) -> sa.ColumnElement[bool]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MOST_ITEMS:
        raise Open311Error(400, f"at most {MOST_ITEMS} values of service_request_id", fmt)
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    return orders.c.number.in_([each for each in numbers if each <= LARGEST_NUMBER])


def _services(
    query: Mapping[str, str], table: CategoryTable, fmt: Format
) -> list[sa.ColumnElement[bool]]:
    if "service_code" not in query:
        return []
    found = []
    for code in query["service_code"].split(","):
        category = table.by_service_code(code.strip())
        if category is None:
            raise Open311Error(404, f"service_code '{code.strip()[:100]}' was not found", fmt)
        found.append(category.key)
    return [orders.c.category.in_(found)]


def _status(query: Mapping[str, str], fmt: Format) -> list[sa.ColumnElement[bool]]:
    if "status" not in query:
        return []
    names = [part.strip().lower() for part in query["status"].split(",")]
    if not set(names) <= set(_STATUSES):
        raise Open311Error(400, "status should be open or closed", fmt)
    return [orders.c.status.in_([each for name in names for each in _STATUSES[name]])]


def _span(query: Mapping[str, str], now: datetime, fmt: Format) -> list[sa.ColumnElement[bool]]:
    """The last 90 days, or 90 days from the one end that is given."""
    start, end = _time(query, "start_date", fmt), _time(query, "end_date", fmt)
    if start is None:
        start = (now if end is None else end) - LONGEST_SPAN
        end = end or now
    elif end is None:
        end = start + LONGEST_SPAN
    if start > end:
        raise Open311Error(400, "start_date is later than end_date", fmt)
    if end - start > LONGEST_SPAN:
        raise Open311Error(400, "start_date and end_date may span at most 90 days", fmt)
    return [orders.c.created_at >= start, orders.c.created_at <= end]


def _updated(query: Mapping[str, str], fmt: Format) -> list[sa.ColumnElement[bool]]:
    after, before = _time(query, "updated_after", fmt), _time(query, "updated_before", fmt)
    conditions = []
    if after is not None:
        conditions.append(orders.c.updated_at >= after)
    if before is not None:
        conditions.append(orders.c.updated_at <= before)
    return conditions


def _time(query: Mapping[str, str], name: str, fmt: Format) -> datetime | None:
    if name not in query:
        return None
    try:
        # In a query an unescaped plus sign of an offset arrives as a space.
        time = datetime.fromisoformat(query[name].replace(" ", "+"))
        if time.tzinfo is None:
            raise ValueError("no zone")
        in_utc = time.astimezone(UTC)
        # Far enough from the ends of the calendar to count with.
        if not datetime(1900, 1, 1, tzinfo=UTC) < in_utc < datetime(9000, 1, 1, tzinfo=UTC):
            raise ValueError("too far away")
    except (ValueError, OverflowError) as error:
        example = "2026-11-24T08:00:00Z"
        raise Open311Error(400, f"{name} should be a time such as {example}", fmt) from error
    return in_utc


def _number(query: Mapping[str, str], name: str, usual: int, most: int, fmt: Format) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise Open311Error(400, f"{name} should be a number from 1", fmt)
    return min(int(text), most)
