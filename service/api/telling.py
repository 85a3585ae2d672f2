"""Puts what happens to orders in line for everybody who wants to be told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from models.work_order import Status
from service.api.deps import ApiDeps
from service.api.views import order_out
from service.decisions.events import EventType, Happening, cloud_event, event_id_of, wants
from service.store import deliveries, subscriptions
from service.store.deliveries import NewEvent
from service.store.records import Subscription, WorkOrder
from service.store.scope import Scope

EVENT_SOURCE = "/api/v1/work-orders"


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """That something happened to an order."""

    order: WorkOrder
    kind: EventType
    moved_to: Status | None = None
    traceparent: str | None = None
    """Of the request that did it, where traces are on."""


def tell(
    deps: ApiDeps,
    connection: Connection,
    order: WorkOrder,
    kind: EventType,
    moved_to: Status | None = None,
) -> None:
    """Put the event in line for everybody who wants it, in the transaction of the change."""
    current = deps.tracer.current()
    news = News(order=order, kind=kind, moved_to=moved_to, traceparent=current)
    tell_all(deps, connection, [news])


def tell_all(deps: ApiDeps, connection: Connection, news: Sequence[News]) -> None:
    """Put events in line, in this order, for everybody who wants them."""
    active = subscriptions.list_subscriptions(connection, only_active=True)
    events = [_event(deps, each, active) for each in news] if active else []
    deliveries.add_events(connection, [each for each in events if each is not None])


def _event(deps: ApiDeps, news: News, active: Sequence[Subscription]) -> NewEvent | None:
    """The event, or ``None`` if nobody wants it."""
    order = news.order
    happening = Happening(
        event_id=event_id_of(order.order_id, order.version, news.kind),
        type=news.kind,
        order_id=order.order_id,
        at=order.updated_at,
        category=order.category,
        department_id=order.department_id,
        camera_id=order.camera_id,
        zone_id=order.zone_id,
        moved_to=news.moved_to,
    )
    wanting = tuple(
        each.subscription_id
        for each in active
        if Scope(department_ids=each.owner_department_ids).covers(order.department_id)
        and wants(happening, each)
    )
    if not wanting:
        return None
    base_url = deps.settings.public_url.rstrip("/")
    data = order_out(order, deps, base_url).model_dump(mode="json")
    return NewEvent(
        event_id=happening.event_id,
        type=news.kind,
        order_id=order.order_id,
        at=happening.at,
        body=cloud_event(happening, base_url + EVENT_SOURCE, data, news.traceparent),
        subscription_ids=wanting,
    )
