"""Licence plates at the dispatch service: who may read them, and when they end."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from models.evidence import Retention
from service.api.plates import delete_plates
from service.api.retention import delete_expired
from service.decisions.access import Role
from service.store import access, audit
from tests.support.dispatch import CITY, START, Service, client_of, tls

PLATE = "京A12345"
READ = {"plate": PLATE, "confidence": 0.93}
DAY_S = 86_400
AT_ONCE = 200


def posted(service: Service) -> tuple[dict[str, str], str]:
    order = service.post_order()
    path = f"/api/v1/incidents/{order['incident_id']}/plate"
    assert service.detector.put(path, json=READ).status_code == 201
    return order, path


def noted(service: Service) -> list[audit.AuditEntry]:
    with service.deps.database.read() as connection:
        return list(audit.entries(connection, audit.AuditFilter(action="plate")))


def test_a_dispatcher_reads_a_plate_and_the_audit_log_says_so_without_it(service: Service) -> None:
    order, path = posted(service)
    with client_of(service.url, Role.DISPATCHER) as dispatcher:
        answer = dispatcher.get(path)

    assert {key: answer.json()[key] for key in READ} == READ
    assert answer.headers["cache-control"] == "no-store"
    (entry,) = noted(service)
    assert (entry.actor, entry.action) == ("key:test-dispatcher", "plate.read")
    assert entry.subject == f"order:{order['order_id']}"
    assert PLATE not in str(entry)


def test_others_may_not_and_nothing_else_tells_of_it(service: Service) -> None:
    order, path = posted(service)
    for role in (Role.VIEWER, Role.OPERATOR, Role.CLIENT, Role.DETECTOR):
        with client_of(service.url, role) as client:
            assert client.get(path).status_code == 403, role
    assert service.anonymous.get(path).status_code == 401
    assert service.client.put(path, json=READ).status_code == 403
    for shown in (f"/{order['order_id']}", "", ".geojson"):
        answer = service.admin.get(f"/api/v1/work-orders{shown}")
        assert answer.status_code == 200
        assert PLATE not in answer.text
    assert service.order(order["order_id"])["version"] == order["version"], "no event tells of it"
    assert noted(service) == []


@pytest.mark.parametrize(("department", "status"), [("traffic", 200), ("cleaning", 404)])
def test_a_dispatcher_reads_those_of_its_departments(
    service: Service, department: str, status: int
) -> None:
    _, path = posted(service)
    key = f"sw_test-{department}-0123456789abc"
    with service.deps.database.write() as connection:
        access.save_key(connection, "own", "dispatcher", key, START, department_ids=[department])
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=service.url, headers=headers, verify=tls()) as client:
        answer = client.get(path)

    assert answer.status_code == status
    assert (PLATE in answer.text) is (status == 200)
    assert len(noted(service)) == (status == 200)


def test_a_plate_is_taken_once_and_never_overwritten(service: Service) -> None:
    _, path = posted(service)

    assert service.detector.put(path, json=READ).status_code == 204
    other = service.detector.put(path, json={"plate": "B1", "confidence": 0.5})
    assert other.status_code == 409
    assert PLATE not in other.text
    assert service.admin.get(path).json()["plate"] == PLATE


@pytest.mark.parametrize(
    "body",
    [
        {"plate": "", "confidence": 0.5},
        {"plate": " ", "confidence": 0.5},
        {"plate": "A\x001", "confidence": 0.5},
        {"plate": "A" * 21, "confidence": 0.5},
        {"plate": "A1", "confidence": 1.5},
        {"plate": "A1"},
    ],
    ids=["empty", "blank", "a control character", "too long", "too sure", "no confidence"],
)
def test_what_is_no_plate_is_refused(sqlite_service: Service, body: dict[str, object]) -> None:
    path = f"/api/v1/incidents/{sqlite_service.post_order()['incident_id']}/plate"

    assert sqlite_service.detector.put(path, json=body).status_code == 422
    assert sqlite_service.admin.get(path).status_code == 404


def test_an_unknown_incident_has_none(sqlite_service: Service) -> None:
    path = "/api/v1/incidents/00000000-0000-0000-0000-000000000000/plate"

    assert sqlite_service.detector.put(path, json=READ).status_code == 404
    assert sqlite_service.admin.get(path).status_code == 404


def test_plates_end_with_the_days_of_originals_unless_they_are_held(service: Service) -> None:
    order, path = posted(service)
    hold = f"/api/v1/work-orders/{order['order_id']}/legal-hold"
    deps = replace(service.deps, city=replace(CITY, retention=Retention(originals_days=7)))
    service.clock.forward(6 * DAY_S)
    assert delete_plates(deps, AT_ONCE) == 0
    assert service.admin.put(hold, json={"reason": "objection"}).is_success
    service.clock.forward(2 * DAY_S)
    assert delete_plates(deps, AT_ONCE) == 0
    assert service.admin.delete(hold).is_success

    assert delete_plates(deps, AT_ONCE) == 1
    assert service.admin.get(path).status_code == 404
    assert [entry.action for entry in noted(service)] == ["plate.expired"]


def test_plates_end_with_the_evidence_of_their_order(service: Service) -> None:
    order, path = posted(service)
    for status in ("resolved", "closed"):
        change = {"status": status}
        service.admin.patch(f"/api/v1/work-orders/{order['order_id']}", json=change)
    days = Retention(days={"default": 3})
    deps = replace(service.deps, city=replace(CITY, retention=days))
    assert delete_expired(deps) == 0
    service.clock.forward(4 * DAY_S)

    assert delete_expired(deps) == 1
    assert service.admin.get(path).status_code == 404
