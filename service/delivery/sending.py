"""A webhook as it goes out: its body in the form that was asked for, and its signatures."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from service.decisions.events import SPEC_VERSION, EventType, plain_json
from service.delivery.post import Answer, Poster
from service.delivery.signing import CONTENT_TYPE, PLAIN_CONTENT_TYPE, signed_headers
from service.store.claims import Claim
from service.store.records import BodyFormat, Subscription
from service.store.secrets import SecretBox

PING_SOURCE = "/api/v1/subscriptions"


def send(
    poster: Poster,
    box: SecretBox,
    what: Claim,
    now: datetime,
    also: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    """Attempt a delivery; raises :class:`StoreError` if its secret cannot be opened.

    ``also``: headers besides those of the event.
    """
    return _post(poster, box, what, what.event_id, what.body, now, also)


def ping(poster: Poster, box: SecretBox, to: Subscription, now: datetime) -> Answer:
    """Send a test event; raises :class:`StoreError` if the secret cannot be opened."""
    event_id = str(uuid.uuid4())
    event = {
        "specversion": SPEC_VERSION,
        "id": event_id,
        "source": PING_SOURCE,
        "type": EventType.PING,
        "subject": to.subscription_id,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"subscription_id": to.subscription_id, "description": to.description},
    }
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return _post(poster, box, to, event_id, body, now)


def _post(
    poster: Poster,
    box: SecretBox,
    to: Claim | Subscription,
    event_id: str,
    event: str,
    now: datetime,
    also: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    is_plain = to.format is BodyFormat.JSON
    body = (plain_json(event) if is_plain else event).encode()
    content_type = PLAIN_CONTENT_TYPE if is_plain else CONTENT_TYPE
    secrets = [box.open(each) for each in _secrets(to, now)]
    headers = signed_headers(secrets, event_id, int(now.timestamp()), body, content_type)
    return poster.post(to.url, {**headers, **also}, body)


def _secrets(to: Claim | Subscription, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    until = to.previous_secret_until
    if to.previous_secret is None or until is None or until <= now:
        return [to.secret]
    return [to.secret, to.previous_secret]
