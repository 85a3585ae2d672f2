from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.decisions.closure import STILL_THERE_AFTER
from tests.support.dispatch import Service, jpeg_picture

JPEG = {"Content-Type": "image/jpeg"}


def put(service: Service, incident_id: str, name: str, content: bytes) -> httpx.Response:
    path = f"/api/v1/incidents/{incident_id}/evidence/{name}"
    return service.detector.put(path, content=content, headers=JPEG)


def test_evidence_is_kept_and_served_as_it_was_posted(service: Service) -> None:
    order = service.post_order()
    picture = jpeg_picture(120, 80)

    first = put(service, order["incident_id"], "opened-wide", picture)
    again = put(service, order["incident_id"], "opened-wide", picture)

    assert (first.status_code, again.status_code) == (201, 204)
    stored = service.order(order["order_id"])
    (shown,) = stored["evidence"]
    assert (shown["width_px"], shown["height_px"]) == (120, 80)
    served = service.client.get(shown["url"])
    assert served.content == picture
    assert served.headers["content-type"] == "image/jpeg"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert [step["kind"] for step in stored["history"]].count("evidence") == 1


def test_evidence_is_never_overwritten(service: Service) -> None:
    order = service.post_order()
    picture = jpeg_picture()
    put(service, order["incident_id"], "opened-wide", picture)

    answer = put(service, order["incident_id"], "opened-wide", jpeg_picture())

    assert answer.status_code == 409
    url = service.order(order["order_id"])["evidence"][0]["url"]
    assert service.client.get(url).content == picture


def test_ten_threads_that_put_one_picture_store_it_once(service: Service) -> None:
    order = service.post_order()
    picture = jpeg_picture()
    with ThreadPoolExecutor(10) as pool:
        codes = list(
            pool.map(
                lambda _: put(service, order["incident_id"], "opened-wide", picture).status_code,
                range(10),
            )
        )

    assert sorted(codes) == [201] + [204] * 9
    assert service.order(order["order_id"])["version"] == 2


