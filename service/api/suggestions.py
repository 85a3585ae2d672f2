"""What becomes of an order when somebody accepts what a detector suggested of its photo."""

from __future__ import annotations

from typing import Final

from models.errors import ConflictError
from models.work_order import FINAL, Status
from service.api import actions
from service.api.deps import ApiDeps, Principal
from service.api.sla import due_columns
from service.decisions.events import EventType
from service.decisions.routing import Case, route
from service.store import inspections, orders
from service.store.records import HistoryEntry, HistoryKind, WorkOrder

_DUE: Final = ("accept_warn_at", "accept_due_at", "warn_at", "due_at", "sla_next_at")
_NOT_BEGUN: Final = frozenset({Status.RECEIVED, Status.DISPATCHED})


def accept_suggestion(
    deps: ApiDeps, order_id: str, who: Principal, if_version: int | None
) -> WorkOrder:
    """Give an order the category that was suggested, with its priority, times and department.

    Raises :class:`ConflictError` if there is no other category to accept, or the order is over.
    """
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        if if_version is not None and if_version != order.version:
            raise actions.VersionError(order.version)
        wanted = inspections.get_inspection(connection, order_id).category
        category = None if wanted is None else deps.category(wanted)
        if category is None or category.key == order.category:
            raise ConflictError("there is no suggestion of another category")
        if order.status in FINAL:
            raise ConflictError(f"the order is over: its status is {order.status}")
        at = orders.tick(connection, deps.now())
        due = due_columns(deps, category.key, category.priority, order.created_at)
        values = dict.fromkeys(_DUE, None) | dict(due) | _place_in_line(deps, order, category.key)
        after = orders.change_order(
            connection,
            order,
            at,
            **values,
            category=category.key,
            label=category.key,
            priority=category.priority,
            sla_told="",
        )
        note = f"category changed from {order.category} to {category.key} · 类别已更改"
        orders.add_history(connection, order_id, [entry_of(order, after, who.name, note)])
        moved_to = after.status if after.status is not order.status else None
        actions.tell(deps, connection, after, EventType.UPDATED, moved_to=moved_to)
    deps.wake()
    return after


def _place_in_line(deps: ApiDeps, order: WorkOrder, category: str) -> dict[str, object]:
    """Whose an order of another category is: what somebody has begun stays theirs."""
    if order.status not in _NOT_BEGUN:
        return {}
    department_id = department_of(deps, order, category) or order.department_id
    status = order.status if department_id is None else Status.DISPATCHED
    return {"department_id": department_id, "status": status}


def department_of(deps: ApiDeps, order: WorkOrder, category: str) -> str | None:
    """Whose a report of a category is, by the city's routing."""
    case = Case(
        category=category, camera_id=order.camera_id, zone_id=order.zone_id, at=order.opened_at
    )
    return route(case, None, deps.routing)


def entry_of(before: WorkOrder, after: WorkOrder, actor: str, note: str = "") -> HistoryEntry:
    """The step in an order's history that a change was."""
    has_moved = after.status is not before.status
    is_reassigned = after.department_id != before.department_id
    kind = HistoryKind.DEPARTMENT if is_reassigned else HistoryKind.NOTE
    return HistoryEntry(
        version=after.version,
        at=after.updated_at,
        actor=actor,
        kind=HistoryKind.STATUS if has_moved else kind,
        from_status=before.status if has_moved else None,
        to_status=after.status if has_moved else None,
        department_id=after.department_id if is_reassigned else None,
        note=note,
    )
