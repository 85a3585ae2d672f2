from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.decisions.events import (
    EventType,
    Happening,
    cloud_event,
    event_id_of,
    plain_json,
    wants,
)

HAPPENING = Happening(
    event_id="e1",
    type=EventType.CREATED,
    order_id="o1",
    at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
    category="litter",
    department_id="cleaning",
    camera_id="gate",
    zone_id="kerb",
    moved_to="dispatched",
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    event_types: Sequence[str] = ()
    categories: Sequence[str] = ()
    department_ids: Sequence[str] = ()
    camera_ids: Sequence[str] = ()
    zone_ids: Sequence[str] = ()
    statuses: Sequence[str] = ()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"event_types": [EventType.CREATED], "categories": ["litter"]}, True),
        ({"event_types": [EventType.CLEARED]}, False),
        ({"categories": ["pothole"]}, False),
        ({"categories": ["pothole", "litter"]}, True),
        ({"department_ids": ["parks"]}, False),
        ({"camera_ids": ["gate"], "zone_ids": ["kerb"]}, True),
        ({"camera_ids": ["hall"]}, False),
        ({"zone_ids": ["lawn"]}, False),
        ({"statuses": ["resolved", "dispatched"]}, True),
        ({"statuses": ["resolved"]}, False),
    ],
    ids=str,
)
def test_a_subscription_wants_what_passes_all_its_filters(
    filters: dict[str, Any], expected: bool
) -> None:
    assert wants(HAPPENING, Wanted(**filters)) is expected


def test_an_order_nobody_is_responsible_for_passes_no_department_filter() -> None:
    nobody = replace(HAPPENING, department_id=None)

    assert not wants(nobody, Wanted(department_ids=["cleaning"]))
    assert wants(nobody, Wanted())


def test_what_moves_no_order_passes_no_filter_of_statuses() -> None:
    assert not wants(replace(HAPPENING, moved_to=None), Wanted(statuses=["dispatched"]))


def test_only_who_names_it_is_told_of_a_subscription_that_was_disabled() -> None:
    notice = replace(HAPPENING, type=EventType.SUBSCRIPTION_DISABLED, moved_to=None)

    assert not wants(notice, Wanted())
    assert wants(notice, Wanted(event_types=[EventType.SUBSCRIPTION_DISABLED]))


def test_an_event_has_the_same_id_whenever_it_is_told() -> None:
    first = event_id_of("o1", 2, EventType.UPDATED)

    assert first == event_id_of("o1", 2, EventType.UPDATED)
    others = [("o1", 3, EventType.UPDATED), ("o2", 2, EventType.UPDATED), ("o1", 2, EventType.PING)]
    assert first not in {event_id_of(*each) for each in others}


def test_the_plain_form_says_the_same_without_the_envelope() -> None:
    plain = json.loads(plain_json(cloud_event(HAPPENING, "https://city.example", {"名": "值"})))

    assert plain == {
        "id": "e1",
        "type": "streetwarden.work_order.created",
        "timestamp": "2026-11-24T08:00:00+00:00",
        "data": {"名": "值"},
    }


def test_the_envelope_has_every_attribute_of_cloudevents() -> None:
    event = json.loads(cloud_event(HAPPENING, "https://city.example/orders", {"名": "值"}))

    assert event == {
        "specversion": "1.0",
        "id": "e1",
        "source": "https://city.example/orders",
        "type": "streetwarden.work_order.created",
        "subject": "o1",
        "time": "2026-11-24T08:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {"名": "值"},
    }