def test_evidence_of_an_unknown_incident_is_refused_and_not_kept(
    sqlite_service: Service, tmp_path: Path
) -> None:
    answer = put(sqlite_service, str(uuid.uuid4()), "opened-wide", jpeg_picture())

    assert answer.status_code == 404
    assert list((tmp_path / "pictures" / "evidence").rglob("*.jpg")) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"GIF89a" + b"0" * 100, "image/jpeg", 422),
        (b"", "image/jpeg", 422),
        (b"\xff\xd8\xff", "image/jpeg", 422),
        (b"<script>alert(1)</script>", "image/svg+xml", 415),
        (None, "image/png", 415),
        (None, None, 415),
    ],
    ids=["gif", "empty", "cut-off", "svg", "jpeg-as-png", "no-type"],
)
def test_only_whole_jpeg_pictures_are_taken(
    sqlite_service: Service, content: bytes | None, kind: str | None, status: int
) -> None:
    order = sqlite_service.post_order()
    path = f"/api/v1/incidents/{order['incident_id']}/evidence/opened-wide"
    headers = {} if kind is None else {"Content-Type": kind}

    body = jpeg_picture() if content is None else content
    answer = sqlite_service.detector.put(path, content=body, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("chunked", [False, True], ids=["with-length", "chunked"])
@pytest.mark.parametrize(
    ("path", "kind", "size"),
    [
        ("/api/v1/incidents/{incident}/evidence/opened-wide", "image/jpeg", 200_001),
        ("/api/v1/work-orders", "application/json", 20_001),
    ],
)
def test_a_body_that_is_too_large_is_refused(
    sqlite_service: Service, path: str, kind: str, size: int, chunked: bool
) -> None:
    incident = sqlite_service.post_order()["incident_id"]
    body = b"\xff" * size
    content = iter([body]) if chunked else body

    answer = sqlite_service.admin.request(
        "PUT" if "incidents" in path else "POST",
        path.format(incident=incident),
        content=content,
        headers={"Content-Type": kind},
    )

    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:streetwarden:problem:too-large"


@pytest.mark.parametrize(
    "name",
    ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a.jpg", "A", "-a", "a" * 65, "a%00b", "a%2Fb", "场"],
)
def test_no_name_leads_out_of_the_folder(sqlite_service: Service, name: str) -> None:
    order = sqlite_service.post_order()

    answer = put(sqlite_service, order["incident_id"], name, jpeg_picture())
    read = sqlite_service.client.get(f"/api/v1/incidents/{order['incident_id']}/evidence/{name}")

    assert answer.status_code in {404, 405, 422}
    assert read.status_code in {404, 422}


def observe(service: Service, incident_id: str, **changes: Any) -> httpx.Response:
    body = {
        "state": "present",
        "last_seen_at": "2026-11-24T09:10:00+08:00",
        "observed_s": 600,
        **changes,
    }
    return service.detector.put(f"/api/v1/incidents/{incident_id}/observation", json=body)


def test_a_later_sight_moves_last_seen_without_a_new_version(service: Service) -> None:
    order = service.post_order()

    answer = observe(service, order["incident_id"])

    assert answer.status_code == 200
    seen = service.order(order["order_id"])
    assert (seen["last_seen_at"], seen["observed_s"]) == ("2026-11-24T01:10:00Z", 600)
    assert seen["version"] == 1


def test_what_was_inferred_is_kept_and_stays_where_a_sight_does_not_tell(
    service: Service,
) -> None:
    order = service.post_order(inferred_s=4.5)
    assert service.order(order["order_id"])["inferred_s"] == 4.5

    observe(service, order["incident_id"])
    assert service.order(order["order_id"])["inferred_s"] == 4.5

    later = {"last_seen_at": "2026-11-24T09:11:00+08:00", "observed_s": 660, "inferred_s": 6}
    observe(service, order["incident_id"], **later)
    assert service.order(order["order_id"])["inferred_s"] == 6


def test_clearing_is_recorded_once_and_is_final(service: Service) -> None:
    order = service.post_order()
    cleared = {
        "state": "cleared",
        "last_seen_at": "2026-11-24T09:20:00+08:00",
        "cleared_at": "2026-11-24T09:20:30+08:00",
        "observed_s": 1200,
    }

    for _ in range(2):
        answer = observe(service, order["incident_id"], **cleared)
        assert answer.json()["cleared_at"] == "2026-11-24T01:20:30Z"
    observe(service, order["incident_id"], last_seen_at="2026-11-24T10:00:00+08:00")

    stored = service.order(order["order_id"])
    assert stored["last_seen_at"] == "2026-11-24T01:20:00Z"
    assert stored["version"] == 2
    assert [step["kind"] for step in stored["history"]].count("cleared") == 1
    assert stored["time_to_clear_s"] == 918.0


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], "verified"),
        (["accepted", "in_progress"], "verified"),
        (["accepted", "resolved"], "verified"),
        (["resolved", "closed"], "closed"),
        (["rejected"], "rejected"),
    ],
    ids=["dispatched", "in_progress", "resolved", "closed", "rejected"],
)
def test_a_place_seen_free_verifies_what_was_still_to_be_done(
    service: Service, steps: list[str], expected: str
) -> None:
    order = service.post_order()
    for status in steps:
        service.client.patch(
            f"/api/v1/work-orders/{order['order_id']}", json={"status": status, "reason": "why"}
        )

    clear(service, order["incident_id"])

    stored = service.order(order["order_id"])
    assert stored["status"] == expected
    last = stored["history"][-1]
    assert (last["kind"], last["actor"]) == ("cleared", "test-detector")
    assert last["to_status"] == ("verified" if expected == "verified" else None)


