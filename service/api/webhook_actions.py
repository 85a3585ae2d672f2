"""What is done with a subscription: a new secret, a test, sending dead deliveries again."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from models.errors import ConflictError
from service.api.auditing import note_subscription
from service.api.deps import CanSubscribe, Deps
from service.api.forms import QueryTime
from service.api.problems import problem_responses
from service.api.subscriptions import router as subscription_router
from service.api.subscriptions import shown_with_backlog
from service.api.webhook_forms import (
    RetriedOut,
    RotationIn,
    SubscriptionMade,
    TestedOut,
    new_secret,
)
from service.store import subscriptions
from service.store.audit import Action
from service.store.backlog import send_dead_again
from service.store.records import SubscriptionKind

router = APIRouter(prefix=subscription_router.prefix, tags=["webhooks"])


@router.post("/{subscription_id}/rotate-secret", responses=problem_responses(404))
def rotate_secret(
    subscription_id: uuid.UUID, body: RotationIn, who: CanSubscribe, deps: Deps
) -> SubscriptionMade:
    """Change the secret. The old one signs too for `grace_s` seconds, a day by default.

    Until then `webhook-signature` holds two signatures, of which receivers accept either: the
    libraries of Standard Webhooks do so by themselves.
    """
    secret = body.secret or new_secret()
    until = deps.now() + timedelta(seconds=body.grace_s)
    with deps.database.write() as connection:
        old = subscriptions.get_subscription(connection, str(subscription_id))
        subscriptions.change_subscription(
            connection,
            old.subscription_id,
            secret=deps.secrets.seal(secret),
            previous_secret=old.secret if body.grace_s else None,
            previous_secret_until=until if body.grace_s else None,
        )
        shown = shown_with_backlog(connection, old.subscription_id)
        note_subscription(
            connection,
            who,
            Action.SUBSCRIPTION_CHANGED,
            old.subscription_id,
            deps.now(),
            {"fields": ["secret"]},
        )
    return SubscriptionMade(**shown.model_dump(), secret=secret)


@router.post("/{subscription_id}/test", responses=problem_responses(404, 409, 503))
def try_receiver(subscription_id: uuid.UUID, _who: CanSubscribe, deps: Deps) -> TestedOut:
    """Send a `streetwarden.ping` at once and tell what the receiver answered.

    It is signed as every webhook is, also if the subscription is not active, and tried only once.
    """
    with deps.database.read() as connection:
        subscription = subscriptions.get_subscription(connection, str(subscription_id))
    if subscription.kind is not SubscriptionKind.WEBHOOK:
        raise ConflictError("only webhooks can be tried: this is a broker")
    return TestedOut.of(deps.ping(subscription))


@router.post(
    "/{subscription_id}/deliveries/retry", status_code=202, responses=problem_responses(404)
)
def send_all_again(
    subscription_id: uuid.UUID,
    _who: CanSubscribe,
    deps: Deps,
    state: Annotated[Literal["dead"], Query(description="Which ones: those given up.")] = "dead",
    since: Annotated[
        QueryTime | None, Query(description="Only events that happened then or later.")
    ] = None,
) -> RetriedOut:
    """Send all dead deliveries again, in order, with their old ids and a new schedule."""
    del state  # the only one that can be sent again; asked for, so that nobody is surprised
    with deps.database.write() as connection:
        subscriptions.get_subscription(connection, str(subscription_id))
        count = send_dead_again(connection, str(subscription_id), deps.now(), since)
    deps.wake()
    return RetriedOut(count=count)
