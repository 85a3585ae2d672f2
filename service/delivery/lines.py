"""How much is claimed and sent at a time, and in which lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.decisions.retry import DISABLE_AFTER
from service.store.claims import Claim


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverySettings:
    """How deliveries are sent."""

    threads: int = 16
    per_subscription: int = 4
    """Requests to one subscription at a time, each of another order."""
    ahead: int = 16
    """For each of those, deliveries that are claimed at a time and sent one after the other."""
    poll_s: float = 0.5
    lease_s: float = 60.0
    """A claim that is not finished by then is taken for lost; longer than any attempt."""
    retry_scale: float = 1.0
    """Shortens all waits between attempts, for demonstrations and tests."""
    disable_after: timedelta = DISABLE_AFTER
    """A subscription whose attempts all failed for so long is made inactive."""


USUAL = DeliverySettings()


def in_lines(claimed: Sequence[Claim], room: Mapping[str, int]) -> list[list[Claim]]:
    """Claims in as many lists for each subscription as it has room for requests at a time."""
    of_each: dict[str, list[Claim]] = {}
    for each in claimed:
        of_each.setdefault(each.subscription_id, []).append(each)
    lines = [
        own[number :: room[subscription_id]]
        for subscription_id, own in of_each.items()
        for number in range(room[subscription_id])
    ]
    return [line for line in lines if line]
