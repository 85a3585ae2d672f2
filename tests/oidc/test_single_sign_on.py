from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.city import SingleSignOn
from models.errors import ConfigError, SetupError
from service.api.identity import IdentityProvider
from service.config import load_city
from service.decisions.access import Role
from service.decisions.single_sign_on import Grant, grant_of
from service.store import passwords, users
from tests.oidc.provider import OTHER_KEY, SECRET
from tests.oidc.town import BEGIN, SESSION, Town, rules, running_town
from tests.support.dispatch import START, Service


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with running_town(tmp_path) as town:
        yield town


def test_who_signs_in_there_has_a_session_here(town: Town) -> None:
    with town.browser() as browser:
        ended = browser.get(BEGIN)
        who = browser.get(SESSION).json()
        again = browser.get(BEGIN)

    assert [each.status_code for each in (ended.history[0], ended.history[-1])] == [303, 303]
    assert ended.url.path == again.url.path == "/"
    assert (who["name"], who["kind"], who["role"]) == ("Li Wei", "user", "crew")
    assert who["department_ids"] == ["traffic"]
    assert town.actions() == ["user.created", "session.opened", "session.opened"]


def test_the_way_back_is_bound_to_the_browser_and_used_once(town: Town) -> None:
    with town.browser() as browser, town.browser() as other:
        browser.follow_redirects = other.follow_redirects = False
        begun = browser.get(BEGIN)
        cookie = begun.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        back = httpx.get(begun.headers["location"]).headers["location"]

        assert other.get(back).status_code == 403, "of another browser"
        assert browser.get(back.replace("state=", "state=x")).status_code == 403
        assert browser.get(back.replace("code=", "none=")).status_code == 403
        assert browser.get(back).status_code == 303
        assert browser.get(back).status_code == 403, "the cookie is gone"
    asked = next(iter(httpx.QueryParams(begun.headers["location"].partition("?")[2]).items()))
    assert asked == ("response_type", "code")


WRONG_TOKENS = [
    pytest.param({"nonce": "of-another-sign-in"}, id="another nonce"),
    pytest.param({"nonce": None}, id="no nonce"),
    pytest.param({"aud": "another-client"}, id="another audience"),
    pytest.param({"azp": "another-client"}, id="another party"),
    pytest.param({"iss": "http://127.0.0.1/other"}, id="another issuer"),
    pytest.param({"exp": int(time.time()) - 3600}, id="expired"),
    pytest.param({"exp": None}, id="never expires"),
    pytest.param({"sub": None}, id="nobody"),
]


@pytest.mark.parametrize("claims", WRONG_TOKENS)
def test_a_token_that_does_not_hold_lets_nobody_in(town: Town, claims: dict[str, Any]) -> None:
    town.provider.claims = claims
    assert_refused(town, 502)


@pytest.mark.parametrize(
    "signing",
    [
        pytest.param({"key": OTHER_KEY, "algorithm": "ES256"}, id="another key"),
        pytest.param({"key": SECRET * 4, "algorithm": "HS256"}, id="the client's own secret"),
        pytest.param({"key": None, "algorithm": "none"}, id="not signed"),
    ],
)
def test_a_token_must_be_signed_by_the_provider(town: Town, signing: dict[str, Any]) -> None:
    town.provider.signing = signing
    assert_refused(town, 502)


def assert_refused(town: Town, status: int) -> httpx.Response:
    with town.browser() as browser:
        answer = browser.get(BEGIN)
        assert answer.status_code == status, answer.text
        assert browser.get(SESSION).status_code == 401
    return answer


@pytest.mark.parametrize(
    ("person", "said"),
    [
        pytest.param({"realm_access": {"roles": ["guests"]}}, "none of the roles", id="no role"),
        pytest.param({"realm_access": "x"}, "none of the roles", id="other claim"),
        pytest.param({"departments": []}, "names no department", id="no department"),
    ],
)
def test_who_has_no_role_here_is_refused(town: Town, person: dict[str, Any], said: str) -> None:
    town.provider.person |= person
    assert said in assert_refused(town, 403).json()["detail"]
    assert town.actions() == ["session.refused"]


def test_a_role_that_changed_there_changes_here(town: Town) -> None:
    with town.browser() as browser:
        browser.get(BEGIN)
        town.provider.person |= {"realm_access": {"roles": ["leaders", "it"]}}
        browser.get(BEGIN)
        who = browser.get(SESSION).json()
    assert (who["role"], who["department_ids"]) == ("admin", [])
    assert "user.changed" in town.actions()


