"""``/api/v1/subscriptions``: webhooks and what became of their deliveries."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.engine import Connection

from service.api.auditing import note_subscription
from service.api.deps import CanSubscribe, Deps
from service.api.problems import problem_responses
from service.api.webhook_forms import (
    DeliveryDetail,
    DeliveryOut,
    DeliveryPage,
    SubscriptionIn,
    SubscriptionList,
    SubscriptionMade,
    SubscriptionOut,
    SubscriptionPatch,
    new_secret,
)
from service.store import deliveries, subscriptions
from service.store.audit import Action
from service.store.backlog import Backlog, backlogs
from service.store.records import DeliveryState, Subscription

router = APIRouter(prefix="/api/v1/subscriptions", tags=["webhooks"])

AS_NEW = {
    "disabled_reason": None,
    "disabled_at": None,
    "failures_in_a_row": 0,
    "failing_since": None,
    "paused_until": None,
}
"""Columns of a subscription of which no failure is known."""
DeliveryId = Annotated[int, Path(ge=1, le=2**62)]


@router.post("", status_code=201, responses=problem_responses())
def subscribe(body: SubscriptionIn, who: CanSubscribe, deps: Deps) -> SubscriptionMade:
    """Ask for webhooks. The answer holds the secret that signs them; it is not shown again."""
    secret = body.secret or new_secret()
    subscription = Subscription(
        subscription_id=str(uuid.uuid4()),
        url=body.url,
        description=body.description,
        event_types=tuple(body.event_types),
        categories=tuple(body.categories),
        department_ids=tuple(body.department_ids),
        camera_ids=tuple(body.camera_ids),
        zone_ids=tuple(body.zone_ids),
        statuses=tuple(body.statuses),
        format=body.format,
        secret=deps.secrets.seal(secret),
        active=body.active,
        disabled_reason=None,
        failures_in_a_row=0,
        paused_until=None,
        created_at=deps.now(),
        owner=who.actor,
        owner_department_ids=who.scope.department_ids,
    )
    with deps.database.write() as connection:
        subscriptions.add_subscription(connection, subscription)
        made = Action.SUBSCRIPTION_CREATED
        note_subscription(
            connection, who, made, subscription.subscription_id, subscription.created_at
        )
    return SubscriptionMade.shown(subscription, Backlog(), secret)


@router.get("", responses=problem_responses())
def list_subscriptions(_who: CanSubscribe, deps: Deps) -> SubscriptionList:
    """List all subscriptions."""
    with deps.database.read() as connection:
        found = subscriptions.list_subscriptions(connection)
        waiting = backlogs(connection)
    shown = [SubscriptionOut.of(s, waiting.get(s.subscription_id, Backlog())) for s in found]
    return SubscriptionList(items=shown)


@router.get("/{subscription_id}", responses=problem_responses(404))
def get_subscription(subscription_id: uuid.UUID, _who: CanSubscribe, deps: Deps) -> SubscriptionOut:
    """Read one subscription."""
    with deps.database.read() as connection:
        return shown_with_backlog(connection, str(subscription_id))


@router.patch("/{subscription_id}", responses=problem_responses(404))
def patch_subscription(
    subscription_id: uuid.UUID, body: SubscriptionPatch, who: CanSubscribe, deps: Deps
) -> SubscriptionOut:
    """Change a subscription. What waits for one made active again is sent, in order."""
    values: dict[str, Any] = {
        name: value for name, value in dict(body).items() if value is not None
    }
    if body.secret is not None:
        values |= {"secret": deps.secrets.seal(body.secret), "previous_secret": None}
    if body.active or body.url is not None:
        values |= AS_NEW
    with deps.database.write() as connection:
        if values:
            subscriptions.change_subscription(connection, str(subscription_id), **values)
        shown = shown_with_backlog(connection, str(subscription_id))
        if values:
            note_subscription(
                connection,
                who,
                Action.SUBSCRIPTION_CHANGED,
                str(subscription_id),
                deps.now(),
                {"fields": sorted(values)},
            )
    deps.wake()
    return shown


def shown_with_backlog(connection: Connection, subscription_id: str) -> SubscriptionOut:
    """A subscription as clients see it; raises :class:`NotFoundError`."""
    subscription = subscriptions.get_subscription(connection, subscription_id)
    waiting = backlogs(connection).get(subscription_id, Backlog())
    return SubscriptionOut.of(subscription, waiting)


@router.delete(
    "/{subscription_id}",
    status_code=204,
    response_class=Response,
    responses=problem_responses(404),
)
def unsubscribe(subscription_id: uuid.UUID, who: CanSubscribe, deps: Deps) -> Response:
    """End a subscription and forget its deliveries."""
    with deps.database.write() as connection:
        subscriptions.remove_subscription(connection, str(subscription_id))
        gone = Action.SUBSCRIPTION_DELETED
        note_subscription(connection, who, gone, str(subscription_id), deps.now())
    return Response(status_code=204)


@router.get("/{subscription_id}/deliveries", responses=problem_responses(404))
def list_deliveries(
    subscription_id: uuid.UUID,
    _who: CanSubscribe,
    deps: Deps,
    state: Annotated[list[DeliveryState], Query()] = [],  # noqa: B006 - FastAPI copies it
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryPage:
    """List what was sent, what waits and what was given up, newest first."""
    with deps.database.read() as connection:
        subscriptions.get_subscription(connection, str(subscription_id))
        found = deliveries.list_deliveries(
            connection, str(subscription_id), states=state, before_id=before, limit=limit + 1
        )
    shown = found[:limit]
    more = shown[-1].delivery_id if len(found) > limit else None
    return DeliveryPage(items=[DeliveryOut.of(each) for each in shown], next_before=more)


@router.get("/{subscription_id}/deliveries/{delivery_id}", responses=problem_responses(404))
def get_delivery(
    subscription_id: uuid.UUID, delivery_id: DeliveryId, _who: CanSubscribe, deps: Deps
) -> DeliveryDetail:
    """Read a delivery with every attempt."""
    with deps.database.read() as connection:
        delivery = deliveries.get_delivery(connection, str(subscription_id), delivery_id)
        log = deliveries.attempts_of(connection, delivery_id)
    return DeliveryDetail.with_log(delivery, log)


@router.post(
    "/{subscription_id}/deliveries/{delivery_id}/retry",
    status_code=202,
    responses=problem_responses(404, 409),
)
def send_again(
    subscription_id: uuid.UUID, delivery_id: DeliveryId, _who: CanSubscribe, deps: Deps
) -> DeliveryOut:
    """Send a dead delivery again, with its old id and a new schedule."""
    with deps.database.write() as connection:
        delivery = deliveries.send_again(connection, str(subscription_id), delivery_id, deps.now())
    deps.wake()
    return DeliveryOut.of(delivery)
