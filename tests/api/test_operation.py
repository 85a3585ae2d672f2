"""Health, metrics, the description of the interface, the console's headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.errors import StoreError
from service.api.app import create_app
from service.api.deps import ApiDeps
from service.store.migrate import downgrade
from tests.support.dispatch import Service, migrated, running_service


def test_a_healthy_service_is_ready(service: Service) -> None:
    assert service.anonymous.get("/healthz").json() == {"status": "ok"}
    answer = service.anonymous.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "disk": "ok"}


def test_a_service_on_an_old_database_is_not_ready(service: Service) -> None:
    downgrade(service.deps.database, "base")

    answer = service.anonymous.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "ok"
    assert "another version" in answer.json()["checks"]["migrations"]
    assert service.anonymous.get("/healthz").status_code == 200


def test_a_store_that_fails_is_a_problem_to_try_again_later(service: Service) -> None:
    downgrade(service.deps.database, "base")

    answer = service.client.get("/api/v1/work-orders")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "orders" not in answer.json()["detail"]


def test_a_part_that_has_stopped_makes_the_service_not_ready(tmp_path: Path) -> None:
    def stopped() -> None:
        raise StoreError("the webhook sender has stopped")

    def make(make_app: Callable[[ApiDeps], Any]) -> Callable[[ApiDeps], Any]:
        return lambda deps: make_app(replace(deps, checks={"webhooks": stopped}))

    with (
        migrated("sqlite", tmp_path) as database,
        running_service(database, tmp_path, make(create_app)) as service,
    ):
        answer = service.anonymous.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["webhooks"] == "the webhook sender has stopped"


def test_metrics_tell_what_is_stored_and_asked(service: Service) -> None:
    service.post_order(category="litter")
    service.client.post("/api/v1/subscriptions", json={"url": "https://city.example/"})
    service.post_order(category="litter")
    service.detector.put("/api/v1/cameras/c", json={"name": "C", "state": "online"})
    service.clock.forward(12)
    service.anonymous.request("PROPFIND", "/somewhere")

    text = service.anonymous.get("/metrics").text

    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["streetwarden_work_orders", ("status", "dispatched")] == 2
    assert found["streetwarden_work_orders_received_total", ("category", "litter")] == 2
    assert found["streetwarden_deliveries", ("state", "pending")] == 1
    assert found["streetwarden_deliveries_oldest_pending_seconds",] == 12
    assert found["streetwarden_cameras", ("state", "online")] == 1
    posted = (("method", "POST"), ("route", "/api/v1/work-orders"), ("status", "201"))
    assert found["streetwarden_http_requests_total", *posted] == 2
    assert ("method", "other") in {label for key in found for label in key[1:]}


def test_every_metric_is_documented(sqlite_service: Service) -> None:
    text = sqlite_service.anonymous.get("/metrics").text
    guide = Path(__file__).parents[2] / "docs" / "integrator.md"

    names = set(re.findall(r"# TYPE (streetwarden_\w+?)(?:_created)? ", text))
    assert names
    assert {name for name in names if name not in guide.read_text(encoding="utf-8")} == set()


def test_the_interface_describes_itself_with_examples(sqlite_service: Service) -> None:
    schema = sqlite_service.anonymous.get("/openapi.json").json()

    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            errors = {code for code in operation["responses"] if code.startswith(("4", "5"))}
            if path.startswith("/api/") and not path.startswith("/api/v1/session"):
                assert {"401", "403", "422"} <= errors, (method, path)
            for code in errors - {"503"}:
                content = operation["responses"][code]["content"]
                assert list(content) == ["application/problem+json"], (method, path, code)
    schemas = schema["components"]["schemas"]
    assert schemas["WorkOrderIn"]["example"]["category"] == "illegal_parking"
    assert "ProblemOut" in schemas
    assert "HTTPValidationError" not in schemas
    assert schema["components"]["securitySchemes"]


def test_the_reference_page_works_without_the_internet(sqlite_service: Service) -> None:
    answer = sqlite_service.anonymous.get("/docs")

    assert answer.status_code == 200
    assert "/api/v1/work-orders/{order_id}" in answer.text
    assert "<script" not in answer.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/nothing", "/api/v1/work-orders"])
def test_every_answer_has_the_security_headers(sqlite_service: Service, path: str) -> None:
    headers = sqlite_service.anonymous.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-request-id"]


def test_the_console_is_served_and_nothing_beside_it(sqlite_service: Service) -> None:
    page = sqlite_service.anonymous.get("/")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    for path in ("/nothing", "/../app.py", "/%2e%2e/app.py", "/..%2fapp.py"):
        answer = sqlite_service.anonymous.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
