from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.dispatch import START, Service, order_body

ORDERS = "/api/v1/work-orders"


def test_an_order_is_stored_as_posted(service: Service) -> None:
    body = order_body(
        started_at="2026-11-24T15:00:12.250+08:00", description="车停在双黄线上", latitude=31.2
    )

    answer = service.detector.post(ORDERS, json=body)

    assert answer.status_code == 201
    order = service.order(answer.json()["order_id"])
    same = set(body) - {"started_at", "opened_at", "box_xyxy"}
    assert {name: order[name] for name in same} == {name: body[name] for name in same}
    assert order["box_xyxy"] == body["box_xyxy"]
    assert datetime.fromisoformat(order["started_at"]) == datetime.fromisoformat(body["started_at"])
    assert answer.headers["location"] == f"{ORDERS}/{order['order_id']}"


def test_a_routed_order_is_dispatched_at_once_and_its_history_shows_both_steps(
    service: Service,
) -> None:
    order = service.order(service.post_order(category="litter")["order_id"])

    assert (order["status"], order["department_id"]) == ("dispatched", "cleaning")
    assert (order["department_name"], order["department_name_zh"]) == ("Street cleaning", "环卫")
    assert [step["to_status"] for step in order["history"]] == ["received", "dispatched"]


def test_an_order_nobody_is_responsible_for_stays_received(service: Service) -> None:
    order = service.post_order(category="meteorite")

    assert (order["status"], order["department_id"]) == ("received", None)
    assert order["allowed_statuses"] == ["dispatched", "duplicate", "rejected"]


def test_posting_an_incident_again_gives_the_first_order_whatever_the_body_says(
    service: Service,
) -> None:
    body = order_body(label="car")
    first = service.detector.post(ORDERS, json=body)
    service.clock.forward(5)

    again = service.detector.post(ORDERS, json={**body, "label": "bus", "category": "litter"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_twenty_threads_that_post_one_incident_make_one_order(service: Service) -> None:
    body = order_body()

    def post(_: int) -> tuple[int, str]:
        answer = service.detector.post(ORDERS, json=body)
        return answer.status_code, answer.json()["order_id"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))

    assert sorted(status for status, _ in answers) == [200] * 19 + [201]
    assert len({order_id for _, order_id in answers}) == 1
    order = service.order(answers[0][1])
    assert [step["to_status"] for step in order["history"]] == ["received", "dispatched"]
    assert len(service.client.get(ORDERS).json()["items"]) == 1


def test_orders_posted_at_once_all_arrive_with_changes_of_their_own(service: Service) -> None:
    with ThreadPoolExecutor(10) as pool:
        made = list(pool.map(lambda _: service.post_order(), range(40)))

    listed = service.client.get(ORDERS, params={"limit": 100}).json()["items"]
    assert {order["order_id"] for order in listed} == {order["order_id"] for order in made}
    assert len({order["number"] for order in listed}) == 40


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcd"),
        ({"category": "litter"}, "b"),
        ({"category": ["litter", "pothole"]}, "bc"),
        ({"camera_id": "east"}, "cd"),
        ({"zone_id": "kerb"}, "d"),
        ({"department_id": "traffic"}, "ad"),
        ({"priority": "urgent"}, "c"),
        ({"status": "received"}, "c"),
        ({"status": ["received", "accepted"]}, "ac"),
        ({"status": "accepted", "camera_id": "east"}, ""),
        ({"created_since": (START + timedelta(seconds=2)).isoformat()}, "cd"),
        ({"created_until": (START + timedelta(seconds=2)).isoformat()}, "ab"),
    ],
    ids=str,
)
def test_the_list_is_filtered(
    sqlite_service: Service, filters: dict[str, Any], expected: str
) -> None:
    service = sqlite_service
    bodies: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"category": "litter"},
        "c": {"category": "pothole", "camera_id": "east", "priority": "urgent"},
        "d": {"camera_id": "east", "zone_id": "kerb"},
    }
    names = {}
    for name, body in bodies.items():
        names[service.post_order(**body)["order_id"]] = name
        service.clock.forward(1)
    first = next(iter(names))
    service.client.patch(f"{ORDERS}/{first}", json={"status": "accepted"})

    items = service.client.get(ORDERS, params=filters).json()["items"]

    assert "".join(sorted(names[order["order_id"]] for order in items)) == expected


