from __future__ import annotations

import pytest

from models.work_order import Status, check_transition
from service.decisions.routing import first_statuses, route

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
    assert route(category, rule_department, routing) == expected


def test_an_order_with_a_department_is_dispatched_by_an_allowed_transition() -> None:
    assert first_statuses(None) == (Status.RECEIVED,)
    first, second = first_statuses("cleaning")
    check_transition(first, second)
