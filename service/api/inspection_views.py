"""What clients get to know of a citizen's photo."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.engine import Connection

from service.api.deps import ApiDeps
from service.api.inspection_forms import InspectionOut
from service.store import inspections, orders
from service.store.inspections import Inspection
from service.store.records import WorkOrder
from service.store.reports import RULE_KIND
from service.store.schema import orders as table


def inspection_of(deps: ApiDeps, connection: Connection, order: WorkOrder) -> InspectionOut | None:
    """The inspection of an order; ``None`` for one that is no citizen's report with a photo."""
    if order.rule_kind != RULE_KIND:
        return None
    found = inspections.find_inspection(connection, order.order_id)
    return None if found is None else inspection_out(deps, connection, found)


def inspection_out(deps: ApiDeps, connection: Connection, found: Inspection) -> InspectionOut:
    """An inspection as clients get it: of the orders close by, those that they may see."""
    values = asdict(found)
    values["suggestion"] = _suggestion(deps, found)
    values["near"] = _near(connection, found)
    return InspectionOut.model_validate(values)


def _suggestion(deps: ApiDeps, found: Inspection) -> dict[str, object] | None:
    if found.category is None:
        return None
    category = deps.category(found.category)
    is_public = category is not None and category.is_public
    return {
        "category": found.category,
        "service_code": category.service_code if category is not None and is_public else None,
        "confidence": found.confidence,
    }


def _near(connection: Connection, found: Inspection) -> list[dict[str, object]]:
    ids = [each.order_id for each in found.near]
    if not ids:
        return []
    seen = orders.find_orders(connection, table.c.order_id.in_(ids), len(ids))
    by_id = {order.order_id: order for order in seen}
    return [
        {
            "order_id": each.order_id,
            "number": order.number,
            "category": order.category,
            "status": order.status,
            "distance_m": each.distance_m,
        }
        for each in found.near
        if (order := by_id.get(each.order_id)) is not None
    ]
