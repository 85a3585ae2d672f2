"""``/api/v1/statistics``: figures on the orders of a time."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from models.intervals import wilson
from models.work_order import Status
from service.api.deps import ApiDeps, CanRead, Deps
from service.api.forms import OrderFilterQuery
from service.api.orders import filter_of
from service.api.problems import field_problem, problem_responses
from service.decisions.local_time import shifts
from service.decisions.sla import RUNS
from service.store import statistics
from service.store.orders import OrderFilter
from service.store.reports import RULE_KIND

USUAL_SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)
NOBODY = ""
"""Stands for no department in counts."""

router = APIRouter(prefix="/api/v1", tags=["statistics"])


class TimesOut(BaseModel):
    """How long something took: of how many orders, and by nearest rank."""

    count: int
    median_s: float | None
    p90_s: float | None


class PrecisionOut(BaseModel):
    """What people said of a rule's orders, and what share of them was right."""

    camera_id: str
    zone_id: str
    rule_id: str
    category: str
    confirmed: int
    false_alarms: int
    precision: float
    low: float = Field(description="Wilson interval, 95 %.")
    high: float


class HourOut(BaseModel):
    """Orders of a zone in an hour of the local day."""

    camera_id: str
    zone_id: str
    hour: int = Field(ge=0, le=23)
    count: int


class LoadOut(BaseModel):
    """What a department has to do now, whenever it was made."""

    department_id: str | None
    department_name: str | None
    open: int
    overdue: int = Field(description="Of those, past the time to resolve.")


class StatisticsOut(BaseModel):
    """Figures on the orders that were made in a time."""

    created_since: datetime
    created_until: datetime
    timezone: str = Field(description="Of days and hours.")
    total: int
    by_status: dict[str, int]
    by_category: dict[str, int]
    by_department: dict[str, int] = Field(description="An empty key: no department yet.")
    by_priority: dict[str, int]
    by_day: dict[str, int] = Field(examples=[{"2026-11-24": 12}])
    time_to_accept: TimesOut
    time_to_resolve: TimesOut
    time_to_clear: TimesOut
    precision: list[PrecisionOut]
    heat_map: list[HourOut]
    load: list[LoadOut]


@router.get("/statistics", responses=problem_responses())
def get_statistics(
    query: Annotated[OrderFilterQuery, Query()], _who: CanRead, deps: Deps
) -> StatisticsOut:
    """Count orders by status, category, department and day, with times, precision and load.

    Of the last 30 days, or of `created_since` to `created_until`, at most a year. `load` is of now.
    """
    wanted = _span(filter_of(query), deps.now())
    with deps.database.read() as connection:
        return _figures(deps, connection, wanted)


def _span(wanted: OrderFilter, now: datetime) -> OrderFilter:
    until = wanted.created_until or max(now, wanted.created_since or now) + timedelta(seconds=1)
    try:
        since = wanted.created_since or until - USUAL_SPAN
        is_too_long = until - since > LONGEST_SPAN
    except OverflowError as error:
        raise field_problem("query.created_until", "too far away") from error
    if is_too_long or since > until:
        raise field_problem("query.created_since", "should be up to a year before created_until")
    return replace(wanted, created_since=since, created_until=until)


def _figures(deps: ApiDeps, connection: Connection, wanted: OrderFilter) -> StatisticsOut:
    assert wanted.created_since is not None  # noqa: S101 - both are set by _span
    assert wanted.created_until is not None  # noqa: S101 - both are set by _span
    timezone = "UTC" if deps.city is None else deps.city.timezone
    local = shifts(timezone, wanted.created_since, wanted.created_until)
    by = {
        field: _named(statistics.counts_by(connection, wanted, field))
        for field in ("status", "category", "department_id", "priority")
    }
    accepted = statistics.time_until(connection, wanted, Status.ACCEPTED)
    resolved = statistics.time_until(connection, wanted, Status.RESOLVED)
    cleared = statistics.time_to_clear(connection, wanted)
    hours = statistics.counts_by_hour(connection, wanted, local)
    return StatisticsOut(
        created_since=wanted.created_since,
        created_until=wanted.created_until,
        timezone=timezone,
        total=sum(by["status"].values()),
        by_status=by["status"],
        by_category=by["category"],
        by_department=by["department_id"],
        by_priority=by["priority"],
        by_day=statistics.counts_by_day(connection, wanted, local),
        time_to_accept=TimesOut(**asdict(accepted)),
        time_to_resolve=TimesOut(**asdict(resolved)),
        time_to_clear=TimesOut(**asdict(cleared)),
        precision=[_precision(each) for each in _verdicts(connection, wanted)],
        heat_map=[HourOut(**asdict(each)) for each in hours],
        load=_load(deps, connection, wanted),
    )


def _verdicts(connection: Connection, wanted: OrderFilter) -> list[statistics.Verdicts]:
    return statistics.verdicts(connection, wanted, RULE_KIND)


def _load(deps: ApiDeps, connection: Connection, wanted: OrderFilter) -> list[LoadOut]:
    always = replace(wanted, created_since=None, created_until=None)
    found = []
    for each in statistics.load(connection, always, tuple(RUNS), deps.now()):
        department = deps.department(each.department_id)
        found.append(
            LoadOut(**asdict(each), department_name=None if department is None else department.name)
        )
    return found


def _named(counts: dict[str | None, int]) -> dict[str, int]:
    return {key or NOBODY: count for key, count in sorted(counts.items(), key=str)}


def _precision(said: statistics.Verdicts) -> PrecisionOut:
    whole = said.confirmed + said.false_alarms
    low, high = wilson(said.confirmed, whole) or (0.0, 1.0)
    share = said.confirmed / whole
    return PrecisionOut(
        **asdict(said), precision=round(share, 4), low=round(low, 4), high=round(high, 4)
    )
