"""What an event becomes on an MQTT broker: topics and payloads. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from models.work_order import Status

OVER = frozenset({Status.VERIFIED, Status.CLOSED, Status.REJECTED})
"""Orders of which nothing is left to be done: the broker does not keep them."""
_RESERVED = re.compile(r"[/+#\x00]")
"""What has a meaning in a topic."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One publication."""

    topic: str
    payload: str
    retain: bool = False


def available(prefix: str) -> str:
    """Topic that says whether the service publishes: ``online`` or ``offline``."""
    return f"{prefix}/available"


def place_of(event: str) -> tuple[str, str] | None:
    """Camera and zone of an event's order; ``None`` if the event is of no order."""
    data: dict[str, Any] = json.loads(event)["data"]
    if "camera_id" not in data or "zone_id" not in data:
        return None
    return data["camera_id"], data["zone_id"]


def messages_of(event: str, prefix: str, open_in_zone: int) -> list[Message]:
    """What is published for an event of an order, in this order.

    An order is kept by the broker while something is left to be done; its last state is told, then
    it is deleted there (an empty retained message).
    """
    envelope = json.loads(event)
    messages = [Message(topic=f"{prefix}/events", payload=event)]
    place = place_of(event)
    if place is None:
        return messages
    order = envelope["data"]
    is_over = order["status"] in OVER
    own = f"{prefix}/orders/{_level(order['order_id'])}"
    payload = json.dumps(order, ensure_ascii=False, separators=(",", ":"))
    messages.append(Message(topic=own, payload=payload, retain=not is_over))
    if is_over:
        messages.append(Message(topic=own, payload="", retain=True))
    zone = f"{prefix}/zones/{_level(place[0])}/{_level(place[1])}/count"
    messages.append(Message(topic=zone, payload=str(open_in_zone), retain=True))
    return messages


def _level(name: str) -> str:
    return _RESERVED.sub("_", name)
