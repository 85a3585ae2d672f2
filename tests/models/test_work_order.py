"""Work orders: which status may follow which."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models.errors import ConflictError, TransitionError
from models.work_order import NEEDS_REASON, TRANSITIONS, Status, check_transition


@pytest.mark.parametrize(
    "way",
    [
        "received dispatched accepted in_progress resolved verified closed",
        "received dispatched resolved closed",
        "received dispatched in_progress resolved reopened resolved verified reopened in_progress",
    ],
    ids=["every stage", "in short", "back after a check"],
)
def test_ways_an_order_may_go(way: str) -> None:
    for current, wanted in pairwise(map(Status, way.split())):
        check_transition(current, wanted)


def test_every_pair_is_allowed_or_refused_as_the_table_says() -> None:
    for current in Status:
        for wanted in Status:
            if wanted in TRANSITIONS[current]:
                check_transition(current, wanted, reason="because")
            else:
                with pytest.raises(TransitionError, match=f"{current} cannot become {wanted}"):
                    check_transition(current, wanted, reason="because")


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ("received", "closed"),
        ("received", "received"),
        ("closed", "in_progress"),
        ("rejected", "received"),
        ("resolved", "rejected"),
    ],
)
def test_ways_an_order_may_not_go(current: str, wanted: str) -> None:
    with pytest.raises(TransitionError):
        check_transition(Status(current), Status(wanted), reason="because")


def test_the_message_names_what_is_allowed() -> None:
    with pytest.raises(TransitionError, match="allowed: dispatched, duplicate, rejected"):
        check_transition(Status.RECEIVED, Status.CLOSED)
    with pytest.raises(TransitionError, match="nothing: it is final"):
        check_transition(Status.CLOSED, Status.RECEIVED)


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_rejection_needs_a_reason(reason: str) -> None:
    with pytest.raises(TransitionError, match="needs a reason"):
        check_transition(Status.RECEIVED, Status.REJECTED, reason)
    check_transition(Status.RECEIVED, Status.REJECTED, "a shadow")


def test_no_other_status_needs_one() -> None:
    assert frozenset({Status.REJECTED}) == NEEDS_REASON


def test_every_status_can_be_reached_and_left_or_is_final() -> None:
    assert set(TRANSITIONS) == set(Status)
    reached = {status for following in TRANSITIONS.values() for status in following}
    # Nobody sets expired: the service does, to what was left alone.
    assert reached == set(Status) - {Status.RECEIVED, Status.EXPIRED}
    assert {status for status in Status if not TRANSITIONS[status]} == {
        Status.CLOSED,
        Status.REJECTED,
        Status.DUPLICATE,
        Status.EXPIRED,
    }


def test_an_order_that_cannot_change_so_is_a_conflict() -> None:
    assert issubclass(TransitionError, ConflictError)
