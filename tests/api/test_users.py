"""Users by the interface: made, changed, locked out, let in again."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import pytest

from service.decisions.access import Role
from service.store.audit import entries
from tests.support.dispatch import Service, client_of

USERS = "/api/v1/users"
LI = {"name": "Li Wei", "role": "crew", "department_ids": ["traffic"]}
PAGE = {"Sec-Fetch-Site": "same-origin"}


def signed_in(service: Service, name: str, password: str) -> httpx.Client | None:
    client = httpx.Client(base_url=service.url, headers=PAGE)
    answer = client.post("/api/v1/session", json={"name": name, "password": password})
    if answer.status_code == 201:
        return client
    client.close()
    assert answer.status_code == 401, answer.text
    return None


def made(service: Service, **changes: Any) -> dict[str, Any]:
    answer = service.admin.post(USERS, json=LI | changes)
    assert answer.status_code == 201, answer.text
    user: dict[str, Any] = answer.json()
    return user


def test_a_user_signs_in_until_disabled_and_again_once_enabled(service: Service) -> None:
    user = made(service)
    path = f"{USERS}/{user['user_id']}"
    session = signed_in(service, "li wei", user["password"])
    assert session is not None
    with closing(session):
        assert session.get("/api/v1/session").json()["department_ids"] == ["traffic"]
        disabled = service.admin.patch(path, json={"disabled": True}).json()
        assert session.get("/api/v1/session").status_code == 401
    assert disabled["disabled_at"] is not None
    assert signed_in(service, "Li Wei", user["password"]) is None

    service.admin.patch(path, json={"disabled": False}).raise_for_status()
    again = signed_in(service, "Li Wei", user["password"])
    assert again is not None
    again.close()
    listed = service.admin.get(USERS).json()["items"]
    assert [(each["name"], each["disabled_at"]) for each in listed] == [("Li Wei", None)]
    assert "password" not in listed[0]
    with service.deps.database.read() as connection:
        noted = [each.action for each in entries(connection) if each.subject == "user:Li Wei"]
    assert [each for each in noted if each.startswith("user.")] == [
        "user.created", "user.disabled", "user.changed",
    ]  # fmt: skip


def test_a_new_password_ends_sessions_and_the_old_password(sqlite_service: Service) -> None:
    user = made(sqlite_service, password="correct horse battery")
    assert user["password"] is None
    session = signed_in(sqlite_service, "Li Wei", "correct horse battery")
    assert session is not None

    answer = sqlite_service.admin.post(f"{USERS}/{user['user_id']}/password", json={})

    new = answer.json()["password"]
    assert len(new) == 16
    with closing(session):
        assert session.get("/api/v1/session").status_code == 401
    assert signed_in(sqlite_service, "Li Wei", "correct horse battery") is None
    renewed = signed_in(sqlite_service, "Li Wei", new)
    assert renewed is not None
    renewed.close()


def test_role_and_departments_are_changed(sqlite_service: Service) -> None:
    path = f"{USERS}/{made(sqlite_service)['user_id']}"

    only_role = sqlite_service.admin.patch(path, json={"role": "viewer"}).json()
    both = sqlite_service.admin.patch(path, json={"role": "dispatcher", "department_ids": []})

    assert (only_role["role"], only_role["department_ids"]) == ("viewer", ["traffic"])
    assert (both.json()["role"], both.json()["department_ids"]) == ("dispatcher", [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"role": "detector", "department_ids": []}, "body.role", id="detector"),
        pytest.param({"role": "reporter", "department_ids": []}, "body.role", id="reporter"),
        pytest.param({"department_ids": []}, "body.department_ids", id="crew of nobody"),
        pytest.param({"role": "admin"}, "body.department_ids", id="admin of a department"),
        pytest.param({"password": "short"}, "body.password", id="short password"),
        pytest.param({"password": "li wei"}, "body.password", id="short and the name"),
        pytest.param({"name": "a longer name", "password": "A LONGER NAME"}, "body.password",
                     id="password is the name"),
        pytest.param({"name": "  "}, "body.name", id="blank name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(sqlite_service: Service, body: dict[str, Any], field: str) -> None:
    answer = sqlite_service.admin.post(USERS, json=LI | body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert sqlite_service.admin.get(USERS).json()["items"] == []


def test_nobody_locks_themself_out_and_a_name_is_taken_once(sqlite_service: Service) -> None:
    boss = made(sqlite_service, name="Boss", role="admin", department_ids=[])
    session = signed_in(sqlite_service, "Boss", boss["password"])
    assert session is not None
    with closing(session):
        answer = session.patch(f"{USERS}/{boss['user_id']}", json={"disabled": True})
    assert (answer.status_code, "yourself" in answer.json()["detail"]) == (409, True)
    again = sqlite_service.admin.post(USERS, json=LI | {"name": "BOSS"})
    assert again.status_code == 409


def test_only_administrators_see_and_change_users(sqlite_service: Service) -> None:
    path = f"{USERS}/{made(sqlite_service)['user_id']}"
    for role in set(Role) - {Role.ADMIN}:
        with client_of(sqlite_service.url, role) as client:
            codes = {
                client.get(USERS).status_code,
                client.post(USERS, json=LI).status_code,
                client.patch(path, json={"disabled": True}).status_code,
                client.post(f"{path}/password", json={}).status_code,
            }
        assert codes == {403}, role


def test_ids_of_orders_are_explained_to_whoever_may_read(sqlite_service: Service) -> None:
    with client_of(sqlite_service.url, Role.VIEWER) as viewer:
        departments = viewer.get("/api/v1/departments").json()["items"]
        categories = viewer.get("/api/v1/categories").json()["items"]
    assert departments[0] == {
        "department_id": "traffic", "name": "Traffic police", "name_zh": "交警",
    }  # fmt: skip
    litter = next(each for each in categories if each["category"] == "litter")
    assert (litter["service_code"], litter["public"]) == ("litter", True)
    assert litter["name_zh"]