def test_what_is_seen_after_a_crew_said_resolved_is_reopened(service: Service) -> None:
    order = service.post_order()
    path = f"/api/v1/work-orders/{order['order_id']}"
    service.client.patch(path, json={"status": "resolved"})
    resolved_at = service.clock.at

    soon = resolved_at + STILL_THERE_AFTER
    observe(service, order["incident_id"], last_seen_at=soon.isoformat())
    assert service.order(order["order_id"])["status"] == "resolved"

    later = soon + timedelta(seconds=1)
    observe(service, order["incident_id"], last_seen_at=later.isoformat())
    observe(service, order["incident_id"], last_seen_at=(later + timedelta(hours=1)).isoformat())

    stored = service.order(order["order_id"])
    assert stored["status"] == "reopened"
    assert [step["to_status"] for step in stored["history"]].count("reopened") == 1
    assert service.client.patch(path, json={"status": "resolved"}).status_code == 200


@pytest.mark.parametrize(
    ("earlier", "returned", "is_linked"),
    [
        ({}, {}, True),
        ({}, {"box_xyxy": [420, 240, 600, 350]}, True),
        ({}, {"box_xyxy": [206, 116.75, 299, 171], "width_px": 480, "height_px": 270}, True),
        ({}, {"box_xyxy": [10, 10, 100, 90]}, False),
        ({}, {"zone_id": "other"}, False),
        ({}, {"category": "litter"}, False),
        ({}, {"camera_id": "other"}, False),
    ],
    ids=["same", "near", "other size", "elsewhere", "other zone", "other category", "other camera"],
)
def test_what_comes_back_is_linked_to_the_order_that_ended(
    service: Service, earlier: dict[str, Any], returned: dict[str, Any], *, is_linked: bool
) -> None:
    first = service.post_order(**earlier)
    clear(service, first["incident_id"])

    second = service.post_order(incident_id=str(uuid.uuid4()), **returned)

    assert second["order_id"] != first["order_id"]
    assert second["previous_order_id"] == (first["order_id"] if is_linked else None)


def test_what_is_still_open_or_was_rejected_is_no_earlier_order(service: Service) -> None:
    first = service.post_order()
    second = service.post_order(incident_id=str(uuid.uuid4()))
    assert second["previous_order_id"] is None

    for order in (first, second):
        service.client.patch(
            f"/api/v1/work-orders/{order['order_id']}",
            json={"status": "rejected", "reason_code": "false_alarm"},
        )
        clear(service, order["incident_id"])

    third = service.post_order(incident_id=str(uuid.uuid4()))
    assert third["previous_order_id"] is None


def clear(service: Service, incident_id: str) -> None:
    answer = observe(
        service,
        incident_id,
        state="cleared",
        last_seen_at="2026-11-24T09:20:00+08:00",
        cleared_at="2026-11-24T09:20:30+08:00",
    )
    assert answer.status_code == 200


def test_an_observation_older_than_the_last_changes_nothing(service: Service) -> None:
    order = service.post_order()
    observe(service, order["incident_id"])

    answer = observe(
        service,
        order["incident_id"],
        state="cleared",
        last_seen_at="2026-11-24T09:09:59+08:00",
        cleared_at="2026-11-24T09:09:59+08:00",
        observed_s=1,
    )

    assert answer.status_code == 200
    assert answer.json()["cleared_at"] is None
    assert answer.json()["observed_s"] == 600


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "cleared"},
        {"state": "gone"},
        {"last_seen_at": None},
        {"last_seen_at": "0001-01-01T00:00:00+14:00"},
        {"observed_s": -1},
        {"observed_s": "NaN"},
    ],
    ids=str,
)
def test_a_wrong_observation_is_refused(sqlite_service: Service, changes: dict[str, Any]) -> None:
    order = sqlite_service.post_order()

    assert observe(sqlite_service, order["incident_id"], **changes).status_code == 422


def test_an_observation_of_an_unknown_incident_is_refused(sqlite_service: Service) -> None:
    assert observe(sqlite_service, str(uuid.uuid4())).status_code == 404
