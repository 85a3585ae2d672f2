"""Orders that arrive together: one transaction, each answered as if it had come alone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.errors import StoreError
from models.work_order import WorkOrderRequest
from service.api import intake
from service.api.actions import receive_order
from service.api.intake import Arrival, Intake, receive_together
from service.store import bulk
from service.store.records import WorkOrder
from tests.support.dispatch import Service, order_body, order_request

ORDERS = "/api/v1/work-orders"
BATCH = f"{ORDERS}/batch"


def arrivals(service: Service, *requests: WorkOrderRequest, **changes: Any) -> list[Arrival]:
    return [
        Arrival(deps=service.deps, request=each, actor="camera", **changes) for each in requests
    ]


def taken(found: Sequence[object]) -> list[tuple[WorkOrder, bool]]:
    assert not [each for each in found if isinstance(each, Exception)]
    return found  # type: ignore[return-value]


def test_orders_that_come_together_are_stored_as_if_they_came_alone(service: Service) -> None:
    alike = {"camera_id": "a", "zone_id": "b", "priority": "normal"}
    alone = service.post_order(**alike)
    requests = [order_request(**alike), order_request(category="litter"), order_request()]
    found = taken(receive_together(arrivals(service, *requests)))

    assert [is_new for _order, is_new in found] == [True, True, True]
    orders = [order for order, _is_new in found]
    assert [order.incident_id for order in orders] == [each.incident_id for each in requests]
    assert [order.number - alone["number"] for order in orders] == [1, 2, 3]
    assert len({order.change_seq for order in orders}) == 3
    together = service.order(orders[0].order_id)
    own = {"order_id", "number", "incident_id", "history", "links"}
    alone = service.order(alone["order_id"])
    assert {k: v for k, v in together.items() if k not in own} == {
        k: v for k, v in alone.items() if k not in own
    }
    assert [(step["kind"], step["to_status"]) for step in together["history"]] == [
        (step["kind"], step["to_status"]) for step in alone["history"]
    ]


def test_one_incident_twice_in_a_transaction_is_one_order(service: Service) -> None:
    request = order_request()
    known = service.post_order()
    again = order_request(incident_id=known["incident_id"])
    found = taken(receive_together(arrivals(service, request, order_request(), request, again)))
    assert [is_new for _order, is_new in found] == [True, True, False, False]
    assert found[0][0].order_id == found[2][0].order_id
    assert found[3][0].order_id == known["order_id"]


def test_a_return_is_told_for_each_place_of_those_that_come_together(service: Service) -> None:
    places = [("one", "left"), ("one", "right"), ("two", "left")]
    made = [service.post_order(camera_id=c, zone_id=z) for c, z in places]
    for order in made[:2]:
        service.clock.forward(60)
        seen = {
            "state": "cleared",
            "last_seen_at": service.clock().isoformat(),
            "cleared_at": service.clock().isoformat(),
            "observed_s": 400,
        }
        path = f"/api/v1/incidents/{order['incident_id']}/observation"
        assert service.detector.put(path, json=seen).status_code == 200
    requests = [order_request(camera_id=c, zone_id=z) for c, z in [*places, ("three", "left")]]
    found = taken(receive_together(arrivals(service, *requests)))
    assert [order.previous_order_id for order, _is_new in found] == [
        made[0]["order_id"],
        made[1]["order_id"],
        None,  # that one is still open
        None,
    ]


def test_one_that_cannot_be_stored_spoils_no_other(service: Service) -> None:
    too_long = order_request(camera_id="x" * 201, zone_id="\udc80")
    good = [order_request(), order_request()]
    first, wrong, second = receive_together(arrivals(service, good[0], too_long, good[1]))
    assert isinstance(wrong, Exception)
    for each in taken([first, second]):
        assert service.order(each[0].order_id)["version"] == 1


def test_a_mistake_with_many_at_once_costs_none_of_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object) -> list[WorkOrder]:
        raise StoreError("not together")

    monkeypatch.setattr(bulk, "add_orders", fails)
    found = taken(receive_together(arrivals(service, order_request(), order_request())))
    assert [is_new for _order, is_new in found] == [True, True]


def test_what_arrives_while_one_transaction_is_under_way_shares_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(part: Sequence[Arrival]) -> list[intake.Received | Exception]:
        sizes.append(len(part))
        return receive_together(part)

    monkeypatch.setattr(intake, "receive_together", counted)

    async def all_at_once() -> list[Any]:
        taking = Intake()
        first = asyncio.create_task(taking.receive(arrivals(service, order_request())))
        await asyncio.sleep(0)  # it is on its way now
        await asyncio.sleep(0)
        others = [taking.receive(arrivals(service, order_request())) for _ in range(5)]
        return [*await first, *(each for found in await asyncio.gather(*others) for each in found)]

    found = asyncio.run(all_at_once())
    assert len({order.order_id for order, _is_new in taken(found)}) == 6
    assert sizes == [1, 5]


def test_many_clients_at_once_are_each_told_of_their_own_order(service: Service) -> None:
    bodies = [order_body(camera_id=f"camera-{n % 3}") for n in range(24)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda body: service.detector.post(ORDERS, json=body), bodies))
    assert {answer.status_code for answer in answers} == {201}
    assert [a.json()["incident_id"] for a in answers] == [b["incident_id"] for b in bodies]
    assert len({answer.json()["number"] for answer in answers}) == 24


def test_a_batch_is_answered_item_by_item(service: Service) -> None:
    known = service.post_order()
    new = order_body()
    wrong = order_body(box_xyxy=[1, 2, 3], camera_id="")
    body = {"orders": [new, wrong, order_body(incident_id=known["incident_id"]), 7, new]}
    answer = service.detector.post(BATCH, json=body)
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert [item["status"] for item in items] == [201, 422, 200, 422, 200]
    assert items[0]["order"] == items[4]["order"]
    assert items[2]["order"]["order_id"] == known["order_id"]
    assert {error["field"] for error in items[1]["errors"]} == {
        "body.orders.1.camera_id",
        "body.orders.1.box_xyxy.3",
    }
    again = service.detector.post(BATCH, json={"orders": [new]}).json()["items"]
    assert (again[0]["status"], again[0]["order"]) == (200, items[0]["order"])


@pytest.mark.parametrize(
    "count", [pytest.param(0, id="none"), pytest.param(101, id="more than are taken")]
)
def test_a_batch_has_its_limits(service: Service, count: int) -> None:
    orders = [{"incident_id": str(uuid.uuid4())}] * count
    answer = service.detector.post(BATCH, json={"orders": orders})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.orders"


def test_only_who_may_report_may_report_many(service: Service) -> None:
    body = {"orders": [order_body()]}
    assert service.client.post(ORDERS, json=body["orders"][0]).status_code == (
        service.client.post(BATCH, json=body).status_code
    )
    assert service.anonymous.post(BATCH, json=body).status_code == 401


def located(camera_id: str, north_m: float, **changes: Any) -> WorkOrderRequest:
    """An incident that a calibrated camera put so far north of a corner."""
    latitude = 31.23 + north_m / 111_000
    return order_request(
        camera_id=camera_id, located_by="ground", latitude=latitude, longitude=121.47, **changes
    )


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Incidents that got a transaction of their own."""
    found: list[str] = []

    def noted(deps: Any, request: WorkOrderRequest, actor: str) -> intake.Received:
        found.append(request.incident_id)
        return receive_order(deps, request, actor)

    monkeypatch.setattr(intake, "receive_order", noted)
    return found


