"""Orders with people's verdicts, from a real dispatch service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.errors import DispatchRejected, DispatchUnavailable
from service.decisions.access import Role
from service.recording import orders as orders_module
from service.recording.comparing import Verdict
from service.recording.orders import OrderSource, verdict_of
from service.recording.reader import Span
from tests.recording.worlds import ALWAYS
from tests.support.dispatch import KEYS, Service, migrated, order_body, running_service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with migrated("sqlite", tmp_path) as database, running_service(database, tmp_path) as running:
        yield running


def work(service: Service, order: dict[str, Any], **patch: Any) -> None:
    answer = service.client.patch(f"/api/v1/work-orders/{order['order_id']}", json=patch)
    assert answer.is_success, answer.text


def clear(service: Service, order: dict[str, Any]) -> None:
    at = datetime.fromisoformat(order["opened_at"]) + timedelta(minutes=5)
    body = {"state": "cleared", "last_seen_at": at, "observed_s": 400, "cleared_at": at}
    answer = service.detector.put(
        f"/api/v1/incidents/{order['incident_id']}/observation",
        json=body | {key: at.isoformat() for key in ("last_seen_at", "cleared_at")},
    )
    assert answer.is_success, answer.text


def read(service: Service, span: Span = ALWAYS, *cameras: str) -> dict[int | None, Verdict]:
    with OrderSource(service.url, KEYS[Role.CLIENT]) as source:
        return {made.order: made.verdict for made in source.made(cameras or ["gate"], span)}


def test_people_say_what_an_order_was_and_cameras_do_not(service: Service) -> None:
    steps: list[tuple[Verdict, list[dict[str, Any]]]] = [
        (Verdict.FALSE_ALARM, [{"status": "rejected", "reason_code": "false_alarm"}]),
        (Verdict.FALSE_ALARM, [{"status": "rejected", "reason": "A false alarm: only a shadow"}]),
        (Verdict.FALSE_ALARM, [{"status": "rejected", "reason": "误报"}]),
        (Verdict.UNDECIDED, [{"status": "rejected", "reason_code": "permitted"}]),
        (Verdict.UNDECIDED, [{"status": "rejected", "reason": "has a permit"}]),
        (Verdict.UNDECIDED, [{"status": "accepted"}]),
        (Verdict.UNDECIDED, []),
        (Verdict.CONFIRMED, [{"status": "resolved"}]),
        (Verdict.CONFIRMED, [{"status": "resolved"}, {"status": "verified"}]),
        (Verdict.CONFIRMED, [{"status": "resolved"}, {"status": "reopened"}]),
    ]
    expected: dict[int | None, Verdict] = {}
    for verdict, patches in steps:
        order = service.post_order(camera_id="gate")
        for patch in patches:
            work(service, order, **patch)
        expected[order["number"]] = verdict
    by_sight = service.post_order(camera_id="gate")
    clear(service, by_sight)
    assert service.order(by_sight["order_id"])["status"] == "verified"
    assert read(service) == expected | {by_sight["number"]: Verdict.UNDECIDED}


def test_an_order_of_several_cameras_is_one_of_each_that_is_asked_for(service: Service) -> None:
    place = {"place_id": "bus-bay"}
    order = service.post_order(camera_id="gate", zone_id="bay", **place)
    joined = service.detector.post(
        "/api/v1/work-orders", json=order_body(camera_id="square", zone_id="edge", **place)
    )
    assert joined.json()["order_id"] == order["order_id"]
    work(service, order, status="rejected", reason_code="false_alarm")

    def told(*cameras: str) -> list[tuple[str, str, int | None, Verdict]]:
        with OrderSource(service.url, KEYS[Role.CLIENT]) as source:
            return [
                (made.incident.camera_id, made.incident.zone_id, made.order, made.verdict)
                for made in source.made(cameras, ALWAYS)
            ]

    gate = ("gate", "bay", order["number"], Verdict.FALSE_ALARM)
    square = ("square", "edge", order["number"], Verdict.FALSE_ALARM)
    assert sorted(told("gate", "square")) == [gate, square]
    assert told("square") == [square]
    assert told("elsewhere") == []


def test_all_pages_are_read_of_these_cameras_and_this_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_module, "PAGE", 3)
    start = service.clock.at
    for number in range(8):
        at = start + timedelta(hours=number)
        times = {
            "started_at": (at - timedelta(seconds=60)).isoformat(),
            "opened_at": at.isoformat(),
        }
        service.clock.forward(3600)
        service.post_order(camera_id=("gate", "square")[number % 2], **times)
        service.post_order(camera_id="elsewhere", **times)
    assert len(read(service, ALWAYS, "gate", "square")) == 8
    some = Span(begin=start + timedelta(hours=2), end=start + timedelta(hours=5))
    assert set(read(service, some, "gate", "square")) == {5, 7, 9}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.Response(503), DispatchUnavailable, id="down for now"),
        pytest.param(httpx.Response(429), DispatchUnavailable, id="too often"),
        pytest.param(httpx.Response(401), DispatchRejected, id="wrong key"),
        pytest.param(httpx.Response(200, text="<html>"), DispatchRejected, id="something else"),
        pytest.param(
            httpx.Response(200, json={"items": [{"number": 1}], "next_cursor": None}),
            DispatchRejected,
            id="no orders",
        ),
    ],
)
def test_answers_that_are_none_are_errors(answer: httpx.Response, error: type[Exception]) -> None:
    with (
        OrderSource("http://dispatch", "key", httpx.MockTransport(lambda _: answer)) as source,
        pytest.raises(error),
    ):
        source.made(["gate"], ALWAYS)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with (
        OrderSource("http://dispatch", "key", httpx.MockTransport(refuse)) as source,
        pytest.raises(DispatchUnavailable),
    ):
        source.made(["gate"], ALWAYS)


def test_a_history_without_notes_or_codes_is_read_too() -> None:
    order = {"status": "rejected", "history": [{"kind": "status", "to_status": "rejected"}]}
    assert verdict_of(order) is Verdict.UNDECIDED
    assert verdict_of({"status": "closed"}) is Verdict.UNDECIDED
