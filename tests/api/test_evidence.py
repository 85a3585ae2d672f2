"""Films and manifests beside pictures: taken whole, served byte for byte."""

from __future__ import annotations

import uuid

import httpx
import pytest

from service.daemon.signing import Signer
from tests.support.dispatch import Service, jpeg_picture
from tests.support.films import manifest_of, small_film

SIGNER = Signer.new()
TYPES = {"opened-wide": "image/jpeg", "clip": "video/mp4", "manifest": "application/json"}


def put(service: Service, incident_id: str, name: str, content: bytes, kind: str) -> httpx.Response:
    path = f"/api/v1/incidents/{incident_id}/evidence/{name}"
    return service.detector.put(path, content=content, headers={"Content-Type": kind})


def test_every_kind_of_file_comes_back_byte_for_byte(service: Service) -> None:
    order = service.post_order()
    incident = order["incident_id"]
    files = {"opened-wide": jpeg_picture(), "clip": small_film()}
    files["manifest"] = manifest_of(incident, files, SIGNER)
    for name, content in files.items():
        assert put(service, incident, name, content, TYPES[name]).status_code == 201
        assert put(service, incident, name, content, TYPES[name]).status_code == 204
    shown = {each["name"]: each for each in service.order(order["order_id"])["evidence"]}
    assert {name: each["content_type"] for name, each in shown.items()} == TYPES
    for name, content in files.items():
        served = service.client.get(shown[name]["url"])
        assert served.content == content
        assert served.headers["content-type"].partition(";")[0] == TYPES[name]
    assert (shown["clip"]["width_px"], shown["clip"]["height_px"]) == (128, 96)


def test_a_manifest_is_no_change_of_the_order(sqlite_service: Service) -> None:
    order = sqlite_service.post_order()
    manifest = manifest_of(order["incident_id"], {}, SIGNER)
    put(sqlite_service, order["incident_id"], "manifest", manifest, "application/json")
    assert sqlite_service.order(order["order_id"])["version"] == order["version"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "status"),
    [
        ("clip", small_film()[:-1], "video/mp4", 422),
        ("clip", small_film() + b"x", "video/mp4", 422),
        ("clip", b"", "video/mp4", 422),
        ("clip", b"<script>", "text/html", 415),
        ("clip", jpeg_picture(shade=1), "image/jpeg", 415),
        ("opened-wide", small_film(), "video/mp4", 415),
        ("manifest", b"{}", "application/json", 422),
        ("manifest", b"[1]", "application/json", 422),
        ("manifest-2", b"\xff", "application/json", 422),
        ("manifest", jpeg_picture(shade=1), "image/jpeg", 415),
    ],
)
def test_what_is_not_what_its_name_says_is_refused(
    sqlite_service: Service, name: str, content: bytes, kind: str, status: int
) -> None:
    order = sqlite_service.post_order()
    assert put(sqlite_service, order["incident_id"], name, content, kind).status_code == status
    assert sqlite_service.order(order["order_id"])["evidence"] == []


def test_a_manifest_that_was_altered_or_is_of_another_incident_is_refused(
    sqlite_service: Service,
) -> None:
    incident = sqlite_service.post_order()["incident_id"]
    manifest = manifest_of(incident, {"opened-wide": b"picture"}, SIGNER)
    altered = manifest.replace(b"opened-wide", b"opened-wild")
    foreign = manifest_of(str(uuid.uuid4()), {}, SIGNER)
    for content in (altered, foreign):
        answer = put(sqlite_service, incident, "manifest", content, "application/json")
        assert answer.status_code == 422


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=10-999999999", 206, 10, None),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=999999999-", 416, 0, 0),
        ("bytes=5-2", 416, 0, 0),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=-", 200, 0, None),
    ],
)
def test_players_get_the_part_they_ask_for(
    sqlite_service: Service, asked: str, status: int, start: int, end: int | None
) -> None:
    order, film = sqlite_service.post_order(), small_film()
    put(sqlite_service, order["incident_id"], "clip", film, "video/mp4")
    path = f"/api/v1/incidents/{order['incident_id']}/evidence/clip"
    answer = sqlite_service.client.get(path, headers={"Range": asked})
    assert answer.status_code == status
    if status == 416:
        assert answer.json()["type"].endswith("no-such-part")
        assert answer.headers["content-range"] == f"bytes */{len(film)}"
    else:
        assert answer.content == film[start:end]
    if status == 206:
        assert answer.headers["content-range"].endswith(f"/{len(film)}")


def test_a_film_that_is_too_large_is_refused(sqlite_service: Service) -> None:
    incident = sqlite_service.post_order()["incident_id"]
    content = b"\0" * 24_000_001
    assert put(sqlite_service, incident, "clip", content, "video/mp4").status_code == 413