def test_of_things_that_come_together_each_has_one_order(
    service: Service, alone: list[str]
) -> None:
    known = service.post_order(
        camera_id="old", located_by="ground", latitude=31.23 + 500 / 111_000, longitude=121.47
    )
    requests = [
        located("east", 0.0),
        located("west", 1.0),  # the same thing as the one before
        located("east", 100.0),
        located("west", 100.5, category="litter", label="bag"),
        located("west", 501.0),  # the same as one that is stored
        order_request(camera_id="a", place_id="bay"),
        order_request(camera_id="b", place_id="bay"),
    ]
    alone.clear()
    found = taken(receive_together(arrivals(service, *requests)))
    ids = [order.order_id for order, _is_new in found]
    assert [is_new for _order, is_new in found] == [True, False, True, True, False, True, False]
    assert (ids[1], ids[4], ids[6]) == (ids[0], known["order_id"], ids[5])
    assert len(set(ids)) == 5
    assert alone == [requests[number].incident_id for number in (1, 4, 6)]


@pytest.mark.parametrize("days", [pytest.param(2, id="lately"), pytest.param(31, id="long ago")])
def test_the_return_of_what_another_camera_saw_is_told(
    service: Service, alone: list[str], days: int
) -> None:
    earlier = service.post_order(
        camera_id="old", located_by="ground", latitude=31.23, longitude=121.47
    )
    path = f"{ORDERS}/{earlier['order_id']}"
    for status in ("in_progress", "resolved", "verified", "closed"):
        answer = service.admin.patch(path, json={"status": status})
        assert answer.status_code == 200, answer.text
    seen = {
        "state": "cleared",
        "last_seen_at": service.clock().isoformat(),
        "cleared_at": service.clock().isoformat(),
        "observed_s": 400,
    }
    path = f"/api/v1/incidents/{earlier['incident_id']}/observation"
    assert service.detector.put(path, json=seen).status_code == 200
    service.clock.forward(days * 86_400)
    requests = [located("new", 0.5), located("other", 300.0)]
    alone.clear()
    found = taken(receive_together(arrivals(service, *requests)))
    is_return = days < 30
    assert [order.previous_order_id for order, _is_new in found] == [
        earlier["order_id"] if is_return else None,
        None,
    ]
    assert alone == ([requests[0].incident_id] if is_return else [])
