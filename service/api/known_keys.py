"""Keys that were looked up just now: clients send the same one with every request."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.store.records import ApiKey

BELIEVED_S = 1.0
"""A key that another process revoked or changed is good for so long here; after that it is not."""
REMEMBERED = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    key: ApiKey
    read_s: float
    read_at: datetime


class KnownKeys:
    """Keys by the hash of their token, as they were read from the store within the last second."""

    def __init__(self) -> None:
        self._seen: dict[bytes, _Seen] = {}

    def find(self, token: str, now: datetime) -> ApiKey | None:
        """The key, if it was looked up just now."""
        seen = self._seen.get(_digest(token))
        if seen is None or time.monotonic() - seen.read_s >= BELIEVED_S:
            return None
        # By the service's own clock too: a key that has ended is not good for longer.
        is_fresh = abs(now - seen.read_at) < timedelta(seconds=BELIEVED_S)
        return seen.key if is_fresh else None

    def note(self, token: str, key: ApiKey, now: datetime) -> None:
        """Remember what the store says of a token."""
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[_digest(token)] = _Seen(key=key, read_s=time.monotonic(), read_at=now)

    def forget(self) -> None:
        """A key was changed: ask the store again."""
        self._seen.clear()


def _digest(token: str) -> bytes:
    # A token itself is kept nowhere, and how long a look-up takes tells nothing of one.
    return hashlib.sha256(token.encode()).digest()
