"""Which department gets a work order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from models.city import Route
from models.work_order import Status
from zones.schedule import is_active

Routing = Mapping[str, str | tuple[Route, ...]]
"""Category key → department id, or routes of which the first that holds counts."""

DEFAULT_ROUTE = "default"
"""Key of the routing table for categories that it does not name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is routed: where and when it was seen."""

    category: str
    camera_id: str = ""
    zone_id: str = ""
    at: datetime | None = None
    """``None``: at no time that a schedule knows."""


def route(case: Case, rule_department: str | None, routing: Routing) -> str | None:
    """Department of the rule, else of the category, else the default, else nobody yet."""
    return (
        rule_department
        or _first(case, routing.get(case.category))
        or _first(case, routing.get(DEFAULT_ROUTE))
    )


def _first(case: Case, routes: str | tuple[Route, ...] | None) -> str | None:
    if routes is None or isinstance(routes, str):
        return routes
    return next((each.department_id for each in routes if _holds(each, case)), None)


def _holds(route_: Route, case: Case) -> bool:
    if route_.camera_ids and case.camera_id not in route_.camera_ids:
        return False
    if route_.zone_ids and case.zone_id not in route_.zone_ids:
        return False
    if route_.schedule is None:
        return True
    return case.at is not None and is_active(route_.schedule, case.at)


def first_statuses(department_id: str | None) -> tuple[Status, ...]:
    """The statuses that a new order passes at once: with a department it is dispatched."""
    if department_id is None:
        return (Status.RECEIVED,)
    return (Status.RECEIVED, Status.DISPATCHED)
