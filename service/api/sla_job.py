"""Tells once of each warning and breach of an order's times, and escalates what is breached."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from models.work_order import Status
from service.api import actions
from service.api.dead_cameras import clear_without_the_dead
from service.api.deps import ApiDeps
from service.api.inspecting import release_overdue
from service.api.open311.reporting import forget_contacts
from service.api.views import due_times_of
from service.decisions.events import EventType
from service.decisions.sla import RUNS, Notice, SlaState, next_look, to_tell
from service.periodic import Periodic
from service.store import orders
from service.store.records import HistoryEntry, HistoryKind, WorkOrder
from service.store.schema import orders as table

EVERY_S = 30.0
AT_ONCE = 200
"""Orders of one round, so that a backlog does not hold up others."""
ACTOR = "sla"

_NOTES = {
    "accept:warning": "the time to accept is running out · 受理时限预警",
    "accept:breached": "not accepted in time · 受理超时",
    "resolve:warning": "the time to resolve is running out · 处置时限预警",
    "resolve:breached": "not resolved in time · 处置超时",
}
BREACH_NOTES = frozenset(
    {text for notice, text in _NOTES.items() if notice.endswith(SlaState.BREACHED)}
)
"""By which a breach is told from a warning in the history."""

log = structlog.get_logger(__name__)


def tell_due(deps: ApiDeps) -> int:
    """Look at the orders whose times have come; how many there were."""
    is_due = sa.and_(table.c.sla_next_at <= deps.now(), table.c.status.in_(tuple(RUNS)))
    with deps.database.read() as connection:
        found = connection.scalars(
            sa.select(table.c.order_id).where(is_due).order_by(table.c.sla_next_at).limit(AT_ONCE)
        ).all()
    for order_id in found:
        _look(deps, order_id)
    if found:
        deps.wake()
    return len(found)


def _look(deps: ApiDeps, order_id: str) -> None:
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        times = due_times_of(order)
        now = deps.now()
        told = frozenset(order.sla_told.split())
        # Read again under the lock: another process may have told of it meanwhile.
        for notice in () if times is None else to_tell(times, order.status, now, told):
            order = _tell(deps, connection, order, notice)
        then = None if times is None else next_look(times, now)
        connection.execute(
            sa.update(table).where(table.c.order_id == order_id).values(sla_next_at=then)
        )


def _tell(deps: ApiDeps, connection: Connection, order: WorkOrder, notice: Notice) -> WorkOrder:
    at = orders.tick(connection, deps.now())
    is_breach = notice.state is SlaState.BREACHED
    values: dict[str, object] = {"sla_told": f"{order.sla_told} {notice}".strip()}
    department_id, status = order.department_id, order.status
    if is_breach:
        escalation = deps.categories.escalation
        department_id = escalation.department_id or department_id
        if status is Status.RECEIVED and department_id is not None:
            status = Status.DISPATCHED  # an order that has a department has been dispatched to it
        priority = escalation.priority or order.priority
        values |= {"department_id": department_id, "status": status, "priority": priority}
    after = orders.change_order(connection, order, at, **values)
    has_moved = after.status is not order.status
    entry = HistoryEntry(
        version=after.version,
        at=at.at,
        actor=ACTOR,
        kind=HistoryKind.SLA,
        from_status=order.status if has_moved else None,
        to_status=after.status if has_moved else None,
        department_id=department_id if department_id != order.department_id else None,
        note=_NOTES[str(notice)],
    )
    orders.add_history(connection, order.order_id, [entry])
    kind = EventType.SLA_BREACHED if is_breach else EventType.SLA_WARNING
    actions.tell(deps, connection, after, kind, moved_to=after.status if has_moved else None)
    log.info("an order's time", order=order.number, clock=notice.clock, state=str(notice.state))
    return after


def sla_worker(deps: ApiDeps, every_s: float = EVERY_S) -> Periodic:
    """Looks at what is due, twice a minute, between entering and leaving it."""

    def job() -> bool:
        more = tell_due(deps) >= AT_ONCE
        forget_contacts(deps)
        more |= release_overdue(deps) >= AT_ONCE
        clear_without_the_dead(deps)
        return more

    return Periodic("sla", job, every_s)
