"""What several cameras see is one order, and it is cleared when the last of them sees it gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.dispatch import Service, jpeg_picture, order_body

ORDERS = "/api/v1/work-orders"
HERE = {"located_by": "ground", "latitude": 31.2304, "longitude": 121.4737}
METRE_NORTH = 1 / 110_900
OPENED = datetime.fromisoformat("2026-11-24T09:05:12+08:00")


def report(camera: str, **changes: Any) -> dict[str, Any]:
    """What a camera posts of a car in the bus bay."""
    given = {"camera_id": camera, "camera_name": f"Camera {camera}", "place_id": "bus-bay"}
    return order_body(**{**given, **changes})


def post(service: Service, body: dict[str, Any], status: int) -> dict[str, Any]:
    answer = service.detector.post(ORDERS, json=body)
    assert answer.status_code == status, answer.text
    order: dict[str, Any] = answer.json()
    return order


def observe(
    service: Service, body: dict[str, Any], after_s: float, *, cleared: bool = False
) -> dict[str, Any]:
    at = (OPENED + timedelta(seconds=after_s)).isoformat()
    observation = {
        "state": "cleared" if cleared else "present",
        "last_seen_at": at,
        "observed_s": 300 + after_s,
        "cleared_at": at if cleared else None,
    }
    path = f"/api/v1/incidents/{body['incident_id']}/observation"
    answer = service.detector.put(path, json=observation)
    assert answer.status_code == 200, answer.text
    order: dict[str, Any] = answer.json()
    return order


def put_picture(service: Service, body: dict[str, Any], name: str = "opened-wide") -> bytes:
    picture = jpeg_picture()
    path = f"/api/v1/incidents/{body['incident_id']}/evidence/{name}"
    answer = service.detector.put(path, content=picture, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 201, answer.text
    return picture


def kinds(order: dict[str, Any]) -> list[str]:
    return [entry["kind"] for entry in order["history"]]


def later(seconds: float) -> str:
    return (OPENED + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def pair(service: Service) -> tuple[Service, dict[str, Any], dict[str, Any], str]:
    """An order that two cameras see: the service, both reports, the order's id."""
    one, other = report("a"), report("b")
    order = post(service, one, 201)
    assert post(service, other, 200)["order_id"] == order["order_id"]
    return service, one, other, order["order_id"]


