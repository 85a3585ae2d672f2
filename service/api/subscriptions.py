"""``/api/v1/subscriptions``: webhooks and what became of their deliveries."""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.api.deps import CanSubscribe, Deps
from service.api.forms import NO_NUL, Ident, Text
from service.api.problems import problem_responses
from service.decisions.events import EventType
from service.store import deliveries, subscriptions
from service.store.records import Attempt, Delivery, DeliveryState, Subscription

router = APIRouter(prefix="/api/v1/subscriptions", tags=["webhooks"])

SECRET_PREFIX = "whsec_"  # noqa: S105 - marks a secret, is none
SECRET_BYTES = 32
SHORTEST_SECRET_BYTES, LONGEST_SECRET_BYTES = 24, 64
"""As Standard Webhooks asks."""
MAX_URL_CHARACTERS = 2000


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("needs to be an http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password: they would show in answers")
    if parts.fragment:
        raise ValueError("must not have a fragment")
    _ = parts.port  # raises ValueError where it is no port
    return url


def _check_secret(secret: str) -> str:
    try:
        raw = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("needs to be whsec_ and base64") from error
    is_long_enough = SHORTEST_SECRET_BYTES <= len(raw) <= LONGEST_SECRET_BYTES
    if not secret.startswith(SECRET_PREFIX) or not is_long_enough:
        raise ValueError("needs to be whsec_ and the base64 of 24 to 64 bytes")
    return secret


Url = Annotated[
    str, Field(max_length=MAX_URL_CHARACTERS, pattern=NO_NUL), AfterValidator(_check_url)
]
Secret = Annotated[str, Field(max_length=200), AfterValidator(_check_secret)]
DeliveryId = Annotated[int, Path(ge=1, le=2**62)]
Filter = Annotated[list[Ident], Field(max_length=200)]


class SubscriptionIn(BaseModel):
    """Who wants to be told of what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "url": "https://city.example/hooks/streetwarden",
                "event_types": ["streetwarden.work_order.created"],
                "categories": ["illegal_parking"],
            }
        },
    )

    url: Url
    description: Text = ""
    event_types: list[EventType] = Field([], description="Empty: all.")
    categories: Filter = Field([], description="Empty: all.")
    department_ids: Filter = Field([], description="Empty: all.")
    secret: Secret | None = Field(None, description="Left out, one is made and shown once.")
    active: bool = True


class SubscriptionPatch(BaseModel):
    """What to change of a subscription."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"active": False}})

    url: Url | None = None
    description: Text | None = None
    event_types: list[EventType] | None = None
    categories: Filter | None = None
    department_ids: Filter | None = None
    secret: Secret | None = None
    active: bool | None = None


class SubscriptionOut(BaseModel):
    """A subscription, without its secret."""

    subscription_id: str
    url: str
    description: str
    event_types: list[EventType]
    categories: list[str]
    department_ids: list[str]
    active: bool
    disabled_reason: str | None = Field(description="Why the service made it inactive.")
    failures_in_a_row: int
    paused_until: datetime | None = Field(description="The receiver seems down: spared so long.")
    created_at: datetime

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        """From the stored form."""
        return cls.model_validate(asdict(subscription))


class SubscriptionMade(SubscriptionOut):
    """A new subscription, with its secret for the only time."""

    secret: str


class SubscriptionList(BaseModel):
    """All subscriptions."""

    items: list[SubscriptionOut]


class AttemptOut(BaseModel):
    """One try to deliver."""

    at: datetime
    duration_s: float
    status_code: int | None
    error: str | None
    answer: str = Field(description="Beginning of what the receiver answered.")


class DeliveryOut(BaseModel):
    """An event on its way to a subscription."""

    delivery_id: int
    event_id: str = Field(description="The header webhook-id, the same over all attempts.")
    event_type: str
    order_id: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status_code: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """From the stored form."""
        return cls.model_validate(_delivery_values(delivery))


class DeliveryDetail(DeliveryOut):
    """A delivery with the log of its attempts."""

    log: list[AttemptOut]

    @classmethod
    def with_log(cls, delivery: Delivery, log: list[Attempt]) -> Self:
        """From the stored forms."""
        return cls.model_validate(
            _delivery_values(delivery) | {"log": [asdict(each) for each in log]}
        )


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut]
    next_before: int | None = Field(description="Give it as `before` for the next page.")


@router.post("", status_code=201, responses=problem_responses())
def subscribe(body: SubscriptionIn, _who: CanSubscribe, deps: Deps) -> SubscriptionMade:
    """Ask for webhooks. The answer holds the secret that signs them; it is not shown again."""
    secret = body.secret or new_secret()
    subscription = Subscription(
        subscription_id=str(uuid.uuid4()),
        url=body.url,
        description=body.description,
        event_types=tuple(body.event_types),
        categories=tuple(body.categories),
        department_ids=tuple(body.department_ids),
        secret=secret,
        active=body.active,
        disabled_reason=None,
        failures_in_a_row=0,
        paused_until=None,
        created_at=deps.now(),
    )
    with deps.database.write() as connection:
        subscriptions.add_subscription(connection, subscription)
    return SubscriptionMade.model_validate(asdict(subscription))


@router.get("", responses=problem_responses())
def list_subscriptions(_who: CanSubscribe, deps: Deps) -> SubscriptionList:
    """List all subscriptions."""
    with deps.database.read() as connection:
        found = subscriptions.list_subscriptions(connection)
    return SubscriptionList(items=[SubscriptionOut.of(each) for each in found])


@router.get("/{subscription_id}", responses=problem_responses(404))
def get_subscription(subscription_id: uuid.UUID, _who: CanSubscribe, deps: Deps) -> SubscriptionOut:
    """Read one subscription."""
    with deps.database.read() as connection:
        return SubscriptionOut.of(subscriptions.get_subscription(connection, str(subscription_id)))


@router.patch("/{subscription_id}", responses=problem_responses(404))
def patch_subscription(
    subscription_id: uuid.UUID, body: SubscriptionPatch, _who: CanSubscribe, deps: Deps
) -> SubscriptionOut:
    """Change a subscription. What waits for one made active again is sent, in order."""
    values: dict[str, Any] = {
        name: value for name, value in dict(body).items() if value is not None
    }
    if body.active or body.url is not None:
        values |= {"disabled_reason": None, "failures_in_a_row": 0, "paused_until": None}
    with deps.database.write() as connection:
        if values:
            subscriptions.change_subscription(connection, str(subscription_id), **values)
        changed = subscriptions.get_subscription(connection, str(subscription_id))
    deps.wake()
    return SubscriptionOut.of(changed)


@router.delete(
    "/{subscription_id}",
    status_code=204,
    response_class=Response,
    responses=problem_responses(404),
)
def unsubscribe(subscription_id: uuid.UUID, _who: CanSubscribe, deps: Deps) -> Response:
    """End a subscription and forget its deliveries."""
    with deps.database.write() as connection:
        subscriptions.remove_subscription(connection, str(subscription_id))
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


def new_secret() -> str:
    """A random secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    waits = delivery.state is DeliveryState.PENDING
    return asdict(delivery) | {"next_attempt_at": delivery.next_attempt_at if waits else None}