def test_an_order_goes_through_its_life_and_every_step_is_recorded(service: Service) -> None:
    order_id = service.post_order()["order_id"]
    for status in ("accepted", "in_progress", "resolved", "verified", "closed"):
        service.clock.forward(60)
        answer = service.client.patch(
            f"{ORDERS}/{order_id}", json={"status": status, "note": f"now {status}"}
        )
        assert answer.status_code == 200, answer.text

    order = service.order(order_id)
    assert order["status"] == "closed"
    assert order["allowed_statuses"] == []
    steps = order["history"][2:]
    assert [step["note"] for step in steps] == [
        f"now {status}" for status in ("accepted", "in_progress", "resolved", "verified", "closed")
    ]
    assert {step["actor"] for step in steps} == {"test-client"}
    assert [step["version"] for step in steps] == [2, 3, 4, 5, 6]
    assert order["version"] == 6


def test_a_transition_that_is_not_allowed_is_refused_with_those_that_are(
    service: Service,
) -> None:
    order = service.post_order()

    answer = service.client.patch(f"{ORDERS}/{order['order_id']}", json={"status": "closed"})

    assert answer.status_code == 409
    assert answer.json()["allowed"] == [
        "accepted",
        "duplicate",
        "in_progress",
        "rejected",
        "resolved",
    ]
    assert service.order(order["order_id"])["version"] == 1


def test_a_rejection_needs_a_reason(service: Service) -> None:
    path = f"{ORDERS}/{service.post_order()['order_id']}"

    refused = service.client.patch(path, json={"status": "rejected", "reason": "  "})
    taken = service.client.patch(path, json={"status": "rejected", "reason": "false alarm"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "body.reason"
    assert taken.json()["history"][-1]["note"] == "false alarm"


def test_a_rejection_may_give_its_reason_as_a_code_and_keeps_it(service: Service) -> None:
    path = f"{ORDERS}/{service.post_order()['order_id']}"
    body = {"status": "rejected", "reason_code": "false_alarm"}

    taken = service.client.patch(path, json=body).json()
    noted = service.client.patch(path, json={"note": "a shadow"}).json()

    assert [each["reason_code"] for each in (taken, noted)] == ["false_alarm", "false_alarm"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"status": "rejected", "reason_code": "other"}, id="other without words"),
        pytest.param({"status": "rejected", "reason_code": "because"}, id="unknown code"),
        pytest.param({"status": "accepted", "reason_code": "duplicate"}, id="nothing rejected"),
    ],
)
def test_a_code_that_explains_nothing_is_refused(service: Service, body: dict[str, str]) -> None:
    path = f"{ORDERS}/{service.post_order()['order_id']}"
    assert service.client.patch(path, json=body).status_code == 422


def test_an_order_says_which_detector_and_configuration_it_came_from(service: Service) -> None:
    said = service.post_order(model="street-n@1f3a9c02", config_version="5f0c9a1be2d7")
    silent = service.post_order()
    assert (said["model"], said["config_version"]) == ("street-n@1f3a9c02", "5f0c9a1be2d7")
    assert (silent["model"], silent["config_version"]) == ("", "")


def test_handing_over_an_order_nobody_had_dispatches_it(service: Service) -> None:
    path = f"{ORDERS}/{service.post_order(category='meteorite')['order_id']}"

    order = service.client.patch(path, json={"department_id": "cleaning"}).json()

    assert (order["status"], order["department_id"]) == ("dispatched", "cleaning")
    assert order["history"][-1]["department_id"] == "cleaning"


