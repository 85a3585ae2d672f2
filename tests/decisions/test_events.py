from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.decisions.events import EventType, Happening, cloud_event, wants

HAPPENING = Happening(
    event_id="e1",
    type=EventType.CREATED,
    order_id="o1",
    at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
    category="litter",
    department_id="cleaning",
)


@pytest.mark.parametrize(
    ("event_types", "categories", "department_ids", "expected"),
    [
        ([], [], [], True),
        (["streetwarden.work_order.created"], ["litter"], ["cleaning"], True),
        (["streetwarden.work_order.cleared"], [], [], False),
        ([], ["pothole"], [], False),
        ([], [], ["parks"], False),
        ([], ["pothole", "litter"], [], True),
    ],
    ids=["all", "each", "other-type", "other-category", "other-department", "one-of"],
)
def test_a_subscription_wants_what_passes_all_its_filters(
    event_types: list[str], categories: list[str], department_ids: list[str], expected: bool
) -> None:
    answer = wants(
        HAPPENING,
        event_types=event_types,
        categories=categories,
        department_ids=department_ids,
    )

    assert answer is expected


def test_an_order_nobody_is_responsible_for_passes_no_department_filter() -> None:
    nobody = replace(HAPPENING, department_id=None)

    assert not wants(nobody, event_types=[], categories=[], department_ids=["cleaning"])
    assert wants(nobody, event_types=[], categories=[], department_ids=[])


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
