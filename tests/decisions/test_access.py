from __future__ import annotations

import pytest

from service.decisions.access import Permission, Role, is_same_origin, may
from service.decisions.cameras import effective_state, is_stale


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.DETECTOR, {Permission.REPORT}),
        (Role.CLIENT, {Permission.READ, Permission.WORK, Permission.SUBSCRIBE}),
        (Role.ADMIN, set(Permission)),
    ],
)
def test_each_role_has_its_permissions(role: Role, allowed: set[Permission]) -> None:
    assert {each for each in Permission if may(role, each)} == allowed


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
