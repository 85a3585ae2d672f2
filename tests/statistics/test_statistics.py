from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decisions.local_time import shifts
from tests.support.dispatch import Service
from zones.schedule import time_zone


def figures(service: Service, **query: str) -> dict[str, Any]:
    answer = service.client.get("/api/v1/statistics", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def move(service: Service, order: dict[str, Any], *statuses: str, **more: str) -> None:
    for status in statuses:
        answer = service.admin.patch(
            f"/api/v1/work-orders/{order['order_id']}", json={"status": status, **more}
        )
        assert answer.status_code == 200, answer.text


def test_orders_are_counted_by_what_they_are_and_by_local_day(service: Service) -> None:
    service.post_order(category="litter")
    service.post_order(category="meteorite", priority="high")
    service.clock.forward(9 * 3600)  # 17:00 UTC is the next day in Shanghai
    service.post_order(category="litter")

    found = figures(service)

    assert found["total"] == 3
    assert found["by_category"] == {"litter": 2, "meteorite": 1}
    assert found["by_status"] == {"dispatched": 2, "received": 1}
    assert found["by_department"] == {"cleaning": 2, "": 1}
    assert found["by_priority"] == {"high": 1, "normal": 2}
    assert found["by_day"] == {"2026-11-24": 2, "2026-11-25": 1}
    heat = [(each["zone_id"], each["hour"], each["count"]) for each in found["heat_map"]]
    assert heat == [("double-yellow", 1, 1), ("double-yellow", 16, 2)]
    assert figures(service, category="litter")["total"] == 2
    assert figures(service, created_until="2026-11-24T12:00:00Z")["total"] == 2


def test_times_are_medians_and_ninetieth_percentiles_by_nearest_rank(service: Service) -> None:
    made = [service.post_order(category="litter") for _ in range(10)]
    for minutes, order in enumerate(made, start=1):
        service.clock.forward(60)
        move(service, order, "accepted")
        assert minutes <= 10
    service.clock.forward(600)
    move(service, made[0], "resolved")

    found = figures(service)

    assert found["time_to_accept"] == {"count": 10, "median_s": 300.0, "p90_s": 540.0}
    assert found["time_to_resolve"] == {"count": 1, "median_s": 1200.0, "p90_s": 1200.0}
    assert found["time_to_clear"] == {"count": 0, "median_s": None, "p90_s": None}


def test_precision_is_of_what_people_said_and_of_nothing_else(service: Service) -> None:
    right, wrong, other, open_order, seen = (service.post_order() for _ in range(5))
    move(service, right, "accepted", "resolved", "closed")
    move(service, wrong, "rejected", reason_code="false_alarm")
    move(service, other, "rejected", reason_code="permitted")
    assert open_order["status"] == "dispatched"
    service.detector.put(
        f"/api/v1/incidents/{seen['incident_id']}/observation",
        json={
            "state": "cleared",
            "last_seen_at": "2026-11-24T08:00:00Z",
            "observed_s": 400,
            "cleared_at": "2026-11-24T08:00:00Z",
        },
    )

    (rule,) = figures(service)["precision"]

    assert (rule["confirmed"], rule["false_alarms"], rule["precision"]) == (1, 1, 0.5)
    assert 0.0 < rule["low"] < 0.5 < rule["high"] < 1.0


def test_load_shows_what_is_open_and_overdue_whenever_it_was_made(service: Service) -> None:
    old = service.post_order(category="litter")
    service.clock.forward(40 * 86400)
    service.post_order(category="litter")
    done = service.post_order(category="litter")
    move(service, done, "resolved")

    found = figures(service)

    assert found["load"] == [
        {
            "department_id": "cleaning",
            "department_name": "Street cleaning",
            "open": 2,
            "overdue": 1,
        }
    ]
    assert found["total"] == 2
    assert old["due_at"] is not None


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"created_since": "2020-01-01T00:00:00Z"}, id="too long"),
        pytest.param({"created_until": "0001-01-01T00:00:00Z"}, id="before all time"),
        pytest.param({"unknown": "1"}, id="unknown filter"),
    ],
)
def test_a_span_that_cannot_be_counted_is_refused(service: Service, query: dict[str, str]) -> None:
    assert service.client.get("/api/v1/statistics", params=query).status_code == 422


def test_a_map_gets_orders_as_features_with_the_usual_filters_and_pages(service: Service) -> None:
    here = service.post_order(category="litter", latitude=31.25, longitude=121.5)
    nowhere = service.post_order(category="litter", latitude=None, longitude=None)
    service.post_order(category="illegal_parking")
    path = "/api/v1/work-orders.geojson"

    first = service.client.get(path, params={"category": "litter", "limit": 1})
    second = service.client.get(first.links["next"]["url"])

    assert first.headers["content-type"] == "application/geo+json"
    (none,) = first.json()["features"]
    (point,) = second.json()["features"]
    assert (none["id"], none["geometry"]) == (nowhere["order_id"], None)
    assert point["geometry"] == {"type": "Point", "coordinates": [121.5, 31.25]}
    assert point["properties"]["order_id"] == here["order_id"]
    assert "next" not in second.links
    assert service.anonymous.get(path).status_code == 401


TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    start=TIMES,
    days=st.integers(0, 366),
    part=st.floats(0, 1),
    name=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "UTC"]),
)
def test_shifts_give_local_time_everywhere_in_the_span(
    start: datetime, days: int, part: float, name: str
) -> None:
    end = start + timedelta(days=days)
    at = start + (end - start) * part

    found = shifts(name, start, end)

    ahead = next(shift for begin, shift in reversed(found) if begin <= at)
    assert (at + ahead).replace(tzinfo=None) == at.astimezone(time_zone(name)).replace(tzinfo=None)
