"""What people said of an order, as far as a detector can learn from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from models.geometry import Box

REAL_OVERLAP_RATIO = 0.1
"""A false alarm that something which may be real covers by more than this teaches nothing."""


class Verdict(StrEnum):
    """What people said of an order."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    UNCLEAR = "unclear"
    """Nothing yet, or nothing about the picture: the thing may be there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """An order with its verdict and the picture that it is about."""

    order_id: str
    number: int
    verdict: Verdict
    label: str
    place: Box
    """Ratios of the sides of the picture."""
    object_count: int
    """More than one: ``place`` encloses several objects."""
    camera_id: str
    started_at: datetime
    last_seen_at: datetime
    judged_at: datetime | None = None
    judged_by: str = ""
    model: str = ""
    config_version: str = ""
    picture: Path | None = None
    """The undrawn picture, heads and plates made unrecognisable; ``None``: there is none."""
    picture_sha256: str = ""


def met(first: Judged, second: Judged) -> bool:
    """Whether what two orders are about was there at the same time, on the same camera."""
    return (
        first.camera_id == second.camera_id
        and first.started_at <= second.last_seen_at
        and second.started_at <= first.last_seen_at
    )


def perhaps_real(alarm: Judged, orders: tuple[Judged, ...]) -> tuple[Box, ...]:
    """Where objects of a false alarm's class were, or may have been, in its picture."""
    return tuple(
        other.place
        for other in orders
        if other.verdict is not Verdict.FALSE_ALARM
        and other.label == alarm.label
        and met(alarm, other)
    )


def false_places(order: Judged, orders: tuple[Judged, ...]) -> tuple[Box, ...]:
    """Where a camera gave false alarms, at any time: what fooled the model once mostly stays."""
    return tuple(
        other.place
        for other in orders
        if other.verdict is Verdict.FALSE_ALARM and other.camera_id == order.camera_id
    )


def why_unusable(
    order: Judged, orders: tuple[Judged, ...], label_ids: tuple[str, ...]
) -> str | None:
    """Why nothing can be learnt from an order that was judged; ``None``: it can."""
    if order.label not in label_ids:
        return "its class is not trained"
    if order.picture is None:
        return "it has no clean picture"
    if order.verdict is Verdict.CONFIRMED:
        return "one box encloses several objects" if order.object_count > 1 else None
    covered = (order.place.covered_by(box) for box in perhaps_real(order, orders))
    if max(covered, default=0.0) > REAL_OVERLAP_RATIO:
        return "something of its class may really be there"
    return None