def test_a_second_camera_adds_its_sight_to_the_order(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair

    order = service.order(order_id)
    listed = service.client.get(ORDERS).json()["items"]

    assert [each["order_id"] for each in listed] == [order_id]
    assert order["incident_id"] == one["incident_id"]
    assert [s["incident_id"] for s in order["sightings"]] == sorted(
        [one["incident_id"], other["incident_id"]]
    )
    assert {s["camera_name"] for s in order["sightings"]} == {"Camera a", "Camera b"}
    assert kinds(order)[-1] == "sighting"
    assert "Camera b" in order["history"][-1]["note"]


def test_posting_either_again_changes_nothing(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    before = service.order(order_id)

    for body in (one, other, other):
        assert post(service, body, 200)["order_id"] == order_id

    assert service.order(order_id) == before


def test_each_camera_keeps_its_own_evidence(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    pictures = {body["incident_id"]: put_picture(service, body) for body in (one, other)}

    order = service.order(order_id)

    assert [file["name"] for file in order["evidence"]] == ["opened-wide"]
    for seen in order["sightings"]:
        (file,) = seen["evidence"]
        assert service.client.get(file["url"]).content == pictures[seen["incident_id"]]
    assert kinds(order)[-2:] == ["evidence", "evidence"]


def test_the_order_is_cleared_when_the_last_camera_sees_the_place_free(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair

    first = observe(service, one, 60, cleared=True)
    again = observe(service, one, 60, cleared=True)
    assert (first["cleared_at"], first["status"]) == (None, "dispatched")
    assert again["version"] == first["version"]
    assert "still seen by Camera b" in service.order(order_id)["history"][-1]["note"]

    still = observe(service, other, 90)
    assert still["cleared_at"] is None
    last = observe(service, other, 120, cleared=True)

    assert last["order_id"] == order_id
    assert last["status"] == "verified"
    assert datetime.fromisoformat(last["cleared_at"]) == OPENED + timedelta(seconds=120)
    assert kinds(service.order(order_id)).count("cleared") == 1


def test_a_camera_that_lost_it_from_sight_comes_back_to_the_same_order(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, _, order_id = pair
    observe(service, one, 60, cleared=True)

    back = report("a", opened_at=later(7200), started_at=later(7000))

    assert post(service, back, 200)["order_id"] == order_id
    assert len(service.order(order_id)["sightings"]) == 3


def test_what_comes_after_the_order_ended_is_its_return(service: Service) -> None:
    first = report("a")
    order = post(service, first, 201)
    observe(service, first, 60, cleared=True)

    second = post(service, report("b"), 201)

    assert second["order_id"] != order["order_id"]
    assert second["previous_order_id"] == order["order_id"]


def test_a_crew_that_said_resolved_is_contradicted_by_any_camera(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    observe(service, one, 30, cleared=True)
    answer = service.client.patch(f"{ORDERS}/{order_id}", json={"status": "resolved"})
    assert answer.status_code == 200
    resolved = datetime.fromisoformat(answer.json()["updated_at"])
    after_s = (resolved - OPENED).total_seconds() + 61

    order = observe(service, other, after_s)

    assert order["status"] == "reopened"
    assert order["wants_picture"] is True
    service.clock.forward(1)
    put_picture(service, other, "latest-wide")
    assert observe(service, other, after_s + 300)["wants_picture"] is False


def test_a_lost_answer_does_not_lose_the_wish_for_a_picture(service: Service) -> None:
    body = order_body()
    order = post(service, body, 201)
    put_picture(service, body)
    service.clock.forward(1)
    answer = service.client.patch(f"{ORDERS}/{order['order_id']}", json={"status": "resolved"})
    after_s = (datetime.fromisoformat(answer.json()["updated_at"]) - OPENED).total_seconds() + 61

    assert observe(service, body, after_s - 10)["wants_picture"] is False
    for _ in range(2):
        assert observe(service, body, after_s)["wants_picture"] is True
    put_picture(service, body, "latest-wide")
    assert observe(service, body, after_s)["wants_picture"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"camera_id": "a"},
        {"place_id": "fire-lane"},
        {"place_id": ""},
        {"category": "fire_lane"},
        {"label": "bicycle"},
        {"opened_at": later(601), "started_at": later(301)},
    ],
    ids=["same camera", "other place", "no place", "other category", "other thing", "much later"],
)
def test_what_is_another_thing_gets_its_own_order(
    service: Service, changes: dict[str, Any]
) -> None:
    post(service, report("a"), 201)
    order = post(service, report("b") | changes, 201)
    assert order["sightings"] == []


def test_a_rejected_order_swallows_no_report(service: Service) -> None:
    order = post(service, report("a"), 201)
    rejection = {"status": "rejected", "reason_code": "false_alarm"}
    service.client.patch(f"{ORDERS}/{order['order_id']}", json=rejection)

    assert post(service, report("b"), 201)["previous_order_id"] is None


@pytest.mark.parametrize(
    ("metres", "status"), [(0.0, 200), (4.5, 200), (5.5, 201)], ids=["same spot", "near", "beside"]
)
def test_calibrated_cameras_need_no_named_place(
    service: Service, metres: float, status: int
) -> None:
    first = post(service, report("a", place_id="") | HERE, 201)
    there = HERE | {"latitude": 31.2304 + metres * METRE_NORTH}
    second = post(service, report("b", place_id="") | there, status)
    assert (second["order_id"] == first["order_id"]) is (status == 200)


def test_in_one_place_the_distance_tells_cars_apart(service: Service) -> None:
    near = HERE | {"latitude": 31.2304 + 4 * METRE_NORTH}
    first = post(service, report("a") | HERE, 201)
    second = post(service, report("a") | near, 201)

    assert post(service, report("b") | near, 200)["order_id"] == second["order_id"]
    assert post(service, report("b") | HERE, 200)["order_id"] == first["order_id"]
    post(service, report("b") | HERE | {"latitude": 31.2306}, 201)


def test_where_nothing_is_located_cars_are_told_apart_by_the_time_they_came(
    service: Service,
) -> None:
    early, late = {"started_at": later(-900)}, {"started_at": later(-300)}
    first = post(service, report("a") | early, 201)
    second = post(service, report("a") | late, 201)

    assert post(service, report("b") | late, 200)["order_id"] == second["order_id"]
    assert post(service, report("b") | early, 200)["order_id"] == first["order_id"]


def test_cameras_that_post_at_the_same_moment_make_one_order(service: Service) -> None:
    bodies = [report(f"camera-{number}") for number in range(8)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda body: service.detector.post(ORDERS, json=body), [*bodies, *bodies])
        )

    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    order = service.order(answers[0].json()["order_id"])
    seen = sorted(each["incident_id"] for each in order["sightings"])
    assert seen == sorted(body["incident_id"] for body in bodies)


def test_clearing_and_joining_at_once_neither_wait_for_ever_nor_lose_a_report(
    service: Service,
) -> None:
    first = report("first")
    post(service, first, 201)
    others = [report(f"camera-{number}") for number in range(6)]

    def act(number: int) -> int:
        if number % 2:
            path = f"/api/v1/incidents/{first['incident_id']}/observation"
            seen = {
                "state": "present",
                "last_seen_at": later(number),
                "observed_s": 301,
            }
            return service.detector.put(path, json=seen).status_code
        return service.detector.post(ORDERS, json=others[number // 2]).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(act, range(12))) == {200}
    for body in others:
        observe(service, body, 10)
