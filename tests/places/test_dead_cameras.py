"""An order that several cameras saw is not open for ever because one of them has died."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.work_order import Status
from service.api.dead_cameras import clear_without_the_dead
from service.decisions.dead_cameras import DEAD_AFTER, cleared_without, note_without
from service.store import orders
from service.store.records import CameraReport, Sighting, WorkOrder
from tests.support.dispatch import START, Service, order_body

ORDERS = "/api/v1/work-orders"
SEEN = START
"""When both cameras see the thing."""


def at(minutes: float) -> datetime:
    return SEEN + timedelta(minutes=minutes)


def report(camera: str) -> dict[str, Any]:
    times = {"started_at": at(-10).isoformat(), "opened_at": at(0).isoformat()}
    return order_body(camera_id=camera, camera_name=f"Camera {camera}", place_id="bus-bay", **times)


@pytest.fixture
def pair(service: Service) -> tuple[Service, dict[str, Any], dict[str, Any], str]:
    """A service with an order that the cameras a and b see: their reports, the order's id."""
    one, other = report("a"), report("b")
    order = service.detector.post(ORDERS, json=one).json()
    assert service.detector.post(ORDERS, json=other).json()["order_id"] == order["order_id"]
    return service, one, other, order["order_id"]


def observe(service: Service, body: dict[str, Any], minutes: float, *, cleared: bool) -> None:
    seen_at = at(minutes).isoformat()
    answer = service.detector.put(
        f"/api/v1/incidents/{body['incident_id']}/observation",
        json={
            "state": "cleared" if cleared else "present",
            "last_seen_at": seen_at,
            "observed_s": 600 + 60 * minutes,
            "cleared_at": seen_at if cleared else None,
        },
    )
    assert answer.is_success, answer.text


def heard(service: Service, camera: str, frame_minutes: float, state: str = "online") -> None:
    frame_at = at(frame_minutes).isoformat()
    said = {"name": camera, "state": state, "last_frame_at": frame_at, "width_px": 10}
    said |= {"height_px": 10, "drops": 0, "reconnects": 0, "last_error": None, "looks": 1}
    assert service.detector.put(f"/api/v1/cameras/{camera}", json=said).is_success


def later(service: Service, minutes: float) -> None:
    service.clock.forward((at(minutes) - service.clock.at).total_seconds())


def notes(service: Service, order_id: str) -> list[tuple[str, str]]:
    history = service.order(order_id)["history"]
    return [(entry["kind"], entry["note"]) for entry in history]


def test_the_others_clear_it_once_a_camera_has_been_dead_for_an_hour(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    observe(service, other, 3, cleared=False)
    heard(service, "b", 5, "offline")
    observe(service, one, 30, cleared=True)

    later(service, 64)
    assert clear_without_the_dead(service.deps) == 0
    later(service, 65)
    assert clear_without_the_dead(service.deps) == 1
    assert clear_without_the_dead(service.deps) == 0

    order = service.order(order_id)
    assert (order["status"], datetime.fromisoformat(order["cleared_at"])) == ("verified", at(30))
    (kind, note), (last_kind, _) = notes(service, order_id)[-2:]
    assert (kind, last_kind) == ("sighting", "cleared")
    assert "Camera b has shown nothing since" in note


def test_a_camera_that_lives_is_waited_for(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, _, order_id = pair
    observe(service, one, 30, cleared=True)
    for minutes in (60, 120, 180):
        heard(service, "b", minutes)
        later(service, minutes)
        assert clear_without_the_dead(service.deps) == 0
    assert service.order(order_id)["cleared_at"] is None


def test_nobody_clears_what_only_dead_cameras_saw_last(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    observe(service, one, 30, cleared=True)
    observe(service, other, 40, cleared=False)  # a van hid it from the first camera
    later(service, 600)
    assert clear_without_the_dead(service.deps) == 0
    assert service.order(order_id)["cleared_at"] is None


def test_a_camera_that_comes_back_and_still_sees_it_reopens_the_order(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    observe(service, one, 30, cleared=True)
    later(service, 120)
    assert clear_without_the_dead(service.deps) == 1

    observe(service, other, 130, cleared=False)

    order = service.order(order_id)
    assert (order["status"], order["cleared_at"]) == ("reopened", None)
    assert "still seen by Camera b" in notes(service, order_id)[-1][1]
    observe(service, other, 140, cleared=True)
    assert service.order(order_id)["status"] == "verified"


def test_what_people_have_closed_stays_closed(
    pair: tuple[Service, dict[str, Any], dict[str, Any], str],
) -> None:
    service, one, other, order_id = pair
    observe(service, one, 30, cleared=True)
    later(service, 120)
    assert clear_without_the_dead(service.deps) == 1
    closed = service.client.patch(f"{ORDERS}/{order_id}", json={"status": "closed"})
    assert closed.is_success, closed.text

    observe(service, other, 130, cleared=False)

    assert service.order(order_id)["status"] == "closed"


@pytest.fixture
def stored(pair: tuple[Service, dict[str, Any], dict[str, Any], str]) -> WorkOrder:
    service, _, _, order_id = pair
    with service.deps.database.read() as connection:
        return orders.get_order(connection, order_id)


def seen(order: WorkOrder, last: float, cleared: float | None) -> Sighting:
    cleared_at = None if cleared is None else at(cleared)
    return replace(order.sightings[0], last_seen_at=at(last), cleared_at=cleared_at)


@pytest.mark.parametrize(
    ("sights", "now", "expected"),
    [
        pytest.param([(0, 5), (0, None)], 60, 5, id="one free, one dead for an hour"),
        pytest.param([(0, 5), (0, None)], 59, None, id="not dead for long enough"),
        pytest.param([(0, 5), (5, None)], 65, 5, id="both at the same moment"),
        pytest.param([(0, 5), (6, None)], 300, None, id="the dead one saw it longer"),
        pytest.param([(0, None), (0, None)], 300, None, id="all dead"),
        pytest.param([(0, 5), (0, 7), (6, None)], 300, 7, id="the last of the living says when"),
        pytest.param([(0, 5), (0, 7)], 300, None, id="nobody is missing"),
    ],
)
def test_who_is_believed(
    stored: WorkOrder, sights: list[tuple[float, float | None]], now: float, expected: float | None
) -> None:
    order = replace(stored, sightings=tuple(seen(stored, *each) for each in sights))
    found = cleared_without(order, {}, at(now))
    assert (found and found.cleared_at) == (None if expected is None else at(expected))
    for over in (Status.REJECTED, Status.CLOSED, Status.VERIFIED):
        assert cleared_without(replace(order, status=over), {}, at(now)) is None


def test_the_last_picture_of_a_camera_is_a_sign_of_life(stored: WorkOrder) -> None:
    order = replace(stored, sightings=(seen(stored, 0, 5), seen(stored, 0, None)))
    camera = CameraReport(
        camera_id=order.sightings[1].report.camera_id, name="b", state="offline",
        last_frame_at=at(30), width_px=None, height_px=None, drops=0, reconnects=0,
        last_error=None, looks=0, model=None, heard_at=at(500),
    )  # fmt: skip
    known = {camera.camera_id: camera}
    due = at(30) + DEAD_AFTER
    assert cleared_without(order, known, due - timedelta(seconds=1)) is None
    found = cleared_without(order, known, due)
    assert found is not None
    assert at(30).astimezone(UTC).strftime("%H:%M") in note_without(found.dead, known)
