"""Evidence has its time, and a legal hold keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.evidence import Retention
from service.api.deps import ApiDeps
from service.api.retention import delete_expired, retention_worker
from tests.support.dispatch import CITY, Service, jpeg_picture, wait_for

DAY_S = 86_400.0


def keeping(service: Service, **days: int) -> ApiDeps:
    return replace(service.deps, city=replace(CITY, retention=Retention(days=days)))


def order_with_picture(
    service: Service, status: str = "closed", picture: bytes | None = None, **changes: Any
) -> dict[str, Any]:
    order = service.post_order(**changes)
    path = f"/api/v1/incidents/{order['incident_id']}/evidence/opened-wide"
    answer = service.detector.put(
        path, content=picture or jpeg_picture(), headers={"Content-Type": "image/jpeg"}
    )
    assert answer.status_code == 201
    for step in {"closed": ("resolved", "closed"), "open": ()}.get(status, (status,)):
        body = {"status": step, "reason": "false alarm"}
        answer = service.admin.patch(f"/api/v1/work-orders/{order['order_id']}", json=body)
        assert answer.status_code == 200, answer.text
    return order


def evidence_of(service: Service, order: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.order(order["order_id"])["evidence"]
    return found


def files(folder: Path) -> list[Path]:
    return list((folder / "pictures" / "evidence").rglob("*.jpg"))


def test_evidence_is_deleted_when_its_time_is_over_and_the_order_stays(
    service: Service, tmp_path: Path
) -> None:
    order = order_with_picture(service)
    deps = keeping(service, default=30)
    service.clock.forward(29 * DAY_S)
    assert delete_expired(deps) == 0
    service.clock.forward(2 * DAY_S)
    assert delete_expired(deps) == 1
    assert evidence_of(service, order) == []
    assert files(tmp_path) == []
    history = service.order(order["order_id"])["history"]
    assert history[-1]["note"] == "evidence deleted: 1 files"
    assert delete_expired(deps) == 0


@pytest.mark.parametrize("status", ["open", "accepted", "resolved"])
def test_evidence_of_an_order_that_is_not_over_is_kept(
    sqlite_service: Service, status: str
) -> None:
    order = order_with_picture(sqlite_service, status)
    sqlite_service.clock.forward(1000 * DAY_S)
    assert delete_expired(keeping(sqlite_service, default=1)) == 0
    assert len(evidence_of(sqlite_service, order)) == 1


@pytest.mark.parametrize(
    ("days", "deleted"),
    [
        ({"default": 30}, True),
        ({"illegal_parking": 30}, True),
        ({"illegal_parking": 60, "default": 30}, False),
        ({"illegal_parking": 30, "default": 60}, True),
        ({"litter": 30}, False),
        ({}, False),
    ],
    ids=str,
)
def test_each_category_has_its_own_time(
    sqlite_service: Service, days: dict[str, int], deleted: bool
) -> None:
    order = order_with_picture(sqlite_service, category="illegal_parking")
    sqlite_service.clock.forward(45 * DAY_S)
    delete_expired(keeping(sqlite_service, **days))
    assert (evidence_of(sqlite_service, order) == []) is deleted


def test_a_legal_hold_keeps_evidence_until_it_is_lifted(service: Service) -> None:
    order = order_with_picture(service)
    path = f"/api/v1/work-orders/{order['order_id']}/legal-hold"
    for _ in range(2):
        assert service.admin.put(path, json={"reason": "objection 12"}).status_code == 204
    deps = keeping(service, default=30)
    service.clock.forward(400 * DAY_S)
    assert delete_expired(deps) == 0
    assert len(evidence_of(service, order)) == 1
    assert service.admin.delete(path).status_code == 204
    service.clock.forward(31 * DAY_S)
    assert delete_expired(deps) == 1
    notes = [step["note"] for step in service.order(order["order_id"])["history"]]
    assert notes.count("legal hold: objection 12") == 1
    assert notes.count("legal hold lifted") == 1


def test_only_an_administrator_may_hold_evidence_and_must_say_why(
    sqlite_service: Service,
) -> None:
    order = order_with_picture(sqlite_service)
    path = f"/api/v1/work-orders/{order['order_id']}/legal-hold"
    assert sqlite_service.client.put(path, json={"reason": "x"}).status_code == 403
    assert sqlite_service.detector.delete(path).status_code == 403
    assert sqlite_service.admin.put(path, json={"reason": "  "}).status_code == 422
    missing = "/api/v1/work-orders/00000000-0000-0000-0000-000000000000/legal-hold"
    assert sqlite_service.admin.put(missing, json={"reason": "x"}).status_code == 404


def test_a_picture_that_another_order_needs_stays_on_disk(
    sqlite_service: Service, tmp_path: Path
) -> None:
    picture = jpeg_picture()
    over = order_with_picture(sqlite_service, picture=picture)
    going_on = order_with_picture(sqlite_service, "open", picture=picture)
    sqlite_service.clock.forward(31 * DAY_S)
    assert delete_expired(keeping(sqlite_service, default=30)) == 1
    assert evidence_of(sqlite_service, over) == []
    (kept,) = evidence_of(sqlite_service, going_on)
    assert sqlite_service.client.get(kept["url"]).content == picture
    assert len(files(tmp_path)) == 1


def test_it_happens_by_itself(sqlite_service: Service) -> None:
    order = order_with_picture(sqlite_service)
    sqlite_service.clock.forward(31 * DAY_S)
    with retention_worker(keeping(sqlite_service, default=30), every_s=0.05):
        wait_for(lambda: evidence_of(sqlite_service, order) == [])
    assert evidence_of(sqlite_service, order) == []
