"""Which department gets a work order."""

from __future__ import annotations

from collections.abc import Mapping

from models.work_order import Status

DEFAULT_ROUTE = "default"
"""Key of the routing table for categories that it does not name."""


def route(category: str, rule_department: str | None, routing: Mapping[str, str]) -> str | None:
    """Department of the rule, else of the category, else the default, else nobody yet."""
    return rule_department or routing.get(category) or routing.get(DEFAULT_ROUTE)


def first_statuses(department_id: str | None) -> tuple[Status, ...]:
    """The statuses that a new order passes at once: with a department it is dispatched."""
    if department_id is None:
        return (Status.RECEIVED,)
    return (Status.RECEIVED, Status.DISPATCHED)
