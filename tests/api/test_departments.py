"""No request reads or writes another department's data: every route, as another department."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.api.app import create_app
from service.api.deps import ApiDeps
from service.store import access
from service.store.files import FileStore
from tests.support.dispatch import (
    BACKENDS,
    START,
    Service,
    jpeg_picture,
    migrated,
    order_body,
    running_service,
    tls,
)

ORDERS = "/api/v1/work-orders"
SECRET = "only-traffic-knows"
SUBSCRIPTION = {"url": f"https://city.example/{SECRET}"}
KEYS = {"traffic": "sw_test-traffic-0123456789", "cleaning": "sw_test-cleaning-0123456789"}
PUBLIC = {"/healthz", "/readyz", "/metrics"}
"""Routes without a key: they count things, of the whole city, and show none."""
SIGN_IN = {
    "/api/v1/session",
    "/api/v1/session/oidc",
    "/api/v1/session/oidc/ways",
    "/api/v1/session/oidc/callback",
}
"""The way in; what of it needs a session has tests of its own."""


class Town:
    """A service with a case of the traffic police, and a client of each department."""

    def __init__(self, service: Service, clients: dict[str, httpx.Client]) -> None:
        self.service = service
        self.traffic, self.cleaning = clients["traffic"], clients["cleaning"]
        self.order = service.post_order(
            camera_id="traffic-camera", camera_name=SECRET, address=SECRET, zone_id=SECRET
        )
        report = {"name": SECRET, "state": "online"}
        service.detector.put("/api/v1/cameras/traffic-camera", json=report).raise_for_status()
        for path in (
            f"{self.incident}/evidence/opened-wide",
            "/api/v1/cameras/traffic-camera/snapshot",
        ):
            service.detector.put(
                path, content=jpeg_picture(), headers={"Content-Type": "image/jpeg"}
            ).raise_for_status()
        plate = {"plate": SECRET, "confidence": 0.9}
        service.detector.put(f"{self.incident}/plate", json=plate).raise_for_status()
        made = self.traffic.post("/api/v1/subscriptions", json=SUBSCRIPTION).raise_for_status()
        self.subscription_id = made.json()["subscription_id"]
        change = {"status": "accepted"}
        self.traffic.patch(f"{ORDERS}/{self.order['order_id']}", json=change).raise_for_status()
        answer = self.traffic.get(f"/api/v1/subscriptions/{self.subscription_id}/deliveries")
        self.delivery_id = answer.json()["items"][0]["delivery_id"]

    @property
    def incident(self) -> str:
        return f"/api/v1/incidents/{self.order['incident_id']}"

    @property
    def values(self) -> dict[str, Any]:
        """What to put into paths. A new parameter must be named here: think whose it is."""
        return {
            "order_id": self.order["order_id"],
            "incident_id": self.order["incident_id"],
            "camera_id": "traffic-camera",
            "subscription_id": self.subscription_id,
            "delivery_id": self.delivery_id,
            "name": "opened-wide",
            "user_id": str(uuid.uuid4()),
        }

    def state(self) -> list[Any]:
        """All that another department must not change."""
        order = self.service.order(self.order["order_id"])
        path = f"/api/v1/subscriptions/{self.subscription_id}"
        return [order, self.service.admin.get(path).json()["url"]]


@pytest.fixture(params=BACKENDS)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    with migrated(request.param, tmp_path) as database:
        with database.write() as connection:
            for department, key in KEYS.items():
                access.save_key(
                    connection, department, "client", key, START, department_ids=[department]
                )
        with running_service(database, tmp_path) as service:
            headers = {name: {"Authorization": f"Bearer {key}"} for name, key in KEYS.items()}
            with (
                httpx.Client(base_url=service.url, headers=headers["traffic"], verify=tls()) as one,
                httpx.Client(
                    base_url=service.url, headers=headers["cleaning"], verify=tls()
                ) as two,
            ):
                yield Town(service, {"traffic": one, "cleaning": two})


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", ORDERS + "/{order_id}"): {"note": "from elsewhere"},
    ("PATCH", "/api/v1/subscriptions/{subscription_id}"): {"url": "https://elsewhere.example/"},
    ("POST", "/api/v1/subscriptions"): {"url": "https://elsewhere.example/"},
    ("POST", ORDERS): order_body(),
    ("PUT", "/api/v1/incidents/{incident_id}/plate"): {"plate": "B1", "confidence": 0.5},
}


def ask(client: httpx.Client, method: str, path: str, town: Town) -> tuple[int, str]:
    """Status and answer; of a stream that goes on for ever, its beginning."""
    body = BODIES.get((method, path), {})
    content = None if method in {"GET", "DELETE"} else body
    with client.stream(method, path.format(**town.values), timeout=5, json=content) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, next(answer.iter_text())
        return answer.status_code, answer.read().decode("latin-1")


def test_no_route_tells_or_changes_what_is_another_departments(town: Town) -> None:
    before = town.state()
    paths = town.service.anonymous.get("/openapi.json").json()["paths"]
    asked = 0
    for path, operations in paths.items():
        for method in {"get", "post", "put", "patch", "delete"} & set(operations):
            if path in PUBLIC:
                continue
            status, text = ask(town.cleaning, method.upper(), path, town)
            asked += 1
            told = f"{method} {path} -> {status}"
            assert status < 500, told
            for word in (SECRET, town.order["order_id"], "traffic-camera"):
                # Problems name the path that was asked for.
                assert word not in text or status in {403, 404, 422}, told
            if "{" in path and not path.startswith("/api/v1/keys"):
                assert status in {403, 404, 422}, told
    assert asked > 25
    assert town.state() == before


@pytest.mark.parametrize(
    "path",
    [
        ORDERS,
        f"{ORDERS}/{{order_id}}",
        "/api/v1/incidents/{incident_id}/evidence/{name}",
        "/api/v1/cameras/{camera_id}",
        "/api/v1/cameras/{camera_id}/snapshot",
        "/api/v1/subscriptions/{subscription_id}",
        "/api/v1/subscriptions/{subscription_id}/deliveries/{delivery_id}",
    ],
)
def test_a_department_reads_what_is_its_own(town: Town, path: str) -> None:
    status, text = ask(town.traffic, "GET", path, town)

    assert status == 200
    assert text
    assert town.cleaning.get(ORDERS).json()["items"] == []


def test_webhooks_tell_a_departments_own_events_only(town: Town) -> None:
    mine = town.cleaning.post("/api/v1/subscriptions", json={"url": "https://mine.example/"}).json()
    own = town.service.post_order(category="litter")
    town.service.post_order()

    path = f"/api/v1/subscriptions/{mine['subscription_id']}/deliveries"
    told = {each["order_id"] for each in town.cleaning.get(path).json()["items"]}
    assert told == {own["order_id"]}


def test_what_is_handed_over_is_out_of_sight(town: Town) -> None:
    path = f"{ORDERS}/{town.order['order_id']}"

    assert town.traffic.patch(path, json={"department_id": "cleaning"}).status_code == 200
    assert town.traffic.get(path).status_code == 404
    assert town.cleaning.get(path).status_code == 200


def test_a_route_without_a_key_must_be_known_to_be_public(town: Town) -> None:
    """Whoever adds a route that needs no key must say so here."""
    for path, operations in town.service.anonymous.get("/openapi.json").json()["paths"].items():
        for method in {"get", "post", "put", "patch"} & set(operations):
            if path in PUBLIC | SIGN_IN:
                continue
            status, _ = ask(town.service.anonymous, method.upper(), path, town)
            assert status == 401, f"{method} {path}"


def test_open311_is_not_served_unless_asked_for(tmp_path: Path) -> None:
    with migrated("sqlite", tmp_path) as database:
        app = create_app(ApiDeps(database=database, files=FileStore(tmp_path / "files")))
    assert not [path for path in app.openapi()["paths"] if "open311" in path]
