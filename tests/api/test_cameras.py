from __future__ import annotations

from typing import Any

import pytest

from tests.support.dispatch import START, Service, jpeg_picture

CAMERAS = "/api/v1/cameras"
REPORT = {
    "name": "Main Street 3",
    "state": "online",
    "last_frame_at": START.isoformat(),
    "width_px": 1920,
    "height_px": 1080,
    "drops": 3,
    "reconnects": 1,
    "last_error": None,
    "looks": 120,
    "model": "street-n",
}
JPEG = {"Content-Type": "image/jpeg"}


def test_a_camera_is_shown_as_it_was_reported_with_ages_by_the_service(
    service: Service,
) -> None:
    service.clock.forward(2)
    service.detector.put(f"{CAMERAS}/main-3", json={**REPORT, "state": "connecting"})
    answer = service.detector.put(f"{CAMERAS}/main-3", json=REPORT)
    assert answer.status_code == 200
    service.clock.forward(4)

    (camera,) = service.client.get(CAMERAS).json()["items"]

    same = set(REPORT) - {"last_frame_at"}
    assert {name: camera[name] for name in same} == {name: REPORT[name] for name in same}
    assert (camera["heard_age_s"], camera["last_frame_age_s"]) == (4.0, 6.0)
    assert (camera["stale"], camera["snapshot_url"]) == (False, None)


def test_a_camera_nobody_reports_on_is_offline_until_it_is_reported_again(
    service: Service,
) -> None:
    service.detector.put(f"{CAMERAS}/main-3", json=REPORT)
    service.clock.forward(30.5)
    silent = service.client.get(f"{CAMERAS}/main-3").json()
    service.detector.put(f"{CAMERAS}/main-3", json=REPORT)
    back = service.client.get(f"{CAMERAS}/main-3").json()

    assert (silent["state"], silent["reported_state"], silent["stale"]) == (
        "offline",
        "online",
        True,
    )
    assert (back["state"], back["stale"]) == ("online", False)


def test_the_latest_snapshot_is_served(service: Service) -> None:
    path = f"{CAMERAS}/caf%C3%A9%202/snapshot"
    service.detector.put(f"{CAMERAS}/caf%C3%A9%202", json=REPORT)
    newest = jpeg_picture()
    for picture in (jpeg_picture(), newest):
        answer = service.detector.put(path, content=picture, headers=JPEG)
        assert answer.status_code == 204
    service.detector.put(f"{CAMERAS}/caf%C3%A9%202", json=REPORT)

    (camera,) = service.client.get(CAMERAS).json()["items"]

    assert camera["camera_id"] == "café 2"
    assert service.client.get(camera["snapshot_url"]).content == newest
    assert camera["snapshot_at"] is not None


def test_a_snapshot_of_an_unknown_camera_is_refused(sqlite_service: Service) -> None:
    path = f"{CAMERAS}/nobody/snapshot"

    put = sqlite_service.detector.put(path, content=jpeg_picture(), headers=JPEG)

    assert put.status_code == 404
    assert sqlite_service.client.get(path).status_code == 404
    assert sqlite_service.client.get(f"{CAMERAS}/nobody").status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"state": "asleep"}, {"name": ""}, {"drops": -1}, {"drops": 2**63}, {"width_px": 0}],
    ids=str,
)
def test_a_wrong_report_is_refused(sqlite_service: Service, change: dict[str, Any]) -> None:
    answer = sqlite_service.detector.put(f"{CAMERAS}/main-3", json={**REPORT, **change})

    assert answer.status_code == 422
