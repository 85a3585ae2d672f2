"""What clients send and get about webhooks."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from models.work_order import Status
from service.api.forms import NO_NUL, Ident, Text
from service.decisions.events import EventType
from service.store.backlog import Backlog
from service.store.records import (
    Attempt,
    BodyFormat,
    Delivery,
    DeliveryState,
    Subscription,
    SubscriptionKind,
)

SECRET_PREFIX = "whsec_"  # noqa: S105 - marks a secret, is none
SECRET_BYTES = 32
SHORTEST_SECRET_BYTES, LONGEST_SECRET_BYTES = 24, 64
"""As Standard Webhooks asks."""
MAX_URL_CHARACTERS = 2000
DEFAULT_GRACE_S = 24 * 3600
LONGEST_GRACE_S = 7 * 24 * 3600


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
    event_types: list[EventType] = Field([], description="Empty: all that happens to orders.")
    categories: Filter = Field([], description="Empty: all.")
    department_ids: Filter = Field([], description="Empty: all.")
    camera_ids: Filter = Field([], description="Empty: all.")
    zone_ids: Filter = Field([], description="Empty: all.")
    statuses: list[Status] = Field(
        [], description="Only events that moved an order into one of these. Empty: all events."
    )
    format: BodyFormat = Field(
        BodyFormat.CLOUDEVENTS, description="`json`: only id, type, timestamp and data."
    )
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
    camera_ids: Filter | None = None
    zone_ids: Filter | None = None
    statuses: list[Status] | None = None
    format: BodyFormat | None = None
    secret: Secret | None = Field(None, description="Holds at once; see `rotate-secret`.")
    active: bool | None = None


class RotationIn(BaseModel):
    """How to change a secret without losing a webhook."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"grace_s": 86400}})

    secret: Secret | None = Field(None, description="Left out, one is made and shown once.")
    grace_s: int = Field(
        DEFAULT_GRACE_S, ge=0, le=LONGEST_GRACE_S, description="How long the old one signs too."
    )


class SubscriptionState(StrEnum):
    """How a subscription fares, in a word."""

    ACTIVE = "active"
    FAILING = "failing"
    RESTED = "rested"
    DISABLED = "disabled"


class SubscriptionOut(BaseModel):
    """A subscription, without its secret."""

    subscription_id: str
    url: str
    description: str
    event_types: list[EventType]
    categories: list[str]
    department_ids: list[str]
    camera_ids: list[str]
    zone_ids: list[str]
    statuses: list[Status]
    kind: SubscriptionKind
    format: BodyFormat
    active: bool
    state: SubscriptionState = Field(
        description="`disabled`: by the service, see `disabled_reason`; `rested`: by `active`;"
        " `failing`: the latest attempt failed."
    )
    disabled_reason: str | None = Field(description="Why the service made it inactive.")
    disabled_at: datetime | None
    failures_in_a_row: int
    failing_since: datetime | None = Field(description="First failure since the last success.")
    last_success_at: datetime | None = Field(description="Within ten seconds.")
    paused_until: datetime | None = Field(description="The receiver seems down: spared so long.")
    previous_secret_until: datetime | None = Field(
        description="Until then the secret before the rotation signs too."
    )
    pending: int = Field(description="Deliveries that wait.")
    dead: int = Field(description="Deliveries that were given up; they can be sent again.")
    oldest_pending_at: datetime | None = Field(description="Since when the first of them waits.")
    created_at: datetime

    @classmethod
    def of(cls, subscription: Subscription, backlog: Backlog) -> Self:
        """From the stored forms."""
        values = asdict(subscription) | asdict(backlog)
        return cls.model_validate(values | {"state": _state(subscription)})


class SubscriptionMade(SubscriptionOut):
    """A subscription with its new secret, for the only time."""

    secret: str

    @classmethod
    def shown(cls, subscription: Subscription, backlog: Backlog, secret: str) -> Self:
        """From the stored forms and the secret as the receiver needs it."""
        values = SubscriptionOut.of(subscription, backlog).model_dump()
        return cls(**values, secret=secret)


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


class RetriedOut(BaseModel):
    """How many deliveries were put back in line."""

    count: int


class TestedOut(AttemptOut):
    """What a receiver answered to a ping."""

    delivered: bool = Field(description="Whether it answered 2xx.")

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """From what was tried."""
        return cls(**asdict(attempt), delivered=attempt.error is None)


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut]
    next_before: int | None = Field(description="Give it as `before` for the next page.")


def new_secret() -> str:
    """A random secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _state(subscription: Subscription) -> SubscriptionState:
    if not subscription.active:
        by_us = subscription.disabled_reason is not None
        return SubscriptionState.DISABLED if by_us else SubscriptionState.RESTED
    failing = subscription.failures_in_a_row > 0
    return SubscriptionState.FAILING if failing else SubscriptionState.ACTIVE


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    waits = delivery.state is DeliveryState.PENDING
    return asdict(delivery) | {"next_attempt_at": delivery.next_attempt_at if waits else None}
