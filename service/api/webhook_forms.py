"""What clients send and get about webhooks."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.api.forms import NO_NUL, Ident, Text
from service.decisions.events import EventType
from service.store.records import Attempt, Delivery, DeliveryState, Subscription

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


def new_secret() -> str:
    """A random secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    waits = delivery.state is DeliveryState.PENDING
    return asdict(delivery) | {"next_attempt_at": delivery.next_attempt_at if waits else None}
