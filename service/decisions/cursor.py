"""The opaque cursor that goes on where a page of orders ended."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FINGERPRINT_CHARACTERS = 12
MAX_CURSOR_CHARACTERS = 200
MAX_POSITION = 2**63 - 1


class Listing(StrEnum):
    """In which order pages go."""

    NEWEST = "n"
    """By creation, newest first; the position is an order's number."""
    CHANGES = "c"
    """By latest change, oldest change first; the position is a change's number."""
    EVENTS = "e"
    """What happened to orders, as it happened; the position is an entry of the history."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Where to go on, in which listing, with which filters."""

    listing: Listing
    position: int
    filters: str
    """Fingerprint of the filters that the listing began with."""


def fingerprint(filters: Mapping[str, object]) -> str:
    """Short hash of filters, the same for the same filters in any order."""
    text = json.dumps(filters, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_CHARACTERS]


def write_cursor(cursor: Cursor) -> str:
    """The cursor as clients see it."""
    text = f"{cursor.listing}.{cursor.position}.{cursor.filters}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Parse what a client sent; raises :class:`ValueError`."""
    if len(text) > MAX_CURSOR_CHARACTERS:
        raise ValueError("too long")
    padded = text + "=" * (-len(text) % 4)
    listing, position, filters = (
        base64.b64decode(padded.encode(), altchars=b"-_", validate=True).decode().split(".")
    )
    number = int(position)
    if not 0 <= number <= MAX_POSITION:
        raise ValueError("no such position")
    return Cursor(listing=Listing(listing), position=number, filters=filters)
