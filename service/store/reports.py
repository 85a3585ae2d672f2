"""What citizens report, kept beside the orders that are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.schema import orders, reports

RULE_KIND = "citizen_report"
"""Of orders that citizens' reports became."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A citizen's report."""

    order_id: str
    source: str
    """Name of the API key of the app that sent it."""
    service_code: str
    media_url: str
    """Where the citizen says that a picture is; never fetched."""
    contact: Mapping[str, str]
    """Name, address and so on, as far as they were given: personal data."""
    near_order_id: str | None
    """An open order of the same category close by: maybe the same thing."""
    created_at: datetime


def add_report(connection: Connection, report: Report) -> None:
    """Store a report, in the transaction of its order."""
    connection.execute(sa.insert(reports).values(**asdict(report)))


def find_report(connection: Connection, order_id: str) -> Report | None:
    """The report that an order was made of, if it was made of one."""
    row = connection.execute(sa.select(reports).where(reports.c.order_id == order_id)).mappings()
    found = row.one_or_none()
    return None if found is None else Report(**found)


def forget_contacts(connection: Connection, over: tuple[str, ...], before: datetime) -> int:
    """Delete the personal data of reports whose orders are over since then; how many."""
    ended = sa.exists().where(
        orders.c.order_id == reports.c.order_id,
        orders.c.status.in_(over),
        orders.c.updated_at < before,
    )
    is_kept = sa.cast(reports.c.contact, sa.String) != "{}"
    done = connection.execute(sa.update(reports).where(ended, is_kept).values(contact={}))
    return done.rowcount