def test_a_name_of_somebody_else_is_not_taken_over(town: Town) -> None:
    with town.service.deps.database.write() as connection:
        hashed = passwords.hash_password("correct horse battery")
        users.add_user(connection, "li wei", Role.ADMIN, (), hashed, START)
    assert "somebody else" in assert_refused(town, 403).json()["detail"]
    with town.service.deps.database.read() as connection:
        assert users.get_user(connection, "li wei").role == "admin"


def test_another_person_of_the_same_name_is_refused(town: Town) -> None:
    with town.browser() as browser:
        assert browser.get(BEGIN).url.path == "/"
    town.provider.person["sub"] = "person-2"
    assert "somebody else" in assert_refused(town, 403).json()["detail"]


def test_who_was_disabled_here_stays_out_and_no_password_fits(town: Town) -> None:
    with town.browser() as browser:
        browser.get(BEGIN)
    form = {"name": "Li Wei", "password": "oidc:"}
    answer = town.service.anonymous.post(SESSION, json=form, headers={"Origin": town.service.url})
    assert answer.status_code == 401
    with town.service.deps.database.write() as connection:
        users.disable_user(connection, users.get_user(connection, "Li Wei"), START)
    assert "disabled" in assert_refused(town, 403).json()["detail"]


def test_a_provider_that_describes_another_is_not_asked(town: Town) -> None:
    town.provider.metadata = {"issuer": "https://login.other.example"}
    assert_refused(town, 502)


def test_the_page_is_told_of_the_button(town: Town, sqlite_service: Service) -> None:
    assert town.service.anonymous.get(f"{BEGIN}/ways").json() == {"label": "City login"}
    assert sqlite_service.anonymous.get(f"{BEGIN}/ways").json() == {"label": None}
    assert sqlite_service.anonymous.get(BEGIN).status_code == 404


@pytest.mark.parametrize(
    ("claims", "changes", "granted"),
    [
        pytest.param(
            {"roles": "leaders", "departments": "traffic"}, {"role_claim": "roles"},
            Grant(role=Role.DISPATCHER, department_ids=("traffic",)), id="one text",
        ),
        pytest.param(
            {"https://c/r": ["leaders"]}, {"role_claim": "https://c/r", "department_claim": None},
            Grant(role=Role.DISPATCHER, department_ids=()), id="a name with dots, whole city",
        ),
        pytest.param(
            {"roles": ["it"], "departments": ["traffic"]}, {"role_claim": "roles"},
            Grant(role=Role.ADMIN, department_ids=()), id="admins have no departments",
        ),
    ],
)  # fmt: skip
def test_claims_give_a_role(
    claims: dict[str, object], changes: dict[str, Any], granted: Grant
) -> None:
    assert grant_of(claims, rules(**changes)) == granted


def test_a_crew_of_the_whole_city_is_none() -> None:
    found = grant_of({"r": "crews"}, rules(role_claim="r", department_claim=None))
    assert isinstance(found, str)


def city_with(tmp_path: Path, oidc: str) -> SingleSignOn | None:
    path = tmp_path / "city.yaml"
    camera = "cameras: [{id: c, source: rtsp://h/1, legal_basis: law}]"
    path.write_text(f"city: {{name: T, timezone: UTC}}\noidc: {oidc}\n{camera}\n")
    return load_city(path).single_sign_on


def test_the_file_says_where_and_what_roles_are(tmp_path: Path) -> None:
    text = "{issuer: https://login.example/x/, client_id: c, roles: {a: admin}}"
    assert city_with(tmp_path, text) == SingleSignOn(
        issuer="https://login.example/x/", client_id="c", roles={"a": "admin"}
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{issuer: http://login.example, client_id: c, roles: {a: admin}}", "https://",
                     id="no TLS"),
        pytest.param("{issuer: https://h, client_id: c, roles: {a: detector}}", "roles",
                     id="role of no person"),
        pytest.param("{issuer: https://h, client_id: c, roles: {}}", "roles", id="no roles"),
        pytest.param("{issuer: https://h, client_id: c, roles: {a: crew}, secret_env: a-b}",
                     "environment variable", id="the secret itself"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        city_with(tmp_path, text)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(SetupError, match=r"streetwarden\[oidc\]"):
        IdentityProvider(rules(), None)
