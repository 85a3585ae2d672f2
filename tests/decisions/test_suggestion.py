from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ground import distance_m
from models.work_order import Status
from service.config.categories import load_categories
from service.decisions.near import near_duplicates
from service.decisions.suggestion import SHOWN_BY, Found, Suggestion, share_of, suggest
from service.store.intake import new_order
from service.store.orders import Tick
from service.store.records import WorkOrder
from tests.support.dispatch import START, order_request

KNOWN = load_categories().categories


def box(label: str, confidence: float = 0.8, share: float = 0.2) -> Found:
    return Found(label=label, confidence=confidence, share=share)


@pytest.mark.parametrize(
    ("reported", "found", "category"),
    [
        pytest.param("litter", [], None, id="nothing"),
        pytest.param("litter", [box("person", 0.9)], None, id="persons are no matter"),
        pytest.param("litter", [box("pothole")], "road_damage", id="something else"),
        pytest.param("litter", [box("pothole"), box("litter", 0.3)], "litter", id="agrees"),
        pytest.param("fire_lane", [box("car", share=0.01)], "fire_lane", id="its own vehicles"),
        pytest.param("litter", [box("car", share=0.01)], None, id="a distant vehicle"),
        pytest.param("litter", [box("car", share=0.3)], "illegal_parking", id="a large vehicle"),
        pytest.param(
            "litter", [box("car", 0.95, 0.5), box("graffiti", 0.4)], "graffiti", id="matter first"
        ),
        pytest.param(
            "bench", [box("graffiti", 0.4), box("pothole", 0.6)], "road_damage", id="the surest"
        ),
        pytest.param("bench", [box("bicycle", share=0.2)], "non_motor_parking", id="bicycles"),
    ],
)
def test_a_photo_speaks_for_a_category(
    reported: str, found: list[Found], category: str | None
) -> None:
    suggested = suggest(reported, found, KNOWN)
    assert (None if suggested is None else suggested.category) == category


def test_only_categories_of_the_citys_table_are_suggested() -> None:
    found = [box("pothole", 0.8)]
    assert suggest("litter", found, {"damaged_facility"}) == Suggestion(
        category="damaged_facility", confidence=0.8
    )
    assert suggest("litter", found, {"litter"}) is None


def test_every_category_that_can_be_suggested_is_in_the_packaged_table() -> None:
    assert {each for categories in SHOWN_BY.values() for each in categories} <= set(KNOWN)


@pytest.mark.parametrize(
    ("corners", "share"),
    [
        ((0, 0, 50, 50), 0.25),
        ((-50, -50, 50, 50), 0.25),
        ((0, 0, 500, 500), 1.0),
        ((200, 200, 300, 300), 0.0),
    ],
)
def test_a_share_is_of_the_picture(corners: tuple[float, ...], share: float) -> None:
    x1, y1, x2, y2 = corners
    assert share_of((x1, y1, x2, y2), 100, 100) == share


def order(number: int, **changes: Any) -> WorkOrder:
    at = Tick(change_seq=number, at=START)
    made = new_order(order_request(category="litter"), f"o{number}", Status.RECEIVED, at, None, {})
    return replace(made, number=number, **changes)


HERE = order(0, latitude=31.0, longitude=121.0)


@pytest.mark.parametrize(
    ("changes", "is_near"),
    [
        ({}, True),
        ({"latitude": 31.0005}, False),
        ({"latitude": None, "longitude": None}, False),
        ({"category": "graffiti"}, False),
        ({"created_at": START - timedelta(days=3)}, False),
    ],
    ids=["same place", "too far", "nowhere", "another category", "too old"],
)
def test_an_order_close_by_may_be_the_same_thing(changes: dict[str, Any], is_near: bool) -> None:
    other = order(1, **{"latitude": 31.0001, "longitude": 121.0, **changes})
    since = START - timedelta(days=2)
    found = near_duplicates(HERE, "litter", [HERE, other], radius_m=50, since=since)
    assert [each.order.number for each in found] == ([1] if is_near else [])


def test_without_a_place_or_a_radius_nothing_is_near() -> None:
    other = order(1, latitude=31.0, longitude=121.0)
    nowhere = replace(HERE, latitude=None)
    assert near_duplicates(nowhere, "litter", [other], radius_m=50, since=START) == []
    assert near_duplicates(HERE, "litter", [other], radius_m=0, since=START) == []


PLACES = st.lists(
    st.tuples(st.floats(30.99, 31.01), st.floats(120.99, 121.01)), min_size=1, max_size=6
)


@given(PLACES, st.floats(1, 2000))
def test_all_within_the_radius_are_found_the_nearest_first(
    places: list[tuple[float, float]], radius_m: float
) -> None:
    others = [order(n + 1, latitude=lat, longitude=lon) for n, (lat, lon) in enumerate(places)]
    found = near_duplicates(HERE, "litter", others, radius_m=radius_m, since=START)
    within = {
        n + 1 for n, place in enumerate(places) if distance_m((31.0, 121.0), place) <= radius_m
    }
    assert {each.order.number for each in found} == within
    assert [each.distance_m for each in found] == sorted(each.distance_m for each in found)
