"""Which open orders may be about the same thing as a citizen's report. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models.ground import distance_m
from service.store.records import WorkOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class Near:
    """An order close by."""

    order: WorkOrder
    distance_m: float


def near_duplicates(
    report: WorkOrder,
    category: str,
    orders: Iterable[WorkOrder],
    *,
    radius_m: float,
    since: datetime,
) -> list[Near]:
    """Orders of a category within ``radius_m`` of a report, made since then; the nearest first.

    Whether they are open is for the caller to choose. A report without a place has none.
    """
    here = _place(report)
    if here is None or radius_m <= 0:
        return []
    found = [
        Near(order=order, distance_m=away_m)
        for order in orders
        if order.category == category
        and order.created_at >= since
        and order.order_id != report.order_id
        and (away_m := _away_m(here, order)) <= radius_m
    ]
    return sorted(found, key=lambda each: (each.distance_m, each.order.number))


def _place(order: WorkOrder) -> tuple[float, float] | None:
    if order.latitude is None or order.longitude is None:
        return None
    return order.latitude, order.longitude


def _away_m(here: tuple[float, float], order: WorkOrder) -> float:
    there = _place(order)
    return float("inf") if there is None else distance_m(here, there)
