from __future__ import annotations

import pytest

from models.work_order import RejectReason, Status
from service.decisions.access import (
    Permission,
    Role,
    in_words,
    is_same_origin,
    may,
    may_reassign,
    moves_of,
    permissions_of,
    reasons_of,
    roles_for_change,
    roles_with,
    scope_problem,
)
from service.decisions.cameras import effective_state, is_stale

READING = {Permission.READ}
WORKING = {Permission.READ, Permission.WORK, Permission.SUBMIT}
SUBSCRIBING = {*WORKING, Permission.SUBSCRIBE}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, READING),
        (Role.OPERATOR, WORKING),
        (Role.CREW, WORKING),
        (Role.DISPATCHER, {*SUBSCRIBING, Permission.READ_PLATES}),
        (Role.CLIENT, SUBSCRIBING),
        (Role.DETECTOR, {Permission.REPORT, Permission.SUBMIT, Permission.INSPECT}),
        (Role.REPORTER, {Permission.SUBMIT}),
        (Role.ADMIN, set(Permission)),
    ],
)
def test_each_role_has_its_permissions(role: Role, allowed: set[Permission]) -> None:
    assert {each for each in Permission if may(role, each)} == allowed
    assert permissions_of(role) == sorted(allowed)
    assert all((role in roles_with(each)) is (each in allowed) for each in Permission)


LEADERS = {"dispatcher", "client", "admin"}
DOERS = {"crew", "client", "admin"}


@pytest.mark.parametrize(
    ("status", "reason", "reassigns", "roles"),
    [
        (Status.DISPATCHED, None, False, LEADERS),
        (Status.ACCEPTED, None, False, DOERS),
        (Status.IN_PROGRESS, None, False, DOERS),
        (Status.RESOLVED, None, False, DOERS),
        (Status.VERIFIED, None, False, LEADERS),
        (Status.CLOSED, None, False, LEADERS),
        (Status.REOPENED, None, False, LEADERS),
        (Status.DUPLICATE, None, False, LEADERS),
        (Status.REJECTED, RejectReason.FALSE_ALARM, False, {"operator", *LEADERS}),
        (Status.REJECTED, RejectReason.PERMITTED, False, LEADERS),
        (Status.REJECTED, None, False, LEADERS),
        (Status.EXPIRED, None, False, set()),
        (Status.RECEIVED, None, False, set()),
        (None, None, True, LEADERS),
        (Status.ACCEPTED, None, True, {"client", "admin"}),
        (None, None, False, {"operator", "crew", *LEADERS}),
    ],
)
def test_each_step_is_for_some_roles(
    status: Status | None, reason: RejectReason | None, reassigns: bool, roles: set[str]
) -> None:
    assert set(roles_for_change(status, reason, reassigns=reassigns)) == roles


@pytest.mark.parametrize("role", Role)
def test_what_the_page_is_told_is_what_a_role_may(role: Role) -> None:
    told = {
        each
        for each in Status
        if role in roles_for_change(each, RejectReason.FALSE_ALARM, reassigns=False)
    }
    reasons = {
        each
        for each in RejectReason
        if role in roles_for_change(Status.REJECTED, each, reassigns=False)
    }
    assert set(moves_of(role)) == told
    assert set(reasons_of(role)) == reasons
    assert may_reassign(role) is (role in roles_for_change(None, None, reassigns=True))


@pytest.mark.parametrize(
    ("role", "departments", "is_wrong"),
    [
        (Role.CREW, [], True),
        (Role.CREW, ["traffic"], False),
        (Role.VIEWER, [], False),
        (Role.CLIENT, ["traffic"], False),
        (Role.ADMIN, ["traffic"], True),
        (Role.DETECTOR, ["traffic"], True),
        (Role.REPORTER, ["traffic"], True),
        (Role.ADMIN, [], False),
    ],
)
def test_some_roles_need_departments_and_some_have_none(
    role: Role, departments: list[str], is_wrong: bool
) -> None:
    assert (scope_problem(role, departments) is not None) is is_wrong


def test_roles_are_named_as_a_person_says_them() -> None:
    assert in_words([Role.ADMIN]) == "admin"
    assert in_words([Role.CREW, Role.CLIENT, Role.ADMIN]) == "crew, client or admin"


@pytest.mark.parametrize(
    ("origin", "fetch_site", "expected"),
    [
        (None, "same-origin", True),
        (None, "cross-site", False),
        (None, "same-site", False),
        (None, "none", False),
        ("https://evil.example", "same-origin", True),
        ("http://city.example:8080", None, True),
        ("https://CITY.example:8080", None, True),
        ("http://city.example", None, False),
        ("https://evil.example", None, False),
        ("null", None, False),
        ("city.example:8080", None, False),
        (None, None, False),
    ],
)
def test_only_the_services_own_page_may_change_by_cookie(
    origin: str | None, fetch_site: str | None, expected: bool
) -> None:
    assert is_same_origin("city.example:8080", origin, fetch_site) is expected


@pytest.mark.parametrize(
    ("silent_s", "state"), [(0.0, "online"), (30.0, "online"), (30.1, "offline")]
)
def test_a_silent_camera_is_offline(silent_s: float, state: str) -> None:
    assert effective_state("online", silent_s) == state
    assert is_stale(silent_s) is (state == "offline")
