from __future__ import annotations

import re
from http.cookies import SimpleCookie

import httpx
import pytest

from service.decisions.access import Role
from tests.support.dispatch import KEYS, Service, order_body, tls

ORDERS = "/api/v1/work-orders"
UUID = "7f3c1f6e-6f0f-4f43-8f2f-0a4f7c0b7d11"
REPORTERS = {"detector", "admin"}
SUBSCRIBERS = {"dispatcher", "client", "admin"}
READERS = {"viewer", "operator", "crew", *SUBSCRIBERS}
WORKERS = READERS - {"viewer"}
REQUESTS = {
    "post-order": ("POST", ORDERS, REPORTERS),
    "evidence": ("PUT", f"/api/v1/incidents/{UUID}/evidence/a", REPORTERS),
    "observation": ("PUT", f"/api/v1/incidents/{UUID}/observation", REPORTERS),
    "camera": ("PUT", "/api/v1/cameras/c", REPORTERS),
    "snapshot": ("PUT", "/api/v1/cameras/c/snapshot", REPORTERS),
    "list": ("GET", ORDERS, READERS),
    "read": ("GET", f"{ORDERS}/{UUID}", READERS),
    "change": ("PATCH", f"{ORDERS}/{UUID}", WORKERS),
    "get-evidence": ("GET", f"/api/v1/incidents/{UUID}/evidence/a", READERS),
    "cameras": ("GET", "/api/v1/cameras", READERS),
    "get-snapshot": ("GET", "/api/v1/cameras/c/snapshot", READERS),
    "subscribe": ("POST", "/api/v1/subscriptions", SUBSCRIBERS),
    "subscriptions": ("GET", "/api/v1/subscriptions", SUBSCRIBERS),
    "deliveries": ("GET", f"/api/v1/subscriptions/{UUID}/deliveries", SUBSCRIBERS),
    "who-am-i": ("GET", "/api/v1/session", READERS),
    "uninspected": ("GET", "/api/v1/reports/uninspected", REPORTERS),
    "photo": ("GET", f"/api/v1/reports/{UUID}/photo", REPORTERS),
    "inspection": ("PUT", f"/api/v1/reports/{UUID}/inspection", REPORTERS),
    "accept": ("POST", f"{ORDERS}/{UUID}/accept-suggestion", SUBSCRIBERS),
    "keys": ("GET", "/api/v1/keys", {"admin"}),
    "revoke": ("DELETE", "/api/v1/keys/nobody", {"admin"}),
}


def test_each_role_may_do_what_it_is_for_and_nothing_else(sqlite_service: Service) -> None:
    for name, (method, path, allowed) in REQUESTS.items():
        for role in Role:
            headers = {"Authorization": f"Bearer {KEYS[role]}"}
            answer = sqlite_service.anonymous.request(method, path, headers=headers)
            assert (answer.status_code not in {401, 403}) == (role in allowed), (name, role)


def test_nothing_is_told_without_a_key(sqlite_service: Service) -> None:
    for method, path, _ in REQUESTS.values():
        answer = sqlite_service.anonymous.request(method, path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer"},
        {"X-API-Key": ""},
        {"Cookie": "streetwarden_session=made-up"},
    ],
    ids=str,
)
def test_a_wrong_key_is_refused(sqlite_service: Service, headers: dict[str, str]) -> None:
    assert sqlite_service.anonymous.get(ORDERS, headers=headers).status_code == 401


def test_a_key_may_come_in_the_other_usual_header(sqlite_service: Service) -> None:
    headers = {"X-API-Key": KEYS[Role.CLIENT]}

    assert sqlite_service.anonymous.get(ORDERS, headers=headers).status_code == 200


def sign_in(service: Service, browser: httpx.Client, key: str) -> httpx.Response:
    return browser.post("/api/v1/session", json={"api_key": key}, headers={"Origin": service.url})


def test_the_browser_session_reads_changes_from_its_own_page_and_ends(
    service: Service,
) -> None:
    order = service.post_order()
    with httpx.Client(base_url=service.url, verify=tls()) as browser:
        answer = sign_in(service, browser, KEYS[Role.CLIENT])
        assert answer.status_code == 201
        cookie = SimpleCookie(answer.headers["set-cookie"])["streetwarden_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "lax"
        assert browser.get("/api/v1/session").json()["name"] == "test-client"
        path = f"{ORDERS}/{order['order_id']}"
        own = {"Sec-Fetch-Site": "same-origin"}
        assert browser.patch(path, json={"status": "accepted"}, headers=own).status_code == 200
        assert browser.delete("/api/v1/session", headers=own).status_code == 204
        stolen = {"Cookie": f"streetwarden_session={cookie.value}"}
        assert browser.get(ORDERS, headers=stolen).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_a_cookie_changes_nothing_from_another_page(
    sqlite_service: Service, headers: dict[str, str]
) -> None:
    order = sqlite_service.post_order()
    with httpx.Client(base_url=sqlite_service.url, verify=tls()) as browser:
        sign_in(sqlite_service, browser, KEYS[Role.CLIENT])

        path = f"{ORDERS}/{order['order_id']}"
        answer = browser.patch(path, json={"status": "accepted"}, headers=headers)

    assert answer.status_code == 403
    assert sqlite_service.order(order["order_id"])["version"] == 1


def test_a_session_ends_by_itself(service: Service) -> None:
    with httpx.Client(base_url=service.url, verify=tls()) as browser:
        sign_in(service, browser, KEYS[Role.CLIENT])
        assert browser.get(ORDERS).status_code == 200
        service.clock.forward(service.deps.settings.session_s + 1)
        assert browser.get(ORDERS).status_code == 401


@pytest.mark.parametrize(
    ("key", "status"),
    [("wrong", 401), (KEYS[Role.DETECTOR], 403), (None, 422)],
    ids=["wrong", "detector", "none"],
)
def test_who_may_not_read_cannot_sign_in(
    sqlite_service: Service, key: str | None, status: int
) -> None:
    answer = sqlite_service.anonymous.post(
        "/api/v1/session",
        json={} if key is None else {"api_key": key},
        headers={"Origin": sqlite_service.url},
    )

    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


def test_keys_and_wrong_input_are_not_logged(
    sqlite_service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    sqlite_service.post_order()
    sign_in(sqlite_service, sqlite_service.anonymous, KEYS[Role.ADMIN])
    sign_in(sqlite_service, sqlite_service.anonymous, "wrong-but-secret")

    logged = "".join(capsys.readouterr())
    assert "test-detector" in logged
    for secret in (*KEYS.values(), "wrong-but-secret"):
        assert secret not in logged


def test_a_request_id_is_kept_if_it_is_harmless(sqlite_service: Service) -> None:
    given = sqlite_service.client.get(ORDERS, headers={"X-Request-ID": "trace-1"})
    made = sqlite_service.client.get(ORDERS, headers={"X-Request-ID": "a b\tc"})

    assert given.headers["x-request-id"] == "trace-1"
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])


def test_an_error_of_our_own_tells_the_client_nothing_of_it(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("service.api.intake.receive_order", fail)
    answer = sqlite_service.detector.post(ORDERS, json=order_body())

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret detail" not in answer.text
    assert answer.json()["request_id"]
