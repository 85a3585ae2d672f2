"""Standard Webhooks headers: who sent it, when, and proof of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - marks a secret, is none
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
PLAIN_CONTENT_TYPE = "application/json; charset=utf-8"


def signed_headers(
    secrets: Sequence[str],
    event_id: str,
    timestamp_s: int,
    body: bytes,
    content_type: str = CONTENT_TYPE,
) -> dict[str, str]:
    """Headers of one attempt; ``webhook-id`` is the CloudEvents id and the same over attempts.

    Each secret signs: while one takes the place of another, receivers may know either.
    """
    signatures = [sign(each, event_id, timestamp_s, body) for each in secrets]
    return {
        "content-type": content_type,
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }


def sign(secret: str, event_id: str, timestamp_s: int, body: bytes) -> str:
    """HMAC-SHA256 over id, timestamp and body, as version 1 of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{event_id}.{timestamp_s}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