def test_handing_over_an_order_keeps_its_status(service: Service) -> None:
    path = f"{ORDERS}/{service.post_order()['order_id']}"
    service.client.patch(path, json={"status": "accepted"})

    order = service.client.patch(path, json={"department_id": "cleaning"}).json()

    assert (order["status"], order["department_id"]) == ("accepted", "cleaning")
    assert order["history"][-1]["kind"] == "department"


def test_a_note_alone_goes_into_the_history(service: Service) -> None:
    path = f"{ORDERS}/{service.post_order()['order_id']}"

    order = service.client.patch(path, json={"note": "called the owner"}).json()

    assert order["history"][-1]["kind"] == "note"
    assert order["history"][-1]["note"] == "called the owner"


def test_a_change_for_an_older_version_is_refused(service: Service) -> None:
    order = service.post_order()
    path = f"{ORDERS}/{order['order_id']}"
    etag = service.client.get(path).headers["etag"]
    first = service.client.patch(path, json={"status": "accepted"}, headers={"If-Match": etag})

    late = service.client.patch(path, json={"status": "resolved"}, headers={"If-Match": etag})

    assert first.status_code == 200
    assert late.status_code == 412
    assert late.headers["etag"] == first.headers["etag"] != etag
    assert service.order(order["order_id"])["status"] == "accepted"


def test_of_two_operators_who_act_at_once_one_wins(service: Service) -> None:
    order = service.post_order()
    path = f"{ORDERS}/{order['order_id']}"

    def act(status: str) -> int:
        headers = {"If-Match": '"1"'}
        return service.client.patch(path, json={"status": status}, headers=headers).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(act, ["accepted", "in_progress"]))

    assert answers == [200, 412]
    assert service.order(order["order_id"])["version"] == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"box_xyxy": [1, 2, 3]}, "body.box_xyxy.3"),
        ({"confidence": 1.5}, "body.confidence"),
        ({"opened_at": "2026-11-24T10:00:00"}, "body.opened_at"),
        ({"incident_id": "no-uuid"}, "body.incident_id"),
        ({"camera_id": ""}, "body.camera_id"),
        ({"latitude": 91}, "body.latitude"),
        ({"priority": "asap"}, "body.priority"),
        ({"width_px": 0}, "body.width_px"),
        ({"address": "a\x00b"}, "body.address"),
        ({"label": "\ud800"}, "body.label"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_field_is_named(
    sqlite_service: Service, change: dict[str, Any], field: str
) -> None:
    answer = sqlite_service.detector.post(
        ORDERS,
        content=json.dumps(order_body(**change)),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_a_field_that_newer_detectors_send_is_no_error(sqlite_service: Service) -> None:
    assert sqlite_service.post_order(plate_colour="blue")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", f"{ORDERS}/7f3c1f6e-6f0f-4f43-8f2f-0a4f7c0b7d11", {"note": "x"}, 404),
        ("GET", f"{ORDERS}/7f3c1f6e-6f0f-4f43-8f2f-0a4f7c0b7d11", None, 404),
        ("GET", f"{ORDERS}/nonsense", None, 422),
        ("GET", f"{ORDERS}?limit=0", None, 422),
        ("GET", f"{ORDERS}?statuss=closed", None, 422),
        ("DELETE", ORDERS, None, 405),
        ("POST", ORDERS, "no object", 422),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    sqlite_service: Service, method: str, path: str, body: Any, status: int
) -> None:
    answer = sqlite_service.admin.request(method, path, json=body)

    assert answer.status_code == status
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_an_empty_or_unknown_change_is_refused(sqlite_service: Service) -> None:
    path = f"{ORDERS}/{sqlite_service.post_order()['order_id']}"

    assert sqlite_service.client.patch(path, json={}).status_code == 422
    assert sqlite_service.client.patch(path, json={"state": "closed"}).status_code == 422
    headers = {"If-Match": "newest"}
    answer = sqlite_service.client.patch(path, json={"note": "x"}, headers=headers)
    assert answer.json()["errors"][0]["field"] == "header.if-match"
