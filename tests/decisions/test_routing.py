from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from models.city import Route
from models.work_order import Status, check_transition
from models.zone import Schedule, TimeWindow
from service.decisions.routing import Case, first_statuses, route

ROUTING = {"litter": "cleaning", "default": "office"}


@pytest.mark.parametrize(
    ("category", "rule_department", "routing", "expected"),
    [
        ("litter", "parks", ROUTING, "parks"),
        ("litter", None, ROUTING, "cleaning"),
        ("pothole", None, ROUTING, "office"),
        ("pothole", None, {"litter": "cleaning"}, None),
        ("pothole", "", {}, None),
    ],
    ids=["rule", "category", "default", "nobody", "empty"],
)
def test_the_department_is_the_rules_then_the_categorys_then_the_default(
    category: str, rule_department: str | None, routing: dict[str, str], expected: str | None
) -> None:
    assert route(Case(category=category), rule_department, routing) == expected


NIGHTS = Schedule(
    timezone="Asia/Shanghai", windows=(TimeWindow(start=time(22, 0), end=time(6, 0)),)
)
ROUTES = {
    "litter": (
        Route(department_id="parks", zone_ids=("lawn", "pond")),
        Route(department_id="night", camera_ids=("gate",), schedule=NIGHTS),
    ),
    "default": (Route(department_id="office"),),
}


@pytest.mark.parametrize(
    ("camera_id", "zone_id", "hour_utc", "expected"),
    [
        pytest.param("gate", "lawn", 15, "parks", id="the first that holds"),
        pytest.param("gate", "road", 15, "night", id="23:00 there"),
        pytest.param("gate", "road", 3, "office", id="11:00 there"),
        pytest.param("other", "road", 15, "office", id="another camera"),
    ],
)
def test_a_route_holds_in_its_places_and_at_its_times_else_the_next_one(
    camera_id: str, zone_id: str, hour_utc: int, expected: str
) -> None:
    at = datetime(2026, 11, 24, hour_utc, tzinfo=UTC)
    case = Case(category="litter", camera_id=camera_id, zone_id=zone_id, at=at)

    assert route(case, None, ROUTES) == expected


def test_without_a_time_no_schedule_holds() -> None:
    assert route(Case(category="litter", camera_id="gate"), None, ROUTES) == "office"


def test_an_order_with_a_department_is_dispatched_by_an_allowed_transition() -> None:
    assert first_statuses(None) == (Status.RECEIVED,)
    first, second = first_statuses("cleaning")
    check_transition(first, second)
