"""Users sign in by name and password; too many failures are refused for a while."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from service.api.expiry import expire_untouched
from service.store import audit, passwords, users
from service.store.database import Database
from tests.support.dispatch import START, Service, tls

NAME, PASSWORD = "Li Wei", "correct horse battery"
HASHED = passwords.hash_password(PASSWORD)
SESSION = "/api/v1/session"


def add(
    database: Database, role: str = "crew", departments: tuple[str, ...] = ("traffic",)
) -> None:
    with database.write() as connection:
        users.add_user(connection, NAME, role, departments, HASHED, START)


def sign_in(
    service: Service,
    password: str = PASSWORD,
    name: str = NAME,
    browser: httpx.Client | None = None,
) -> httpx.Response:
    body = {"name": name, "password": password}
    client = browser or service.anonymous
    return client.post(SESSION, json=body, headers={"Origin": service.url})


def actions(service: Service) -> list[str]:
    with service.deps.database.read() as connection:
        return [entry.action for entry in audit.entries(connection)]


def test_a_user_signs_in_whatever_the_case_and_sees_who_they_are(service: Service) -> None:
    add(service.deps.database)
    with httpx.Client(base_url=service.url, verify=tls()) as browser:
        answer = sign_in(service, name="li WEI ", browser=browser)
        who = browser.get(SESSION).json()

    assert answer.status_code == 201
    assert "SameSite=lax" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert (who["name"], who["kind"], who["role"]) == (NAME, "user", "crew")
    assert who["department_ids"] == ["traffic"]
    assert who["may_set"] == ["accepted", "in_progress", "resolved"]
    assert actions(service) == ["session.opened"]


def test_a_crew_does_its_departments_work_and_is_told_who_may_do_more(service: Service) -> None:
    add(service.deps.database)
    order = service.post_order()
    other = service.post_order(category="litter")
    path = f"/api/v1/work-orders/{order['order_id']}"
    own = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=service.url, verify=tls(), headers=own) as browser:
        sign_in(service, browser=browser)
        assert browser.patch(path, json={"status": "accepted"}).status_code == 200
        refused = browser.patch(path, json={"status": "rejected", "reason": "no"})
        handed = browser.patch(path, json={"department_id": "cleaning"})
        unseen = browser.get(f"/api/v1/work-orders/{other['order_id']}")

    assert (refused.status_code, handed.status_code, unseen.status_code) == (403, 403, 404)
    assert refused.json()["roles"] == ["admin", "client", "dispatcher"]
    assert "dispatcher, client or admin" in refused.json()["detail"]
    assert service.order(order["order_id"])["history"][-1]["actor"] == NAME
    assert actions(service).count("access.denied") == 2


def test_the_name_is_refused_for_a_while_after_five_failures(service: Service) -> None:
    add(service.deps.database)
    answers = [sign_in(service, "wrong password!").status_code for _ in range(6)]
    locked = sign_in(service)
    service.clock.forward(int(locked.headers["retry-after"]) + 1)
    after = sign_in(service)

    assert answers == [401] * 5 + [429]
    assert locked.status_code == 429
    assert after.status_code == 201
    assert actions(service).count("session.refused") == 5
    assert "session.locked_out" in actions(service)


def test_an_unknown_name_is_answered_and_locked_as_a_known_one(sqlite_service: Service) -> None:
    add(sqlite_service.deps.database)
    known = [sign_in(sqlite_service, "wrong password!") for _ in range(6)]
    unknown = [sign_in(sqlite_service, "wrong password!", "nobody") for _ in range(6)]

    def seen(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["detail"]

    assert [seen(each) for each in known] == [seen(each) for each in unknown]


@pytest.mark.parametrize("change", ["disable", "password"])
def test_sessions_end_when_a_user_is_disabled_or_gets_a_new_password(
    service: Service, change: str
) -> None:
    database = service.deps.database
    add(database)
    with httpx.Client(base_url=service.url, verify=tls()) as browser:
        sign_in(service, browser=browser)
        assert browser.get(SESSION).status_code == 200
        with database.write() as connection:
            user = users.get_user(connection, NAME)
            if change == "disable":
                users.disable_user(connection, user, START)
            else:
                users.set_password(connection, user, passwords.hash_password("another one!"), START)
        assert browser.get(SESSION).status_code == 401

    assert sign_in(service).status_code == 401


def test_a_session_that_is_left_alone_ends(sqlite_service: Service) -> None:
    add(sqlite_service.deps.database)
    idle_s = sqlite_service.deps.settings.session_idle_s
    with httpx.Client(base_url=sqlite_service.url, verify=tls()) as browser:
        sign_in(sqlite_service, browser=browser)
        for _ in range(3):
            sqlite_service.clock.forward(idle_s / 2)
            assert browser.get(SESSION).status_code == 200
        sqlite_service.clock.forward(idle_s + 1)
        assert browser.get(SESSION).status_code == 401


def test_a_key_is_made_once_shown_rotated_with_overlap_and_revoked(service: Service) -> None:
    made = service.admin.post("/api/v1/keys", json={"name": "app", "role": "client"}).json()
    rotated = service.admin.post("/api/v1/keys/app/rotate", json={"grace_s": 60}).json()

    def works(key: str) -> bool:
        headers = {"X-API-Key": key}
        return service.anonymous.get("/api/v1/work-orders", headers=headers).status_code == 200

    assert works(made["key"])
    assert works(rotated["key"])
    service.clock.forward(61)
    assert not works(made["key"])
    assert works(rotated["key"])
    listed = service.admin.get("/api/v1/keys")
    assert rotated["key"] not in listed.text
    assert service.admin.delete("/api/v1/keys/app").status_code == 200
    assert not works(rotated["key"])
    assert actions(service) == ["key.created", "key.rotated", "key.revoked"]


def test_a_key_ends_when_it_should(service: Service) -> None:
    body = {"name": "app", "role": "viewer", "expires_in_s": 3600}
    key = service.admin.post("/api/v1/keys", json=body).json()["key"]
    headers = {"X-API-Key": key}

    assert service.anonymous.get("/api/v1/work-orders", headers=headers).status_code == 200
    service.clock.forward(3601)
    assert service.anonymous.get("/api/v1/work-orders", headers=headers).status_code == 401


def test_a_duplicate_names_the_other_order_and_is_final(service: Service) -> None:
    first, second = service.post_order(), service.post_order()
    path = f"/api/v1/work-orders/{second['order_id']}"
    change = {"status": "duplicate", "duplicate_of": first["order_id"]}
    itself = {**change, "duplicate_of": second["order_id"]}

    assert service.client.patch(path, json={"status": "duplicate"}).status_code == 422
    assert service.client.patch(path, json=itself).status_code == 409
    done = service.client.patch(path, json=change).json()
    assert (done["status"], done["duplicate_of"]) == ("duplicate", first["order_id"])
    assert done["allowed_statuses"] == []
    chained = {**change, "duplicate_of": second["order_id"]}
    other = f"/api/v1/work-orders/{first['order_id']}"
    assert service.client.patch(other, json=chained).status_code == 409


def test_orders_that_nobody_touched_expire_only_if_that_is_asked_for(service: Service) -> None:
    old = service.post_order()
    seen = service.post_order()
    done = service.post_order()
    path = f"/api/v1/work-orders/{done['order_id']}"
    service.client.patch(path, json={"status": "resolved"}).raise_for_status()
    service.clock.forward(91 * 86_400)
    sight = {"state": "present", "last_seen_at": service.clock().isoformat(), "observed_s": 9.0}
    place = f"/api/v1/incidents/{seen['incident_id']}/observation"
    service.detector.put(place, json=sight).raise_for_status()
    settings = replace(service.deps.settings, expire_after_days=90)

    assert expire_untouched(service.deps) == 0
    assert expire_untouched(replace(service.deps, settings=settings)) == 1
    after = service.order(old["order_id"])
    assert (after["status"], after["allowed_statuses"]) == ("expired", [])
    assert after["history"][-1]["to_status"] == "expired"
    assert service.order(seen["order_id"])["status"] == "dispatched"
    assert service.order(done["order_id"])["status"] == "resolved"
